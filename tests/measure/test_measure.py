"""Measuring must give the same numbers however the data comes, and say plainly what it cannot measure."""

import sys

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset

import netwright as nw
from netwright.codecs.codec import Codec
from netwright.codecs.labels import Labels
from netwright.codecs.number import Number, Vector
from netwright.errors import DataError, NetError, PathError
from netwright.measure.estimate import proportion
from netwright.measure.measure import chosen_figures
from netwright.measure.report import attribute

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(600, 4)).astype("float32")
Y = RANDOM.integers(0, 3, 600)


def net(width, end, decoder):
    return nw.initialize(nw.Chain(nw.Linear(width), end, input=4, output=decoder), seed=0)


CLASSIFIER = net(3, nw.softmax, nw.Category(range(3)))


class Drawn(Dataset):
    """Examples that are drawn each time: the target is the class of the input of the same draw."""

    def __init__(self, bad=None):
        self.bad, self.draw = bad, np.random.default_rng(1)

    def __len__(self):
        return 600

    def __getitem__(self, index):
        x = self.draw.normal(size=4).astype("float32")
        return (x, CLASSIFIER(x)) if index != self.bad else x


def test_input_and_target_of_a_data_set_are_measured_as_one_draw():
    assert nw.measure(CLASSIFIER, Drawn()).accuracy.value == 1


def test_a_row_that_a_data_set_gives_wrongly_is_named_as_it_counts():
    with pytest.raises(DataError) as caught:
        nw.measure(CLASSIFIER, Drawn(bad=599))
    assert (caught.value.what, caught.value.where) == ("a row is not a pair (input, target)", "row 599")


