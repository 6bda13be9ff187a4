"""What targets mean: the end of the net decides it, and what it cannot say is refused with a mend that learns."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.data.sources import source
from netwright.errors import DataError, TrainingError
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
    moved = end_of(nw.Chain(3, nw.tanh, nw.Reshape(1, 3), input=2), "output")
    assert (moved.path, moved.bounds, moved.limits) == ("tanh1", (-1, 1), "-1 to 1")
    assert end_of(nw.Chain(3, input=2), "output").limits == ""
    assert end_of(nw.Chain(3, nw.Elementwise("logsigmoid"), input=2), "output").limits == "0 or less"


def ending(*end: nw.Leaf) -> nw.Chain:
    return nw.Chain(16, nw.tanh, nw.Linear(1), *end, input=2)


@pytest.mark.parametrize(
    ("net", "targets", "mean", "deviation"),
    [
        (ending(nw.softplus), abs(X[:, 0]), 0, np.std(abs(X[:, 0]))),
        (ending(nw.exp), [1.0, 3.0] * 60, 0, 1),
        (ending(nw.square), [100, 500] * 60, 0, 200),
        (ending(nw.relu, nw.Reshape(1)), [[0.0], [4.0]] * 60, 0, 2),
        (ending(nw.tanh), np.tanh(X[:, 0]), 0, 1),
        (ending(nw.tanh), YES * 2 - 1, 0, 1),
        (nw.Chain(nw.Linear(), nw.tanh, input=2), np.tanh(X) * 0.1, 0, 1),
        (ending(nw.relu6), [5.0, 6.0] * 60, 0, 1),
        (ending(nw.silu), [5.0, 9.0] * 60, 0, 1),
        (ending(), [5.0, 9.0] * 60, 7, 2),
    ],
)
def test_numbers_are_not_moved_where_the_end_could_not_follow(net, targets, mean, deviation) -> None:
    found = fitted(net, source((X, targets)), {"target": "output"}).outputs["output"]
    assert isinstance(found, nw.Number if np.ndim(targets) == 1 else nw.Vector)
    assert np.allclose(found.mean, mean) and np.allclose(found.deviation, deviation)


@pytest.mark.parametrize(
    ("layer", "limits"),
    [
        (nw.RNN(2), "-1 to 1"),
        (nw.GRU(2), "-1 to 1"),
        (nw.LSTM(2), "-1 to 1"),
        (nw.RNN(2, activation="relu"), "0 or more"),
    ],
)
def test_recurrent_layers_are_bounded_where_they_begin_at_zero(layer, limits) -> None:
    net = nw.initialize(nw.Chain(layer, nw.Last(), input="n 3"))
    assert end_of(net, "output").limits == limits
    low, high = layer.bounds()
    y = net(torch.randn(50, 9, 3, generator=torch.Generator().manual_seed(0)) * 100)
    assert low <= y.min() and y.max() <= high


def test_a_state_that_is_fed_or_given_back_has_no_bounds() -> None:
    fed = nw.Graph(gru=(nw.GRU(2), "input", "hidden"), last=(nw.Last(), "gru"), input={"input": "n 3", "hidden": 2})
    assert end_of(fed, "output").limits == ""
    lstm = nw.Chain(nw.LSTM(2), input="n 3")
    assert [end_of(lstm, name).limits for name in ("output", "cell")] == ["-1 to 1", ""]


def test_numbers_behind_a_recurrent_layer_are_not_standardized_and_lie_within_its_bounds() -> None:
    xs, net = np.zeros((40, 5, 3), np.float32), nw.Chain(nw.GRU(2), nw.Last(), input="n 3")
    found = fitted(net, source((xs, np.full((40, 2), 0.5))), {"target": "output"}).outputs["output"]
    assert np.allclose(found.mean, 0) and np.allclose(found.deviation, 1)
    with pytest.raises(DataError) as caught:
        nw.train(net, (xs, np.full((40, 2), 1.5)), epochs=1, progress=False)
    assert str(caught.value) == (
        "the end of the net cannot give this target\n"
        "  where:    port 'target', row 0, component 0\n"
        "  expected: -1 to 1, as gru1 gives\n"
        "  got:      1.5\n"
        "  mend:     put nw.Linear() behind gru1, for numbers of any size\n"
        "  or:       output=nw.Vector(mean=…, deviation=…): the answer is then y · deviation + mean"
    )


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e5])
def test_a_net_learns_what_is_never_negative_in_any_unit(unit: float) -> None:
    targets = abs(X[:, 0].astype(float)) * unit
    run = nw.train(ending(nw.softplus), (X, targets), epochs=100, progress=False)
    assert nw.measure(run.net, (X, targets)).r2.value > 0.9
    assert next(choice.why for choice in run.choices if choice.name == "loss").endswith(
        ", with the mean 0: softplus1 gives only 0 or more"
    )


def test_only_a_decoder_in_its_place_says_why() -> None:
    given = fitted(ending(nw.relu).with_output(nw.Number(3, 2)), source((X, YES)), {"target": "output"})
    assert goal_of(given, None).why == "the decoder is Number(3.0, 2.0)"
    free = fitted(ending(), source((X, YES * 2.0 - YES.mean() * 2)), {"target": "output"})
    assert "gives only" not in goal_of(free, None).why


def test_numbers_that_the_end_cannot_give() -> None:
    targets = np.ones(120)
    targets[7] = -0.5
    with pytest.raises(DataError) as caught:
        nw.train(ending(nw.relu), (X, targets), epochs=1, progress=False)
    assert str(caught.value) == (
        "the end of the net cannot give this target\n"
        "  where:    port 'target', row 7\n"
        "  expected: 0 or more, as relu1 gives\n"
        "  got:      -0.5\n"
        "  mend:     leave out relu1, for numbers of any size\n"
        "  or:       output=nw.Number(mean=…, deviation=…): the answer is then y · deviation + mean"
    )
    nw.train(ending(), (X, targets), epochs=1, progress=False)
    nw.train(ending(nw.relu).with_output(nw.Number(-1, 1)), (X, targets), epochs=1, progress=False)


def test_a_number_outside_is_named_by_its_component_and_by_the_row_that_was_given() -> None:
    targets = np.zeros((120, 2))
    targets[60:, 1] = 1.25
    net = nw.Chain(nw.Linear(2), nw.tanh, input=2)
    whole = source((X, targets))
    with pytest.raises(DataError) as caught:
        fitted(net, whole.take(torch.arange(119, 0, -2)), {"target": "output"})
    assert (caught.value.where, caught.value.expected, caught.value.got) == (
        *("port 'target', row 119, component 1", "-1 to 1, as tanh1 gives", "1.25"),
    )


def test_rounding_puts_no_number_outside() -> None:
    targets = np.full(120, 1 + 1e-7)
    assert fitted(ending(nw.tanh), source((X, targets)), {"target": "output"}).outputs["output"] == nw.Number(0, 1)


class Drawn(torch.utils.data.Dataset):
    """Pairs that are read anew each time, of which each target from a row on is negative."""

    def __init__(self, negative: int) -> None:
        self.negative = negative

    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: int) -> tuple[list[float], float]:
        return [float(index), 1.0], -1.0 if index >= self.negative else float(index)


def test_of_a_dataset_some_rows_are_looked_at() -> None:
    assert fitted(ending(nw.relu), source(Drawn(100)), {"target": "output"}).outputs["output"].mean == 0
    with pytest.raises(DataError) as caught:
        fitted(ending(nw.relu), source(Drawn(99)), {"target": "output"})
    assert (caught.value.where, caught.value.got) == ("port 'target', row 99", "-1")


class Rows(Sequence):
    """A column of the user, whose rows are read when they are needed."""

    def __init__(self, values) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, row):
        return self.values[row]


def rare(usual, one):
    """So many usual targets that few are looked at, and one that is not among the first."""
    return [usual[i % len(usual)] if i != 91 else one for i in range(120)]


PIXELS = nw.Chain(nw.Linear(), nw.softmax, input=("n", 1))
RELU = nw.Chain(nw.Linear(1), nw.relu, input=2)


@pytest.mark.parametrize("small", [24 << 20, 0], ids=["read once", "in pieces"])
@pytest.mark.parametrize(
    ("net", "targets"),
    [
        (SIGMOID, rare([0, 1], 2)),
        (SIGMOID, rare([0, 1], 1)),
        (SIGMOID, rare([0.0, 1.0], 0.5)),
        (SIGMOID, rare(["a", "b"], "c")),
        (SIGMOID, rare([[0.5]], [1.5])),
        (SIGMOID, np.array(rare([0.0, 1.0], 0.5))),
        (SIGMOID, np.array(rare([0, 1], 2))),
        (SOFTMAX, rare([0, 1], 7)),
        (SOFTMAX, rare([0.0, 1.0], 2.0)),
        (SOFTMAX, rare([0.0, 1.0], 2.5)),
        (SOFTMAX, rare([0.0, 1.0], float("nan"))),
        (SOFTMAX, rare([[0.5, 0.5]], [0.5, 0.6])),
        (SOFTMAX, np.array(rare([[0.5, 0.5], [1.0, 0.0]], [0.25, 0.75]))),
        (RELU, rare([1.0, 2.0], -3.0)),
        (RELU, rare([1.0, 2.0], 90.0)),
        (RELU, np.array(rare([1.0, 2.0], -3.0))),
        (RELU, np.array(rare([[1.0], [2.0]], [-3.0]))),
        (PIXELS, rare([["a", "b"], ["b"]], ["a", "c", "b"])),
        (PIXELS, np.array(rare([[0, 1], [1, 1]], [1, 5]))),
        (PIXELS, rare([["a", "b"], ["b"]], [])),
    ],
)
def test_data_that_is_not_in_memory_gives_the_same_choices_and_errors(
    net, targets, small, monkeypatch, tmp_path
) -> None:
    inputs = np.zeros((120, 3, 1)) if net is PIXELS else X

    def found(column):
        try:
            return fitted(net, source((inputs, column)), {"target": "output"}).outputs["output"]
        except (DataError, TrainingError) as error:
            return str(error)

    expected = found(targets)
    monkeypatch.setattr("netwright.codecs.pieces.SMALL", small)
    monkeypatch.setattr("netwright.codecs.pieces.MOST", 7)
    assert found(Rows(targets)) == expected
    if isinstance(targets, np.ndarray):
        np.save(tmp_path / "targets.npy", targets)
        assert found(np.load(tmp_path / "targets.npy", mmap_mode="r")) == expected


def test_small_targets_are_read_once_and_large_ones_in_pieces(monkeypatch) -> None:
    seen = []

    class Counted(Rows):
        def __getitem__(self, row):
            seen.append(row)
            return super().__getitem__(row)

    column = Counted(rare([1.0, 2.0], 90.0))
    made = source((X, column))
    seen.clear()
    fitted(RELU, made, {"target": "output"})
    assert len(seen) <= 120 + 3  # and looks at the first row
