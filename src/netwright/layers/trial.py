"""The trial run of a foreign module: finds which sizes come out for the sizes that go in, before an example exists."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias, cast

import torch
from torch import Tensor, nn

from netwright.errors import NetwrightError
from netwright.net.leaf import Unfit
from netwright.net.shell import arrays_of, error_text, shell, with_arrays
from netwright.seeds import drawing_from
from netwright.sizes.size import Size, evaluate, named, names
from netwright.value import Value

Shape: TypeAlias = tuple[int, ...]
Input: TypeAlias = tuple[Shape, bool]  # the sizes of an example, and whether it holds indices
Run: TypeAlias = Callable[[nn.Module, Sequence[Tensor]], list[Tensor]]

BATCHES = (2, 3)  # the batch axis of an output is the one that differs between two trials
MOST_STRIDE = 16  # of a module whose output is shorter than its varying input
LENGTHS = (24, 4, 96)  # lengths to try for a size that varies: a module may ask for a least or a greatest one


class Tried(Value, eq=False):
    """What a trial found.

    Fields: `module` the shell that ran, whose lazily sized arrays have shapes now; `shapes` the sizes of an example at
    each output; `batch` which axis of each output is the batch axis.
    """

    module: nn.Module
    shapes: tuple[Shape, ...]
    batch: tuple[int, ...]


def trial(module: nn.Module, run: Run, inputs: Sequence[Input]) -> Tried:
    """Run a shell on examples of these sizes.

    Arrays without memory are enough for most modules. Those that look at values, or keep tensors that are no arrays
    of theirs, run once more on zeros.

    Raises: Unfit where the module raises, whatever it is.
    """
    types = _types(module)
    for dtype in types:
        try:
            return _trial(with_arrays(module, Tensor.detach), run, inputs, dtype, torch.device("meta"))
        except Unfit:
            raise
        except Exception:  # on the meta device the reason may be the device: the zeros tell
            continue
    first: Exception | None = None
    for dtype in types:
        real = with_arrays(module, lambda array: torch.zeros(array.shape, dtype=array.dtype, device="cpu"))
        try:
            return _trial(real, run, inputs, dtype, torch.device("cpu"))
        except Unfit:
            raise
        except Exception as error:  # the code of a module may raise anything
            first = first or error
    name = type(module).__name__
    if isinstance(first, NetwrightError):
        raise first
    raise Unfit(
        f"{name} raises {type(first).__name__} for an input of this size",
        expected=error_text(cast(Exception, first)).removeprefix(f"{type(first).__name__}: "),
        got=", ".join(str(shape) for shape, _ in inputs),
    ) from None


def trains(module: nn.Module, run: Run, inputs: Sequence[Input], batch: int) -> bool:
    """Whether a shell takes so many examples of these sizes in training, without data."""
    for dtype in _types(module):
        try:
            with torch.no_grad(), drawing_from(0):
                run(with_arrays(module, Tensor.detach).train(), _examples(inputs, batch, dtype, torch.device("meta")))
        except Exception:  # of code that is not ours
            continue
        return True
    return False


def sizes_from_lengths(
    measure: Callable[[Mapping[str, int]], tuple[Shape, ...]], varying: Iterable[str]
) -> list[tuple[Size, ...]]:
    """The sizes of every output where those of the input vary: each a sum of quotients of the names, such as n//2 - 1.

    `measure` gives them for lengths by name.

    Raises: Unfit where no length runs, or a size is nothing of the kind.
    """
    wanted = sorted(varying)
    start, found = _first_that_runs(measure, wanted)
    sizes: list[list[Size]] = [[*shape] for shape in found]
    for name in wanted:
        seen = [measure({**start, name: start[name] + more}) for more in range(2 + 1)]
        growth = _growth(seen)
        if growth is None:
            seen += [measure({**start, name: start[name] + more}) for more in range(3, 3 * MOST_STRIDE)]
            growth = _growth(seen)
        if growth is None:
            raise _unfit(name, start[name], seen)
        for shape, grown in zip(sizes, growth, strict=True):
            for axis, (step, stride, offset) in enumerate(grown):
                shape[axis] = ((named(name) - start[name]) * step + offset) // stride + shape[axis]
    together = {name: length + 1 for name, length in start.items()}
    if len(wanted) > 1 and measure(together) != tuple(tuple(evaluate(s, together) for s in shape) for shape in sizes):
        raise _unfit(" and ".join(wanted), start[wanted[0]], [found, measure(together)])
    return [tuple(shape) for shape in sizes]


def _growth(seen: Sequence[tuple[Shape, ...]]) -> list[list[tuple[int, int, int]]] | None:
    """For every axis a step, a stride and an offset: k more elements make it (step k + offset) // stride longer."""
    if len({tuple(map(len, shapes)) for shapes in seen}) > 1:
        return None
    grown: list[list[tuple[int, int, int]]] = []
    for i, shape in enumerate(seen[0]):
        found = [_fitted([shapes[i][axis] - shape[axis] for shapes in seen]) for axis in range(len(shape))]
        if None in found:
            return None
        grown.append([one for one in found if one is not None])
    return grown


