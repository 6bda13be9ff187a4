"""Chooses the number type of a run: bf16 where the processor has units for it, products are large, and 3 digits do."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from netwright.codecs.codec import Codec
from netwright.errors import TrainingError
from netwright.machine import has_bf16
from netwright.training.prepare.arguments import PRECISIONS
from netwright.training.prepare.choices import Chooser
from netwright.training.prepare.goal import gives_classes

WORK_EACH = 3_000_000  # multiply-adds, on average over the parts, from which bf16 gains more than its copies cost
VALUES = 256  # of a byte: bf16 has 8 bits too
REPEATED = 4  # times that values occur on average, at the least, where it is known that there are few
WHY = "the processor has units for bf16; weights and losses stay float32"
WHY_COARSE = f"{WHY}; the targets have at most {VALUES} different values"


def precision_of(
    choose: Chooser,
    given: str | None,
    device: torch.device,
    work: Sequence[int],
    decoders: Iterable[Codec],
    targets: Callable[[], Sequence[Tensor]],
) -> torch.dtype | None:
    """The precision of activations and products; weights and losses are float32 if it is lower.

    Fields: `work`, multiply-adds with a batch by each part that multiplies; `targets` gives those of some examples,
        encoded.
    """

    def automatic() -> tuple[str, str]:
        if not has_bf16(device):
            return "float32", "the processor has no units for bf16"
        each = sum(work) // max(1, len(work))
        if each < WORK_EACH:
            return "float32", f"the products are small: {each:,} multiply-adds each"
        if all(map(gives_classes, decoders)):
            return "bf16", WHY
        if all(map(is_coarse, targets())):
            return "bf16", WHY_COARSE
        return "float32", "bf16 has about 3 digits, too few for outputs that are numbers"

    chosen = choose.choice("precision", given, choose.of_first(automatic))
    if chosen == "float64" and device.type == "mps":
        raise TrainingError(what="this device has no float64", where="precision", got=str(device), mend='device="cpu"')
    return PRECISIONS[chosen]


def is_coarse(target: Tensor) -> bool:
    """Whether numbers take so few values, as those of pictures do, that bf16 tells them apart. Indices do."""
    return not target.is_floating_point() or len(target.unique()) <= min(VALUES, target.numel() // REPEATED)
