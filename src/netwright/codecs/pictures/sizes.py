"""The height and width of encoded pictures: in pixels, or by name for pictures of any size."""

from netwright.codecs.codec import fits
from netwright.errors import DataError, NetError
from netwright.fields import at_least
from netwright.sizes.notation import Axis, port


def check_sizes(height: int | str, width: int | str, where: str) -> None:
    """Raise NetError unless both are in pixels, or both are names, perhaps with a factor: "h", "16*h"."""
    if not isinstance(height, str) and not isinstance(width, str):
        for name, size in (("height", height), ("width", width)):
            at_least(1, size, f"the {name} in pixels", where)
        return
    found = port(f"{height} {width}").axes
    named = [axis for axis in found if isinstance(axis, Axis) and axis.name not in ("", "?") and not axis.within]
    if len(named) != 2 or len(found) != 2 or named[0].name == named[1].name:
        raise NetError(
            what="both sizes are in pixels, or both are different names",
            where=where,
            expected=f'such as {where}(224, 224), or {where}("h", "w") for any size',
            got=f"{height!r}, {width!r}",
        )


def fitting_size(given: tuple[int, int], height: int | str, width: int | str) -> tuple[int, int]:
    """The size of an encoded picture: the pixels that are said, or those of the given one where sizes have names.

    Raises: DataError for a picture whose size is not the multiple that a name asks for.
    """
    if not isinstance(height, str) or not isinstance(width, str):
        return int(height), int(width)
    if not fits(given, port(f"{height} {width}")):
        raise DataError(
            what="the picture does not have a size that is taken",
            expected=f"{height} x {width}",
            got=f"{given[0]} x {given[1]}",
            mend="cut its edges, or give the sizes in pixels, so that it is resized",
        )
    return given
