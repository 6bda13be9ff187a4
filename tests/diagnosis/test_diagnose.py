"""A diagnosis in words: of a run alone, with its data, after an error, and read from a folder."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.sweep.tools import DATA, NET, NUMBERS, OF_NUMBERS

import netwright as nw
from netwright.diagnosis.diagnose import movement

GIVEN: dict[str, Any] = {"validation": 30, "threads": 1, "progress": False}
SLOW = nw.train(NET, DATA, epochs=5, learning_rate=1e-6, **GIVEN)


def test_a_diagnosis_in_words() -> None:
    found = nw.diagnose(SLOW, DATA)
    assert found.findings[0].kind == "rate too low"
    lines = str(found).splitlines()
    assert lines[0].startswith("Diagnosis: ") and lines[0].endswith(", the first one to mend first")
    assert lines[1].startswith("  1. rate too low: no matrix moved more than ")
    assert "     remedy: learning_rate=1e-05" in lines
    assert max(map(len, lines)) <= 76
    assert " ".join(map(str.strip, lines)).endswith(
        "Looked at: the curves, the choices, the weights; gradients, units and answers on the data"
    )
    assert repr(found) == str(found)


def test_the_run_alone_says_less() -> None:
    found = nw.diagnose(SLOW)
    assert [one.kind for one in found.findings] == ["rate too low"]
    assert " ".join(map(str.strip, str(found).splitlines())).endswith(
        "Looked at: the curves, the choices, the weights; nw.diagnose(run, data) looks at gradients and answers too"
    )


def test_nothing_found() -> None:
    run = nw.train(NET, DATA, epochs=40, **GIVEN)
    assert str(nw.diagnose(run, DATA)) == (
        "Diagnosis: nothing found\n"
        "Looked at: the curves, the choices, the weights; gradients, units and\n     answers on the data"
    )


def test_a_run_that_ended_with_an_error() -> None:
    with pytest.raises(nw.TrainingError) as error:
        nw.train(OF_NUMBERS, NUMBERS, epochs=5, learning_rate=1e20, optimizer="sgd", **GIVEN)
    (first, *_) = nw.diagnose(error.value.run, NUMBERS).findings  # type: ignore[attr-defined]  # set where it is raised
    assert (first.kind, first.remedy) == ("rate too high", "learning_rate=1e+19")


def test_a_run_that_is_read_from_its_folder(tmp_path: Path) -> None:
    nw.train(NET, DATA, epochs=5, learning_rate=1e-6, folder=tmp_path / "run", **GIVEN)
    assert nw.diagnose(nw.load_run(tmp_path / "run"), DATA) == nw.diagnose(SLOW, DATA)


def test_the_run_is_as_it_was() -> None:
    nw.diagnose(SLOW, DATA)
    assert nw.replay(SLOW, DATA, progress=False).equal


def test_validation_that_was_given_as_data_is_given_again() -> None:
    held = (DATA[0][:30], DATA[1][:30])
    run = nw.train(NET, DATA, **{**GIVEN, "validation": held, "epochs": 2})
    kinds = [one.kind for one in nw.diagnose(run, DATA, validation=held).findings]
    assert "validation examples in training" in kinds
    with pytest.raises(nw.TrainingError) as error:
        nw.diagnose(run, DATA)
    assert error.value.what == "the run was made with validation, which it does not hold"
    assert error.value.mend == ("nw.diagnose(run, data, validation=…)",)


def test_other_data_are_refused() -> None:
    with pytest.raises(nw.DataError) as error:
        nw.diagnose(SLOW, (DATA[0][::-1], DATA[1][::-1]))
    assert SLOW.start is not None
    trained, held = (SLOW.start.made_from[name] for name in ("data", "validation data"))
    now = re.findall(r"examples, [0-9a-f]{16}", error.value.got)
    assert len({*now, trained, held}) == 4
    assert (error.value.what, error.value.expected, error.value.mend) == (
        "the data and the validation data of this call are not those of the run",
        f"data: {trained}; validation data: {held}",
        ("nw.diagnose(run, …) with the data of the run, or nw.diagnose(run)",),
    )


def test_how_far_the_weights_moved() -> None:
    assert SLOW.start is not None
    moved = movement(SLOW, SLOW.start)
    assert moved is not None and 0 < moved < 0.01


def test_what_is_not_a_run() -> None:
    with pytest.raises(nw.TrainingError) as error:
        nw.diagnose("runs/a")  # type: ignore[arg-type]  # the error of a user
    assert str(error.value) == (
        "this is not a run\n  expected: what nw.train or nw.load_run gave\n  got:      'runs/a'\n"
        "  mend:     nw.diagnose(nw.load_run('runs/a'))"
    )
