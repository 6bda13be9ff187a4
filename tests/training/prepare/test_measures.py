"""What a run measures after an epoch is what nw.measure says of its net, on the validation data and on others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import netwright as nw
from messages import message
from netwright.measure.report import attribute
from run_tools import Ends, assert_same

DRAW = torch.Generator().manual_seed(0)
XS = torch.randn(120, 4, generator=DRAW)
SUMS = XS.sum(1)
SIDES = ["up" if x > 0.7 else "down" if x < -0.7 else "flat" for x in SUMS.tolist()]
TEXTS = ["abcabcabcabc"[i % 3 : 3 + i % 9] for i in range(60)]


def classes() -> nw.Net:
    return nw.Chain(8, nw.relu, nw.Linear(), nw.softmax, input=nw.Vector(4), output=nw.Category())


def numbers() -> nw.Net:
    return nw.Chain(8, nw.relu, nw.Linear(), input=nw.Vector(4), output=nw.Number())


def language() -> nw.Net:
    return nw.Chain(nw.Embedding(4), nw.GRU(5), nw.Linear(), nw.softmax, input=nw.Characters("abc"))


class Keeps(nw.Callback):
    def __init__(self) -> None:
        self.nets = list[nw.Net]()

    def on_epoch(self, status: nw.Status) -> None:
        self.nets.append(status.net())


def train(net: nw.Net, data: Any, **more: Any) -> nw.Run:
    options = {"epochs": 3, "batch_size": 10, "threads": 1, "progress": False, "learning_rate": 0.02, **more}
    return nw.train(net, data, **options)


CASES: dict[str, tuple[Any, Any, Any, list[str], dict[str, Any]]] = {
    "classes": (
        classes, (XS[:90], SIDES[:90]), (XS[90:], SIDES[90:]),
        ["accuracy", "macro_f1", "log_loss", "top_2_accuracy", "error"], {"ema": 0.9},
    ),
    "numbers": (numbers, (XS[:90], SUMS[:90]), (XS[90:], SUMS[90:]), ["r2", "mae", "mse", "rmse"], {}),
    "elements": (
        language, TEXTS[:40], TEXTS[40:], ["bits_per_element", "perplexity", "top_2_accuracy"],
        {"objective": nw.NextElement()},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", ["list", "stream"])
def test_the_figures_are_those_of_measure(name: str, kind: str) -> None:
    make, data, other, names, more = CASES[name]
    columns = other if isinstance(other, tuple) else (other,)

    def stream() -> Iterator[Any]:
        rows = zip(*(c.tolist() if isinstance(c, torch.Tensor) else c for c in columns), strict=True)
        yield from (row if len(columns) > 1 else row[0] for row in rows)

    keeps, given = Keeps(), other if kind == "list" else stream
    elsewhere = [nw.Measurement(one, name=f"{one} there", data=given) for one in names]
    run = train(make(), data, validation=given, measurements=[*names, *elsewhere], callbacks=[keeps], **more)
    for epoch, net in zip(run.epochs, keeps.nets, strict=True):
        report = nw.measure(net, other, top=(2,) if "top_2_accuracy" in names else ())
        known = {attribute(figure.name): figure.value for figure in report.figures}
        for one in names:
            assert epoch.validation[one] == pytest.approx(known[one], rel=1e-6), one
            assert epoch.validation[f"{one} there"] == epoch.validation[one]
    plain = train(make(), data, validation=given, **more)
    assert plain.losses == run.losses
    assert plain.net == run.net


def test_a_part_of_the_data_is_measured() -> None:
    run = train(classes(), (XS, SIDES), validation=0.25, measurements=["accuracy"])
    for epoch in run.epochs:
        assert epoch.validation["accuracy"] == pytest.approx(1 - epoch.validation["error"])


def test_functions_get_answers_and_targets() -> None:
    seen: list[tuple[Any, Any]] = []

    def hits(answers: list[str], targets: list[str]) -> Any:
        seen.append((answers, targets))
        return np.float32(sum(a == t for a, t in zip(answers, targets, strict=True)) / len(targets))

    keeps = Keeps()
    data, other = (XS[:90], SIDES[:90]), (XS[90:], SIDES[90:])
    run = train(classes(), data, validation=other, measurements=["accuracy", hits], callbacks=[keeps])
    assert [list(epoch.validation) for epoch in run.epochs] == [["loss", "error", "accuracy", "hits"]] * 3
    for epoch, net, (answers, targets) in zip(run.epochs, keeps.nets, seen, strict=True):
        assert answers == net(list(XS[90:]))
        assert targets == SIDES[90:]
        assert epoch.validation["hits"] == pytest.approx(epoch.validation["accuracy"])


def test_a_net_without_a_decoder_and_one_with_two_outputs() -> None:
    def largest(answers: list[torch.Tensor], targets: list[Any]) -> float:
        return max(float(abs(a - t).max()) for a, t in zip(answers, targets, strict=True))

    bare = nw.Chain(nw.Linear(2), input=4)
    run = train(bare, (XS.numpy(), XS[:, :2].numpy()), validation=0.2, loss=nw.MSE(), measurements=[largest])
    assert run.epochs[-1].validation["largest"] > 0

    net = nw.Graph(
        side=([nw.Linear(), nw.softmax], "input"),
        sum=(nw.Linear(), "input"),
        input=nw.Vector(4),
        output={"side": nw.Category(), "sum": nw.Number()},
    )
    keeps, data = Keeps(), {"input": XS, "side_target": SIDES, "sum_target": SUMS}

    def both(answers: dict[str, list[Any]], targets: dict[str, list[Any]]) -> float:
        return len(answers["side"]) + len(targets["sum"])

    names = ["side accuracy", "sum mae", both]
    run = train(net, data, validation=data, measurements=names, best="side accuracy", callbacks=[keeps])
    report = nw.measure(keeps.nets[1], data)
    found = run.epochs[1].validation
    assert found["side accuracy"] == pytest.approx(float(report["side"].accuracy))
    assert found["sum mae"] == pytest.approx(float(report["sum"].mae))
    assert found["both"] == 240


def test_the_best_epoch_is_chosen_by_a_figure() -> None:
    turns = iter([0.2, 0.9, float("nan"), 0.9, 0.1, 0.3, 0.4])

    def told(answers: Any, targets: Any) -> float:
        return next(turns)

    wanted = [nw.Measurement(told, better="higher")]
    keeps = Keeps()
    run = train(
        numbers(), (XS, SUMS), validation=0.2, epochs=9, measurements=wanted, best="told", patience=3, callbacks=[keeps]
    )
    assert (run.best, len(run.epochs)) == (2, 5)
    assert run.ended == "no better validation told in 3 epochs"
    assert run.net == keeps.nets[1]
    assert "best: told (given)" in map(str, run.choices)
    by_accuracy = train(classes(), (XS, SIDES), validation=0.2, epochs=6, measurements=["accuracy"], best="accuracy")
    accuracies = [epoch.validation["accuracy"] for epoch in by_accuracy.epochs]
    assert accuracies[by_accuracy.best - 1] == max(accuracies)
    by_error = train(numbers(), (XS, SUMS), validation=0.2, epochs=6, measurements=["mae"], best="mae")
    errors = [epoch.validation["mae"] for epoch in by_error.epochs]
    assert errors[by_error.best - 1] == min(errors)


def test_only_other_data_may_be_measured() -> None:
    there = nw.Measurement("mae", data=(XS[90:], SUMS[90:]))
    run = train(numbers(), (XS[:90], SUMS[:90]), measurements=[there])
    assert [list(epoch.validation) for epoch in run.epochs] == [["mae"]] * 3
    assert run.best == 3  # nothing says another
    assert train(numbers(), (XS[:90], SUMS[:90]), measurements=[there], best="mae", patience=2).best > 0


class Wanders:
    """A number that goes up and down."""

    def __init__(self) -> None:
        self.__name__ = "wanders"

    def __call__(self, answers: list[float], targets: list[float]) -> float:
        return sum(a * (i % 3) for i, a in enumerate(answers))


def test_a_run_in_a_folder_goes_on(tmp_path: Path) -> None:
    more: dict[str, Any] = {"validation": 0.2, "measurements": ["mae", "r2"], "best": "r2"}
    whole = train(numbers(), (XS, SUMS), **more)
    with pytest.raises(ValueError, match="no more"):
        train(numbers(), (XS, SUMS), folder=tmp_path, callbacks=[Ends(15, ValueError("no more"))], **more)
    assert_same(train(numbers(), (XS, SUMS), folder=tmp_path), whole)  # the folder has the settings
    assert_same(nw.load_run(tmp_path), whole)
    again = nw.replay(nw.load_run(tmp_path), (XS, SUMS), progress=False)
    assert again.equal
    assert [e.validation for e in again.run.epochs] == [e.validation for e in whole.epochs]
    said = message(train, numbers(), (XS, SUMS), folder=tmp_path, measurements=["r2"])
    assert said.startswith("this call differs from the run in the folder in measurements\n")
    assert message(nw.fork, tmp_path, best="mae").startswith("best cannot change in a run that has begun\n")
    repeated = train(numbers(), (XS, SUMS), validation=0.2, choices=nw.load_run(tmp_path).choices)
    assert [e.validation for e in repeated.epochs] == [e.validation for e in whole.epochs]


def test_what_no_file_holds_is_given_again(tmp_path: Path) -> None:
    wanted = [Wanders(), nw.Measurement("mae", name="mae there", data=(XS[:30], SUMS[:30]))]
    more: dict[str, Any] = {"validation": 0.2, "measurements": wanted}
    whole = train(numbers(), (XS, SUMS), **more)
    with pytest.raises(ValueError, match="no more"):
        train(numbers(), (XS, SUMS), folder=tmp_path, callbacks=[Ends(15, ValueError("no more"))], **more)
    assert message(train, numbers(), (XS, SUMS), folder=tmp_path).startswith(
        "no file can hold the measurements of the run in this folder, and this call does not give it\n"
    )
    other = [Wanders(), nw.Measurement("mae", name="mae there", data=(XS[:31], SUMS[:31]))]
    assert message(train, numbers(), (XS, SUMS), folder=tmp_path, measurements=other).startswith(
        "this call differs from the run in the folder in measurements\n"
    )
    assert_same(train(numbers(), (XS, SUMS), folder=tmp_path, **more), whole)
    assert message(nw.replay, whole, (XS, SUMS)).startswith(
        "the run was made with measurements, which it does not hold\n"
    )
    assert nw.replay(whole, (XS, SUMS), measurements=wanted, progress=False).equal


ERRORS: dict[str, tuple[dict[str, Any], str]] = {
    "no such figure": (
        {"measurements": ["acuracy"]},
        "no figure of this net has the name 'acuracy'\n  where:    measurements\n"
        "  expected: one of accuracy, error, log_loss, macro_precision, macro_recall, macro_f1, "
        "another name of docs/measuring.md, or a function\n  mend:     did you mean 'accuracy'?",
    ),
    "nothing is validated": (
        {"measurements": ["accuracy"], "validation": None},
        "measurements are made on the validation data, and nothing is validated\n  where:    measurements\n"
        "  got:      accuracy\n  mend:     validation=0.1, a part of the data\n"
        "  or:       nw.Measurement(…, data=…), for other data",
    ),
    "best, nothing is validated": (
        {"best": "loss", "validation": None},
        "best names the figure of the validation that chooses the epoch, and nothing is validated\n  where:    best\n"
        "  got:      'loss'\n  mend:     validation=0.1, a part of the data\n  or:       leave best out",
    ),
    "best is not measured": (
        {"best": "accuracy"},
        "no figure that is measured after an epoch has the name 'accuracy'\n  where:    best\n"
        "  expected: one of loss, error\n  mend:     measurements=['accuracy']",
    ),
    "best, misspelt": (
        {"measurements": ["accuracy"], "best": "acuracy"},
        "no figure that is measured after an epoch has the name 'acuracy'\n  where:    best\n"
        "  expected: one of loss, error, accuracy\n  mend:     did you mean 'accuracy'?",
    ),
    "best, of no direction": (
        {"measurements": [Wanders()], "best": "wanders"},
        "nothing says whether more or less of 'wanders' is better\n  where:    best\n"
        '  mend:     nw.Measurement(wanders, better="higher")\n  or:       nw.Measurement(wanders, better="lower")',
    ),
    "one text": (
        {"measurements": "accuracy"},
        "measurements is a list of names, functions and values of nw.Measurement\n  where:    measurements\n"
        "  expected: such as [\"accuracy\"]\n  got:      'accuracy'\n  mend:     measurements=['accuracy']",
    ),
    "one name twice": (
        {"measurements": ["accuracy", "accuracy"]},
        "two figures have the name 'accuracy'\n  where:    measurements\n  mend:     nw.Measurement(…, name=\"…\")",
    ),
    "the name of the loss": (
        {"measurements": [nw.Measurement("accuracy", name="loss")]},
        "two figures have the name 'loss', which is that of the validation loss\n  where:    measurements\n"
        '  mend:     nw.Measurement(…, name="…")',
    ),
    "best is no name": (
        {"best": 3},
        "best is the name of a figure that is measured after each epoch\n  where:    best\n"
        '  expected: such as "accuracy"\n  got:      3',
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_measured(name: str) -> None:
    given, said = ERRORS[name]
    assert message(train, classes(), (XS, SIDES), **{"validation": 0.2, **given}) == said


def test_other_data_that_do_not_fit_are_refused_before_the_first_step() -> None:
    there = nw.Measurement("accuracy", name="there", data=(XS[:3], ["up", "down"]))
    assert message(train, classes(), (XS, SIDES), measurements=[there]).startswith("the columns have different lengths")
    there = nw.Measurement("accuracy", name="there", data=(XS[:2], ["up", "left"]))
    said = message(train, classes(), (XS, SIDES), measurements=[there])
    assert "data of the measurement 'there'" in said
    assert "left" in said


def test_a_function_that_gives_no_number() -> None:
    def words(answers: Any, targets: Any) -> str:
        return "good"

    with pytest.raises(nw.TrainingError) as caught:
        train(numbers(), (XS, SUMS), validation=0.2, measurements=[words])
    assert str(caught.value) == (
        "the measurement 'words' gave no number\n  where:    measurements\n  expected: a number\n  got:      'good'"
    )
    assert len(caught.value.run.losses) == 10  # type: ignore[attr-defined]  # nothing is lost
    huge = nw.Measurement(lambda answers, targets: 10**400, name="huge")
    assert message(train, numbers(), (XS, SUMS), validation=0.2, measurements=[huge]).startswith(
        "the measurement 'huge' gave no number\n"
    )


def test_a_function_that_raises_is_named() -> None:
    def fails(answers: Any, targets: Any) -> float:
        raise ZeroDivisionError("no targets")

    with pytest.raises(ZeroDivisionError) as caught:
        train(numbers(), (XS, SUMS), validation=0.2, measurements=[fails])
    assert caught.value.__notes__ == ["The measurement 'fails' raised this error."]
