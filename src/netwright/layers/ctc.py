"""The loss of transcripts that do not say which element of the input each symbol belongs to."""

from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import DataError
from netwright.layers.losses import SMALLEST
from netwright.layers.pointwise import is_softmax
from netwright.net.leaf import Kept, LeafNode, Unfit
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, filled, inside, length_of


class CTCLoss(Leaf):
    """Connectionist temporal classification: loss = −(1 / t) log Σ p(path), over all paths that read as the target.

    A path gives each of the n elements a class: a symbol or the blank, which is the last class. It is read by merging
    neighbours that are equal, and then leaving out the blanks: with `-` for the blank, `aa-ab--b` reads as `aabb`. So a
    target of t symbols needs at least t elements, and one more for each two neighbours that are equal.

    The input is probabilities, as softmax gives them. Where a softmax comes right before, the plan computes both at
    once from the logits, which is exact for probabilities however small; alone, a probability below 10⁻³⁰ counts as
    that.

    Shapes: input (n, k), target (t,) of integers below k − 1, loss ().

    Fields:
        logits: whether the input is the logits instead; off, since nets end in softmax, which the plan merges with the
            loss by this option.

    Raises:
        SizeError: the input does not have one class more than the target has symbols.
        DataError: an example whose target is longer than its input can say.

    Example:
        >>> import netwright as nw
        >>> sound = nw.batch([[[0.9, 0.05, 0.05], [0.1, 0.1, 0.8], [0.1, 0.7, 0.2]]])
        >>> round(float(nw.CTCLoss()({"input": sound, "target": nw.batch([[0, 1]])})), 4)
        0.2142

    Source: Graves et al. 2006, "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with
        Recurrent Neural Networks"
    Torch: torch.nn.CTCLoss, with the last class as its blank
    """

    _: KW_ONLY
    logits: bool = False
    ports = "input: n k, target: t <v> -> loss: ()"
    needs_float32 = True
    is_loss = True
    family = "loss"

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        if known["k"] is None:
            return None if known["v"] is None else {"k": known["v"] + 1}
        if isinstance(known["k"], int) and known["k"] < 2:
            raise Unfit("its input has no class beside the blank", expected="2 classes or more", got=str(known["k"]))
        return {"v": known["k"] - 1}

    def merged_with(self, before: LeafNode) -> tuple[LeafNode, ...] | None:
        return None if self.logits or not is_softmax(before) else (replace(self, logits=True),)

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        logs, paths = 4 * sizes["n"] * sizes["k"], 4 * sizes["n"] * (2 * sizes["t"] + 1)
        if self.logits:
            return Kept(inputs=("target",), bytes=logs + paths + 24)
        return Kept(inputs=("*",), bytes=2 * logs + paths + 24)

    def forward(self, w: Mapping[str, Tensor], x: Tensor, target: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        x = x.to(torch.promote_types(x.dtype, torch.float32))  # torch has no such loss of narrower numbers
        if not len(x):
            return x.sum((1, 2))  # (0, n, k) -> (0,)
        own, said = length_of(lengths, "n"), length_of(lengths, "t")
        steps = _full(x) if own is None else own  # (b,)
        symbols = _full(target) if said is None else said  # (b,)
        target = target.long()
        if not torch.compiler.is_compiling():
            _refuse_short(steps, target, symbols)
        logs = x.log_softmax(-1) if self.logits else x.clamp_min(SMALLEST).log()  # (b, n, k)
        loss = F.ctc_loss(logs.transpose(0, 1), target, steps, symbols, blank=x.shape[-1] - 1, reduction="none")
        if not self.logits:  # torch's derivative is that of logits: right behind a softmax, here one too large
            real = filled(x, own, 0.0)
            loss = loss - (real - real.detach()).sum((1, 2))
        return loss / symbols.clamp_min(1)  # (b,)


def _full(x: Tensor) -> Tensor:
    """The length of examples that are not padded: (b,)."""
    return torch.full((x.shape[0],), x.shape[1], dtype=torch.int64, device=x.device)


def _refuse_short(steps: Tensor, target: Tensor, symbols: Tensor) -> None:
    """Raise an error for the first example that no path reads as its target."""
    again = (target[:, 1:] == target[:, :-1]) & inside(symbols, target.shape[1])[:, 1:]  # (b, t − 1)
    least = symbols + again.sum(1)  # (b,)
    short = (least > steps).nonzero()
    if len(short):
        row = int(short[0])
        count, repeats = int(symbols[row]), int(again[row].sum())
        error = DataError(
            what="a transcript is longer than its input can say",
            where=f"CTCLoss, example {row} of the batch",
            expected=f"{int(least[row])} elements or more, for {count} symbols"
            + (f" and {repeats} between equal neighbours" if repeats else ""),
            got=f"{int(steps[row])} elements",
            mend=("leave this example out", "a net that shortens its input less, with smaller strides or pools"),
        )
        error.row = row
        raise error
