"""Jacobians: equal to torch's, for one example and many, by inputs, values inside and arrays."""

import torch
from hypothesis import given, settings
from torch import Tensor

import netwright as nw
import random_nets
from inside.nets import classifier, folded, language, of_torch, rows
from messages import message

X = rows(5, 3, seed=1)


def test_by_the_input_it_is_that_of_torch() -> None:
    module = of_torch(classifier())
    wanted = torch.stack([torch.autograd.functional.jacobian(module, x) for x in X])
    torch.testing.assert_close(nw.jacobian(classifier(), X), wanted)
    torch.testing.assert_close(nw.jacobian(classifier(), X[1]), wanted[1])


def test_of_and_by_values_inside_and_arrays() -> None:
    net, module = classifier(), of_torch(classifier())
    found = nw.jacobian(net, X, of="linear2", wrt=["tanh1", "linear2/weight", "linear1/bias"])
    weight = module[2].weight.detach()
    torch.testing.assert_close(found["tanh1"], weight.expand(5, 4, 5))
    act = module[:2](X).detach()
    torch.testing.assert_close(found["linear2/weight"], torch.einsum("ij,bk->bijk", torch.eye(4), act))
    torch.testing.assert_close(found["linear1/bias"], weight * (1 - act**2).unsqueeze(1))


def test_a_function_makes_any_tensor_of_the_value() -> None:
    whole = nw.jacobian(classifier(), X)

    def some(y: Tensor) -> Tensor:
        return y[1:3]

    torch.testing.assert_close(nw.jacobian(classifier(), X, of=some), whole[:, 1:3])
    torch.testing.assert_close(nw.jacobian(classifier(), X, of={"output": torch.sum}), whole.sum(1))


def test_of_sequences_each_has_its_own_sizes() -> None:
    xs = [rows(n, 4, seed=n) for n in (3, 5, 3)]
    found = nw.jacobian(folded(), xs, of="fold1.output", wrt="map1/body/linear1")
    assert [tuple(one.shape) for one in found] == [(3, 2, 3, 3), (5, 2, 5, 3), (3, 2, 3, 3)]
    torch.testing.assert_close(found[1], nw.jacobian(folded(), xs[1], of="fold1.output", wrt="map1/body/linear1"))
    assert found[1][1, :, 2:].abs().sum() == 0  # the second state sees no later element


@settings(max_examples=15)
@given(random_nets.nets())
def test_of_random_nets_it_is_that_of_torch(net: nw.Net) -> None:
    x = rows(random_nets.WIDTH)
    module = nw.to_torch(net).eval()
    wanted = torch.autograd.functional.jacobian(lambda one: module(one.unsqueeze(0))[0], x)
    torch.testing.assert_close(nw.jacobian(net, x), wanted)


def test_what_is_no_jacobian_is_said() -> None:
    assert message(nw.jacobian, language(), "abc") == (
        "input holds indices, and nothing changes little when an index changes\n"
        "  where:    jacobian\n"
        "  got:      'input'\n"
        "  mend:     wrt='embedding1', the numbers that are made of them"
    )
    assert message(nw.jacobian, classifier(), X, of={"linear1": torch.sum, "linear2": torch.sum}) == (
        "a Jacobian is that of one value\n  where:    jacobian\n  got:      linear1, linear2\n  mend:     of='linear1'"
    )
    assert message(nw.jacobian, classifier(), X, of=lambda y: float(y.detach()[0])).startswith(
        "a Jacobian is that of one tensor for each example\n  where:    output\n  expected: a tensor\n  got:      "
    )
    two = nw.Graph(nw.Linear(2)(nw.Input("a", 3) + nw.Input("b", 3)))
    assert message(nw.jacobian, nw.initialize(two), {"a": X, "b": X}) == (
        "this net has 2 inputs, and wrt= does not say which of them is meant\n"
        "  where:    jacobian\n"
        "  expected: 'a' or 'b'\n"
        "  mend:     wrt='a'"
    )
    assert message(nw.jacobian, classifier(), X, of="linear1", wrt="linear2") == (
        "linear1 does not depend on linear2\n"
        "  where:    jacobian\n"
        "  expected: one of input, linear1, linear1/weight, linear1/bias"
    )
