"""A report is data: its figures have names, it prints, goes into JSON and onto a page, whatever the answer."""

import json
import pickle

import numpy as np
import pytest

import netwright as nw
from netwright.errors import UnknownNameError
from netwright.measure.estimate import proportion
from netwright.measure.report import ClassFigures, Example, Report, attribute, class_table, json_label

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(20, 4)).astype("float32")
STEPS = RANDOM.normal(size=(20, 6, 2)).astype("float32")
PICTURES = RANDOM.integers(0, 256, (20, 3, 4), dtype=np.uint8)
TEXTS = ["anna", "han", "a", "nah"] * 5
NUMBER, KIND = nw.Number(1.0, 2.0), nw.Category(["a", "b", "c"])
GRAY = nw.Image(3, 4, "gray")
MARKED = {"input": nw.Characters("ahn", mark_start=True), "output": nw.Characters("ahn", mark_end=True)}

# the parts of a net, its input and decoder, and what is right
CASES = {
    "class": ((3, nw.softmax), {"input": 4, "output": KIND}, (X, [*"abca"] * 5)),
    "yes or no": ((1, nw.sigmoid), {"input": 4, "output": nw.Boolean()}, (X, X[:, 0] > 0)),
    "labels": ((2, nw.sigmoid), {"input": 4, "output": nw.Labels(["a", "b"])}, (X, [["a"], [], ["a", "b"], ["b"]] * 5)),
    "number": ((1,), {"input": 4, "output": NUMBER}, (X, X[:, 0])),
    "vector": ((2,), {"input": 4, "output": nw.Vector(2, 0.0, 1.0)}, (X, X[:, :2])),
    "array": ((nw.Linear(4),), {"input": 4, "output": nw.Array(4)}, (X, X)),
    "picture": (
        (nw.Flatten(), nw.Linear(12), nw.Reshape(3, 4, 1)),
        {"input": GRAY, "output": GRAY},
        (PICTURES, PICTURES),
    ),
    "classes": ((3, nw.softmax), {"input": (6, 2), "output": nw.Each(KIND)}, (STEPS, [[*"abcabc"]] * 20)),
    "yeses": ((1, nw.sigmoid), {"input": (6, 2), "output": nw.Each(nw.Boolean())}, (STEPS, STEPS[:, :, 0] > 0)),
    "numbers": (
        (nw.Embedding(2), nw.Linear(1)),
        {"input": nw.Characters("ahn"), "output": nw.Each(NUMBER)},
        (TEXTS, [[float(len(text))] * len(text) for text in TEXTS]),
    ),
    "elements": ((nw.Embedding(4), nw.GRU(5), nw.Linear(), nw.softmax), MARKED, TEXTS),
}


TEXT = """\
4 examples, 2 classes; 95% intervals; baselines from the measured data
accuracy         75.0%  (30.1-95.4)   always "False": 50.0%
error            25.0%  (4.6-69.9)    always "False": 50.0%
log loss          0.54  (0.05-68.96)  class frequencies: 0.69
macro precision  83.3%  (16.8-99.2)   always "False": 25.0%
macro recall     75.0%  (17.2-97.7)   always "False": 50.0%
macro F1         73.3%  (15.7-97.6)   always "False": 33.3%

class  examples  precision                recall                   F1
False         2     100.0%  (20.7-100.0)   50.0%    (9.5-90.5)  66.7%  (17.3-95.0)
True          2      66.7%   (20.8-93.9)  100.0%  (34.2-100.0)  80.0%  (34.4-96.8)

confusion matrix, rows: actual, columns: predicted
       False  True
False      1     1
True       .     2

worst examples
#3: False, taken for True (loss 2.13)"""


def several():
    net = nw.Graph(
        trunk=(nw.Linear(5), "input"),
        kind=([nw.Linear(3), nw.softmax], "trunk"),
        size=(nw.Linear(1), "trunk"),
        input=4,
        output={"kind": KIND, "size": NUMBER},
    )
    return net, {"input": X, "kind_target": [*"abca"] * 5, "size_target": X[:, 0]}


