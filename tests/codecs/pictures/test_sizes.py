"""Sizes of pictures: both in pixels, or both by name."""

import pytest

from messages import message
from netwright.codecs.pictures.sizes import check_sizes, fitting_size


def test_sizes_in_pixels_and_by_name():
    for sizes in ((3, 4), ("h", "w"), ("16*h", "32*w")):
        check_sizes(*sizes, "Image")
    assert fitting_size((5, 6), 3, 4) == (3, 4)
    assert fitting_size((5, 6), "h", "w") == (5, 6)
    assert fitting_size((32, 64), "16*h", "32*w") == (32, 64)


@pytest.mark.parametrize("sizes", [(3, "w"), ("h", 4), ("h", "h"), ("?", "w"), ("h w", "c"), ("*h", "w")])
def test_sizes_that_are_neither(sizes: tuple[int | str, int | str]):
    assert (
        message(check_sizes, *sizes, "Mask")
        == f"""\
both sizes are in pixels, or both are different names
  where:    Mask
  expected: such as Mask(224, 224), or Mask("h", "w") for any size
  got:      {sizes[0]!r}, {sizes[1]!r}"""
    )


def test_a_size_that_is_no_multiple():
    assert (
        message(fitting_size, (31, 64), "16*h", "16*w")
        == """\
the picture does not have a size that is taken
  expected: 16*h x 16*w
  got:      31 x 64
  mend:     cut its edges, or give the sizes in pixels, so that it is resized"""
    )
