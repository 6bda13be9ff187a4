"""Draws how the loss of a net changes along two directions in the space of its weights."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from netwright.errors import DataError, MissingArraysError, NetError
from netwright.fields import expect_seed
from netwright.net.apply import apply
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.run.call import CHUNK
from netwright.net.run.execute import placement_of
from netwright.net.run.given import Given
from netwright.show.plot.blank import in_house_style, new_figure, only_axes, scale_beside
from netwright.show.plot.curves import sides_of
from netwright.show.plot.descent import PALE, contours
from netwright.show.plot.style import INK
from netwright.training.prepare.goal import Goal, goal_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRID = 17  # points along each direction
EXTENT = 1.0  # how far to each side; at 1 every filter is as far from its own as it is long
MOST = 256  # examples


@in_house_style
def loss_surface(net: Net, data: Any, *, seed: int = 0) -> "Figure":
    """The loss of a trained net around its weights w, along two random directions d and e: loss(w + a d + b e).

    Each filter of a direction (the weights of one output) is scaled to the length of the net's own filter, since
    else a net with large weights would look flat. Biases, scales and other arrays with one axis stay as they are. The
    loss is the one that `nw.train` chooses for the decoder, the mean over the first 256 examples, computed at 17 × 17
    points; red is low. The dot is the net.

    Fields:
        net: trained, with one input and a decoder.
        data: `(inputs, targets)`, or a part of a data set.
        seed: of the directions.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: MissingArraysError for a net without weights; NetError for a net with several inputs; TrainingError for one
        without a loss; DataError for what are no examples; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw, torch
        >>> x = torch.linspace(-2, 2, 40)[:, None]
        >>> net = nw.Chain(8, nw.tanh, nw.Linear(), input=1, output=nw.Number())
        >>> run = nw.train(net, (x, x**2), epochs=5, progress=False)
        >>> nw.plot.loss_surface(run.net, (x, x**2)).axes[0].get_xlabel()
        'along d'

    Source: Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets", arXiv 1712.09913
    """
    expect_net(net, "plot.loss_surface")
    seed = expect_seed(seed, "plot.loss_surface")
    _check(net)
    goal = goal_of(net, None)
    given = Given.of(goal.net, _examples(net, goal, data))
    generator = torch.Generator("cpu").manual_seed(seed)
    d, e = (_direction(goal, generator) for _ in range(2))
    at = np.linspace(-EXTENT, EXTENT, GRID)
    with torch.no_grad():
        heights = np.array([[_loss(goal, given, _moved(goal, (d, a), (e, b))) for a in at] for b in at])
    figure = new_figure(4.3, 3.4)
    axes = only_axes(figure)
    scale_beside(figure, axes, contours(axes, at, at, heights), PALE)
    middle = GRID // 2
    axes.plot(0, 0, "o", color=INK, markersize=6)
    axes.set(xlabel="along d", ylabel="along e", title=f"loss; the net has {heights[middle, middle]:.3g}")
    axes.set_aspect("equal")
    return figure


def _check(net: Net) -> None:
    """Refuse a net without weights, or with several inputs."""
    missing = [path for path in net.plan.arrays if path not in net.held.arrays]
    if missing:
        raise MissingArraysError(
            what="the net has no weights yet, so its loss has no surface",
            where=", ".join(missing[:6]),
            mend="nw.train(net, data).net",
        )
    if len(net.input_names) != 1 or len(net.output_names) != 1:
        raise NetError(
            what="the surface of a loss is drawn for a net with one input and one output",
            where="plot.loss_surface",
            got=f"inputs {', '.join(net.input_names)}; outputs {', '.join(net.output_names)}",
        )


def _examples(net: Net, goal: Goal, data: Any) -> list[dict[str, Any]]:
    """The first examples, as the net with its loss takes them."""
    inputs, targets = sides_of(data, "plot.loss_surface")
    count = min(len(inputs), len(targets), MOST)
    if not count:
        raise DataError(what="there are no examples, so there is no loss", where="plot.loss_surface")
    (target,) = goal.targets
    name = net.input_names[0]
    return [{name: inputs[i], target: _plain(targets[i])} for i in range(count)]


def _plain(target: Any) -> Any:
    """A target as a label compares it: a number out of an array as Python's own."""
    return target.item() if isinstance(target, np.generic) else target


def _direction(goal: Goal, generator: torch.Generator) -> dict[str, Tensor]:
    """A random direction with filters as long as the net's own; nothing for arrays with one axis."""
    found: dict[str, Tensor] = {}
    for path, spec in goal.net.plan.arrays.items():
        own = goal.net.held.arrays[path]
        if spec.weight.kind != "learned" or own.ndim < 2:
            continue
        drawn = torch.randn(own.shape, generator=generator, dtype=torch.float32, device="cpu").to(own)
        lengths = [one.flatten(1).norm(dim=1) for one in (own, drawn)]  # (out,)
        found[path] = drawn * (lengths[0] / lengths[1]).reshape(-1, *[1] * (own.ndim - 1))
    return found


def _moved(goal: Goal, *ways: tuple[dict[str, Tensor], float]) -> dict[str, Tensor]:
    """The arrays of the net after going some way along each direction."""
    moved = dict(goal.net.held.arrays)
    for direction, far in ways:
        for path, step in direction.items():
            moved[path] = moved[path] + far * step
    return moved


def _loss(goal: Goal, given: Given, arrays: dict[str, Tensor]) -> float:
    """The mean loss of the examples."""
    total = 0.0
    for inputs, context in given.batches(placement_of(arrays.values()), CHUNK):
        lengths = {name: size for name, size in context.lengths.items() if isinstance(size, Tensor)}
        losses = apply(goal.net, arrays, inputs, lengths=lengths)
        total += float(losses.double().sum())
    return total / len(given.examples)
