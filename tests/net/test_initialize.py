"""Filling arrays: only what is missing, each by itself, and what is not known yet is said."""

import pytest
import torch

import netwright as nw
from netwright.errors import NetError, SizeError


def test_an_array_does_not_depend_on_what_else_is_missing() -> None:
    net = nw.Chain(4, nw.relu, 3, input=2)
    full = nw.initialize(net, seed=5)
    partly = net.with_arrays({"linear1/weight": torch.zeros(4, 2)})
    filled = nw.initialize(partly, seed=5)
    assert filled.arrays["linear2/weight"].equal(full.arrays["linear2/weight"])
    assert filled.arrays["linear1/weight"].equal(torch.zeros(4, 2))
    assert filled.held.arrays["linear1/weight"] is partly.held.arrays["linear1/weight"]
    assert nw.initialize(full, seed=6) == full


def test_the_seed_and_the_path_say_the_draw() -> None:
    net = nw.Chain(2, 2, input=2)
    assert nw.initialize(net, seed=1) == nw.initialize(net, seed=1)
    assert nw.initialize(net, seed=1) != nw.initialize(net, seed=2)
    arrays = nw.initialize(net).arrays
    assert not arrays["linear1/weight"].equal(arrays["linear2/weight"])


@pytest.mark.parametrize(("method", "variance"), [("kaiming", 2 / 400), ("xavier", 2 / 900), ("lecun", 1 / 400)])
def test_methods_fill_matrices_only(method: str, variance: float) -> None:
    net = nw.initialize(nw.Chain(nw.Linear(500), nw.LayerNorm(), input=400), method=method)
    assert float(net.arrays["linear1/weight"].var()) == pytest.approx(variance, rel=0.05)
    assert not net.arrays["linear1/bias"].any()
    assert {tuple(array.unique().tolist()) for path, array in net.arrays.items() if "layernorm" in path} == {(0,), (1,)}


def test_orthogonal_rows() -> None:
    weight = nw.initialize(nw.Chain(3, input=5), method="orthogonal").arrays["linear1/weight"]
    torch.testing.assert_close(weight @ weight.T, torch.eye(3))


def test_shared_arrays_are_drawn_once() -> None:
    part = nw.Shared("same", nw.Linear(3))
    net = nw.initialize(nw.Chain(part, nw.relu, part, input=3))
    assert sorted(net.arrays) == ["@same/bias", "@same/weight"]


def test_new_arrays_have_the_type_of_those_that_are_there() -> None:
    net = nw.Chain(2, 2, input=2).with_arrays({"linear1/weight": torch.zeros(2, 2, dtype=torch.float64)})
    assert nw.initialize(net).arrays["linear2/weight"].dtype == torch.float64


def test_sizes_that_are_not_known_are_named() -> None:
    with pytest.raises(SizeError) as caught:
        nw.initialize(nw.Chain(3, nw.relu, nw.Linear()))
    assert str(caught.value) == (
        "3 faults\n"
        "1. the size 'in' of an array does not follow from the net\n"
        "     where:    linear1/weight\n"
        "     expected: a number for every axis\n"
        "     got:      (out in) = (3, ?)\n"
        "     mend:     input=…, the sizes of an example or an encoder\n"
        "2. the size 'out' of an array does not follow from the net\n"
        "     where:    linear2/weight\n"
        "     expected: a number for every axis\n"
        "     got:      (out in) = (?, 3)\n"
        "     mend:     input=…, the sizes of an example or an encoder\n"
        "3. the size 'out' of an array does not follow from the net\n"
        "     where:    linear2/bias\n"
        "     expected: a number for every axis\n"
        "     got:      (out) = (?,)\n"
        "     mend:     input=…, the sizes of an example or an encoder"
    )


def test_a_method_that_does_not_exist() -> None:
    with pytest.raises(NetError) as caught:
        nw.initialize(nw.Chain(3, input=2), method="kaming")
    assert str(caught.value) == (
        "there is no method 'kaming' to fill arrays\n"
        "  expected: kaiming, xavier, lecun, orthogonal\n"
        "  mend:     did you mean 'kaiming'?"
    )


def test_arrays_made_in_inference_mode_can_be_learned_elsewhere():
    with torch.inference_mode():
        net = nw.initialize(nw.Chain(2, nw.tanh, nw.Linear(1), input=3))
    x = torch.ones(1, 3, requires_grad=True)
    nw.apply(net, {}, x).sum().backward()
    assert x.grad is not None


def test_an_array_that_does_not_fit_in_memory() -> None:
    with pytest.raises(SizeError) as caught:
        nw.initialize(nw.Chain(nw.Linear(10**13), input=4))
    assert str(caught.value) == (
        "an array does not fit in memory\n"
        "  where:    linear1/weight\n"
        "  got:      (10000000000000, 4), 160,000 GB\n"
        "  mend:     smaller sizes"
    )
    with pytest.raises(SizeError) as caught:  # more than torch's own sizes go to
        nw.initialize(nw.Chain(nw.Linear(10**40), input=4))
    assert str(caught.value).startswith("an array does not fit in memory\n  where:    linear1/weight\n")
