"""Codecs found in the data: from the kinds of values, and only where the net says nothing."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.data.sources import source
from netwright.errors import TrainingError
from netwright.training.prepare.codecs import fitted

CLASSIFIER = nw.Chain(3, nw.softmax)
REGRESSOR = nw.Chain(nw.Linear())
TARGETS = {"target": "output"}


@pytest.mark.parametrize(
    ("net", "inputs", "targets", "encoder", "decoder"),
    [
        (CLASSIFIER, [0.0, 1.0, 2.0], ["a", "b", "c"], nw.Number, nw.Category(["a", "b", "c"])),
        (CLASSIFIER, np.eye(3), [2, 5, 7], nw.Vector, nw.Category([2, 5, 7])),
        (REGRESSOR, np.eye(3), [2, 5, 7], nw.Vector, nw.Number),
        (REGRESSOR, np.eye(3), [True, False, True], nw.Vector, nw.Boolean()),
        (nw.Chain(nw.Flatten(), nw.Linear()), np.zeros((3, 2, 2)), np.eye(3), nw.Array((2, 2)), nw.Vector),
    ],
)
def test_codecs_follow_from_values(net, inputs, targets, encoder, decoder) -> None:
    found = fitted(net, source((inputs, targets)), TARGETS)
    for codec, wanted in ((found.inputs["input"], encoder), (found.outputs["output"], decoder)):
        assert isinstance(codec, wanted) if isinstance(wanted, type) else codec == wanted


def test_given_codecs_are_kept_and_fitted() -> None:
    net = nw.Chain(2, nw.softmax, input=nw.Number(0.0, 1.0), output=nw.Category())
    found = fitted(net, source(([5.0, 6.0], ["x", "y"])), TARGETS)
    assert found.inputs["input"] == nw.Number(0.0, 1.0)
    assert found.outputs["output"] == nw.Category(["x", "y"])
    assert fitted(found, source(([5.0, 6.0], ["x", "y"])), TARGETS) is found


def test_what_no_codec_follows_from() -> None:
    with pytest.raises(TrainingError) as caught:
        fitted(REGRESSOR, source(([object(), object()], [1.0, 2.0])), TARGETS)
    assert str(caught.value) == (
        "the net has no codec for these values\n"
        "  where:    port 'input'\n"
        "  got:      an object\n"
        "  mend:     net.with_input(…), which gives it a codec"
    )


def test_a_length_with_a_name_stays_one_where_all_examples_are_equally_long() -> None:
    x = torch.randn(8, 5, 2)
    net = nw.Chain(nw.RNN(4), nw.Linear(2), input=("n", 2))
    run = nw.train(net, (x, x.cumsum(1)), epochs=1, progress=False)
    assert run.net.outputs["output"] == nw.Array("n 2")
    assert run.net(torch.randn(9, 2)).shape == (9, 2)
