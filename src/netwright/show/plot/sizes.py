"""Draws what depends on sizes: how a net's cost grows, how fast it is by batch size, and what one place of it sees."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netwright.errors import DataError, NetError, did_you_mean, shortened
from netwright.fields import at_least, plain
from netwright.inside.gradients import gradients
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.show.costs import Cost, cost
from netwright.show.plot.blank import in_house_style, new_figure, only_axes, plain_name
from netwright.show.plot.style import BLUE, CYCLE, INK, ORANGE, WIDTH
from netwright.sizes.formula import formula_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Numbers = NDArray[np.float64]
Growing = Literal["multiply_adds", "kept", "training", "use"]
LABELS: Mapping[str, str] = {
    "multiply_adds": "multiply-adds of an example",
    "kept": "bytes kept of an example",
    "training": "bytes of an example in training",
    "use": "bytes of an example in use",
}
POINTS = 60  # of a curve
HEIGHT = 3.0  # inches
TRIES = 3  # calls of each batch that are timed; the fastest counts, since others only make a call slower


@in_house_style
def growth(nets: Net | Mapping[str, Net], along: str, until: int = 1024, of: Growing = "multiply_adds") -> "Figure":
    """How the cost of a net grows with a length, from its formula; of several nets each has a curve with its formula.

    Both axes double at equal distances: work that grows with the length is a line that rises by one for one, work that
    grows with its square rises by two.

    Fields:
        nets: a net, or several by name.
        along: the name of the size, such as `"n"`; all costs depend on it alone.
        until: the longest length; 1024.
        of: what grows, as in `nw.cost`: `"multiply_adds"`, `"kept"`, `"training"` or `"use"`.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: NetError without a net, where a cost does not depend on this size, or on another one too, and for a cost
        that there is not; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.self_attention(32, 4), input=("n", 32))
        >>> [line.get_label() for line in nw.plot.growth(net, "n").axes[0].lines]
        ['64·n² + 4,096·n']
    """
    at_least(2, until, "the longest length", "plot.growth")
    if of not in tuple(LABELS):
        raise NetError(
            what="there is no such cost",
            where="plot.growth",
            expected=", ".join(LABELS),
            got=repr(of),
            mend=did_you_mean(str(of), LABELS),
        )
    by_name = {plain_name(str(name)): net for name, net in nets.items()} if isinstance(nets, Mapping) else {"": nets}
    if not by_name:
        raise NetError(
            what="there is no net whose cost could be drawn",
            where="plot.growth",
            expected="a net, or several by name",
            got=repr(nets),
        )
    figure = new_figure(WIDTH, HEIGHT)
    axes = only_axes(figure)
    lengths = np.unique(np.geomspace(1, until, POINTS).astype(int))
    for i, (name, net) in enumerate(by_name.items()):
        expect_net(net, "plot.growth")
        found = cost(net)
        formula = _formula(found, along, of, name)
        values = [getattr(found.at(**{along: int(length)}), of) for length in lengths]
        label = f"{name}: {formula}" if name else formula
        axes.plot(lengths, values, color=CYCLE[i % len(CYCLE)], label=label)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=10)
    axes.set(xlabel=along, ylabel=LABELS[of])
    axes.legend()
    return figure


@in_house_style
def throughput(net: Net, x: Sequence[Any], batches: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128, 256)) -> "Figure":
    """How many examples a second a net answers, by how many it is given at once: measured now, on this machine.

    Fields:
        x: examples, as the net takes them; they are repeated where a batch is larger.
        batches: how many are given at once.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: DataError without examples; NetError for a batch that is no whole number of at least 1; MissingExtraError
        without matplotlib.

    Example:
        >>> import netwright as nw, torch
        >>> net = nw.initialize(nw.Chain(8, nw.relu, 2, input=4))
        >>> nw.plot.throughput(net, torch.rand(10, 4), batches=(1, 16)).axes[0].get_xlabel()
        'examples at once'
    """
    expect_net(net, "plot.throughput")
    given, sizes = _several(x, "examples, as the net takes them"), _several(batches, "how many are given at once")
    for batch in sizes:
        at_least(1, batch, "a batch", "plot.throughput")
    if not given or not sizes:
        raise DataError(
            what="there is nothing to measure",
            where="plot.throughput",
            expected="an example and a batch at least",
            got=f"{len(given)} examples, {len(sizes)} batches",
        )
    rates: list[float] = []
    for batch in sizes:
        examples = [given[i % len(given)] for i in range(batch)]
        rates.append(batch / _seconds(lambda examples=examples: net(examples)))
    figure = new_figure(0.75 * WIDTH, HEIGHT)
    axes = only_axes(figure)
    axes.plot(sizes, rates, marker="o", color=BLUE)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(batch) for batch in sizes])
    axes.minorticks_off()
    axes.set_ylim(0)
    axes.set(xlabel="examples at once", ylabel="examples a second")
    return figure


@in_house_style
def receptive_field(net: Net, x: Any, path: str, place: tuple[int, ...] | None = None) -> "Figure":
    """Which inputs one place of a part sees, and how much it depends on each: the size of its gradient there.

    A frame is drawn around all that it can see. A gradient can be 0 within it, as behind a ReLU that is not active. So
    several different examples show more than one: their gradients are added.

    Fields:
        x: an example, a picture or a sequence of numbers, or a list of examples of one size.
        path: of the part, such as `"conv2"`.
        place: the position in its output, without the channels; None, the middle.

    Returns: a figure of matplotlib; a notebook shows it. A sequence is drawn as bars, a picture as an image.

    Raises: DataError for a place that the output does not have, and for an input that is no picture and no sequence;
        PathError for a path that is no part; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw, torch
        >>> net = nw.initialize(nw.Chain(nw.Conv(4, 3), nw.Conv(4, 3), input=(9, 9, 1)))
        >>> nw.plot.receptive_field(net, torch.rand(9, 9, 1), "conv2").axes[0].get_title()
        'conv2 at (2, 2) sees 5 × 5 of 9 × 9 inputs'
    """
    expect_net(net, "plot.receptive_field")
    if len(net.input_names) != 1:
        raise DataError(
            what="a receptive field is drawn of a net with one input",
            where="plot.receptive_field",
            expected="one input",
            got=", ".join(net.input_names),
        )
    name = net.input_names[0]
    chosen: list[tuple[int, ...]] = []

    def there(value: Tensor) -> Tensor:
        found = _place(value, place, path)
        chosen.append(found)
        return value[found].abs().sum()

    slope: Any = gradients(net, x, of={path: there}, wrt=name)
    slopes = slope if isinstance(slope, list) else [slope]
    rank = slopes[0].ndim - 1 if all(one.shape == slopes[0].shape for one in slopes) else -1
    alone = _positions(net, name)
    if rank == alone + 1:  # a batch
        slopes, rank = list(slopes[0]), alone
    if rank not in (1, 2):
        raise DataError(
            what="only pictures and sequences of numbers have a receptive field that can be drawn",
            where="plot.receptive_field",
            expected="an input of positions and channels: (n, c) or (height, width, c)",
            got=f"an input of {' × '.join(map(str, slopes[0].shape))}",
        )
    size = torch.stack([one.detach().abs().sum(-1).double().cpu() for one in slopes]).sum(0)  # (positions)
    return _field(size.numpy(), path, chosen[0])


def _formula(found: Cost, along: str, of: str, name: str) -> str:
    """The formula of a cost that depends on one size alone."""
    formula = getattr(found, of)
    if formula is None or found.sizes != (along,):
        raise NetError(
            what=f"the cost{f' of {name!r}' if name else ''} is no curve along {along!r}",
            where="plot.growth",
            expected=f"a net that depends on {along!r} and on no other size",
            got="sizes that are not known" if formula is None else f"{', '.join(found.sizes) or 'no size'}",
        )
    return formula_text(formula)


def _several(given: Any, what: str) -> list[Any]:
    """What stands in a list, a tuple, an array or anything else that counts what it holds."""
    if isinstance(given, str | bytes | Mapping) or not hasattr(given, "__len__") or getattr(given, "ndim", 1) == 0:
        raise DataError(
            what="these are not several values",
            where="plot.throughput",
            expected=f"a list: {what}",
            got=shortened(repr(cast(object, given)), 60),
        )
    return [plain(given[i]) for i in range(len(given))]


def _seconds(run: Callable[[], object]) -> float:
    """The least time that a call takes."""
    run()  # the first call prepares arrays
    least = float("inf")
    for _ in range(TRIES):
        start = time.perf_counter()
        run()
        least = min(least, time.perf_counter() - start)
    return least


def _positions(net: Net, name: str) -> int:
    """How many axes of positions an input of a net has: all but the channels."""
    return len(net.plan.inputs[name]) - 1


def _place(value: Tensor, place: tuple[int, ...] | None, path: str) -> tuple[int, ...]:
    """A place in the output of a part, without its channels; the middle where none is given."""
    sizes = tuple(value.shape[:-1]) if value.ndim > 1 else tuple(value.shape)
    given: Any = plain(place)
    found = tuple(size // 2 for size in sizes) if given is None else given
    known = isinstance(found, tuple) and len(found) == len(sizes) and all(type(i) is int for i in found)
    if not known or not all(0 <= i < size for i, size in zip(found, sizes, strict=True)):
        raise DataError(
            what=f"the output of {path} has no such place",
            where="plot.receptive_field",
            expected=f"a place of {' × '.join(map(str, sizes))}, counted from 0",
            got=repr(place),
        )
    return found


def _field(size: Numbers, path: str, place: tuple[int, ...]) -> "Figure":
    """The picture of the sizes of gradients by position."""
    seen = np.argwhere(size > 0)
    low, high = (seen.min(0), seen.max(0) + 1) if len(seen) else (np.zeros(size.ndim, int), np.zeros(size.ndim, int))
    extent = " × ".join(map(str, high - low))
    where = str(place[0]) if len(place) == 1 else str(place)
    title = f"{path} at {where} sees {extent} of {' × '.join(map(str, size.shape))} inputs"
    figure = new_figure(WIDTH if size.ndim == 1 else 0.75 * WIDTH, 2.0 if size.ndim == 1 else 0.7 * WIDTH)
    axes = only_axes(figure)
    if size.ndim == 1:
        axes.bar(np.arange(len(size)), size, color=BLUE, width=0.9)
        axes.axvspan(low[0] - 0.5, high[0] - 0.5, color=ORANGE, alpha=0.2, zorder=0)
        axes.set(title=title, xlabel="position", ylabel="gradient")
        axes.set_xlim(-0.6, len(size) - 0.4)
    else:
        axes.imshow(size, cmap="Blues", vmin=0)
        _frame(axes, low, high)
        axes.set(title=title)
        axes.grid(visible=False)
    return figure


def _frame(axes: "Axes", low: NDArray[np.int64], high: NDArray[np.int64]) -> None:
    from matplotlib.patches import Rectangle

    (top, left), (bottom, right) = low - 0.5, high - 0.5
    axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=ORANGE, linewidth=2))
    axes.tick_params(colors=INK)
