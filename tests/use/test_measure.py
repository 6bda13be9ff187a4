"""Measuring must give the same numbers however the data comes, and say plainly what it cannot measure."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import netwright as nw
from netwright.codecs.labels import Labels
from netwright.codecs.number import Number, Vector
from netwright.errors import DataError, NetError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(600, 4)).astype("float32")
Y = RANDOM.integers(0, 3, 600)


def net(width, end, decoder):
    return nw.initialize(nw.Chain(nw.Linear(width), end, input=4, output=decoder), seed=0)


CLASSIFIER = net(3, nw.softmax, nw.Category(range(3)))


def test_the_numbers_are_those_of_the_net_itself():
    measured = nw.measure(CLASSIFIER, (X, Y), top=(2,))
    p = CLASSIFIER(X, nw.raw).numpy()
    result = measured.result
    assert result.n == 600
    assert result.accuracy.value == pytest.approx((p.argmax(1) == Y).mean())
    losses = -np.log(p[np.arange(600), Y])
    assert result.log_loss.value == pytest.approx(losses.mean(), rel=1e-5)
    assert result.top[0].value == pytest.approx(
        np.mean([y in np.argsort(-row)[:2] for row, y in zip(p, Y, strict=True)])
    )
    assert [e.index for e in measured.worst] == np.argsort(-losses, kind="stable")[:10].tolist()
    worst = measured.worst[0]
    assert np.array_equal(worst.input, X[worst.index]) and worst.actual == Y[worst.index]
    assert worst.predicted == p[worst.index].argmax() and worst.loss == pytest.approx(losses.max(), rel=1e-5)
    assert worst.probabilities == pytest.approx(dict(enumerate(p[worst.index])))
    assert type(worst.actual) is int


def every_form():
    rows = [(x, int(y)) for x, y in zip(X, Y, strict=True)]
    tensors = TensorDataset(torch.tensor(X), torch.tensor(Y))
    return {
        "columns": (X, Y),
        "lists": (list(X), Y.tolist()),
        "rows": rows,
        "ports": {"input": X, "target": Y},
        "dataset": tensors,
        "loader": DataLoader(tensors, batch_size=70),
        "rows one by one": lambda: iter(rows),
        "batches": lambda: ((X[i : i + 70], Y[i : i + 70]) for i in range(0, 600, 70)),
    }


@pytest.mark.parametrize("name", every_form())
def test_every_form_of_data_gives_the_same(name):
    measured, expected = nw.measure(CLASSIFIER, every_form()[name]), nw.measure(CLASSIFIER, (X, Y))
    assert str(measured) == str(expected)
    assert np.array_equal(np.asarray(measured.worst[3].input), expected.worst[3].input)


def test_yes_and_no():
    boolean = net(1, nw.Elementwise("sigmoid"), nw.Boolean())
    right = Y > 0
    measured = nw.measure(boolean, (X, right))
    p = boolean(X, nw.raw).numpy()[:, 0]
    assert measured.result.accuracy.value == pytest.approx(((p > 0.5) == right).mean())
    assert measured.result.confusion.labels == (False, True)
    worst = measured.worst[0]
    assert worst.loss == pytest.approx(-np.log(np.where(right, p, 1 - p).min()), rel=1e-5)
    assert worst.probabilities == pytest.approx({False: 1 - p[worst.index], True: p[worst.index]}, abs=1e-6)


def test_several_labels():
    labels = net(3, nw.Elementwise("sigmoid"), Labels(["a", "b", "c"]))
    right = [[name for name, x in zip("abc", row, strict=False) if x > 0] for row in X]
    measured = nw.measure(labels, (X, right))
    p = labels(X, nw.raw).numpy()
    assert measured.result.accuracy.value == pytest.approx(((p > 0.5) == (X[:, :3] > 0)).mean())
    assert len(measured.worst) == 10 and measured.worst[0].actual == right[measured.worst[0].index]


def test_numbers_are_measured_in_their_own_unit():
    numbers = net(1, nw.Elementwise("tanh"), Number(mean=100.0, deviation=10.0))
    right = 100 + 10 * X[:, 0]
    measured = nw.measure(numbers, (X, right))
    said = numbers(X, nw.raw).numpy()[:, 0] * 10 + 100
    errors = (said - right) ** 2
    assert measured.result.mse.value == pytest.approx(errors.mean(), rel=1e-4)
    assert measured.worst[0].index == errors.argmax() and measured.worst[0].probabilities == {}
    assert measured.headline.startswith("MSE ")


def test_vectors():
    vectors = net(2, nw.Elementwise("tanh"), Vector(2, mean=(0.0, 5.0), deviation=(1.0, 2.0)))
    measured = nw.measure(vectors, (X, X[:, :2]), worst=3)
    said = vectors(X, nw.raw).numpy() * [1, 2] + [0, 5]
    assert measured.result.mse.value == pytest.approx(((said - X[:, :2]) ** 2).mean(), rel=1e-4)
    assert len(measured.worst) == 3


def test_a_net_without_a_decoder():
    with pytest.raises(NetError) as error:
        nw.measure(CLASSIFIER.with_output(None), (X, Y))
    assert str(error.value) == (
        "this net does not say what its output means, so nothing can be compared with it\n"
        "  expected: a decoder: Category, Boolean, Labels, Number, Vector\n"
        "  got:      no decoder\n"
        "  mend:     net.with_output(nw.Category([…])), or another decoder"
    )


def test_a_net_with_several_outputs():
    two = nw.Graph(a=(nw.Linear(2), "input"), b=(nw.Linear(3), "input"), input=4)
    with pytest.raises(NetError) as error:
        nw.measure(two, (X, Y))
    assert str(error.value) == (
        "a net with several outputs is measured one output at a time\n"
        "  expected: one output\n"
        "  got:      a, b\n"
        '  mend:     a net that ends where that output does, such as net[:"path"]'
    )


def test_a_label_that_is_not_known_names_its_row():
    labels = [*Y.tolist()[:500], 7]
    with pytest.raises(DataError) as error:
        nw.measure(CLASSIFIER, (X[:501], labels))
    assert str(error.value) == (
        "label 7 is not one of the 3 categories\n  where:    row 500\n  expected: 0, 1, 2\n  got:      7 of type int"
    )


def test_no_data():
    with pytest.raises(DataError) as error:
        nw.measure(CLASSIFIER, (X[:0], Y[:0]))
    assert error.value.what == "there is no data"


@pytest.mark.parametrize("top", [2, "15", (1, 0), (1.5,)])
def test_top_lists_whole_numbers(top):
    net = nw.Chain(2, nw.softmax, input=2, output=nw.Category(["a", "b"]))
    with pytest.raises(NetError) as error:
        nw.measure(net, ([[1.0, 2.0]], ["a"]), top=top)
    assert str(error.value) == (
        "top= lists the n of the top-n accuracies\n"
        f"  expected: whole numbers of 1 or more, such as top=(1, 5)\n  got:      {top!r}"
    )
