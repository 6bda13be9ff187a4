"""What a net is called with: examples and batches, and the graph of a tensor that wants a gradient, as in torch."""

from typing import Any

import pytest
import torch
from hypothesis import given as drawn
from hypothesis import settings
from torch import Tensor

import netwright as nw
import random_nets
from messages import message
from netwright.net.part import Net
from netwright.net.plan.plan import plan_of
from netwright.net.run.execute import Placement
from netwright.net.run.given import Given


def of_torch(net: Net, x: Tensor) -> Tensor:
    """The gradient of the sum of the outputs, as a torch module gives it."""
    own = x.detach().clone().requires_grad_()
    return torch.autograd.grad(nw.to_torch(net)(own).sum(), own)[0]


def gradient(y: Tensor, x: Any) -> Any:
    assert y.requires_grad
    return torch.autograd.grad(y.sum(), x)


def test_an_input_that_wants_a_gradient_keeps_its_graph() -> None:
    net = nw.initialize(nw.Chain(nw.Linear(400), nw.gelu, nw.Linear(200), input=300))  # large: arrays are packed
    x = torch.randn(5, 300, requires_grad=True)
    for y in (net(x), net(x, nw.raw), net(x, at="linear2")):
        torch.testing.assert_close(gradient(y, x)[0], of_torch(net, x), atol=1e-5, rtol=1e-4)
    alone = x[0].detach().requires_grad_()
    torch.testing.assert_close(gradient(net(alone), alone)[0], of_torch(net, x)[0], atol=1e-5, rtol=1e-4)


@settings(max_examples=20)
@drawn(random_nets.nets())
def test_so_does_any_net(net: Net) -> None:
    x = torch.randn(3, random_nets.WIDTH, generator=torch.Generator().manual_seed(0), requires_grad=True)
    torch.testing.assert_close(gradient(net(x), x)[0], of_torch(net, x))


def test_examples_of_different_lengths_keep_their_graphs() -> None:
    net = nw.initialize(nw.Chain(nw.GRU(3), nw.Last(), nw.Linear(2), input=("n", 4)))
    xs = [torch.randn(n, 4, requires_grad=True) for n in (3, 5, 2)]
    for x, found in zip(xs, gradient(net(xs), xs), strict=True):
        torch.testing.assert_close(found, of_torch(net, x.unsqueeze(0))[0])


def test_encoders_and_decoders_keep_it_where_their_results_are_tensors() -> None:
    picture = nw.Image(6, 6, mean=0.5, deviation=0.25)
    net = nw.initialize(nw.Chain(nw.Conv(2, 3), nw.Flatten(), nw.Linear(2), nw.softmax, input=picture))
    named = net.with_output(nw.Category(["a", "b"]))
    x = torch.rand(6, 6, 3, requires_grad=True)
    assert gradient(named(x, nw.raw)[0], x)[0].abs().sum() > 0
    assert named(x) in ("a", "b")
    assert message(net, torch.rand(7, 6, 3, requires_grad=True)) == (
        "PIL resizes pictures, and it knows no gradients\n"
        "  expected: (6, 6)\n"
        "  got:      (7, 6), of a tensor that wants a gradient\n"
        "  mend:     torch.nn.functional.interpolate, before the net is called"
    )


def test_what_is_put_in_place_keeps_its_graph() -> None:
    net = nw.initialize(nw.Chain(nw.Linear(4), nw.tanh, nw.Linear(2), input=3))
    x, v = torch.randn(3), torch.randn(4, requires_grad=True)
    weight = net.arrays["linear2/weight"]
    expected = (1 - v.tanh() ** 2) * weight.sum(0)
    torch.testing.assert_close(gradient(net(x, set={"linear1": v}), v)[0], expected)
    before = net(x, at="linear1")
    found = gradient(net(x, set={"linear1": lambda h: v + h - before}), v)[0]
    torch.testing.assert_close(found, expected)
    assert not net(x, set={"linear1": v.detach()}).requires_grad


def test_nothing_is_kept_where_nothing_wants_it() -> None:
    net = nw.initialize(nw.Chain(nw.Linear(4), input=3))
    x = torch.randn(3, requires_grad=True)
    assert not net(x.detach()).requires_grad
    with torch.no_grad():
        assert not net(x).requires_grad
    with torch.inference_mode():
        assert not net(x).requires_grad


def test_data_lets_graphs_go() -> None:
    codec = nw.Vector(3, mean=0, deviation=1)
    assert not codec.encode(torch.randn(3, requires_grad=True)).requires_grad


@pytest.mark.parametrize(
    ("x", "single"), [(torch.zeros(3), True), (torch.zeros(2, 3), False), ([torch.zeros(3)], False)]
)
def test_one_example_or_several(x: Any, single: bool) -> None:
    net = nw.initialize(nw.Chain(2, input=3))
    found = Given.of(net, x)
    assert (found.single, found.plan is plan_of(net), found.learns) == (single, True, False)


def test_batches_are_put_together_in_the_order_of_the_examples() -> None:
    net = nw.Chain(nw.relu, input=("n", 1))
    xs = [torch.full((n, 1), float(i)) for i, n in enumerate((3, 1, 2))]
    found = Given.of(net, xs)
    made = [
        (inputs["input"], context)
        for inputs, context in found.batches(Placement(torch.device("cpu"), torch.float32), 2)
    ]
    assert [len(x) for x, _ in made] == [2, 1]
    slot = net.plan.wiring.outputs[0][1]
    whole = found.together([found.own(slot, x, context) for x, context in made])
    assert [row.tolist() for row in whole] == [row.tolist() for row in xs]
