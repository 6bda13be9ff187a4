"""A notebook shows nets, runs, measurements and data by themselves, and a terminal a short text, for every value."""

import inspect
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import torch
from IPython.core.formatters import DisplayFormatter

import netwright as nw
from netwright.forms import html_form
from netwright.training.events import Status
from netwright.training.range_test import RateRange
from netwright.value import Value

MOST_CHARACTERS, MOST_LINES = 4000, 60
PICTURES = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
NAMES = ["<cat>", "dog"] * 20
NET = nw.Chain(
    *(nw.Conv(3, 3), nw.relu, nw.Flatten(), nw.Linear(), nw.softmax),
    input=nw.Image(8, 8, "gray"),
    output=nw.Category(["<cat>", "dog"]),
)


@pytest.fixture(scope="module")
def run():
    data = nw.Split(PICTURES, NAMES)
    return nw.train(NET, data, validation=0.25, epochs=3, learning_rate=nw.RangeTest(), seed=0, progress=False)


class Balanced(HTMLParser):
    """Finds tags that are not closed."""

    def __init__(self, text):
        super().__init__()
        self.open = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in ("img", "br", "hr") and not tag.startswith(("line", "rect", "circle", "path")):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()


def shown(value):
    """What a notebook shows."""
    found, _ = DisplayFormatter().format(value)
    assert Balanced(found.get("text/html", "")).open == []
    return found


def test_a_net_has_its_drawing_and_its_table():
    text = shown(NET)["text/html"]
    assert "<svg" in text and "class='nw-summary'" in text and "<details open>" in text and "multiply-adds" in text
    long = nw.Chain(*[nw.Linear(4)] * 30, input=4)
    assert "<details><summary>30 parts of 1 kind: 30 Linear" in shown(long)["text/html"]


def test_a_layer_alone_is_its_text():
    assert shown(nw.Linear(4)).keys() == {"text/plain"}


def test_a_run_has_its_curves_and_its_choices(run):
    text = shown(run)["text/html"]
    assert text.count("<svg") == 3 and "choices and their reasons" in text and "learning rate" in text
    assert shown(run.rate_range)["text/html"].count("<svg") == 1


def test_a_measurement_has_its_report(run):
    report = nw.measure(run.net, (PICTURES, NAMES))
    text = shown(report)["text/html"]
    assert "95% interval" in text and "&lt;cat&gt;" in text and "<cat>" not in text and "rows: actual" in text


def test_a_descent_has_its_costs():
    assert shown(nw.descend(lambda w: (w**2).sum(), [3.0, 4.0], 0.25))["text/html"].count("<svg") == 1


def test_examples_are_pictures_or_a_table():
    sheet = shown(nw.Split(PICTURES, NAMES))["text/html"]
    assert sheet.count("<img") == 24 and "&lt;cat&gt;" in sheet
    table = shown(nw.Split(["the dog", "a <cat>"] * 9, [1, 2] * 9))["text/html"]
    assert "<th scope='row'>a &lt;cat&gt;</th><td>2</td>" in table and table.count("<tr>") == 10
    assert "float32, 3" in shown(nw.Split(torch.zeros(2, 3), [0, 1]))["text/html"]
    assert "Split of 0 examples" in shown(nw.Split([], []))["text/html"]


def test_a_data_set_has_its_parts():
    text = shown(nw.dataset("digits"))["text/html"]
    assert "4,000 examples" in text and "licence" in text and text.count("<img") == 24


def test_a_run_that_has_made_no_step_yet():
    assert html_form(Status(1, 1, 1, 1, ())) == ""
    assert "<svg" in html_form(Status(1, 1, 1, 1, (), losses=[2.0, 1.0]))


def test_without_optional_packages_there_is_no_error(run, monkeypatch):
    for name in ("matplotlib", "PIL"):
        monkeypatch.setitem(sys.modules, name, None)
    for value in (NET, run, nw.Split(PICTURES, NAMES)):
        assert "text/html" in shown(value)


