"""Validation measures loss and error as the net in use would give them."""

import pytest
import torch

import netwright as nw
from netwright.data.sources import source
from netwright.training.feed import feed
from netwright.training.validate import validation_of


@pytest.mark.parametrize("count", [3, 600])
def test_loss_and_error_are_those_of_the_net_in_use(count) -> None:
    net = nw.initialize(nw.Chain(4, nw.Dropout(0.5), 2, nw.softmax, input=3, output=nw.Category(["a", "b"])))
    whole = nw.with_loss(net, nw.CrossEntropy())
    xs = torch.randn(count, 3, generator=torch.Generator().manual_seed(0))
    labels = ["a" if i % 3 else "b" for i in range(count)]
    data = feed(source((xs, labels)), whole.held.inputs, torch.device("cpu"))
    measured = validation_of(whole.plan, data, whole.held.arrays, net, "net/")()
    answers = net(xs)
    probabilities = net(xs, nw.raw)
    right = torch.tensor([["a", "b"].index(label) for label in labels])
    loss = -probabilities.log().gather(1, right[:, None]).mean()
    assert measured["error"] == pytest.approx(sum(a != b for a, b in zip(answers, labels, strict=True)) / count)
    assert measured["loss"] == pytest.approx(float(loss), rel=1e-4)
