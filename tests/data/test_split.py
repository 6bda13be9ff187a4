"""A split keeps groups apart, classes in their shares and time in order, and what it gives is ready to train."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset as TorchDataset

import netwright as nw
from netwright.errors import DataError


class Measured(TorchDataset[dict[str, Any]]):
    """20 rows of 5 pages."""

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"page": index // 4, "input": float(index), "target": float(index % 4)}


ROWS = [Measured()[i] for i in range(20)]
COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}


def forms(*names: str) -> list[Any]:
    """The same examples with these columns, as rows, as columns and as a Dataset."""
    rows = [{name: row[name] for name in names} for row in ROWS]
    return [rows, {name: COLUMNS[name] for name in names}, *([Measured()] if "page" in names else [])]


@pytest.mark.parametrize(
    ("names", "how"),
    [
        (("input", "target"), {}),
        (("page", "input", "target"), {"by": "page"}),
        (("page", "input", "target"), {"time": "page"}),
        (("input", "target"), {"stratify": "target"}),
        (("input", "target"), {"time": COLUMNS["page"]}),
    ],
)
def test_both_parts_are_ready_for_a_run(names: tuple[str, ...], how: dict[str, Any]) -> None:
    net = nw.Chain(nw.Linear(), input=nw.Number(), output=nw.Number())
    losses = []
    for data in forms(*names):
        training, validation = nw.split(data, 0.2, **how)
        run = nw.train(net, training, validation=validation, epochs=1, progress=False)
        losses.append(run.epochs[0].validation["loss"])
    assert losses == [losses[0]] * len(losses)


def test_by_chance_it_is_the_split_of_a_run() -> None:
    training, validation = nw.split((COLUMNS["input"], COLUMNS["target"]), 0.25, seed=3)
    net = nw.Chain(4, nw.tanh, nw.Linear(), input=nw.Number(), output=nw.Number())
    given = nw.train(net, training, validation=validation, epochs=2, seed=3, progress=False)
    held = nw.train(net, (COLUMNS["input"], COLUMNS["target"]), validation=0.25, epochs=2, seed=3, progress=False)
    assert given.net == held.net
    assert [epoch.validation for epoch in given.epochs] == [epoch.validation for epoch in held.epochs]


def test_groups_are_whole_and_their_column_is_left_out() -> None:
    training, validation = nw.split(ROWS, 0.4, by="page")
    assert {row["input"] // 4 for row in training}.isdisjoint(row["input"] // 4 for row in validation)
    assert (len(training), len(validation)) == (12, 8)
    assert all(set(row) == {"input", "target"} for row in [*training, *validation])
    kept, _ = nw.split(COLUMNS, 0.4, by=COLUMNS["page"])
    assert set(kept) == {"page", "input", "target"}


def test_classes_keep_their_shares_and_their_column() -> None:
    _, validation = nw.split(COLUMNS, 8, stratify="target")
    assert sorted(validation["target"]) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_the_latest_validate() -> None:
    days = np.arange("2024-01-01", "2024-01-21", dtype="M8[D]")[::-1]
    training, validation = nw.split((np.arange(20), np.arange(20)), 0.2, time=days)
    assert validation[0].tolist() == [0, 1, 2, 3]
    assert training[0].tolist() == list(range(4, 20))
    _, later = nw.split([(i, -i) for i in range(20)], 3, time="target")
    assert later == [(0, 0), (1, -1), (2, -2)]
    _, tied = nw.split([(i, i // 5) for i in range(20)], 3, time=lambda row: row[1])
    assert tied == [(i, 3) for i in range(15, 20)]


def test_a_class_of_one_example_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    nw.split((range(7), [*"aaabbbc"]), 2, stratify="target")
    assert capsys.readouterr().err == "1 class has one example, which trains: 'c'\n"
    nw.split((range(13), [*"aaabbbcdefghi"]), 2, stratify="target")
    assert capsys.readouterr().err == "7 classes have one example, which trains: 'c', 'd', 'e', 'f', 'g', …\n"
    nw.split((range(6), [*"aaabbb"]), 2, stratify="target")
    assert capsys.readouterr().err == ""


def test_the_choice_depends_on_the_seed_and_on_nothing_else() -> None:
    torch.manual_seed(1)
    first = nw.split(ROWS, 0.4, by="page", seed=5)
    torch.manual_seed(2)
    assert nw.split(ROWS, 0.4, by="page", seed=5) == first
    assert len({str(nw.split(ROWS, 0.4, by="page", seed=seed)) for seed in range(20)}) > 5
    assert len({str(nw.split(ROWS, 4, stratify="target", seed=seed)) for seed in range(20)}) > 10


@pytest.mark.parametrize(
    ("how", "text"),
    [
        (
            {"by": "page", "stratify": "target"},
            "by and stratify are given together, and one split cannot keep both\n"
            "  where:    split\n"
            "  expected: one of by, stratify and time\n"
            "  mend:     by=… alone",
        ),
        (
            {"stratify": "taget"},
            "the data has no column 'taget'\n"
            "  where:    stratify\n"
            "  expected: one of the columns 'page', 'input', 'target'\n"
            "  mend:     did you mean 'target'?",
        ),
        (
            {"by": lambda row: "all"},
            "all examples are in one group, so no group is left to validate\n"
            "  where:    by\n"
            "  got:      20 examples of the group 'all'\n"
            "  mend:     by=… with at least two groups\n"
            "  or:       validation examples of your own",
        ),
        (
            {"validation": 20, "time": "page"},
            "the validation part would leave nothing to train on\n"
            "  where:    validation\n"
            "  expected: at most 19 of 20 examples\n"
            "  got:      20\n"
            "  mend:     validation=2\n"
            "  or:       validation=0.1",
        ),
    ],
)
def test_what_is_refused(how: dict[str, Any], text: str) -> None:
    with pytest.raises(DataError) as caught:
        nw.split(ROWS, **how)
    assert str(caught.value) == text
