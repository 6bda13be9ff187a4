"""Finds the part that made a number of a step NaN or infinite, and the example with which it happens."""

import math
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from netwright.around import around
from netwright.errors import DataError
from netwright.machine import ready_for_directions
from netwright.net.run.context import RunContext
from netwright.training.batch import Batch
from netwright.value import Value

Computes: TypeAlias = Callable[[Mapping[Any, Tensor], RunContext], Sequence[Tensor]]  # values of a batch of inputs


class Culprit(Value):
    """The part, or the array, whose numbers are not finite.

    Fields:
        what: the kind of number that is not finite, such as "gradient".
        path: the path of the part that made it, or of the array among the weights.
        example: the example with which it was made; None for weights, and if no single example causes it.
    """

    what: Literal["weights", "loss", "gradient"]
    path: str
    example: int | None = None


def nearest(found: Iterable[Culprit], paths: Sequence[str]) -> Culprit | None:
    """What is nearest to the cause, of what several processes found in their parts of a batch.

    That is a value before a gradient, the first value that is not finite, and the last gradient, as in the whole batch.

    Args: `paths` are those of the parts, in the order in which they run.
    """
    places = {path: place for place, path in enumerate(paths)}

    def distance(one: Culprit) -> tuple[bool, int]:
        place = places.get(one.path, len(places))
        return (True, -place) if one.what == "gradient" else (False, place)

    return min(found, key=distance, default=None)


class NotFinite(Value, eq=False):
    """Why a run stopped. Fields: `batch` is None for weights; `validating` if it is of the validation data."""

    culprit: Culprit
    batch: Batch | None = None
    validating: bool = False


@around
def naming_rows(examples: Tensor, data: str = "") -> Generator[None]:
    """Within, an error about an example of a batch names its row in the data instead.

    Args:
        examples: the rows of the examples of the batch.
        data: which data it is, if it is not that of the training.
    """
    try:
        yield
    except DataError as error:
        if error.row is None:
            raise
        own = error.at_row(int(examples[error.row]))
        raise (own.within(data) if data else own) from None


class Seen(Value, eq=False):
    """A value that a part gave, and the example of every row of it."""

    path: str
    value: Tensor
    examples: Tensor


def finite(tensors: Iterable[Tensor]) -> bool:
    """Whether every number is finite.

    If the sum is finite, so is every number, and the sum takes a fifth of the time. If it is not, it may only be too
    large, so every number is checked.
    """
    return all(
        math.isfinite(tensor.sum().item()) or bool(tensor.isfinite().all())
        for tensor in tensors
        if tensor.is_floating_point()
    )


def first_broken(arrays: Mapping[str, Tensor]) -> str | None:
    """The path of the first array that holds a number which is not finite."""
    if finite(arrays.values()):
        return None
    return next(path for path, array in arrays.items() if not finite([array]))


def of_values(bound: Computes, inputs: Mapping[str, Tensor], context: RunContext, examples: Tensor) -> Culprit | None:
    """The first part that gives a number that is not finite; `examples` are the identities of the batch."""
    with torch.no_grad():
        return _first(_watched(bound, inputs, context, examples)[0])


def of_step(
    bound: Computes,
    inputs: Mapping[str, Tensor],
    context: RunContext,
    examples: Tensor,
    parameters: Sequence[Tensor],
    loss: Callable[[Sequence[Tensor]], Tensor],
) -> Culprit | None:
    """The first part whose value is not finite or, if all values are finite, the part whose derivative is not.

    Fields: `parameters` are those whose gradient is computed; `loss` makes one number of the losses.
    """
    with torch.enable_grad():
        seen, losses = _watched(bound, inputs, context, examples)
        return _first(seen) or _of_gradient(seen, parameters, loss(losses))


def _watched(
    bound: Computes, inputs: Mapping[str, Tensor], context: RunContext, examples: Tensor
) -> tuple[list[Seen], Sequence[Tensor]]:
    seen: list[Seen] = []

    def look(path: str, values: Sequence[Tensor], rows: Tensor | None) -> None:
        ids = examples if rows is None else examples[rows]
        seen.extend(Seen(path, value, ids) for value in values if value.is_floating_point())

    return seen, bound(inputs, replace(context, watch=look, updates={}))


def _first(seen: Iterable[Seen]) -> Culprit | None:
    for made in seen:
        if not finite([made.value]):
            return Culprit("loss", made.path, _example(made.value, made.examples))
    return None


def _of_gradient(seen: Sequence[Seen], parameters: Sequence[Tensor], loss: Tensor) -> Culprit | None:
    """The part that receives a finite gradient and passes on one that is not finite."""
    known = [made for made in seen if made.value.requires_grad]
    wanted = [*(made.value for made in known), *parameters]
    found = _gradients(loss, wanted, None)
    sick = [i for i, gradient in enumerate(found) if gradient is not None and not finite([gradient])]
    if not sick:
        return None
    before = [i for i in sick if i < len(known)]  # the last of them is nearest to the cause
    start, to = (before[-1], known[before[-1]].value) if before else (-1, wanted[sick[0]])
    for made, gradient in zip(known[start + 1 :], found[start + 1 : len(known)], strict=True):
        handed = None if gradient is None else _gradients(made.value, [to], gradient)[0]
        if gradient is not None and handed is not None and not finite([handed]):
            example = _example(handed, known[start].examples) if before else _alone(made, gradient, to)
            return Culprit("gradient", made.path, example)
    return None


def _alone(made: Seen, gradient: Tensor, to: Tensor) -> int | None:
    """The first example that alone makes the gradient of an array not finite."""
    for row, example in enumerate(made.examples.tolist()):
        own = torch.zeros_like(gradient)
        own[row] = gradient[row]
        handed = _gradients(made.value, [to], own)[0]
        if handed is not None and not finite([handed]):
            return example
    return None


def _gradients(of: Tensor, to: Sequence[Tensor], gradient: Tensor | None) -> Sequence[Tensor | None]:
    """The gradients of these values from that of another; None of one that it does not depend on."""
    ready_for_directions()
    return torch.autograd.grad(of, to, gradient, retain_graph=True, allow_unused=True)


def _example(value: Tensor, examples: Tensor) -> int:
    """The example of the first row that is not finite."""
    bad = (~value.isfinite()).flatten(1).any(1) if value.ndim > 1 else ~value.isfinite()
    return int(examples[int(bad.nonzero()[0])])
