"""Makes the automatic choices of a run, each with its reason: from the data, the net and the machine, never a clock."""

import math
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

import torch

from netwright.codecs.codec import Codec
from netwright.codecs.text.elements import Elements
from netwright.data.order import epoch_order
from netwright.data.sources import Source
from netwright.errors import DataError, TrainingError
from netwright.inits import fans
from netwright.layers.conv import Conv
from netwright.machine import best_device, free_memory, has_bf16
from netwright.net.plan.plan import Plan, fixed, shape_text
from netwright.training.events import Choice
from netwright.training.optimizers import Optimizer
from netwright.training.prepare.feed import Feed
from netwright.training.prepare.rates import matches

LEAST_STEPS = 2000  # a run without a number of epochs makes at least so many steps, and ten epochs
PART_OF_SPREAD = 0.14  # a peak step of Adam against 1/√fan-in, the spread of new weights; LeNet's best
REPEATED = "as in the run whose choices were given"
FEW_CHANNELS = (1, 3, 4)  # of a picture: grey, colours, and colours with what lies behind
WORK_FOR_BF16 = 100_000  # multiply-adds of an example from which a lower precision gains more than its copies cost
WORK_FOR_THREADS = 100_000_000  # multiply-adds of a step from which a second thread gains more than its start costs
Rate: TypeAlias = tuple[float, Mapping[str, float]]
PRECISIONS = {"float32": None, "bf16": torch.bfloat16}


