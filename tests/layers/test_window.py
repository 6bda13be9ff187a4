"""The arithmetic of sliding windows, against counting."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import netwright as nw
from netwright.layers.window import channels_first, features_last, per_axis, planar, slide
from netwright.sizes.size import evaluate, named


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 30), extent=st.integers(1, 6), step=st.integers(1, 4), side=st.integers(0, 3))
def test_sizes_are_the_windows_that_fit(n, extent, step, side):
    padded = n + 2 * side
    starts = [start for start in range(0, padded, step) if start + extent <= padded]
    known = {"s": (named("n"),), "t": None}
    (size,) = slide(known, [extent - 1], [2 * side], (step,), "window")["t"]
    if starts:
        assert (evaluate(size, {"n": n}) if not isinstance(size, int) else size) == len(starts)


def test_a_line_is_a_picture_of_height_one():
    x = torch.randn(2, 5, 3)
    picture = channels_first(x)
    assert picture.shape == (2, 3, 1, 5)
    assert picture.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(features_last(picture, 1), x)
    assert planar((4,), 1) == (1, 4)
    assert planar((4, 5), 1) == (4, 5)
    assert per_axis(3, 2) == (3, 3)


def test_stride_one_solves_backwards():
    net = nw.Chain(nw.MaxPool((3,), stride=1), output=(8, 2))
    assert net.plan.inputs == {"input": (10, 2)}