def public_values(run):
    """A large value of each public class of values that has one in reach."""
    many = nw.Chain(*[nw.Linear(4)] * 2000, input=4)
    text = nw.Characters("abc")
    writer = nw.initialize(nw.Chain(nw.Embedding(4), nw.GRU(4), nw.Linear(), nw.softmax, input=text, output=text))
    report = nw.measure(run.net, (PICTURES, NAMES), metrics=["roc_area"])
    wide = nw.Split(np.zeros((10_000, 500)), np.zeros(10_000))
    epochs = tuple(run.epochs[0] for _ in range(500))
    return [
        replace(run, epochs=epochs),
        *(nw.summary(many), nw.cost(many), nw.diff(many, nw.Chain(*[nw.Linear(5)] * 2000, input=4)), many.plan),
        *(NET, many, run, run.net, run.choices, run.epochs[0], run.rate_range, run.net.history),
        *(report, report.worst, report.accuracy, report.confusion, report.figures, report.curves[0]),
        *(nw.diff(NET, run.net), nw.summary(NET), nw.draw(NET), nw.select(many), nw.causality(writer)),
        *(wide, nw.dataset("digits"), nw.contact_sheet(NET.inputs["input"], PICTURES[:3])),
        *(nw.descend(lambda w: (w**2).sum(), [1.0] * 1000, 0.1), nw.activations(many, torch.ones(4))),
        *(nw.generate(writer, "ab", max_elements=2000), nw.check(run.net), nw.Category(range(100_000))),
        *(nw.check_gradient(run.net, PICTURES[0]), list(nw.walk(run.net, PICTURES[0]))),
        RateRange(0.1, "why", *[tuple(range(1, 5000))] * 3),
        nw.trace_effect(writer, "ab", "ba", at="gru1"),
        *(wide_table(), wide_table().input),
    ]


def wide_table() -> nw.Table:
    """A table of many columns."""
    columns = {f"column {i} of a wide table": [0.5 * i, 1.0, 2.0] for i in range(500)}
    return nw.table(pd.DataFrame({**columns, "y": ["a", "b", "a"]}), "y")


def test_a_table_shows_what_its_columns_were_taken_for():
    frame = pd.DataFrame({"age": [1.0, None, 3.0], "<b>": ["x", "y", "x"], "paid": ["no", "yes", "no"]})
    text = shown(nw.table(frame, "paid"))["text/html"]
    assert "3 rows, 4 numbers a row" in text
    assert "1 to 3, mean 2; 1 missing" in text
    assert "&lt;b&gt;" in text and "target: category" in text
    assert "<details open>" in text
    assert "<details open>" not in shown(wide_table())["text/html"]


def test_the_text_of_every_public_value_is_short(run):
    long = [
        f"{type(value).__name__}: {len(text)} characters, {text.count(chr(10)) + 1} lines"
        for value in public_values(run)
        for text in [repr(value)]
        if len(text) > MOST_CHARACTERS or text.count("\n") + 1 > MOST_LINES
    ]
    assert long == []


def test_every_class_of_results_is_tried(run):
    """A public class of values without a test of its repr is one that only settings or parts of nets have."""
    tried = {type(value) for value in public_values(run)}
    results = [
        value
        for value in vars(nw).values()
        if inspect.isclass(value) and issubclass(value, Value) and value.__module__.split(".")[1] in ("show", "measure")
    ]
    assert {kind.__name__ for kind in results} - {kind.__name__ for kind in tried} == set()


def test_large_pictures_are_shown_small_and_empty_ones_as_sizes():
    large = np.random.default_rng(0).integers(0, 256, (24, 400, 300, 3), dtype=np.uint8)
    text = shown(nw.Split(large, [1] * 24))["text/html"]
    assert text.count("<img") == 24 and len(text) < 2_000_000
    assert "uint8, 0 × 8" in shown(nw.Split(np.zeros((3, 0, 8), np.uint8), [1, 2, 3]))["text/html"]


def test_a_net_of_more_parts_than_one_looks_at_has_its_table_alone():
    net = nw.Chain(*[nw.tanh] * 1001, input=4)
    text = shown(net)["text/html"]
    assert "<svg" not in text
    assert "1001 parts of 1 kind" in text
