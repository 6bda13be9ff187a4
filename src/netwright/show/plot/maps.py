"""Draws what a net has learned to look for and what it finds: kernels, feature maps, values of its parts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netwright.codecs.image import Image
from netwright.codecs.pictures.pixels import light_of
from netwright.errors import DataError, MissingArraysError, NetError, PathError, did_you_mean, shortened
from netwright.inside.activations import activations
from netwright.inside.locations import Names
from netwright.net.leaf import LeafNode
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.run.given import Given
from netwright.show.pictures import mosaic
from netwright.show.plot.blank import (
    in_house_style,
    new_figure,
    only_axes,
    scale_beside,
    signed_colours,
    without_frame,
)
from netwright.show.plot.style import SMALL, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Numbers = NDArray[np.float64]
MOST = 64  # kernels or maps in a picture
MOST_IN = 16  # input channels of each kernel, where they are drawn one by one
COLUMNS = 10  # in a row
LARGEST = 0.62  # inches of one small map
ROWS = 100  # parts whose values are drawn
STRIP = 50  # numbers of a vector in a row
DRAWN = 4.7  # inches of the width that are left beside the names
TALLEST = 2.4  # inches of the values of one part


@in_house_style
def kernels(net: Net, path: str) -> "Figure":
    """The kernels of a convolution as pictures.

    Kernels over one channel are drawn in two colours, below and above 0, on one scale. Kernels over three channels are
    drawn in colour, gray being 0, each on its own scale. Of other kernels each row is one, with a picture for each
    input channel, on one scale. The kernels of a sequence are matrices, positions to the right and channels down. Of
    more than 64 kernels the first are drawn, and the title tells how many there are.

    Fields:
        path: of the part, such as `"conv1"`.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: PathError for a path that is no part, or a part without kernels; NetError for kernels with more than two
        axes; MissingArraysError where the net has no weights yet; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw
        >>> net = nw.initialize(nw.Chain(nw.Conv(20, 5), nw.relu, input=(28, 28, 1)))
        >>> nw.plot.kernels(net, "conv1").axes[0].get_title()
        'conv1: 20 kernels of 5 × 5'
    """
    expect_net(net, "plot.kernels")
    weight = _kernels_of(net, path)  # (out, in, *kernel)
    count, channels = weight.shape[:2]
    shown = weight[:MOST].double().numpy()
    size = " × ".join(map(str, weight.shape[2:]))
    title = f"{path}: {_some(len(shown), count, 'kernel')} of {size}" + (f" × {channels}" if channels > 1 else "")
    if weight.ndim == 3:
        return _signed_tiles(shown, 12, title)  # (out, channels, positions)
    if channels == 1:
        return _signed_tiles(shown[:, 0], COLUMNS, title)
    if channels == 3:
        finite = np.nan_to_num(shown, nan=0.0, posinf=0.0, neginf=0.0)
        limit = np.abs(finite).max(axis=(1, 2, 3), keepdims=True)
        return _colour_tiles(0.5 + finite / np.where(limit > 0, 2 * limit, 1), title)
    rows = shown[:MOST_IN, :MOST_IN]
    few = f"{path}: {_some(len(rows), count, 'kernel')} of {size},\n{_some(rows.shape[1], channels, 'input channel')}"
    return _signed_tiles(rows.reshape(-1, *weight.shape[2:]), rows.shape[1], few)


@in_house_style
def feature_maps(net: Net, x: Any, path: str) -> "Figure":
    """The feature maps that a part makes of an input: each channel of its output as a picture, on one scale.

    Fields:
        x: an example, as the net takes it.
        path: of the part, such as `"relu1"`.

    Returns: a figure of matplotlib; a notebook shows it. Of more than 64 maps the first are drawn.

    Raises: DataError for several examples, or where the output of the part is no maps, (height, width, channels);
        PathError for a path that is no part; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw, torch
        >>> net = nw.initialize(nw.Chain(nw.Conv(20, 5), nw.relu, input=(28, 28, 1)))
        >>> nw.plot.feature_maps(net, torch.rand(28, 28, 1), "relu1").axes[0].get_title()
        'relu1: 20 maps of 24 × 24'
    """
    values = _values_at(net, x, path, "plot.feature_maps")
    if len(values) != 1:
        raise PathError(
            what="a picture shows the maps of one part",
            where="plot.feature_maps",
            expected="the path of one part",
            got=shortened(", ".join(values), 60),
        )
    ((path, value),) = values.items()
    if value.ndim != 3:
        raise DataError(
            what="this part makes no feature maps",
            where=path,
            expected="an output of height × width × channels",
            got=f"an output of {_shape_text(value)}",
            mend=f"nw.plot.inner_values(net, x, {path!r}), which draws values of any shape",
        )
    maps = np.moveaxis(value, -1, 0)[:MOST]
    h, w, channels = value.shape
    title = f"{path}: {_some(len(maps), channels, 'map')} of {h} × {w}"
    figure, axes = _tiles_figure(len(maps), COLUMNS, (h, w))
    scale_beside(figure, axes, axes.imshow(mosaic(maps, COLUMNS), cmap="inferno"))
    axes.set_title(title)
    return figure


@in_house_style
def inner_values(net: Net, x: Any, at: Names | None = None) -> "Figure":
    """The values of an input on its way through a net: the input itself, and a row for each part.

    Maps are drawn side by side, a sequence as a matrix with positions to the right, a vector as a strip that wraps
    after 50 numbers. Light is high, each row on its own scale.

    Fields:
        x: an example, as the net takes it.
        at: a path, a pattern such as `"conv*"`, or a list of these; None, all parts of the net itself.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: DataError for several examples; PathError for what names no part; NetError for more than 100 parts;
        MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw, torch
        >>> net = nw.initialize(nw.Chain(4, nw.relu, 2, nw.softmax, input=3))
        >>> figure = nw.plot.inner_values(net, torch.ones(3), ["relu1", "softmax1"])
        >>> figure.savefig("values.png")
    """
    expect_net(net, "plot.inner_values")
    top = [path for path in net.paths if "/" not in path] or list(net.paths)
    values = _values_at(net, x, top if at is None else at, "plot.inner_values")
    if len(values) > ROWS:
        raise NetError(
            what=f"{len(values):,} parts are too many for one picture",
            where="plot.inner_values",
            expected=f"at most {ROWS}",
            mend="at=…, a pattern or a list of paths",
        )
    rows = [(name, _laid_out(value, gray=True)) for name, value in _input_values(net, x).items()]
    rows += [(f"{path}\n{_shape_text(value)}", _laid_out(value)) for path, value in values.items()]
    inches = [min(max(0.22, DRAWN * row.shape[0] / max(row.shape[1], 20)), TALLEST) for _, row in rows]
    figure = new_figure(WIDTH, sum(inches) + 0.12 * len(inches))
    ratios = [WIDTH - DRAWN, DRAWN]
    parts = figure.subplots(len(rows), 2, height_ratios=inches, width_ratios=ratios, squeeze=False)
    for (label, axes), (name, row) in zip(parts, rows, strict=True):
        label.text(1, 0.5, name, ha="right", va="center", fontsize=SMALL, transform=label.transAxes)
        axes.imshow(row, cmap="gray" if name in net.input_names else "inferno")
        axes.set_anchor("W")
        without_frame(label)
        without_frame(axes)
    return figure


def _kernels_of(net: Net, path: str) -> Tensor:
    """The array of a part whose window slides, (out, in, *kernel)."""
    arrays = net.plan.arrays
    sliding = [name for name in net.paths if isinstance(part := net[name], LeafNode) and part.slides]
    found = f"{path}/weight"
    if path not in sliding or found not in arrays:
        known = [name for name in sliding if f"{name}/weight" in arrays]
        raise PathError(
            what=f"{path!r} has no kernels",
            where="plot.kernels",
            expected=", ".join(known[:6]) or "a part whose window slides, such as nw.Conv: this net has none",
            mend=did_you_mean(path, known),
        )
    if found not in net.held.arrays:
        raise MissingArraysError(
            what="these kernels do not exist yet", where=path, mend="nw.initialize(net), or nw.train(net, data).net"
        )
    weight = net.held.arrays[found].detach().cpu()
    if weight.ndim > 4:
        raise NetError(
            what="kernels are drawn over one axis or two",
            where=path,
            got=f"kernels over {weight.ndim - 2} axes: {_shape_text(weight)}",
            mend=f"a slice of net.arrays[{found!r}]",
        )
    return weight


def _values_at(net: Net, x: Any, at: Names, where: str) -> dict[str, Numbers]:
    """The values of one example at some paths."""
    expect_net(net, where)
    _expect_one(net, x, where)
    values = activations(net, x, at)
    return {name: _numbers(value) for name, value in values.items()}


def _expect_one(net: Net, x: Any, where: str) -> None:
    if not Given.of(net, x).single:
        raise DataError(
            what="a picture shows the values of one example",
            where=where,
            expected="an example, as the net takes it",
            got="several",
            mend="x[0], the first of them",
        )


def _numbers(value: Any) -> Numbers:
    return cast(Tensor, value).detach().to(device="cpu", dtype=torch.float64).numpy()


def _input_values(net: Net, x: Any) -> dict[str, Numbers]:
    """What the encoders make of an example, by port; of a picture its light."""
    given = Given.of(net, x)
    found: dict[str, Numbers] = {}
    for name, codec in net.inputs.items():
        raw = x[name] if isinstance(x, dict) and name in x else x
        if isinstance(codec, Image):
            found[name] = _numbers(light_of(codec.encode(raw)))
        elif isinstance(raw, Tensor | np.ndarray | Sequence) and not isinstance(raw, str):
            found[name] = np.asarray(raw, dtype=np.float64)
    return found if given.single else {}


def _laid_out(value: Numbers, gray: bool = False) -> Numbers:
    """A value as one matrix: maps side by side, a sequence with its positions to the right, a vector in strips."""
    if gray and value.ndim == 3 and value.shape[2] == 3:
        return value  # a picture in colour
    if value.ndim == 3:
        return mosaic(np.moveaxis(value, -1, 0)[:MOST], COLUMNS)
    if value.ndim == 2:
        return value.T
    if value.ndim > 3:
        return value.reshape(-1, value.shape[-1]).T
    flat = value.reshape(-1)
    padded = np.full(-(-len(flat) // STRIP) * STRIP if len(flat) > STRIP else len(flat), np.nan)
    padded[: len(flat)] = flat
    return padded.reshape(-1, min(len(padded), STRIP))


def _signed_tiles(tiles: Numbers, columns: int, title: str) -> "Figure":
    """Small pictures (n, h, w) side by side in two colours on one scale."""
    limit = float(np.abs(tiles[np.isfinite(tiles)]).max(initial=0.0)) or 1.0
    figure, axes = _tiles_figure(len(tiles), columns, tiles.shape[1:])
    scale_beside(figure, axes, axes.imshow(mosaic(tiles, columns), cmap=signed_colours(), vmin=-limit, vmax=limit))
    axes.set_title(title)
    return figure


def _colour_tiles(tiles: Numbers, title: str) -> "Figure":
    """Small pictures in colour (n, 3, h, w) side by side; the gaps are transparent."""
    whole = np.stack([mosaic(tiles[:, channel], COLUMNS) for channel in range(3)], axis=-1)
    seen = ~np.isnan(whole[..., :1])
    figure, axes = _tiles_figure(len(tiles), COLUMNS, tiles.shape[2:], scale=False)
    axes.imshow(np.concatenate([np.nan_to_num(whole), seen], axis=-1))
    axes.set_title(title)
    return figure


def _tiles_figure(count: int, columns: int, size: Sequence[int], scale: bool = True) -> "tuple[Figure, Axes]":
    """A figure in which so many small pictures of a size are well visible."""
    across = min(columns, count)
    width = min(WIDTH, max(across * LARGEST, 2.4) + (0.8 if scale else 0.0))
    one = (width - (0.8 if scale else 0.0)) / across
    figure = new_figure(width, min(-(-count // across) * one * size[0] / size[1] + 0.4, 9.0))
    axes = only_axes(figure)
    without_frame(axes)
    return figure, axes


def _some(shown: int, count: int, noun: str) -> str:
    """`3 maps`; `the first 64 of 256 maps`."""
    return f"{count} {noun}{'' if count == 1 else 's'}" if shown == count else f"the first {shown} of {count} {noun}s"


def _shape_text(value: Any) -> str:
    return " × ".join(map(str, value.shape)) or "one number"
