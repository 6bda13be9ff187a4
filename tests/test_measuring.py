"""docs/measuring.md: the table of Wolfram's measurements is whole, every expression runs, every name is there."""

import re
from pathlib import Path
from typing import Any

import pytest

import netwright as nw
from blocks import run_file
from netwright.measure.by_name import OF_ELEMENTS, OF_LABELS, of_classes
from netwright.measure.report import attribute

PAGE = Path(__file__).parents[1] / "docs" / "measuring.md"
MEASUREMENTS = 32  # in the documentation of NetMeasurements: 28 of classes, 4 of numbers
NOT_NUMBERS = {"ConfusionMatrix", "ConfusionMatrixPlot", "ROCCurve", "ROCCurvePlot"}


def table(number: int) -> list[tuple[str, str]]:
    """The cells of a table below the heading about the Wolfram Language."""
    lines = PAGE.read_text("utf-8").split("## From the Wolfram Language")[1].splitlines()
    tables: list[list[tuple[str, str]]] = []
    for line in lines:
        if line.startswith("| Wolfram"):
            tables.append([])
        elif line.startswith("| ") and not line.startswith("|---"):
            theirs, ours = line.strip("| ").split(" | ")
            tables[-1].append((theirs.strip(), ours.strip()))
    return tables[number]


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    return run_file(PAGE)


def test_the_table_is_whole() -> None:
    theirs = [re.sub(r"[`\"]", "", name) for name, _ in table(0)]
    assert len(theirs) == len({*theirs}) == MEASUREMENTS
    assert {*theirs} > NOT_NUMBERS and not {*theirs} & {re.sub(r"[`\"]", "", name) for name, _ in table(1)}


@pytest.mark.parametrize("row", table(0), ids=lambda row: row[0])
def test_each_has_an_interval_and_a_baseline(row: tuple[str, str], names: dict[str, Any]) -> None:
    theirs, ours = row
    for code in [text for text in re.findall(r"`([^`]+)`", ours) if "->" not in text]:
        found = eval(code, names)
        estimates = found if isinstance(found, list) else [found]
        if theirs.strip('`"') not in NOT_NUMBERS:
            assert all(one.low <= one.value <= one.high for one in estimates)
            # the mean of the measured data is known too late for the error of always guessing it
            assert all(one.baseline is not None for one in estimates) or "mae" in code
        assert found is not None


@pytest.mark.parametrize("row", table(1), ids=lambda row: row[0])
def test_the_others_run(row: tuple[str, str], names: dict[str, Any]) -> None:
    for code in re.findall(r"`([^`]+)`", row[1]):
        assert eval(code, names) is not None


def test_every_name_is_on_the_page() -> None:
    text = PAGE.read_text("utf-8").split("## Curves")[0]
    said = {*re.findall(r"`([a-z0-9_]+)`", text)}
    further = {attribute(metric.title) for metric in (*of_classes(None), *OF_LABELS, *OF_ELEMENTS)}
    counts = {f"macro_{name}" for name in ("false_positives", "false_negatives", "true_negatives")}  # "and so on"
    assert further - counts <= said
    shown = {"accuracy", "error", "log_loss", "macro_precision", "macro_recall", "macro_f1", "mse", "rmse", "mae", "r2"}
    assert shown <= said


def test_training_takes_the_names() -> None:
    xs = [[x / 10 - 2.0, 1.0] for x in range(40)]
    net = nw.Chain(4, nw.tanh, nw.Linear(), nw.softmax, input=2)
    data = (xs, ["low" if x < 0 else "high" for x, _ in xs])
    wanted = ["kappa", "roc_area", "macro_specificity"]
    run = nw.train(net, data, validation=0.3, epochs=2, measurements=wanted, best="roc_area", progress=False)
    assert [*run.epochs[-1].validation][-3:] == wanted
