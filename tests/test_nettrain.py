"""The tables of docs/nettrain.md: every keyword and attribute is there, and every example runs."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import netwright as nw

PAGE = Path(__file__).parents[1] / "docs" / "nettrain.md"
XS = [[float(i), float(i % 7)] for i in range(60)]
DATA = (XS, [i % 3 for i in range(60)])
OPTIONS, RESULTS = 18, 35  # of NetTrain, and of NetTrainResultsObject


def tables() -> list[list[list[str]]]:
    """The rows of each table of the page, without its head."""
    found: list[list[list[str]]] = []
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith("|---"):
            found.append([])
        elif line.startswith("| `"):
            found[-1].append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def code(cell: str) -> str:
    return cell.strip("`| ")


def net() -> nw.Net:
    return nw.Chain(4, nw.tanh, nw.Linear(), nw.softmax, input=nw.Vector(2), output=nw.Category(range(3)))


def test_the_tables_are_whole() -> None:
    options, results = tables()
    assert (len({row[0] for row in options}), len({row[0] for row in results})) == (OPTIONS, RESULTS)
    known = inspect.signature(nw.train).parameters
    for name, ours, example in options:
        keywords = re.findall(r"`(\w+)=`", ours)
        assert keywords and {*keywords} <= {*known}, name
        assert re.findall(r"^(\w+)=", code(example))[0] in known, name
    for name, ours, _ in results:
        assert re.findall(r"`(?:run|nw)\.\w+`", ours) or ours.startswith("none"), name


@pytest.mark.parametrize("row", tables()[0], ids=lambda row: code(row[0]))
def test_an_option_is_taken(row: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given: dict[str, Any] = eval(f"dict({code(row[2])})", {"nw": nw})
    run = nw.train(net(), DATA, **{"epochs": 1, "progress": False, **given})
    assert run.losses


@pytest.fixture(scope="module")
def run() -> nw.Run:
    return nw.train(net(), DATA, epochs=2, validation=10, progress=False)


@pytest.mark.parametrize("row", tables()[1], ids=lambda row: code(row[0]))
def test_a_result_is_there(row: list[str], run: nw.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for attribute in re.findall(r"`run\.(\w+)", row[1]):
        assert hasattr(run, attribute)
    for name in re.findall(r"`nw\.(\w+)", row[1]):
        assert hasattr(nw, name)
    example = code(row[2])
    assert example or row[1].startswith("none")
    if example:
        found = eval(example, {"nw": nw, "run": run, "data": DATA})
        assert found is not None or [*tmp_path.iterdir()]
