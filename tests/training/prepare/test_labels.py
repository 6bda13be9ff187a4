"""What targets mean: the end of the net decides it, and what it cannot say is refused with a mend that learns."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.data.sources import source
from netwright.errors import TrainingError
from netwright.training.prepare.codecs import fitted
from netwright.training.prepare.goal import goal_of
from netwright.training.prepare.labels import end_of

X = np.random.default_rng(0).normal(size=(120, 2)).astype(np.float32)
KIND = np.where(X[:, 0] > 0, np.where(X[:, 1] > 0, 0, 1), 2)
YES = (X[:, 0] > 0).astype(int)
SIGMOID = nw.Chain(8, nw.relu, nw.Linear(1), nw.sigmoid, input=2)
SOFTMAX = nw.Chain(8, nw.relu, nw.Linear(), nw.softmax, input=2)
BINARY, INDEX, PROBABILITIES = (nw.CrossEntropy(form) for form in ("binary", "index", "probabilities"))


@pytest.mark.parametrize(
    ("net", "targets", "decoder", "loss"),
    [
        (SIGMOID, YES, nw.Boolean(), BINARY),
        (SIGMOID, YES.tolist(), nw.Boolean(), BINARY),
        (SIGMOID, YES.astype(np.float32), nw.Boolean(), BINARY),
        (SIGMOID, YES.astype(bool), nw.Boolean(), BINARY),
        (SIGMOID, YES[:, None], nw.Boolean(), BINARY),
        (SIGMOID, YES[:, None].tolist(), nw.Boolean(), BINARY),
        (SIGMOID, torch.tensor(YES), nw.Boolean(), BINARY),
        (SIGMOID, YES * 0.5 + 0.25, nw.Number(0, 1), BINARY),
        (nw.Chain(nw.Linear(), nw.sigmoid, input=2), np.eye(3)[KIND], nw.Array(3), BINARY),
        (nw.Chain(nw.Linear(), nw.sigmoid, input=2), [["a", "b"], ["b"]] * 60, nw.Labels(["a", "b"]), BINARY),
        (
            nw.Chain(nw.Linear(3), nw.sigmoid, nw.Reshape(3, 1), input=2),
            np.eye(3)[KIND][..., None],
            nw.Array("3 1"),
            BINARY,
        ),
        (SOFTMAX, KIND, nw.Category([0, 1, 2]), INDEX),
        (SOFTMAX, KIND.astype(np.float32), nw.Category([0.0, 1.0, 2.0]), INDEX),
        (SOFTMAX, KIND[:, None], nw.Category([0, 1, 2]), INDEX),
        (SOFTMAX, YES.astype(bool), nw.Category([False, True]), INDEX),
        (SOFTMAX, np.eye(3)[KIND], nw.Array(3), PROBABILITIES),
        (SOFTMAX, torch.eye(3)[KIND], nw.Array(3), PROBABILITIES),
        (SOFTMAX, np.full((120, 4), 0.25), nw.Array(4), PROBABILITIES),
    ],
)
def test_the_end_of_the_net_decides_what_targets_mean(net, targets, decoder, loss) -> None:
    found = fitted(net, source((X, targets)), {"target": "output"})
    assert found.outputs["output"] == decoder
    assert goal_of(found, None).name == repr(loss)


def test_a_class_for_every_position() -> None:
    net = nw.Chain(nw.Linear(), nw.softmax, input=("n", 1))
    found = fitted(net, source((np.zeros((4, 3, 1)), [["a", "b", "a"]] * 4)), {"target": "output"})
    assert found.outputs["output"] == nw.Each(nw.Category(["a", "b"]))
    found = fitted(net, source((np.zeros((4, 3, 1)), np.full((4, 3, 2), 0.5))), {"target": "output"})
    assert found.outputs["output"] == nw.Array("n 2")


@pytest.mark.parametrize(
    ("net", "targets", "right"),
    [
        (SIGMOID, YES, lambda said: np.array([float(answer) for answer in said]) == YES),
        (SOFTMAX, np.eye(3)[KIND], lambda said: np.array([int(answer.argmax()) for answer in said]) == KIND),
        (SOFTMAX, YES.astype(np.float32)[:, None], lambda said: np.array(said) == YES),
    ],
)
def test_the_net_learns_and_answers_as_it_was_asked(net, targets, right) -> None:
    run = nw.train(net, (X, targets), epochs=60, progress=False)
    assert right(run.net([*X])).mean() > 0.95
    assert "CrossEntropy" in next(choice.value for choice in run.choices if choice.name == "loss")


def refusal(net, targets) -> str:
    with pytest.raises(TrainingError) as caught:
        nw.train(net, (X, targets), epochs=1, progress=False)
    return str(caught.value)


def test_targets_that_a_sigmoid_cannot_say() -> None:
    assert refusal(SIGMOID, YES * 2 - 1) == (
        "the net ends in a sigmoid, and the targets are not answers of yes or no\n"
        "  where:    port 'target'\n"
        "  expected: 0 and 1, True and False, or numbers between\n"
        "  got:      1, -1\n"
        "  mend:     nw.Linear(2), nw.softmax in place of sigmoid1, for 2 labels\n"
        "  or:       leave out sigmoid1, for numbers of any size"
    ).replace("1, -1", ", ".join(f"{value}" for value in dict.fromkeys((YES * 2 - 1).tolist())))
    assert refusal(SIGMOID, ["a", "b"] * 60).endswith(
        "  got:      'a', 'b'\n  mend:     nw.Linear(2), nw.softmax in place of sigmoid1, for 2 labels"
    )
    assert refusal(SIGMOID, X[:, 0] * 9).endswith("  mend:     leave out sigmoid1, for numbers of any size")
    assert refusal(nw.Chain(nw.Linear(3), nw.sigmoid, input=2), KIND).endswith(
        "  got:      one answer, and the net gives several\n  mend:     nw.softmax in place of sigmoid1, for 3 labels"
    )


def test_targets_that_a_softmax_cannot_say() -> None:
    assert refusal(SOFTMAX, X) == (
        "the net ends in a softmax, and the targets are neither classes nor their probabilities\n"
        "  where:    port 'target'\n"
        "  expected: a label for each example, or a row of numbers of 0 or more that add up to 1\n"
        "  got:      ndarray of shape (2,)\n"
        "  mend:     leave out softmax1, for numbers of any size"
    )
    assert refusal(SOFTMAX, X[:, 0]).endswith(
        "  mend:     leave out softmax1, for numbers of any size\n  or:       output=nw.Category(), for classes"
    )


def test_labels_behind_logarithms() -> None:
    assert refusal(nw.Chain(nw.Linear(3), nw.log_softmax, input=2), KIND) == (
        "the net ends in logarithms of probabilities, and the targets are labels\n"
        "  where:    port 'target'\n"
        "  expected: probabilities: the loss takes the logarithm of a softmax itself, and exactly\n"
        "  got:      log_softmax1\n"
        "  mend:     nw.softmax in place of log_softmax1"
    )


def test_ends() -> None:
    assert (end_of(SIGMOID, "output").path, end_of(SIGMOID, "output").form) == ("sigmoid1", "binary")
    assert end_of(SOFTMAX, "output").form == "probabilities"
    assert end_of(nw.Chain(3, nw.softmax, nw.Reshape(1, 3), input=2), "output").form == ""
    assert end_of(nw.Chain(3, nw.sigmoid, nw.Reshape(1, 3), input=2), "output").form == "binary"
    assert end_of(nw.Chain(3, input=2), "output").form == ""
