"""Refuses a batch with indices that the net does not have, since not every operation of torch refuses them itself."""

from collections.abc import Sequence

from torch import Tensor

from netwright.errors import DataError
from netwright.net.run.padding import own_elements
from netwright.sizes.size import Size


def checked_indices(port: str, x: Tensor, below: Size, lengths: Sequence[Tensor | None]) -> Tensor:
    """A batch of indices below a size, checked, with 0 in place of padding that is no index.

    `lengths` are those of all axes of an example: what lies behind its end is padding. A size that varies has no upper
    end. A tensor that is not on the processor is not read, since every call would then wait for the device.

    Raises: DataError that names the first number of an example that is no index.
    """
    most = below - 1 if isinstance(below, int) else None
    if x.device.type != "cpu" or not x.numel() or _all_inside(x, most):
        return x
    outside = (x < 0) | (x != x.long())  # (b, *s)
    if most is not None:
        outside |= x > most
    own = own_elements(x, lengths, range(1, x.ndim))
    wrong = outside if own is None else outside & own
    if not wrong.any():
        return x.masked_fill(outside, 0)
    row, *place = wrong.nonzero()[0].tolist()
    at = f", position {place[0] if len(place) == 1 else tuple(place)}" if place else ""
    raise DataError(
        what="the batch holds a number that is no index of this net",
        where=f"input {port!r}, row {row}{at}",
        expected="whole numbers of 0 or more" if most is None else f"whole numbers from 0 to {most}",
        got=str(x[row, *place].item()),
    )


def _all_inside(x: Tensor, most: int | None) -> bool:
    """Whether all numbers are indices, padding too; so it is said of a tensor that cannot be read, as in `vmap`."""
    values = x if x.is_floating_point() else x.long()  # of some kinds of whole numbers torch has no least
    try:
        least, greatest = (end.item() for end in values.aminmax())
        whole = not x.is_floating_point() or bool((x == x.long()).all())
    except RuntimeError:
        return True
    return whole and least >= 0 and (most is None or greatest <= most)
