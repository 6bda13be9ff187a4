"""Draws what a net finds in a picture: the boxes of things, and the classes of pixels."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from netwright.codecs.boxes import Thing
from netwright.codecs.image import Image
from netwright.codecs.numeric import described, is_array
from netwright.codecs.pictures.pixels import shown_pixels
from netwright.errors import DataError
from netwright.show.plot.blank import in_house_style, new_figure, only_axes, plain_name, without_frame
from netwright.show.plot.style import CYCLE, SMALL, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TALLEST = 6.0  # inches of a picture
LEGEND = 0.4  # inches below it
APART = 1.6  # points between a name and the edge of its box
OPAQUE = 0.55  # of the colour of a class over the picture


@in_house_style
def boxes(picture: Any, things: Sequence[Any]) -> "Figure":
    """A picture with the boxes of the things in it, each with its class, and with its score if it has one.

    Classes have colours in the order in which they first occur.

    Fields:
        picture: a path, a PIL image or an array.
        things: what a net with the decoder `nw.Boxes` answers, or targets `(box, label)`, in pixels of the picture.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: DataError for what is no picture or no thing; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw, numpy as np
        >>> figure = nw.plot.boxes(np.zeros((40, 60, 3), np.uint8), [((5, 5, 30, 25), "cat"), ((35, 8, 50, 30), "dog")])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['cat', 'dog']
    """
    from matplotlib.patches import Rectangle

    pixels = _pixels(picture)
    figure, axes = _shown(pixels, 0.0)
    found = [_thing(thing, place) for place, thing in enumerate(things)]
    colours = _colours([thing.label for thing in found])
    for thing in reversed(found):  # the surest is drawn last, so that it lies above
        left, top, right, bottom = thing.box
        colour = colours[thing.label]
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour, linewidth=1.8))
    for thing, raw in zip(found, things, strict=True):
        left, top, right, _ = thing.box
        score = f" {thing.score:.0%}" if len(raw) == 3 else ""
        inside, at_end = top < 0.06 * len(pixels), left > 0.75 * pixels.shape[1]  # no room above, or to the right
        axes.annotate(
            f"{plain_name(thing.label)}{score}",
            (min(right, pixels.shape[1]) if at_end else max(left, 0), max(top, 0)),
            xytext=(-APART if at_end else APART, -APART if inside else APART),
            textcoords="offset points",
            ha="right" if at_end else "left",
            va="top" if inside else "bottom",
            color="white",
            fontsize=SMALL,
            bbox={"facecolor": colours[thing.label], "edgecolor": "none", "pad": APART},
        )
    return figure


@in_house_style
def mask(picture: Any, classes: Any, labels: Sequence[Any] | None = None) -> "Figure":
    """A picture with the classes of its pixels in colours over it; pixels of the first class stay as they are.

    Fields:
        picture: a path, a PIL image or an array.
        classes: what a net with the decoder `nw.Mask` answers, or a target: an array (height, width) of class numbers,
            or of True and False.
        labels: the names of the classes, in the order of their numbers from 0; by default the numbers.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: DataError for what is no picture, and for classes of another size; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw, numpy as np
        >>> cells = np.zeros((40, 60), int)
        >>> cells[10:20, 10:30] = 1
        >>> figure = nw.plot.mask(np.zeros((40, 60, 3), np.uint8), cells, ["background", "cell"])
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['cell']
    """
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    pixels, numbers = _pixels(picture), np.asarray(classes)
    if numbers.shape != pixels.shape[:2] or numbers.dtype.kind not in "biu":
        raise DataError(
            what="the classes do not lie on the picture",
            where="plot.mask",
            expected=f"an array {pixels.shape[:2]} of class numbers, or of True and False",
            got=described(classes),
        )
    present = [number for number in np.unique(numbers.astype(np.int64)).tolist() if number > 0]
    colours = {number: CYCLE[place % len(CYCLE)] for place, number in enumerate(present)}
    coloured = pixels / 255
    for number, colour in colours.items():
        of = numbers == number
        coloured[of] = (1 - OPAQUE) * coloured[of] + OPAQUE * np.array(to_rgb(colour))
    figure, _ = _shown(coloured, LEGEND if present else 0.0)
    known = range(len(labels)) if labels is not None else ()
    names = [labels[number] if labels is not None and number in known else number for number in present]
    if present:
        patches = [
            Patch(color=colours[number], label=plain_name(name)) for number, name in zip(present, names, strict=True)
        ]
        figure.legend(handles=patches, loc="outside lower center", ncols=min(len(patches), 4))
    return figure


def _pixels(picture: Any) -> NDArray[np.uint8]:
    """A picture in any form as bytes (h, w, 3)."""
    shape = tuple(picture.shape) if is_array(picture) else (0, 0, 3)
    gray = len(shape) == 2 or shape[-1] == 1
    color = "gray" if gray else shape[-1] if shape[-1] not in (3, 4) else "rgb" if shape[-1] == 3 else "rgba"
    found = shown_pixels(Image("h", "w", color).encode(picture))
    return np.broadcast_to(found, (*found.shape[:2], 3))


def _shown(pixels: NDArray[Any], below: float) -> "tuple[Figure, Axes]":
    """A figure with a picture as wide as a page, or less if it is high, and room below it."""
    ratio = pixels.shape[0] / pixels.shape[1]
    width = min(WIDTH, TALLEST / ratio)
    figure = new_figure(width, width * ratio + below)
    axes = only_axes(figure)
    axes.imshow(pixels, extent=(0, pixels.shape[1], pixels.shape[0], 0))
    without_frame(axes)
    return figure, axes


def _colours(labels: Sequence[Any]) -> dict[Any, str]:
    return {label: CYCLE[place % len(CYCLE)] for place, label in enumerate(dict.fromkeys(labels))}


def _thing(raw: Any, place: int) -> Thing:
    if isinstance(raw, list | tuple) and len(cast(Sequence[Any], raw)) in (2, 3):
        corners = np.asarray(cast(Sequence[Any], raw)[0])
        if corners.shape == (4,) and corners.dtype.kind in "iuf":
            return Thing(*cast(Sequence[Any], raw))
    raise DataError(
        what="this is not a thing with its box",
        where=f"plot.boxes, thing {place}",
        expected="(box, label) or (box, label, score), with box = (left, top, right, bottom)",
        got=described(raw),
    )
