"""Makes the automatic choices of a run, each with its reason: from the data, the net and the machine, never a clock."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeAlias, TypeVar

import torch

from netwright.codecs.codec import Codec
from netwright.data.duplicates import duplicates
from netwright.data.frames import columns_not_used
from netwright.data.sources import Source
from netwright.errors import DataError, TrainingError, shortened
from netwright.machine import best_device, free_memory
from netwright.net.cost import ANY_LENGTHS, FLOAT32_BYTES
from netwright.net.names import matches
from netwright.net.plan.plan import Plan, fixed, shape_text
from netwright.training.engines.pieces import size_text
from netwright.training.events import Choice
from netwright.training.feeds.batches import Batches
from netwright.training.feeds.streamed import order_of_blocks
from netwright.training.feeds.workers import with_workers
from netwright.training.limits import Limits
from netwright.training.optimizers import Optimizer
from netwright.training.prepare.peak import peak_rate
from netwright.training.processes.group import Group
from netwright.training.processes.refusals import refuse_small_batch
from netwright.training.range_test import RATE, RangeTest
from netwright.training.room import examples_that_fit, held_bytes

LEAST_STEPS = 2000  # if the number of epochs is not given, a run has at least so many steps, and ten epochs
FEW_STEPS = 100  # in fewer a net still learns fast at the end: lower rates lost up to a third in 40, nothing in 80
WHY_CONSTANT = f"in fewer than {FEW_STEPS} steps the net still learns fast at the end; a lower rate would slow it down"
WHY_STABLE = "the rate stays at its peak for most of the run, so a short run learns as much as at a constant rate"
LARGEST = 256  # examples of a batch that is chosen
USUAL, SMALLEST = 16, 8  # the least that are chosen: of a long run, and of one that would make few steps
REPEATED = "copied from the given choices"
FEW_CHANNELS = (1, 3, 4)  # of a picture: gray, colours, and colours with transparency
WORK_FOR_THREADS = 4_000_000  # multiply-adds of a step from which a trial is made: in fewer a thread's start costs more
SPLIT = "nw.split(data, by=…) keeps examples like these in one part"
SHOWN = 3  # pairs of equal examples that a choice names
WHY_PARTS = (
    "training and validation both read the stream, and each leaves out the examples of the other, "
    "which are known by their places in a pass"
)
WHY_PIECES = "the sum of their gradients is that of the batch"
T = TypeVar("T")
Rate: TypeAlias = tuple[float, Mapping[str, float]]


class Chooser:
    """Collects choices: values that the user gave, values of an earlier run, and automatic values."""

    def __init__(self, earlier: Sequence[Choice], group: Group | None = None) -> None:
        self.made: list[Choice] = []
        self.group = group or Group()
        self._earlier = {choice.name: choice for choice in earlier}

    def say(self, name: str, value: object, why: str, setting: Any = None) -> None:
        """Record a choice."""
        self.made.append(Choice(name, str(value), why, setting))

    def choice(
        self, name: str, given: T | None, default: Callable[[], tuple[T, str]], shown: Callable[[T], str] = str
    ) -> T:
        """The given value, else that of an earlier run, else the default with its reason; the choice is recorded."""
        known = self.again(name, given)
        value, why = default() if known is None else (known, "given" if given is not None else REPEATED)
        self.say(name, shown(value), why, value)
        return value

    def optional(self, name: str, given: T | None) -> T | None:
        """The given value, else that of an earlier run, else None; a value is recorded, None is not."""
        value = self.again(name, given)
        if value is not None:
            self.say(name, value, "given" if given is not None else REPEATED, value)
        return value

    def again(self, name: str, given: T | None) -> T | None:
        """The given value, else that of an earlier run, else None."""
        return self._earlier[name].setting if given is None and name in self._earlier else given

    def epochs(self, given: int | None, steps_each: int) -> int:
        """The number of passes over the data."""
        why = f"at least 10 epochs and at least {LEAST_STEPS:,} steps; {steps_each} steps per epoch"
        return self.choice("epochs", given, lambda: (max(10, math.ceil(LEAST_STEPS / steps_each)), why))

    def batch_size(
        self,
        given: int | None,
        examples: int | None,
        bytes_each: int,
        device: torch.device,
        least: int = 1,
        epochs: int | None = None,
    ) -> int:
        """Examples in a step: half the square root of their number, fewer in a short run, limited by memory and net.

        `examples` is None of a stream that is not counted, `epochs` where their number is chosen.
        """
        epochs = self.again("epochs", epochs)

        def fits() -> tuple[int, str]:
            size, why = _usual_batch(examples, epochs)
            most = examples_that_fit(free_memory(device) // 4, 0, bytes_each)
            while size // 2 >= least and size > most:
                size, why = size // 2, "the largest batch that fits in a quarter of the free memory"
            return size, why

        most = given if given is None or examples is None else min(given, examples)
        size = self.choice("batch size", most, self.of_first(fits))
        refuse_small_batch(self.group, size)
        return size

    def pieces(
        self,
        size: int,
        example: int,
        weights: int,
        device: torch.device,
        joined: str,
        optimizer: Optimizer,
        kind: torch.dtype | None = None,
        given: int | None = None,
    ) -> int:
        """In how many pieces a batch comes, so that each fits in memory.

        Fields: `example`, bytes of the values of an example and their gradients; `weights`, how many are trained;
            `joined`, why a batch is not split; `optimizer`, which keeps numbers for each weight; `kind`, the precision
            of the run; `given`, the least number.

        Raises: TrainingError where the weights, or the values of the smallest piece, are larger than the free memory,
            and for a given number that the batch cannot have.
        """
        itemsize = FLOAT32_BYTES if kind is None else kind.itemsize
        free, smallest, state = free_memory(device), size if joined else 1, weights * max(itemsize, FLOAT32_BYTES)
        least = example * itemsize // FLOAT32_BYTES // 2 * smallest  # the values alone
        if 2 * state + least > free:
            examples = "an example" if smallest == 1 else f"a batch of {size:,} examples"
            smaller = "a smaller net, shorter examples, or a machine with more memory"
            raise TrainingError(
                what="the run does not fit in memory",
                where=f"device {str(device)!r}",
                expected=f"at least {size_text(2 * state)} for weights and gradients, "
                f"{size_text(least)} for the values of {examples}",
                got=f"{size_text(free)} free",
                mend=(f"a smaller batch_size, since {joined}", smaller) if smallest > 1 else smaller,
            )
        if given is not None:
            _refuse_pieces(size, given, joined)
        if joined:
            return 1
        most = examples_that_fit(free, held_bytes(weights, optimizer, max(itemsize, FLOAT32_BYTES)), example)
        count = self.again("pieces", given)
        why = "given" if given is not None else REPEATED
        fits = count or 1
        while fits < size and math.ceil(size / fits) > most:
            fits *= 2
        if count is None or (given is not None and fits > count):
            why = f"a batch takes about {size_text(size * example)}, and {size_text(free)} are free; {WHY_PIECES}"
            count = fits
        if count > 1 or given is not None:
            self.say("pieces", f"{count} of a batch", why, count)
        return count

    def limits(self, patience: int | None, minutes: float | None, validated: bool) -> Limits:
        """What ends the run before its epochs are done.

        Raises: TrainingError for patience without validation data.
        """
        found = Limits(self.optional("patience", patience), self.optional("minutes", minutes))
        if found.patience is not None and not validated:
            raise TrainingError(
                what="patience waits for a better validation loss, and nothing is validated",
                where="patience",
                got=str(found.patience),
                mend=("validation=0.1, a part of the data", "leave patience out"),
            )
        return found

    def schedule(self, given: Any, steps: int) -> Any:
        """The schedule of the learning rate over so many steps."""
        few = steps < FEW_STEPS
        return self.choice(
            "schedule", given, lambda: ("constant", WHY_CONSTANT) if few else ("warmup-stable-decay", WHY_STABLE)
        )

    def examples(self, training: Source, held_out: Source | None, inputs: Sequence[str]) -> None:
        """Record whether examples are read again in every epoch, and whether some that validate train too."""
        sources = {"examples": training}
        if held_out is not None and held_out.rows is None:  # given separately, not a part of the training data
            sources["validation examples"] = held_out
        for name, source in sources.items():
            if source.once:
                self.say(name, "read once", source.once)
            elif kinds := [lazy.rows.kind for lazy in source.lazy if not lazy.rows.drawn]:
                self.say(name, "read when they are needed", f"{kinds[0]} is never in memory as a whole")
            elif source.drawn or source.again is not None or source.blocks is not None:
                kind = "__getitem__" if source.drawn else "a stream"
                self.say(name, "read again in every epoch", f"{kind} may give random examples; list(…) reads them once")
        self._blocks(training)
        self._duplicates(training, held_out, inputs)

    def _duplicates(self, training: Source, held_out: Source | None, ports: Sequence[str]) -> None:
        """Record how many of the examples that validate train too, compared in the inputs that the data has."""
        inputs = [port for port in ports if port in training.columns]
        found = duplicates(training, held_out, inputs) if held_out is not None and inputs else None
        if held_out is None or found is None or not found.pairs:
            return
        of = f" of the {held_out.name}" if held_out.name else ""
        shown = [f"row {_number(held_out, j)}{of} = row {_number(training, i)}" for j, i in found.pairs[:SHOWN]]
        both = {"train": (found.trained, len(training)), "validate": (found.validated, len(held_out))}
        seen = [f"{some:,} of the {n:,} that {do} were looked at" for do, (some, n) in both.items() if some < n]
        why = [", ".join(shown) + (", …" if len(found.pairs) > SHOWN else "")]
        why += ["texts are compared without case, spacing and punctuation"] if found.texts else []
        why += ["pictures may be moved by one pixel"] if found.pictures else []
        why += [*seen, "their loss says nothing about new examples", SPLIT]
        least = "at least " if seen else ""
        count = f"{least}{len(found.pairs):,} of {len(held_out):,} examples are also in the training data"
        self.say("validation", count, "; ".join(why))

    def _blocks(self, training: Source) -> None:
        """Record how a stream that is not kept is shuffled, and what an epoch of it is."""
        blocks = training.blocks
        if blocks is None:
            return
        self.say("order", *order_of_blocks())
        if blocks.stream.shuffles:
            why = "the DataLoader shuffles; a run that goes on is exact where the data set itself is the data"
            self.say("passes", "each in another order, so a run that goes on sees other batches", why)
        if blocks.part is not None:
            value = f"{blocks.part.held_out:,} of {blocks.part.examples:,} examples of the stream"
            self.say("held out", value, WHY_PARTS)
        if blocks.examples is not None:
            why = "as its length says" if blocks.stream.length else "those of one pass, which was read to count them"
            self.say("epoch", f"{blocks.examples:,} examples", why)
        else:
            why = f"given; codecs learn from the first {len(training):,} examples"
            self.say("epoch", "so many steps, whatever a pass has", why)

    def channels(self, plan: Plan) -> None:
        """Record which axis counts as channels, if an input looks like a picture with channels first."""
        for op in plan.wiring.leaves:
            if not op.leaf.slides or op.within or op.reads[0][1][0]:
                continue
            shape = plan.shape(op.reads[0][1])
            if len(shape) == 3 and fixed(shape) and shape[0] in FEW_CHANNELS and shape[-1] not in FEW_CHANNELS:
                why = (
                    f"the last axis has the channels; if the first has them, put nw.Transpose(1, 2, 0) before {op.path}"
                )
                self.say("channels", f"{shape[-1]} of {shape_text(shape)}", why)

    def columns(self, source: Source, codecs: Mapping[str, Codec]) -> None:
        """Record which columns of a frame the net does not read."""
        names = [name for port, codec in codecs.items() for name in columns_not_used(source.columns[port], codec)]
        if names:
            self.say("columns not used", ", ".join(names), "the net's encoder does not name them")

    def truncated(self, source: Source, codecs: Mapping[str, Codec]) -> None:
        """Record how many examples the encoders cut to `max_length`."""
        texts: list[str] = []
        for port, codec in codecs.items():
            cut = codec.truncated(source.columns[port])
            texts += [f"{cut:,} of {len(source):,} at port {port!r}"] if cut else []
        if texts:
            self.say("truncated", ", ".join(texts), "the encoder keeps at most `max_length` elements")

    def converted(self, source: Source, codecs: Mapping[str, Codec]) -> None:
        """Record which examples the encoders bring into another form, such as sounds to another rate."""
        for port, codec in codecs.items():
            said = codec.converted(source.columns[port])
            if said:
                self.say("converted", f"{said} at port {port!r}", f"the encoder is {shortened(repr(codec), 60)}")

    def batches(self, feed: Batches, size: int, seed: int) -> None:
        """Record how batches are composed if examples differ in length; the feed decides it."""
        composition = feed.composition(size, seed)
        if composition is not None:
            self.say("batches", *composition)

    def workers(self, given: int | None, feed: Batches) -> Batches:
        """The batches, read by so many processes; it is recorded where these have no use."""
        if given and not feed.raw:
            self.say("workers", 0, "all examples are encoded in memory before the first step")
            return feed
        return with_workers(feed, given)

    def device(self, given: torch.device | None) -> torch.device:
        """The device to compute on."""

        def best() -> tuple[torch.device, str]:
            device = best_device()
            return device, "the fastest device found" if device.type != "cpu" else "no accelerator found"

        return self.choice("device", given, best)

    def learning_rate(
        self,
        given: float | Mapping[str, float] | RangeTest | None,
        optimizer: Optimizer,
        plan: Plan,
        prefix: str = "",
        batch: int = LARGEST,
        numbers: bool = False,
        lengths: Mapping[str, int] = ANY_LENGTHS,
    ) -> Rate:
        """The peak learning rate of arrays for which none is given by path, and the rates by path.

        Where it is chosen, it follows from the net, the batch, and whether the answers are numbers (`peak_rate`). A
        range test, which comes later, begins with the rate that the run would have without it.
        """
        learned = [path.removeprefix(prefix) for path, spec in plan.arrays.items() if spec.weight.kind == "learned"]

        def has_base(by_path: Mapping[str, float]) -> bool:
            return not all(any(matches(path, pattern) for pattern in by_path) for path in learned)

        def shown(rate: Rate) -> str:
            texts = [f"{pattern}: {each:g}" for pattern, each in rate[1].items()]
            return ", ".join([f"{rate[0]:g}", *texts] if has_base(rate[1]) else texts)

        own = optimizer.rate
        base, why = peak_rate(plan, batch, numbers, lengths) if own is None else (own, "the rate of the optimizer")
        if isinstance(given, Mapping):
            whys = [why, "the rates by path are given"] if has_base(given) else ["the rates by path are given"]
            self.say(RATE, shown((base, given)), "; ".join(whys), (base, given))
            return base, given
        whole: Rate | None = None if given is None or isinstance(given, RangeTest) else (given, {})
        return self.choice(RATE, whole, lambda: ((base, {}), why), shown)

    def threads(self, given: int | None, work: int, trial: Callable[[], int]) -> int:
        """Threads of the processor; if the work is large enough to share, a trial decides whether sharing is faster."""

        def tried() -> tuple[int, str]:
            if work < WORK_FOR_THREADS:
                return 1, f"a step has {work:,} multiply-adds, too few to share among threads"
            threads = trial()
            return (
                threads,
                "faster than one thread in a trial" if threads > 1 else "more threads were not faster in a trial",
            )

        def shared() -> tuple[int, str]:
            here = self.group.on_machine
            return max(1, (os.cpu_count() or 1) // here), f"the processors of this machine, shared by {here} processes"

        return self.choice("threads", given, tried if self.group.size == 1 else self.of_first(shared))

    def processes(self) -> None:
        """Record how many processes share each batch, if there are several."""
        if self.group.size > 1:
            self.say("processes", self.group.size, "each computes its share of every batch; the gradients are added up")

    def of_first(self, default: Callable[[], tuple[T, str]]) -> Callable[[], tuple[T, str]]:
        """A choice that depends on the machine: that of the first process, for all."""

        def found() -> tuple[T, str]:
            value, why = default()
            return self.group.agreed(value), self.group.agreed(why)

        return found


def _usual_batch(examples: int | None, epochs: int | None) -> tuple[int, str]:
    """The batch size that follows from the number of examples, and from that of the epochs where it is known."""
    if examples is None:
        return LARGEST, "the largest that is chosen, since the stream is not counted"
    size = min(max(_power(math.sqrt(examples) / 2), USUAL), LARGEST)
    few = size if epochs is None else max(_power(examples * epochs / LEAST_STEPS), SMALLEST)
    if few < size:
        run = f"{_number_of(epochs or 1, 'epoch')} of {_number_of(examples, 'example')}"
        return min(few, examples), f"{run} in about {LEAST_STEPS:,} steps; at least {SMALLEST} examples a step"
    why = f"half the square root of {examples:,} examples, rounded to a power of two from {USUAL} to {LARGEST}"
    return min(size, examples), why


def _power(number: float) -> int:
    """The power of two that is nearest by ratio."""
    return 2 ** round(math.log2(max(number, 1)))


def _number_of(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _number(source: Source, index: int) -> int:
    """The number of an example as the user counts."""
    return index if source.rows is None else int(source.rows[index])


def fewest(plan: Plan, prefix: str, examples: int, batch_size: int | None) -> int:
    """The least number of examples in a training batch: the largest number that any part needs.

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


def why_whole(plan: Plan, prefix: str) -> str:
    """Why the examples of a batch cannot be split in pieces: a part takes its statistics over all of them."""
    for step in plan.steps:
        kinds = {plan.arrays[path].weight.kind for path in step.arrays.values()}
        if "running" in kinds or step.leaf.fewest(step.sizes) > 1:
            return f"{step.path.removeprefix(prefix)} takes its statistics over the whole batch"
    return ""


def _refuse_pieces(size: int, given: int, joined: str) -> None:
    """Refuse a number of pieces that a batch cannot have.

    Raises: TrainingError.
    """
    if joined and given > 1:
        raise TrainingError(
            what="a batch of this net cannot be split",
            where="accumulate",
            got=f"{given} pieces, and {joined}",
            mend="leave accumulate out, with a smaller batch_size",
        )
    if size % given:
        nearest = min((n for n in range(1, size + 1) if size % n == 0), key=lambda n: abs(n - given))
        raise TrainingError(
            what=f"a batch of {size:,} examples does not come in {given} equal pieces",
            where="accumulate",
            mend=(f"accumulate={nearest}", f"batch_size={math.ceil(size / given) * given}"),
        )
