"""The flat buffer: views are the arrays, kernels lie features last, and writing one view leaves the others alone."""

import torch

from netwright.training.engines.flat import Flat

ARRAYS = {
    "conv/weight": torch.arange(2 * 3 * 5 * 5, dtype=torch.float32).view(2, 3, 5, 5),
    "conv/bias": torch.ones(2),
    "linear/weight": torch.randn(7, 4),
}


def flat(precision=None) -> Flat:
    return Flat.of(ARRAYS, precision, torch.device("cpu"))


def test_views_hold_the_arrays() -> None:
    for path, view in flat().views(flat().master).items():
        assert torch.equal(view, ARRAYS[path])


def test_kernels_lie_features_last() -> None:
    view = flat().view(flat().master, "conv/weight")
    assert view.permute(0, 2, 3, 1).is_contiguous()


def test_writing_one_view_leaves_the_others() -> None:
    one = flat()
    one.view(one.master, "conv/bias").fill_(9)
    assert torch.equal(one.view(one.master, "linear/weight"), ARRAYS["linear/weight"])
    assert torch.equal(one.view(one.master, "conv/weight"), ARRAYS["conv/weight"])


def test_the_working_copy_follows_when_refreshed() -> None:
    one = flat(torch.bfloat16)
    one.refresh()
    assert torch.equal(one.view(one.working, "linear/weight"), ARRAYS["linear/weight"].bfloat16())
    same = flat()
    assert same.working is same.master


def test_a_range_spans_its_arrays_and_no_other() -> None:
    one = flat()
    one.master.zero_()
    one.master[one.range(["conv/weight", "conv/bias"])] = 1
    assert one.view(one.master, "conv/weight").eq(1).all()
    assert one.view(one.master, "linear/weight").eq(0).all()
    assert one.range(list(ARRAYS)) == slice(0, len(one.master))