@pytest.mark.parametrize("name", [*CASES, "several"])
def test_every_kind_of_answer_prints_goes_into_json_and_onto_a_page(name, tmp_path):
    if name == "several":
        net, data = several()
    else:
        parts, ports, data = CASES[name]
        net = nw.Chain(*parts, **ports)
    net = nw.initialize(net, seed=0)
    report = nw.measure(net, data, worst=2)
    for one in report.outputs.values() or [report]:
        for figure in one.figures:
            assert getattr(one, attribute(figure.name)) is figure
            assert f"\n{figure.name}" in str(one) and figure.number(figure.value) in str(one)
        assert 0 < len(one.worst) <= 2 and "worst examples" in str(one)
    made = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert list(made["figures"]) == [figure.name for figure in report.figures]
    page = nw.report(net, report, tmp_path / "r.html").read_text(encoding="utf-8")
    shown = [figure.name for one in report.outputs.values() or [report] for figure in one.figures]
    assert [name for name in shown if f">{name}</th>" not in page] == []
    assert len(repr(report)) < 300 and "\n" not in repr(report)


def test_a_figure_that_is_not_there():
    report = nw.measure(nw.initialize(nw.Chain(1, input=4, output=NUMBER), seed=0), (X, X[:, 0]))
    with pytest.raises(UnknownNameError) as caught:
        _ = report.rmsee
    assert str(caught.value) == (
        "there is no figure 'rmsee' here\n  expected: mse, rmse, mae, r2\n  mend:     did you mean 'rmse'?"
    )
    assert not hasattr(report, "accuracy") and {"mse", "r2"} <= set(dir(report))
    net, data = several()
    with pytest.raises(UnknownNameError) as caught:
        _ = nw.measure(nw.initialize(net, seed=0), data).accuracy
    assert str(caught.value).splitlines()[:3] == [
        "there is no figure 'accuracy' here",
        "  where:    the figures of all outputs; report['kind'] has those of one",
        "  expected: kind_accuracy, size_mse",
    ]


def small(**changes):
    fields = {
        "kind": "numbers",
        "n": 1,
        "counted": 1,
        "figures": (),
        "baseline_from": "the measured data",
        "output": "output",
    }
    return Report(**{**fields, **changes})


def test_it_can_be_copied():
    report = nw.measure(nw.initialize(nw.Chain(1, input=4, output=NUMBER), seed=0), (X, X[:, 0]))
    assert str(pickle.loads(pickle.dumps(report))) == str(report)


def test_the_text():
    net = nw.Chain(1, nw.sigmoid, input=1, output=nw.Boolean()).with_arrays(
        {"linear1/weight": [[4.0]], "linear1/bias": [0.0]}
    )
    report = nw.measure(net, ([[1.0], [-1.0], [2.0], [0.5]], [True, False, True, False]), worst=1)
    assert str(report) == TEXT
    assert report.headline == 'accuracy 75.0% (30.1-95.4, n=4), always "False": 50.0%'
    assert repr(report) == f"<Report of yes or no, n=4: {report.headline}>"


def test_arrays_and_tuples_go_into_json():
    example = Example(0, None, np.array([1.0]), (np.float32(2.0), "x", None), 1.0, {})
    (worst,) = small(worst=(example,)).to_json()["worst"]
    assert worst == {"index": 0, "actual": [1.0], "predicted": [2.0, "x", None], "loss": 1.0}
    assert Example(0, None, 1, 2, float("inf"), {}).to_json()["loss"] is None


def test_long_answers_are_cut_to_one_line():
    text = str(Example(3, None, ["a"] * 40, np.zeros((9, 9)), 0.5, {}))
    assert text.startswith("#3: ['a', 'a', 'a',") and "\n" not in text and len(text) < 200


@pytest.mark.parametrize(("label", "expected"), [(3, 3), ("a", "a"), (True, True), (None, None), ((1, 2), "(1, 2)")])
def test_labels_in_json(label, expected):
    assert json_label(label) is expected or json_label(label) == expected


def test_the_table_of_classes():
    rows = [
        ClassFigures((proportion("precision", 8, 10), proportion("recall", 8, 8)), label="a", count=8),
        ClassFigures((proportion("precision", 0, 0), proportion("recall", 0, 0)), label="long name", count=0),
    ]
    assert class_table(rows) == (
        "class      examples  precision                  recall\n"
        "a                 8      80.0%  (49.0-94.3)     100.0%  (67.6-100.0)\n"
        "long name         0  undefined  (0.0-100.0)  undefined   (0.0-100.0)"
    )