class Chooser:
    """Collects choices: what the user gave, what an earlier run chose, or what follows."""

    def __init__(self, earlier: Sequence[Choice]) -> None:
        self.made: list[Choice] = []
        self._earlier = {choice.name: choice for choice in earlier}

    def say(self, name: str, value: object, why: str, setting: Any = None) -> None:
        """Write down a choice."""
        self.made.append(Choice(name, str(value), why, setting))

    def given_or(self, name: str, given: Any, default: Any, why: str) -> Any:
        """What was given, what an earlier run chose, or the default with its reason; nothing at all is not said."""
        if given is None and name in self._earlier:
            setting = self._earlier[name].setting
            self.say(name, self._earlier[name].value, REPEATED, setting)
            return setting
        setting = default if given is None else given
        if setting is None:
            return None
        self.say(name, setting, why if given is None else "given", setting)
        return setting

    def setting(self, name: str) -> Any:
        """What itself an earlier run chose; None where it is not known."""
        return self._earlier[name].setting if name in self._earlier else None

    def earlier(self, name: str) -> str | None:
        """What an earlier run chose, written down again."""
        choice = self._earlier.get(name)
        if choice is not None:
            self.say(name, choice.value, REPEATED, choice.setting)
        return choice.value if choice is not None else None

    def epochs(self, given: int | None, steps_each: int) -> int:
        """How many passes over the data."""
        if given is not None:
            self.say("epochs", given, "given")
            return given
        if value := self.earlier("epochs"):
            return int(value)
        epochs = max(10, math.ceil(LEAST_STEPS / steps_each))
        self.say("epochs", epochs, f"at least 10, and at least {LEAST_STEPS:,} steps, at {steps_each} steps an epoch")
        return epochs

    def batch_size(
        self, given: int | None, examples: int, bytes_each: int, device: torch.device, least: int = 1
    ) -> int:
        """Examples a step: half the root of their number as a power of two, as far as memory and the net allow."""
        if given is not None:
            self.say("batch size", min(given, examples), "given")
            return min(given, examples)
        if value := self.earlier("batch size"):
            return int(value)
        size = 2 ** round(math.log2(max(math.sqrt(examples) / 2, 1)))
        size = min(max(size, 16), 256, examples)
        why = f"half the root of {examples:,} examples, to a power of two between 16 and 256"
        room = free_memory(device) // 4
        while size // 2 >= least and size * bytes_each > room:
            size, why = size // 2, "what fits in a quarter of the free memory"
        self.say("batch size", size, why)
        return size

    def examples(self, training: Source, held_out: Source | None) -> None:
        """Whether examples that could be others each time are read anew; the kind of the data decides it."""
        sources = {"examples": training}
        if held_out is not None and held_out.rows is None:  # given beside, and no part of the same data
            sources["validation examples"] = held_out
        for name, source in sources.items():
            if source.once:
                self.say(name, "read once", source.once)
            elif source.drawn or source.again is not None:
                kind = "__getitem__" if source.drawn else "a stream"
                self.say(name, "read anew in every epoch", f"{kind} may draw what it gives; list(…) reads it once")

    def channels(self, plan: Plan) -> None:
        """What a convolution takes for channels, where an input looks like a picture with channels first."""
        for op in plan.wiring.leaves:
            if not isinstance(op.leaf, Conv) or op.within or op.reads[0][1][0]:
                continue
            shape = plan.shape(op.reads[0][1])
            if len(shape) == 3 and fixed(shape) and shape[0] in FEW_CHANNELS and shape[-1] not in FEW_CHANNELS:
                why = f"channels come last; nw.Transpose(1, 2, 0) before {op.path}, if {shape[0]} are the channels"
                self.say("channels", f"{shape[-1]} of {shape_text(shape)}", why)

    def truncated(self, source: Source, codecs: Mapping[str, Codec]) -> None:
        """What encoders cut off, where they were told a greatest length."""
        said: list[str] = []
        for port, codec in codecs.items():
            cut = codec.truncated(source.columns[port]) if isinstance(codec, Elements) else 0
            said += [f"{cut:,} of {len(source):,} at port {port!r}"] if cut else []
        if said:
            self.say("truncated", ", ".join(said), "what the encoder keeps, by its field `most`")

    def batches(self, feed: Feed, size: int, seed: int) -> None:
        """Which examples come into a batch together, where they differ in length; the feed decides it."""
        if feed.raw and feed.typical:
            self.say("batches", "by chance", "the data does not fit in memory, so that its lengths are not known")
        elif feed.ragged:
            like = feed.padding(feed.order(size, seed, epoch=1), size)
            mixed = feed.padding(epoch_order(len(feed), seed, epoch=1), size)
            self.say("batches", f"by length: {like:.1%} padding", f"a random order would have {mixed:.0%}")

    def device(self, given: torch.device | None) -> torch.device:
        """Where to compute."""
        if given is not None:
            self.say("device", given, "given")
            return torch.device(given)
        if value := self.earlier("device"):
            return torch.device(value)
        device = best_device()
        self.say("device", device, "the fastest at hand" if device.type != "cpu" else "no accelerator at hand")
        return device

    def precision(self, given: str | None, device: torch.device, work: int, classifies: bool) -> torch.dtype | None:
        """The precision of activations and products; weights and losses are always float32."""
        if given is not None:
            if given not in PRECISIONS:
                raise TrainingError(
                    what="there is no such precision",
                    where="precision",
                    expected='"float32" or "bf16"',
                    got=repr(given),
                )
            self.say("precision", given, "given")
            return PRECISIONS[given]
        if value := self.earlier("precision"):
            return PRECISIONS[value]
        reasons = [
            (not has_bf16(device), "the processor has no units for bf16"),
            (not classifies, "bf16 has 3 digits, too few for numbers as outputs"),
            (work < WORK_FOR_BF16, f"the net is small: {work:,} multiply-adds an example"),
        ]
        against = next((reason for holds, reason in reasons if holds), None)
        value = "float32" if against else "bf16"
        self.say("precision", value, against or "the processor has units for bf16; weights and losses stay float32")
        return PRECISIONS[value]

    def learning_rate(
        self, given: float | Mapping[str, float] | None, optimizer: Optimizer, plan: Plan, prefix: str = ""
    ) -> Rate:
        """The peak learning rate of arrays for which none is given by path, and the rates by path."""
        if given is None and "learning rate" in self._earlier:
            choice = self._earlier["learning rate"]
            self.say("learning rate", choice.value, REPEATED, choice.setting)
            return choice.setting
        by_path = dict(given) if isinstance(given, Mapping) else {}
        rate, why = (given, "given") if isinstance(given, float) else (optimizer.rate, "the optimizer's own")
        if rate is None:
            shapes = [spec.known for spec in plan.arrays.values() if spec.known is not None]
            wide = max((fans(shape).into for shape in shapes if len(shape) > 1), default=1)
            rate = float(f"{min(max(PART_OF_SPREAD / math.sqrt(wide), 1e-4), 1e-2):.2g}")
            why = f"{PART_OF_SPREAD} / √{wide}, the inputs of the widest layer, between 0.0001 and 0.01"
        learned = [path.removeprefix(prefix) for path, spec in plan.arrays.items() if spec.weight.kind == "learned"]
        said = [(f"{pattern}: {each:g}", "by path as given") for pattern, each in by_path.items()]
        if not all(any(matches(path, pattern) for pattern in by_path) for path in learned):  # else no array has it
            said = [(f"{rate:g}", why), *said]
        values, whys = zip(*said, strict=True)
        self.say("learning rate", ", ".join(values), "; ".join(dict.fromkeys(whys)), (rate, by_path))
        return rate, by_path

    def threads(self, given: int | None, work: int, trial: Callable[[], int]) -> int:
        """Threads of the processor; where the work is worth sharing, a trial says whether sharing it is faster."""
        if given is not None:
            self.say("threads", given, "given")
            return given
        if value := self.earlier("threads"):
            return int(value)
        if work < WORK_FOR_THREADS:
            self.say("threads", 1, f"{work:,} multiply-adds a step are too few to share")
            return 1
        threads = trial()
        self.say("threads", threads, "faster than one, by trial" if threads > 1 else "as fast as more, by trial")
        return threads


def fewest(plan: Plan, prefix: str, examples: int, batch_size: int | None) -> int:
    """How many examples every batch of training has at least: what the part that needs most says.

    Raises: DataError where there are not so many, or a smaller batch is asked for.
    """
    least, path = max(((step.leaf.fewest(step.sizes), step.path) for step in plan.steps), key=itemgetter(0))
    most = min(examples, batch_size or examples)
    if most < least:
        raise DataError(
            what=f"this part cannot train on {'one example' if most == 1 else f'{most} examples'} at once",
            where=path.removeprefix(prefix),
            expected=f"at least {least} examples in a batch",
            got=str(most),
            mend=f"{least} examples or more" if examples < least else f"batch_size={least}, or more",
        )
    return least
