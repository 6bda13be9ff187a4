"""Compares the gradient of a net with finite differences in float64, array by array."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from netwright.errors import NetError
from netwright.inside.locations import array_locations
from netwright.machine import without_autocast
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.run.assemble import program_of
from netwright.net.run.call import check_arrays
from netwright.net.run.examples import Own
from netwright.net.run.execute import placement_of
from netwright.net.run.given import Given
from netwright.seeds import generator_of
from netwright.value import Value, few_lines

STEPS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)  # how far numbers are moved, by their size: a kink needs a small step
DIRECTIONS = 3  # along which each array is moved; a wrong number shows in almost every one
TOLERANCE = 1e-5  # of the length of the gradient
ROUNDING = 32  # units in the last place of what is added up
FAINT = 1e-2  # a difference whose rounding is more than this part of it says nothing


class Slope(Value):
    """The gradient by one array or input, along the direction where it is farthest off.

    Fields:
        name: of the array or the input port.
        computed: the derivative along the direction, as the net's parts compute it.
        measured: the same by finite differences.
        error: how far they are apart, by the length of the gradient.
    """

    name: str
    computed: float
    measured: float
    error: float

    def __str__(self) -> str:
        return f"{self.name}: computed {self.computed:.6g}, measured {self.measured:.6g}, apart by {self.error:.2g}"


class GradientCheck(Value):
    """What `nw.check_gradient` found; prints a line for each array that is wrong, or for the worst one.

    Fields: `slopes` has one for each array and input.
    """

    slopes: tuple[Slope, ...]

    @property
    def worst(self) -> Slope:
        """The array or input whose gradient is farthest off."""
        return max(self.slopes, key=lambda slope: slope.error)

    @property
    def failed(self) -> tuple[Slope, ...]:
        """Those whose gradient is wrong, the worst first."""
        wrong = [slope for slope in self.slopes if not slope.error <= TOLERANCE]
        return tuple(sorted(wrong, key=lambda slope: -slope.error))

    @property
    def holds(self) -> bool:
        """Whether all gradients are right."""
        return not self.failed

    def __repr__(self) -> str:
        return few_lines(str(self))

    def __str__(self) -> str:
        count = len(self.slopes)
        if self.holds:
            return f"all {count} gradients are right to {TOLERANCE:g}; the worst is\n  {self.worst}"
        wrong = len(self.failed)
        head = f"{wrong} of {count} gradients {'is' if wrong == 1 else 'are'} wrong"
        return "\n".join([head, *(f"  {slope}" for slope in self.failed)])


@torch.inference_mode(False)
@torch.enable_grad()
@without_autocast()
def check_gradient(net: Net, x: Any) -> GradientCheck:
    """Compare the gradient of a net, by each learned array and each input, with central differences in float64.

    All outputs are multiplied by random numbers and added, to one number f. An array w is moved along random directions
    d by its own size: (f(w + h d) − f(w − h d)) / 2h is the gradient times d. Steps h from 1e-2 to 1e-7 are tried, and
    the best counts, since a step may cross a kink, such as that of a ReLU, and a small one suffers from rounding.

    Fields:
        x: an example, a list of examples or a batch, as the net takes it; few examples are enough.

    Returns: a report that names the worst array; `.holds` says whether all are right.

    Raises: NetError for a net without learned arrays and without inputs that are numbers.

    Example:
        >>> import netwright as nw, torch
        >>> net = nw.initialize(nw.Chain(nw.Linear(4), nw.tanh, nw.Linear(2), input=3))
        >>> nw.check_gradient(net, torch.ones(2, 3)).holds
        True

    Torch: torch.autograd.gradcheck
    """
    expect_net(net, "check_gradient")
    net = net.to(dtype=torch.float64)
    number = _Number(net, Given.of(net, x))
    places = {**number.arrays, **number.inputs}
    if not places:
        raise NetError(
            what="there is no gradient to check: the net has no learned arrays and no inputs that are numbers",
            where="check_gradient",
            got=", ".join(net.input_names),
        )
    leaves = {name: array.clone().requires_grad_() for name, array in places.items()}
    whole = number(leaves)
    if not whole.requires_grad:
        raise NetError(
            what="no gradient comes from the outputs to any array or input",
            where="check_gradient",
            got="a part between them gives values that have no derivative",
        )
    slopes = torch.autograd.grad(whole, [*leaves.values()], materialize_grads=True)
    return GradientCheck(tuple(_slope(number, name, g) for name, g in zip(leaves, slopes, strict=True)))


class _Number:
    """One number that is made of all outputs of a net: they are multiplied by random numbers and added.

    Fields: `arrays` and `inputs` by which it can be derived, and `rounding`, by which the number may be off: more where
    code of a user computes in less than float64.
    """

    def __init__(self, net: Net, given: Given) -> None:
        self._given, self._held = given, net.held.arrays
        check_arrays(net, given.plan)
        self._slots = [slot for _, slot in given.plan.wiring.outputs]
        self._program = program_of(given.plan, self._slots)
        placement = placement_of(self._held.values())
        ((self._whole, self._context),) = given.batches(placement, len(given.examples))
        self._whole = {name: x.detach().double() if x.is_floating_point() else x for name, x in self._whole.items()}
        self.arrays = {
            location.path: self._held[location.path] for location in array_locations(given.plan, ("learned",))
        }
        self.inputs = {name: x for name, x in self._whole.items() if x.is_floating_point()}
        self.rounding, self._unit = 0.0, 2.0**-52

    def __call__(self, changed: Mapping[str, Tensor]) -> Tensor:
        """The number with other arrays and inputs, by name."""
        bound = self._program.bind({**self._held, **{n: x for n, x in changed.items() if n in self._held}})
        inputs = {name: changed.get(name, x) for name, x in self._whole.items()}
        context = replace(self._context, known={}, precision=torch.float64, watch=self._look)
        total, size = torch.zeros((), dtype=torch.float64, device=bound.placement.device), 0.0
        for slot, value in zip(self._slots, bound(inputs, context), strict=True):
            for number, row in enumerate(self._given.own(slot, value, context)):
                for piece, part in enumerate(_tensors(row)):
                    draw = generator_of(slot, number, piece)
                    weights = torch.randn(part.shape, generator=draw, dtype=torch.float64, device="cpu")
                    terms = part.double() * weights.to(part.device)
                    total = total + terms.sum()
                    size += float(terms.detach().abs().sum())
        self.rounding = ROUNDING * self._unit * size
        return total

    def _look(self, path: str, values: Sequence[Tensor], rows: Tensor | None) -> None:
        """Record the coarsest type in which the net computes."""
        for value in values:
            if value.is_floating_point():
                self._unit = max(self._unit, torch.finfo(value.dtype).eps)


def _slope(number: _Number, name: str, gradient: Tensor) -> Slope:
    """The gradient by one array, along the direction where it is farthest off."""
    array = {**number.arrays, **number.inputs}[name]
    scale = float(array.square().mean().sqrt()) if array.numel() else 0.0
    scale = scale if scale > 0 else 1.0
    found: list[Slope] = []
    for turn in range(DIRECTIONS):
        draw = generator_of(name, turn)
        way = torch.randn(array.shape, generator=draw, dtype=torch.float64, device="cpu").to(array.device) * scale
        computed, length = float((gradient * way).sum()), float(gradient.norm()) * scale
        found.append(_best(number, name, array, way, computed, length))
    return max(found, key=lambda slope: slope.error)


def _best(number: _Number, name: str, array: Tensor, way: Tensor, computed: float, length: float) -> Slope:
    """The comparison along one direction, with the step that gives the smallest difference."""
    best: Slope | None = None
    for step in STEPS:
        with torch.no_grad():
            up, down = (float(number({name: array + sign * step * way})) for sign in (1, -1))
        measured, noise = (up - down) / (2 * step), number.rounding / step
        most = max(length, abs(measured))
        if best is not None and noise > FAINT * most:
            continue
        apart = max(abs(measured - computed) - noise, 0.0)
        made = Slope(name, computed, measured, apart / most if apart else apart)
        best = made if best is None or made.error < best.error else best
        if best.error < TOLERANCE * FAINT:
            break
    assert best is not None
    return best


def _tensors(value: Own) -> list[Tensor]:
    """The tensors of the value of an example, one for each element where these differ in length."""
    return [value] if isinstance(value, Tensor) else [part for row in value for part in _tensors(row)]