def _fitted(longer: Sequence[int]) -> tuple[int, int, int] | None:
    """The smallest stride that explains how much longer an axis is for 0, 1, 2, … more elements, seen thrice."""
    for stride in range(1, len(longer) // 3 + 1):
        step = longer[stride] - longer[0]
        for offset in range(stride):
            if all((step * more + offset) // stride == at for more, at in enumerate(longer)):
                return step, stride, offset
    return None


def _unfit(varying: str, length: int, seen: Sequence[tuple[Shape, ...]]) -> Unfit:
    return Unfit(
        f"the sizes it gives do not follow from {varying}",
        expected=f"sizes such as ({varying} - 1)//2",
        got=", ".join(" and ".join(map(str, shapes)) for shapes in seen[:3]) + f" from {varying} = {length} on",
    )


def lengths_in(shape: Sequence[Size]) -> set[str]:
    """The names of the lengths in a shape."""
    return {name for size in shape for name in names(size)}


def _first_that_runs(
    measure: Callable[[Mapping[str, int]], tuple[Shape, ...]], wanted: Sequence[str]
) -> tuple[dict[str, int], tuple[Shape, ...]]:
    first: Unfit | None = None
    for length in LENGTHS:
        start = dict.fromkeys(wanted, length)
        try:
            return start, measure(start)
        except Unfit as unfit:
            first = first or unfit
    raise cast(Unfit, first)


def _types(module: nn.Module) -> list[torch.dtype]:
    """The float types that its inputs may have: those of its arrays, in order, else float32."""
    found = [array.dtype for array in arrays_of(module).values() if array.is_floating_point()]
    return list(dict.fromkeys(found)) or [torch.float32]


def _trial(module: nn.Module, run: Run, inputs: Sequence[Input], dtype: torch.dtype, device: torch.device) -> Tried:
    module.eval()
    results: list[list[Tensor]] = []
    with torch.no_grad(), drawing_from(0):
        results.extend(run(module, _examples(inputs, batch, dtype, device)) for batch in BATCHES)
    axes = [_batch_axis(type(module).__name__, *pair) for pair in zip(*results, strict=True)]
    shapes = [tuple(y.movedim(axis, 0).shape[1:]) for y, axis in zip(results[0], axes, strict=True)]
    return Tried(module if device.type == "meta" else shell(module), tuple(shapes), tuple(axes))


def _examples(inputs: Sequence[Input], batch: int, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    return [
        torch.zeros((batch, *shape), dtype=torch.int64 if index else dtype, device=device) for shape, index in inputs
    ]


def _batch_axis(name: str, one: Tensor, two: Tensor) -> int:
    pairs = [*zip(one.shape, two.shape, strict=True)]
    found = [i for i, pair in enumerate(pairs) if pair == BATCHES]
    if found and sum(a != b for a, b in pairs) > 1:
        raise Unfit(
            f"{name} mixes examples: more than one axis of its output follows from how many there are",
            expected="a value for every example, whatever stands beside it",
            got=f"{tuple(one.shape)} for {BATCHES[0]} examples, {tuple(two.shape)} for {BATCHES[1]}",
        )
    if not found:
        raise Unfit(
            f"{name} gives nothing for each example: no axis of its output is as long as the batch",
            expected="a value for every example",
            got=f"{tuple(one.shape)} for {BATCHES[0]} examples, {tuple(two.shape)} for {BATCHES[1]}",
        )
    return found[0]