def test_the_numbers_are_those_of_the_net_itself():
    measured = nw.measure(CLASSIFIER, (X, Y), top=(2,))
    p = CLASSIFIER(X, nw.raw).numpy()
    result = measured
    assert result.n == 600
    assert result.accuracy.value == pytest.approx((p.argmax(1) == Y).mean())
    losses = -np.log(p[np.arange(600), Y])
    assert result.log_loss.value == pytest.approx(losses.mean(), rel=1e-5)
    assert result.top_2_accuracy.value == pytest.approx(
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
    assert measured.accuracy.value == pytest.approx(((p >= 0.5) == right).mean())
    assert measured.confusion.labels == (False, True)
    worst = measured.worst[0]
    assert worst.loss == pytest.approx(-np.log(np.where(right, p, 1 - p).min()), rel=1e-5)
    assert worst.probabilities == pytest.approx({False: 1 - p[worst.index], True: p[worst.index]}, abs=1e-6)


def test_several_labels():
    labels = net(3, nw.Elementwise("sigmoid"), Labels(["a", "b", "c"]))
    right = [[name for name, x in zip("abc", row, strict=False) if x > 0] for row in X]
    measured = nw.measure(labels, (X, right))
    p = labels(X, nw.raw).numpy()
    assert measured.accuracy.value == pytest.approx(((p >= 0.5) == (X[:, :3] > 0)).mean())
    assert len(measured.worst) == 10 and measured.worst[0].actual == right[measured.worst[0].index]


def test_numbers_are_measured_in_their_own_unit():
    numbers = net(1, nw.Elementwise("tanh"), Number(mean=100.0, deviation=10.0))
    right = 100 + 10 * X[:, 0]
    measured = nw.measure(numbers, (X, right))
    said = numbers(X, nw.raw).numpy()[:, 0] * 10 + 100
    errors = (said - right) ** 2
    assert measured.mse.value == pytest.approx(errors.mean(), rel=1e-4)
    assert measured.worst[0].index == errors.argmax() and measured.worst[0].probabilities == {}
    assert measured.headline.startswith("MSE ")


def test_vectors():
    vectors = net(2, nw.Elementwise("tanh"), Vector(2, mean=(0.0, 5.0), deviation=(1.0, 2.0)))
    measured = nw.measure(vectors, (X, X[:, :2]), worst=3)
    said = vectors(X, nw.raw).numpy() * [1, 2] + [0, 5]
    assert measured.mse.value == pytest.approx(((said - X[:, :2]) ** 2).mean(), rel=1e-4)
    assert len(measured.worst) == 3


def test_a_net_without_a_decoder():
    with pytest.raises(NetError) as error:
        nw.measure(CLASSIFIER.with_output(None), (X, Y))
    assert str(error.value) == (
        "the output of this net has no meaning that can be measured\n"
        "  expected: a decoder whose answer is 'class', 'yes or no', 'labels', 'numbers', 'transcript', "
        "'elements', 'boxes'\n"
        "  got:      no decoder\n"
        "  mend:     net.with_output(nw.Category([…])), or another decoder"
    )


TWO = nw.initialize(
    nw.Graph(
        trunk=(nw.Linear(5), "input"),
        kind=([nw.Linear(3), nw.softmax], "trunk"),
        size=(nw.Linear(1), "trunk"),
        input=4,
        output={"kind": nw.Category(range(3)), "size": nw.Number(mean=1.0, deviation=2.0)},
    ),
    seed=0,
)
BOTH = {"input": X, "kind_target": Y, "size_target": 1 + 2 * X[:, 0]}


def test_every_output_of_a_net_with_several_is_measured():
    measured = nw.measure(TWO, BOTH, worst=2)
    assert list(measured.outputs) == ["kind", "size"]
    said = TWO(X, nw.raw)
    assert measured["kind"].accuracy.value == pytest.approx((said["kind"].numpy().argmax(1) == Y).mean())
    said = said["size"].numpy()[:, 0] * 2 + 1
    assert measured["size"].mse.value == pytest.approx(((said - BOTH["size_target"]) ** 2).mean(), rel=1e-4)
    assert measured.headline.splitlines()[0] == f"kind {measured['kind'].headline}"
    assert measured.size_mse.value == measured["size"].mse.value
    assert [e.index for e in measured["size"].worst] != [e.index for e in measured["kind"].worst]


def test_several_outputs_from_a_stream_are_the_same():
    rows = [{port: column[i] for port, column in BOTH.items()} for i in range(600)]
    assert str(nw.measure(TWO, lambda: iter(rows))) == str(nw.measure(TWO, BOTH))


def test_a_wrong_label_of_one_of_several_outputs_names_port_and_row():
    with pytest.raises(DataError) as error:
        nw.measure(TWO, {**BOTH, "kind_target": [*Y.tolist()[:-1], 9]})
    assert str(error.value) == (
        "label 9 is not one of the 3 categories\n"
        "  where:    port 'kind_target', row 599\n"
        "  expected: 0, 1, 2\n"
        "  got:      9 of type int"
    )


def test_one_of_several_outputs_without_a_decoder():
    with pytest.raises(NetError) as error:
        nw.measure(TWO.with_output({"size": None}), BOTH)
    assert str(error.value) == (
        "the output of this net has no meaning that can be measured\n"
        "  where:    output 'size'\n"
        "  expected: a decoder whose answer is 'class', 'yes or no', 'labels', 'numbers', 'transcript', "
        "'elements', 'boxes'\n"
        "  got:      no decoder\n"
        "  mend:     net.with_output({'size': nw.Category([…])}), or another decoder"
    )


STEPS = RANDOM.normal(size=(300, 6, 2)).astype("float32")
TAGS = RANDOM.integers(0, 3, (300, 6))
TAGGER = nw.initialize(nw.Chain(3, nw.softmax, input=(6, 2), output=nw.Each(nw.Category(["a", "b", "c"]))), seed=0)


def words(tags):
    return [["abc"[tag] for tag in row] for row in tags.tolist()]


def test_a_class_for_every_position():
    measured = nw.measure(TAGGER, (STEPS, words(TAGS)), top=(2,), worst=3)
    p = TAGGER(STEPS, nw.raw).numpy()
    right = p.argmax(2) == TAGS
    losses = -np.log(np.take_along_axis(p, TAGS[..., None], 2)[..., 0])
    result = measured
    assert (result.n, result.counted) == (300, 1800)
    assert result.accuracy.value == pytest.approx(right.mean()) and result.accuracy.n == 300
    assert result.accuracy.baseline == pytest.approx(np.bincount(TAGS.ravel()).max() / 1800)
    assert result.exact.value == pytest.approx(right.all(1).mean())
    assert result.log_loss.value == pytest.approx(losses.mean(), rel=1e-5)
    assert result.confusion.counts.sum() == 1800
    assert result.confusion.counts[0, 1] == ((TAGS == 0) & (p.argmax(2) == 1)).sum()
    assert [e.index for e in measured.worst] == np.argsort(-losses.mean(1), kind="stable")[:3].tolist()
    worst = measured.worst[0]
    assert worst.actual == words(TAGS)[worst.index] and worst.probabilities == {}
    assert worst.predicted == ["abc"[tag] for tag in p[worst.index].argmax(1)]


def test_yes_or_no_at_every_pixel():
    net = nw.initialize(nw.Chain(1, nw.sigmoid, input=(3, 4, 2), output=nw.Each(nw.Boolean())), seed=0)
    x = RANDOM.normal(size=(40, 3, 4, 2)).astype("float32")
    right = x[..., 0] > 0
    measured = nw.measure(net, (x, right.tolist()))
    p = net(x, nw.raw).numpy()[..., 0]
    assert (measured.n, measured.counted) == (40, 480)
    assert measured.accuracy.value == pytest.approx(((p >= 0.5) == right).mean())
    assert measured.confusion.labels == (False, True)


def test_examples_of_different_lengths_count_their_own_positions(monkeypatch):
    lengths = RANDOM.integers(1, 7, 200).tolist()
    p, tags = TAGGER(STEPS[:200], nw.raw).numpy(), TAGS[:200]
    one_by_one = [torch.tensor(row[:n]) for row, n in zip(p, lengths, strict=True)]
    monkeypatch.setattr(nw.Chain, "__call__", lambda net, x, reading: one_by_one)
    ragged = [row[:n] for row, n in zip(words(tags), lengths, strict=True)]
    result = nw.measure(TAGGER, (STEPS[:200], ragged))
    real = np.arange(6) < np.array(lengths)[:, None]
    right = p.argmax(2) == tags
    assert (result.n, result.counted) == (200, sum(lengths))
    assert result.accuracy.value == pytest.approx(right[real].mean())
    assert result.exact.value == pytest.approx((right | ~real).all(1).mean())


def test_other_positions_than_the_net_gives():
    with pytest.raises(DataError) as error:
        nw.measure(TAGGER, (STEPS, [row[:5] for row in words(TAGS)]))
    assert str(error.value) == (
        "a target has other positions than the net's output\n"
        "  where:    target, row 0\n"
        "  expected: (6,), one class for each position\n"
        "  got:      (5,)"
    )


def test_a_wrong_label_at_one_position_names_row_and_position():
    with pytest.raises(DataError) as error:
        nw.measure(TAGGER, (STEPS, [*words(TAGS)[:-1], ["a", "b", "a", "z", "a", "a"]]))
    assert str(error.value) == (
        "label 'z' is not one of the 3 categories\n"
        "  where:    row 299, position 3\n"
        "  expected: 'a', 'b', 'c'\n"
        "  got:      'z' of type str"
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


def test_a_mask_whose_pixels_are_all_ignored_counts_in_no_figure():
    net = nw.Chain(nw.softmax, input=(2, 1, 2), output=nw.Mask(["a", "b"], 2, 1, ignored=255))
    x, masks = np.zeros((3, 2, 1, 2)), np.array([[[0], [1]], [[255], [255]], [[1], [255]]])
    report, others = nw.measure(net, (x, masks)), nw.measure(net, (x[::2], masks[::2]))
    assert str(report.figures) == str(others.figures)
    assert (report.n, report.counted, [one.index for one in report.worst]) == (2, 3, [0, 2])
    assert report.notes == ("examples without a position that counts, left out: 1",)
    with pytest.raises(DataError) as error:
        nw.measure(net, (x[1:2], masks[1:2]))
    assert str(error.value) == (
        "nothing was measured: no position of any example counts\n"
        "  expected: at least one position whose target is known\n"
        "  got:      1 example, such as masks whose pixels are all ignored"
    )
    with pytest.raises(DataError) as error:
        nw.measure(net, (x, masks), baseline=(x[1:2], masks[1:2]))
    assert str(error.value) == (
        "no position of these examples counts, so that no naive guess follows from them\n"
        "  where:    baseline\n  expected: at least one position whose target is known"
    )
    with pytest.raises(NetError, match="no figure of this net has the name 'blah'"):
        nw.measure(net, ([*x[1:2]] * 300 + [*x], [*masks[1:2]] * 300 + [*masks]), metrics=["blah"])


@pytest.mark.parametrize("top", [2, "15", (1, 0), (1.5,)])
def test_top_lists_whole_numbers(top):
    net = nw.Chain(2, nw.softmax, input=2, output=nw.Category(["a", "b"]))
    with pytest.raises(NetError) as error:
        nw.measure(net, ([[1.0, 2.0]], ["a"]), top=top)
    assert str(error.value) == (
        "top= lists the n of the top-n accuracies\n"
        f"  expected: whole numbers of 1 or more, such as top=(1, 5)\n  got:      {top!r}"
    )


WORDS = ["anna", "hannah", "an", "nana", "", "ha" * 20] * 5
PREDICTS = nw.initialize(
    nw.Chain(
        nw.Embedding(4), nw.GRU(5), nw.Linear(), nw.softmax,
        input=nw.Characters("ahn", mark_start=True), output=nw.Characters("ahn", mark_end=True),
    ),
    seed=0,
)  # fmt: skip


def elements(texts):
    """The probability of every element of every text, one text at a time, and whether it is the most probable."""
    for text in texts:
        p = PREDICTS(text, nw.raw)
        for row, element in zip(p, [*("ahn".index(c) for c in text), 3], strict=True):
            yield float(row[element]), int(row.argmax()) == element


def test_a_net_that_predicts_what_comes_next_takes_one_column():
    measured = nw.measure(PREDICTS, WORDS, worst=3)
    result = measured
    p, right = zip(*elements(WORDS), strict=True)
    assert (result.n, result.counted) == (30, len(p))
    assert result.bits_per_element.value == pytest.approx(-np.log2(p).mean(), rel=1e-6)
    assert result.perplexity.value == pytest.approx(np.exp(-np.log(p).mean()), rel=1e-6)
    assert result.error.value == pytest.approx(1 - np.mean(right))
    assert measured.headline == str(result.bits_per_element)
    lines = str(measured).splitlines()
    assert [line.split("  ")[0] for line in lines[1:5]] == ["bits per element", "perplexity", "error", "accuracy"]
    assert result.confusion.labels == ("a", "h", "n", "<edge>")
    assert measured.worst[0].input == measured.worst[0].actual in WORDS
    assert isinstance(measured.worst[0].predicted, str)


def test_elements_that_cannot_be_seen_are_written_out():
    spaced = nw.initialize(
        nw.Chain(
            nw.Embedding(4), nw.GRU(5), nw.Linear(), nw.softmax,
            input=nw.Characters("a \n", mark_start=True, unknown=True),
            output=nw.Characters("a \n", mark_end=True, unknown=True),
        ),
        seed=0,
    )  # fmt: skip
    measured = nw.measure(spaced, ["a a\n", "zz"], top=(2,))
    assert measured.confusion.labels == ("a", "' '", "'\\n'", "<unknown>", "<edge>")
    assert "confusion matrix of elements" in str(measured)


def test_no_confusion_matrix_of_a_large_vocabulary():
    words = [f"w{i}" for i in range(1200)]
    net = nw.Chain(
        nw.Embedding(2), nw.GRU(2), nw.Linear(), nw.softmax,
        input=nw.Words(words, mark_start=True), output=nw.Words(words, mark_end=True),
    )  # fmt: skip
    measured = nw.measure(nw.initialize(net, seed=0), ["w1 w2", "w7"])
    assert measured.confusion is None and measured.counted == 5
    assert "more than 1,000 elements: no confusion matrix" in str(measured)


def test_texts_stream_and_are_cut_where_memory_ends(monkeypatch):
    whole = nw.measure(PREDICTS, WORDS)
    assert str(nw.measure(PREDICTS, lambda: iter(WORDS))) == str(whole)
    monkeypatch.setattr(sys.modules["netwright.measure.measure"], "AT_ONCE", 60)
    assert str(nw.measure(PREDICTS, WORDS)) == str(whole)
    with pytest.raises(DataError) as caught:
        nw.measure(PREDICTS, [*WORDS, "anz"])
    assert str(caught.value).splitlines()[1] == "  where:    row 30, character 2, in 'anz'"


def test_texts_beside_texts():
    tags = nw.initialize(
        nw.Chain(nw.Embedding(4), nw.Linear(), nw.softmax, input=nw.Characters("ahn"), output=nw.Characters("xy"))
    )
    measured = nw.measure(tags, (["anna", "ha"], ["xyyx", "yx"]))
    p = [
        float(row["xy".index(c)])
        for text, said in (("anna", "xyyx"), ("ha", "yx"))
        for row, c in zip(tags(text, nw.raw), said, strict=True)
    ]
    assert measured.bits_per_element.value == pytest.approx(-np.log2(p).mean(), rel=1e-6)
    with pytest.raises(DataError) as caught:
        nw.measure(tags, (["anna", "ha"], ["xyyx", "yxx"]))
    assert str(caught.value) == (
        "a target has other positions than the net's output\n"
        "  where:    target, row 1\n"
        "  expected: (2,), one class for each position\n"
        "  got:      (3,)"
    )


def test_one_output_is_reached_as_one_of_several_is():
    report = nw.measure(CLASSIFIER, (X, Y))
    assert report["output"] is report
    with pytest.raises(PathError) as caught:
        report["size"]
    assert caught.value.what == "the measured net has no output 'size'"


def test_the_naive_guess_of_the_training_data():
    report = nw.measure(CLASSIFIER, (X, Y), baseline=(X[:5], [0, 1, 1, 2, 1]))
    assert report.baseline_from == "the training data"
    assert (report.accuracy.baseline_name, report.accuracy.baseline) == ('always "1"', pytest.approx((Y == 1).mean()))
    assert nw.measure(CLASSIFIER, (X, Y)).baseline_from == "the measured data"
    both = nw.measure(TWO, BOTH, baseline=BOTH)
    assert both["size"].mae.baseline is not None and both.baseline_from == "the training data"
    words = nw.measure(PREDICTS, WORDS, baseline=["aaa"])
    assert words.accuracy.baseline_name == 'always "a"'
    with pytest.raises(DataError) as caught:
        nw.measure(CLASSIFIER, (X, Y), baseline=(X[:2], [0, 9]))
    assert caught.value.where == "baseline, row 1"


def share_of_zero(seen):
    return proportion("zeros", int(seen.targets[0]), seen.n)


def test_a_metric_of_ones_own_is_a_function_of_what_was_counted():
    report = nw.measure(CLASSIFIER, (X, Y), metrics=[share_of_zero])
    assert report.zeros.value == pytest.approx((Y == 0).mean())
    assert "zeros" in str(report) and "zeros" in report.to_json()["figures"]
    both = nw.measure(TWO, BOTH, metrics={"kind": [share_of_zero]})
    assert both["kind"].zeros.n == 600
    with pytest.raises(NetError) as caught:
        nw.measure(TWO, BOTH, metrics=[share_of_zero])
    assert caught.value.expected == "metrics={'kind': [f]}"


PIXELS = RANDOM.integers(0, 256, (50, 3, 4), dtype=np.uint8)


def test_pictures_are_numbers_from_0_to_255():
    picture = nw.Image(3, 4, "gray", mean=0.5, deviation=0.25)
    copies = nw.initialize(nw.Chain(nw.Flatten(), 12, nw.Reshape(3, 4, 1), input=picture, output=picture), seed=0)
    report = nw.measure(copies, (PIXELS, PIXELS), worst=2)
    errors = (np.stack(copies(list(PIXELS))).astype(float) - PIXELS) ** 2
    assert report.mse.value == pytest.approx(errors.mean())
    assert report.rmse.baseline == pytest.approx(PIXELS.std(0).__pow__(2).mean() ** 0.5)
    assert report.worst[0].index == errors.mean((1, 2)).argmax()


def test_numbers_at_every_position_of_examples_that_differ_in_length():
    net = nw.initialize(
        nw.Chain(nw.Embedding(3), nw.Linear(1), input=nw.Characters("ab"), output=nw.Each(nw.Number(2.0, 3.0))), seed=0
    )
    texts = ["ab", "b", "abba"]
    right = [[1.0, 2.0], [3.0], [0.0, 1.0, 2.0, 5.0]]
    report = nw.measure(net, (texts, right))
    said = np.concatenate([net(text) for text in texts])
    errors = (said - np.concatenate(right)) ** 2
    assert (report.n, report.counted, report.unit) == (3, 7, "positions")
    assert report.mse.value == pytest.approx(errors.mean(), rel=1e-5)
    with pytest.raises(DataError) as caught:
        nw.measure(net, (texts, [*right[:2], [0.0]]))
    assert caught.value.what == "a target has other positions than the net's output"


def test_several_labels_at_every_position():
    tags = nw.Chain(nw.Linear(2), nw.sigmoid, input=("n", 2), output=nw.Each(nw.Labels(["a", "b"])))
    tags = nw.initialize(tags, seed=0)
    examples = [STEPS[i, : 1 + i % 6] for i in range(30)]
    right = [[[name for name, x in zip("ab", step, strict=True) if x > 0] for step in one] for one in examples]
    report = nw.measure(tags, (examples, right), baseline=(examples, right))
    chances, wanted = np.concatenate(tags(examples, nw.raw)), np.concatenate(examples) > 0
    hits = (chances >= 0.5) == wanted
    assert (report.n, report.counted, report.unit) == (30, len(wanted), "positions")
    assert report.accuracy.value == pytest.approx(hits.mean())
    whole = np.logical_and.reduceat(hits.all(axis=1), np.cumsum([0, *map(len, examples[:-1])]))
    assert report.exact.value == pytest.approx(whole.mean())
    of_right = np.where(wanted, chances, 1 - chances)
    assert report.log_loss.value == pytest.approx(-np.log(of_right).mean(), rel=1e-5)
    assert [one.label for one in report.classes] == ["a", "b"]
    worst = report.worst[0]
    assert worst.actual == right[worst.index] and worst.probabilities == {}
    with pytest.raises(DataError) as caught:
        nw.measure(tags, (examples[5:7], [right[5], right[5]]))
    assert str(caught.value) == (
        "a target has other positions than the net's output\n"
        "  where:    target, row 1\n"
        "  expected: (1, 2), as the net gives\n"
        "  got:      (6, 2)"
    )


class Sign(Codec):
    """Below or above zero, as a user would write it."""

    answer = "class"
    names = ("below", "above")
    encoded = "<2>"
    decoded = "2"

    def encode(self, raw):
        return torch.tensor(int(raw == "above"))

    def read(self, output, reading):
        return reading.of(self.names, output)


class Logarithm(Codec):
    """A number above 0 of which the net gives the logarithm."""

    answer = "numbers"
    encoded = decoded = "1"

    def encode(self, raw):
        return torch.tensor([float(raw)]).log()

    def read(self, output, reading):
        return float(output.exp())


@pytest.mark.parametrize(
    ("decoder", "end", "right", "loss"),
    [
        (Sign(), (nw.Linear(2), nw.softmax), ["above" if x > 0 else "below" for x in X[:, 0]], nw.CrossEntropy()),
        (Logarithm(), (nw.Linear(1),), np.exp(X[:, 0]).tolist(), nw.MSE()),
    ],
)
def test_a_codec_of_ones_own_trains_measures_and_reports(decoder, end, right, loss, tmp_path):
    data = (X, right)
    run = nw.train(nw.Chain(*end, input=4, output=decoder), data, epochs=20, validation=100, progress=False)
    assert {choice.name: choice.value for choice in run.choices}["loss"] == repr(loss)
    report = nw.measure(run.net, data, baseline=data, worst=2)
    assert report.kind == decoder.answer
    if decoder.answer == "class":
        assert "error" in run.epochs[-1].validation
        assert report.accuracy.value > 0.9 and report.confusion.labels == ("below", "above")
        assert list(report.worst[0].probabilities) == ["below", "above"]
    else:
        assert report.mse.baseline == pytest.approx(np.var(np.exp(X[:, 0])), rel=1e-4)  # in its own unit
        assert report.r2.value > 0.9 and report.mae.baseline > 2 * report.mae.value
    page = nw.report(run, report, tmp_path / "r.html").read_text(encoding="utf-8")
    assert report.figures[0].name in page


def test_figures_know_whether_less_is_better():
    words = nw.Chain(nw.Embedding(3), nw.Linear(), nw.softmax, input=nw.Characters("ab"))
    words = nw.train(words, ["ab", "ba"], objective=nw.NextElement(), epochs=1, progress=False).net
    labels = nw.Chain(nw.sigmoid, input=2, output=nw.Labels(["a", "b"]))
    pairs = (
        (TWO, BOTH, {"kind": {"error", "log loss"}, "size": {"MSE", "RMSE", "MAE"}}),
        (words, ["ab", "ba"], {"output": {"bits per element", "perplexity", "error"}}),
        (labels, ([[0.0, 1.0], [1.0, -1.0]], [["a"], ["a", "b"]]), {"output": {"log loss"}}),
    )
    for net, data, less in pairs:
        report = nw.measure(net, data)
        for output, names in less.items():
            assert {one.name for one in report[output].figures if one.less_is_better} == names


def test_chosen_figures_are_those_of_the_report():
    def seen(answers, targets):
        return len(answers["kind"]), len(targets["size"])

    chunks = [{port: column[start : start + 7] for port, column in BOTH.items()} for start in range(0, len(Y), 7)]
    figures, given = chosen_figures(TWO, chunks, ["kind top_2_accuracy"], {"seen": seen})
    report = nw.measure(TWO, BOTH, top=[2])
    known = {f"{name} {attribute(f.name)}": f.value for name in report.outputs for f in report[name].figures}
    assert {name: float(figure) for name, figure in figures.items()} == pytest.approx(known)
    assert given == {"seen": (len(Y), len(Y))}
    assert chosen_figures(TWO, chunks)[0] == {}
