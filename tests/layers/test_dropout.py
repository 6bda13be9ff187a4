"""Dropout in training: what is dropped, how the rest is scaled, and that the batch has no say in it."""

import pytest
import torch
from torch import nn

import netwright as nw
from layers.tools import run
from messages import message


def test_values_are_dropped_or_scaled():
    x = torch.rand(50, 40, dtype=torch.float64) + 1
    y, _ = run(nw.Chain(nw.Dropout(0.25), input=40), {}, x, training=True)
    gone = y == 0
    torch.testing.assert_close(y[~gone], x[~gone] / 0.75)
    assert gone.double().mean().item() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("shape", [(5, 40), (3, 5, 40)])
def test_whole_features_are_dropped(shape):
    x = torch.rand(30, *shape, dtype=torch.float64) + 1
    y, _ = run(nw.Chain(nw.Dropout(0.25, unit="feature"), input=shape), {}, x, training=True)
    gone = (y == 0).flatten(1, -2)
    assert torch.equal(gone.all(1), gone.any(1))
    assert gone.double().mean().item() == pytest.approx(0.25, abs=0.04)
    torch.testing.assert_close(y[y != 0], x[y != 0] / 0.75)


@pytest.mark.parametrize("shape", [(), (4,), (3, 5, 4)])
def test_whole_examples_are_dropped(shape):
    x = torch.rand(1000, *shape, dtype=torch.float64) + 1
    y, _ = run(nw.Chain(nw.Dropout(0.25, unit="example"), input=shape), {}, x, training=True)
    gone = (y == 0).reshape(1000, -1)
    assert torch.equal(gone.all(1), gone.any(1))
    assert gone.double().mean().item() == pytest.approx(0.25, abs=0.04)
    torch.testing.assert_close(y[y != 0], x[y != 0] / 0.75)


def test_units_that_there_are_not():
    assert message(lambda: nw.Dropout(0.1, unit="features")) == (
        "there is no such unit to drop\n"
        "  where:    Dropout\n"
        "  expected: 'value', 'feature', 'example'\n"
        "  got:      'features'\n"
        "  mend:     did you mean 'feature'?"
    )


def test_in_use_nothing_happens():
    x = torch.randn(3, 4)
    for layer in (nw.Dropout(), nw.AlphaDropout()):
        assert run(nw.Chain(layer, input=4), {}, x)[0] is x


def test_gradients_are_those_of_the_values_that_stay():
    x = torch.tensor([[float("inf"), 1.0, 2.0, 3.0, 4.0, 5.0]], dtype=torch.float64).repeat(8, 1).requires_grad_()
    y, _ = run(nw.Chain(nw.Dropout(0.5), input=6), {}, x, training=True)
    y[:, 1:].sum().backward()
    assert torch.equal(x.grad[:, 1:], (y.detach()[:, 1:] != 0) * 2.0)
    assert x.grad.isfinite().all()


def test_alpha_dropout_keeps_mean_and_variance():
    x = torch.randn(200, 100, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y, _ = run(nw.Chain(nw.AlphaDropout(0.2), input=100), {}, x, training=True)
    assert y.mean().item() == pytest.approx(0, abs=0.02)
    assert y.var().item() == pytest.approx(1, abs=0.03)
    torch.manual_seed(0)
    theirs = nn.AlphaDropout(0.2)(x)
    torch.testing.assert_close(y.flatten().mode().values, theirs.flatten().mode().values)  # what dropped values become


def test_parts_and_steps_draw_differently():
    net = nw.Chain(nw.Dropout(), nw.Dropout(), input=64)
    x = torch.ones(1, 64)
    one, _ = run(net[:1], {}, x, training=True)
    both, _ = run(net, {}, x, training=True)
    other, _ = run(net, {}, x, training=True, seed=1)
    assert not torch.equal(one * 2, both)
    assert not torch.equal(other, both)


def test_rates_out_of_range():
    text = "a rate is a share of the values, from 0 up to, not with, 1\n  where:    {}\n  got:      {}"
    assert message(lambda: nw.Dropout(1.0)) == text.format("Dropout", "1.0")
    assert message(lambda: nw.AlphaDropout(-0.1)) == text.format("AlphaDropout", "-0.1")
