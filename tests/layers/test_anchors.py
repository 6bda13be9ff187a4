"""Boxes from anchors: where they lie, and sizes and options that cannot be."""

import pytest
import torch

import netwright as nw
from netwright.errors import NetError, SizeError


def test_a_box_lies_where_its_cell_and_its_numbers_say() -> None:
    numbers = torch.zeros(2, 3, 2 * 5)
    numbers[1, 2, 5:9] = torch.tensor([0.0, 30.0, 0.0, 1.0])  # of the second anchor
    boxes = nw.AnchorBoxes(10, ((4, 2), (8, 6)))(numbers)
    assert boxes.shape == (2, 3, 2, 5)
    assert boxes[0, 0, 0].tolist() == [3, 4, 7, 6, 0]
    left, top, right, bottom, _ = boxes[1, 2, 1].tolist()
    assert (left, right) == (21, 29)
    assert bottom - top == pytest.approx(6 * torch.e)
    assert (top + bottom) / 2 == pytest.approx(20)


def test_no_box_is_infinite() -> None:
    assert nw.AnchorBoxes(8, ((4, 4),))(torch.full((1, 1, 5), 1e9)).isfinite().all()


def test_features_that_the_anchors_do_not_divide() -> None:
    for features, got in ((11, "11"), (6, "6")):
        with pytest.raises(SizeError) as caught:
            nw.Chain(nw.AnchorBoxes(8, ((4, 4), (8, 8))), input=(3, 3, features))
        assert f"got:      {got}" in str(caught.value)
        assert "expected: a multiple of 2, at least 8" in str(caught.value)


@pytest.mark.parametrize("anchors", [(), ((0, 4),)])
def test_anchors_that_are_none(anchors: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(NetError) as caught:
        nw.AnchorBoxes(8, anchors)
    assert str(caught.value) == (
        "anchors are widths and heights above 0\n"
        "  where:    AnchorBoxes\n"
        "  expected: ((10, 14), (23, 27))\n"
        f"  got:      {anchors!r}"
    )
