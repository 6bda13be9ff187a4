"""Draws attention: for each head a map of how much each position looks at each other, with the elements at its axes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.text.elements import Elements
from netwright.errors import DataError, NetError, PathError, did_you_mean, shortened
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.net.run.given import Given
from netwright.show.plot.blank import in_house_style, new_figure, plain_name, scale_beside
from netwright.show.plot.style import SMALL, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCORES = "scores"  # the output port of a part that attends
CELL = 0.135  # inches of a position that has a name
LARGE, ALONE = 0.32, 3.2  # inches of a position and of a map, at most, where there is only one map
FEWEST = 1.5  # inches of a map
TALLEST = 10.0  # inches of a figure with names; if it were taller, the maps are small and have none
NAMED = 32  # positions of an axis that are named one by one
LONGEST = 12  # characters of a name


@in_house_style
def attention_heads(net: Net, x: Any, path: str = "") -> "Figure":
    """How much each position attends to each other, as a map for each head; the elements of the text stand at the axes.

    A row is a query, a position that looks; a column is a key, a position that is looked at. Each row adds up to 1.
    Elements are named up to 32, and if the maps of all heads fit one page.

    Fields:
        x: an example, as the net takes it.
        path: of the part that attends; may be left out where the net has only one.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: PathError for a path that does not attend, or is left out where several do; NetError for a net without
        attention; DataError for several examples; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw
        >>> text = nw.Characters("abc")
        >>> net = nw.initialize(nw.Chain(nw.Embedding(8), nw.self_attention(8, heads=2, causal=True), input=text))
        >>> [axes.get_title() for axes in nw.plot.attention_heads(net, "abcab").axes[:2]]
        ['head 1', 'head 2']

    Source: Vaswani et al. 2017, "Attention Is All You Need", arXiv 1706.03762, figures 3 to 5
    """
    expect_net(net, "plot.attention_heads")
    place = _attending(net, path)
    given = Given.of(net, x)
    if not given.single:
        raise DataError(
            what="a picture shows the attention of one example",
            where="plot.attention_heads",
            expected="an example, as the net takes it",
            got="several",
        )
    scores = cast(Tensor, net(x, at=f"{place}.{SCORES}")).detach().to(device="cpu", dtype=torch.float64).numpy()
    rows, columns = (_names(net, given, x, (place, SCORES), axis) for axis in (-2, -1))
    heads, m, n = scores.shape
    wide, high = _extent(heads, n, m)
    if -(-heads // _across(heads, wide)) * high > TALLEST:
        wide, high, rows, columns = FEWEST, FEWEST, [], []
    across = _across(heads, wide)
    down = -(-heads // across)
    shrunk = min(1.0, WIDTH / (across * wide))
    figure = new_figure(min(WIDTH, across * wide + 1.1), down * min(high, WIDTH) * shrunk + 0.9)
    panels = [*figure.subplots(down, across, squeeze=False).flat]
    highest = max(float(scores[np.isfinite(scores)].max(initial=0.0)), 1e-9)
    images = [axes.imshow(one, cmap="Blues", vmin=0, vmax=highest) for axes, one in zip(panels, scores, strict=False)]
    for number, axes in enumerate(panels[:heads]):
        axes.grid(visible=False)
        if heads > 1:
            axes.set_title(f"head {number + 1}")
        _named(axes, columns if number + across >= heads else [], "x")
        _named(axes, rows if number % across == 0 else [], "y")
    for axes in panels[heads:]:
        axes.remove()
    scale_beside(figure, panels[:heads], images[0])
    return figure


def _across(heads: int, wide: float) -> int:
    """How many maps stand in a row."""
    return max(1, min(heads, 4, int(WIDTH / (wide + 0.1))))


def _extent(heads: int, n: int, m: int) -> tuple[float, float]:
    """Inches of a map to the right and down: only one map may have larger cells, and is no larger than they are."""
    if heads == 1 and max(n, m) <= NAMED:
        cell = max(CELL, min(LARGE, ALONE / max(n, m)))
        return cell * n, cell * m
    wide, high = (max(FEWEST, CELL * count if count <= NAMED else FEWEST) for count in (n, m))
    return wide, high


def _attending(net: Net, path: str) -> str:
    """The path of a leaf that has scores as an output."""
    plan = net.plan
    known = [op.path for op in plan.wiring.leaves if any(p.name == SCORES for p in _outputs(plan, op.path))]
    if not known:
        raise NetError(
            what="this net has no attention",
            where="plot.attention_heads",
            expected="a net with nw.Attention, nw.self_attention(…) or a block of a transformer",
        )
    below = [place for place in known if place == path or place.startswith(f"{path}/")] if path != "" else known
    if len(below) == 1:
        return below[0]
    raise PathError(
        what=f"{path!r} does not attend"
        if path != "" and not below
        else "several parts attend, so one has to be named",
        where="plot.attention_heads",
        expected=", ".join((below or known)[:6]) + (" …" if len(below or known) > 6 else ""),
        mend=did_you_mean(path, known) if path != "" and not below else f"path={(below or known)[0]!r}",
    )


def _outputs(plan: Plan, path: str) -> Sequence[Any]:
    return plan.solution.scopes[path].ports.outputs


def _names(net: Net, given: Given, x: Any, slot: Slot, axis: int) -> list[str]:
    """What stands at the positions of an axis: the elements of the text that an input of this length is."""
    size = given.plan.shape(slot)[axis]
    for name, codec in given.codecs.items():
        shape = given.plan.shape(("", name))
        text = net.inputs.get(name)
        if not shape or shape[0] != size or not isinstance(text, Elements) or given.plan.below(("", name)) is None:
            continue
        raw = cast(Any, x)[name] if isinstance(x, dict) else x
        indices = codec.encode(raw).reshape(-1).tolist()
        return [_shown(text, i) if i < len(text.names) else "?" for i in indices]
    return []


def _shown(text: Elements, index: int) -> str:
    """An element as it stands in a text, without the space before a piece of a word."""
    said = str(text.text_of([index])).strip() or str(text.names[index])
    shown = {" ": "␣", "\n": "⏎", "": "·"}.get(said, said)
    return plain_name(shortened(shown, LONGEST))


def _named(axes: "Axes", names: Sequence[str], which: str) -> None:
    """The names at an axis; none where there are too many."""
    axis = getattr(axes, f"{which}axis")
    axis.set_ticks([])
    if 0 < len(names) <= NAMED:
        axis.set_ticks(range(len(names)), names, fontsize=SMALL)
        if which == "x" and max(map(len, names)) > 2:
            axes.tick_params(axis="x", labelrotation=90)
