"""Batch norm in training against torch's, over several steps; and what the norms refuse."""

import pytest
import torch
from torch import nn

import netwright as nw
from layers.tools import run, unfit
from messages import message


@pytest.mark.parametrize("sizes", [(6,), (5, 6), (4, 3, 6)])
@pytest.mark.parametrize("momentum", [0.1, 0.5])
def test_training_and_running_statistics_are_those_of_torch(sizes, momentum):
    kind = (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d)[len(sizes) - 1]
    module = kind(6, momentum=momentum, dtype=torch.float64)
    net = nw.Chain(nw.BatchNorm(momentum=momentum), input=sizes)
    arrays = {path: array.double() for path, array in nw.initialize(net).arrays.items()}
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        x = torch.randn(7, *sizes, generator=generator, dtype=torch.float64) * 3 + 2
        mine, theirs = x.clone().requires_grad_(), x.movedim(-1, 1).clone().requires_grad_()
        y, updates = run(net, arrays, mine, training=True)
        expected = module(theirs)
        torch.testing.assert_close(y.movedim(-1, 1), expected, rtol=1e-10, atol=1e-10)
        along = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
        (y.movedim(-1, 1) * along).sum().backward()
        (expected * along).sum().backward()
        torch.testing.assert_close(mine.grad.movedim(-1, 1), theirs.grad, rtol=1e-10, atol=1e-10)
        assert not any(array.requires_grad for array in updates.values())
        arrays |= updates
        torch.testing.assert_close(arrays["batchnorm1/mean"], module.running_mean, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(arrays["batchnorm1/variance"], module.running_var, rtol=1e-9, atol=1e-9)
    y, updates = run(net, arrays, x)
    torch.testing.assert_close(y.movedim(-1, 1), module.eval()(x.movedim(-1, 1)), rtol=1e-9, atol=1e-9)
    assert updates == {}


@pytest.mark.parametrize("fill", [0.0, 1e4, -1e4])
@pytest.mark.parametrize("sizes", ["n 6", "n m 6"])
def test_in_training_only_real_positions_count(sizes, fill):
    generator = torch.Generator().manual_seed(0)
    n, m = torch.tensor([3, 1, 5]), torch.tensor([2, 4, 1])
    shape = (3, 7, 6) if sizes == "n 6" else (3, 7, 5, 6)
    x = torch.randn(shape, generator=generator, dtype=torch.float64) * 3 + 2
    real = torch.arange(7) < n[:, None]
    if sizes == "n m 6":
        real = real[:, :, None] & (torch.arange(5) < m[:, None])[:, None]
    x = torch.where(real[..., None], x, fill).requires_grad_()
    net = nw.initialize(nw.Chain(nw.BatchNorm(), input=sizes))
    w = {path.rpartition("/")[2]: array.double().requires_grad_() for path, array in net.arrays.items()}
    w = {name: array.detach() if name in ("mean", "variance") else array for name, array in w.items()}
    along = torch.randn(shape, generator=generator, dtype=torch.float64)
    lengths = {"s": (n,) if sizes == "n 6" else (n, m)}
    y, new = nw.BatchNorm().forward(w, x, training=True, lengths=lengths)
    expected, theirs = nw.BatchNorm().forward(w, x[real], training=True)
    close = {"rtol": 1e-10, "atol": 1e-10}
    torch.testing.assert_close(y[real], expected, **close)
    torch.testing.assert_close(new, theirs, **close)
    assert y.isfinite().all()
    of = [x, w["weight"], w["bias"]]
    torch.testing.assert_close(
        torch.autograd.grad((y * along)[real].sum(), of),
        torch.autograd.grad((expected * along[real]).sum(), of),
        **close,
    )
    untold, _ = nw.BatchNorm().forward(w, x, training=True)
    assert not torch.allclose(untold[real], expected)


def test_nothing_is_written_in_place():
    net = nw.initialize(nw.Chain(nw.BatchNorm(), input=3))
    before = net.arrays
    net(nw.batch(torch.randn(8, 3)), training=True)
    assert all(torch.equal(before[path], array) for path, array in net.arrays.items())


def test_one_value_has_no_variance():
    net = nw.initialize(nw.Chain(nw.BatchNorm(), input=3))
    assert message(lambda: net(nw.batch(torch.randn(1, 3)), training=True)) == (
        "batch norm cannot train on a single value of every feature: it has no variance\n"
        "  expected: at least 2 examples or positions in the batch\n"
        "  got:      1\n"
        "  mend:     a larger batch, or nw.LayerNorm(), which does not look at the batch"
    )


def test_one_real_position_has_no_variance():
    w = nw.initialize(nw.Chain(nw.BatchNorm(), input=("n", 3))).arrays
    w = {path.rpartition("/")[2]: array for path, array in w.items()}
    padded = {"s": (torch.tensor([1]),)}
    text = message(lambda: nw.BatchNorm().forward(w, torch.randn(1, 4, 3), training=True, lengths=padded))
    assert text.startswith("batch norm cannot train on a single value of every feature: it has no variance\n")


def test_a_feature_that_never_varies_stays_finite():
    net = nw.initialize(nw.Chain(nw.BatchNorm(), nw.LayerNorm(), nw.RMSNorm(), input=3))
    arrays = {
        path: array.requires_grad_("mean" not in path and "variance" not in path) for path, array in net.arrays.items()
    }
    y, updates = run(net, arrays, torch.zeros(4, 3), training=True)
    y.sum().backward()
    assert y.isfinite().all()
    assert all(array.isfinite().all() for array in updates.values())
    assert float(updates["batchnorm1/variance"][0]) == pytest.approx(0.9)


def test_options_out_of_range():
    assert message(lambda: nw.BatchNorm(momentum=2)) == (
        "momentum is a fraction from 0 to 1\n  where:    BatchNorm\n  got:      2"
    )
    assert message(lambda: nw.LayerNorm(eps=-1e-5)) == (
        "eps is a number of at least 0\n  where:    LayerNorm\n  got:      -1e-05"
    )


@pytest.mark.parametrize("eps", [0.0, 1e-6])
def test_the_root_mean_square_of_use_is_that_of_training(eps):
    x, w = torch.randn(2, 5, 3), {"weight": torch.randn(3)}
    x[0, 1] *= 1e-4
    with torch.no_grad():
        used = nw.RMSNorm(eps=eps).forward(w, x)
    torch.testing.assert_close(used, nn.functional.rms_norm(x, (3,), w["weight"], eps))


@pytest.mark.parametrize("spread", [1.0, 1e-5, 1e-8])
def test_the_running_variance_is_right_where_a_feature_hardly_varies(spread):
    x = torch.randn(64, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * spread
    w = {name: torch.zeros(3) for name in ("weight", "bias", "mean", "variance")}
    _, new = nw.BatchNorm(momentum=1.0).forward(w, x.float(), training=True)
    torch.testing.assert_close(
        new["variance"].double() / x.var(0), torch.ones(3, dtype=torch.float64), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(("sizes", "fewest"), [((3,), 2), ((1, 3), 2), (("n", 3), 2), ((2, 3), 1), ((1, 4, 3), 1)])
def test_how_many_examples_a_batch_has_at_least(sizes, fewest):
    net = nw.initialize(nw.Chain(nw.BatchNorm(), input=sizes))
    (step,) = net.plan.steps
    assert step.leaf.fewest(step.sizes) == fewest
    assert nw.Linear(3).fewest({}) == 1


def test_groups_divide_the_features() -> None:
    assert message(lambda: nw.GroupNorm(0)) == (
        "the number of groups is a whole number of at least 1\n  where:    GroupNorm\n  got:      0"
    )
    text = message(lambda: nw.Chain(nw.GroupNorm(4), input=(5, 6)))
    assert text.splitlines()[:4] == [
        "groupnorm1's groups do not divide its features",
        "  where:    input -> groupnorm1",
        "  expected: a multiple of 4",
        "  got:      6 features   (5, 6) from the input",
    ]
    assert "nw.GroupNorm(3) in place of groupnorm1" in text


def test_a_norm_of_groups_hides_nothing_that_comes_later() -> None:
    net = nw.Chain(nw.GroupNorm(1), input=("n", 4))
    assert nw.causality(net, "n").dependencies[0].verdict != "proved"
    assert nw.GroupNorm().hides_future("norm") == (
        "nw.LayerNorm() in place of norm, whose statistics are of all positions",
    )


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_a_norm_of_groups_learns_behind_frozen_filters(name: str) -> None:
    """In torch the gradient of its weight alone, behind a convolution, ends Python."""
    net = nw.Chain(nw.Conv(8, 3), nw.GroupNorm(4), nw.relu, nw.GlobalAvgPool(), nw.Linear(), input=(6, 6, 1))
    net = nw.initialize(net.with_output(nw.Number(0, 1)), seed=0)
    x = torch.rand(4, 6, 6, 1, generator=torch.Generator().manual_seed(0))
    slope = nw.gradients(net, x, of={"globalavgpool1": torch.sum}, wrt=f"groupnorm1/{name}")
    features = net(x, at="conv1").movedim(-1, 1).contiguous()
    arrays = {key: net.arrays[f"groupnorm1/{key}"].clone().requires_grad_() for key in ("weight", "bias")}
    nn.functional.group_norm(features, 4, arrays["weight"], arrays["bias"]).relu().mean((2, 3)).sum().backward()
    torch.testing.assert_close(slope, arrays[name].grad)


def test_an_instance_has_positions():
    assert unfit(nw.InstanceNorm(), 5) == (
        "it takes axes of positions, and its input has none",
        "position axes and an axis of channels",
        "one axis, of channels",
    )


def test_as_many_groups_as_features_are_an_instance():
    x = torch.randn(2, 5, 4, 6)
    w = {"weight": torch.randn(6), "bias": torch.randn(6)}
    torch.testing.assert_close(nw.InstanceNorm().forward(w, x), nw.GroupNorm(6).forward(w, x))


def test_what_a_response_is_divided_by_is_above_0():
    assert message(lambda: nw.LocalResponseNorm(k=0)) == (
        "k is a number above 0\n  where:    LocalResponseNorm\n  got:      0"
    )
    assert message(lambda: nw.LocalResponseNorm(0)) == (
        "the number of features in a sum is a whole number of at least 1\n  where:    LocalResponseNorm\n  got:      0"
    )
