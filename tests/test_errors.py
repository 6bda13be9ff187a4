"""Errors print what, where, expected, got, mend; several are numbered; they pickle; each is a builtin's child."""

import copy
import pickle

import pytest

from netwright import errors
from netwright.errors import (
    Fault,
    NetwrightError,
    SizeError,
    close_names,
    did_you_mean,
    missing_extra,
    plainly,
    shortened,
)

FAULT = Fault(what="they differ", where="a -> b", expected="(1,)", got="(2,)\nof two", mend=("this", "that"))
TEXT = """\
they differ
  where:    a -> b
  expected: (1,)
  got:      (2,)
            of two
  mend:     this
  or:       that"""


def test_one_fault() -> None:
    error = SizeError(what="they differ", where="a -> b", expected="(1,)", got="(2,)\nof two", mend=("this", "that"))
    assert str(error) == TEXT
    assert (error.what, error.where, error.expected, error.mend) == ("they differ", "a -> b", "(1,)", ("this", "that"))
    assert error.faults == (FAULT,)


def test_several_faults_are_numbered() -> None:
    second = Fault(what="and so do they")
    text = "2 faults\n1. " + TEXT.replace("\n", "\n   ") + "\n2. and so do they"
    assert str(SizeError.of([FAULT, second])) == text


def test_an_error_within_a_place_says_the_place_first() -> None:
    error = SizeError.of([FAULT, Fault(what="and so do they")]).within("row 3")
    assert type(error) is SizeError
    assert [fault.where for fault in error.faults] == ["row 3, a -> b", "row 3"]
    assert error.within("row 3").faults[1] == error.faults[1]
    assert [(fault.what, fault.mend) for fault in error.faults] == [(FAULT.what, FAULT.mend), ("and so do they", ())]


def test_an_error_with_other_texts_is_else_the_same() -> None:
    error = SizeError.of([FAULT]).changed(where="there", mend=())
    assert str(error) == TEXT.replace("a -> b", "there").partition("\n  mend")[0]


def test_notes_stay_with_an_error_that_is_copied_or_told_otherwise() -> None:
    error = SizeError.of([FAULT])
    error.add_note("of the third trial")
    error.mended = "a net"
    alike = [error.within("row 3"), error.changed(where="there"), pickle.loads(pickle.dumps(error)), copy.copy(error)]
    assert [other.__notes__ for other in alike] == [["of the third trial"]] * 4
    assert [other.mended for other in alike[:2]] == ["a net"] * 2
    assert not hasattr(pickle.loads(pickle.dumps(SizeError.of([FAULT]))), "__notes__")
    alike[0].add_note("of its own")
    assert error.__notes__ == ["of the third trial"]


def test_a_text_is_shortened_to_what_fits() -> None:
    assert [shortened("abcd", most) for most in (5, 4, 3, 1)] == ["abcd", "abcd", "ab…", "…"]


def test_a_mend_may_be_one_text() -> None:
    assert str(NetwrightError(what="no", mend="yes")) == "no\n  mend:     yes"
    assert NetwrightError(what="no", mend="").faults[0].mend == ()  # as where no name is near


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("SizeError", ValueError),
        ("NetError", ValueError),
        ("PathError", KeyError),
        ("MissingArraysError", RuntimeError),
        ("DataError", ValueError),
        ("FileError", OSError),
        ("MissingExtraError", ImportError),
        ("TrainingError", RuntimeError),
    ],
)
def test_every_error_is_a_builtin_s_child_and_prints_plainly(name, builtin) -> None:
    error = getattr(errors, name)(what="no", got="it")
    assert isinstance(error, builtin)
    assert isinstance(error, NetwrightError)
    assert str(error) == "no\n  got:      it"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_missing_extra_gives_the_pip_line() -> None:
    with pytest.raises(errors.MissingExtraError) as caught:
        missing_extra("pillow", "image", "reading a picture")
    assert str(caught.value) == (
        'reading a picture needs the package pillow, which is not installed\n  mend:     pip install "netwright[image]"'
    )


def test_close_names() -> None:
    assert close_names("conv", ["body/conv", "conv1", "x"]) == ("body/conv",)
    assert close_names("CONV", ["conv", "conv1"]) == ("conv",)
    assert close_names("conv", ["conv10", "conv2", "conv1", "convolution"]) == ("conv2", "conv1", "conv10")
    assert close_names("liner", ["linear", "layernorm", "filter"]) == ("linear",)
    assert close_names("tahn", ["tan", "tanh", "atan", "sin"]) == ("tan", "tanh", "atan")
    assert close_names("linaer1", ["linear2", "linear3x", "linear1"]) == ("linear1", "linear2")  # twice as far
    assert close_names("x0", ["w0"]) == ()
    assert did_you_mean("linaer1", ["linear1", "conv1"]) == "did you mean 'linear1'?"
    assert did_you_mean("zzz", ["linear1"]) == ""


HOSTILE = "\x1b[2J\0\ud800\r\u202e"


def test_what_a_file_says_is_cut_and_escaped_wherever_it_stands() -> None:
    error = NetwrightError(what=HOSTILE, where=HOSTILE, expected=HOSTILE, got=HOSTILE, mend=(HOSTILE, "a\nb"))
    shown = r"\x1b[2J\x00\ud800\r\u202e"
    assert str(error) == (
        f"{shown}\n  where:    {shown}\n  expected: {shown}\n  got:      {shown}\n  mend:     {shown}\n"
        "  or:       a\n            b"
    )
    str(error).encode()  # a lone surrogate could not be printed
    long = NetwrightError(what="x" * 10**7, where="y" * 10**7, mend="z" * 10**7)
    assert str(long) == f"{'x' * 1999}…\n  where:    {'y' * 1999}…\n  mend:     {'z' * 1999}…"
    assert len(str(SizeError.of([*long.faults, *long.faults]))) < 13_000


def test_what_people_write_is_shown_as_it_is() -> None:
    for text in ("größer ≤ 5 °C", "हिन्दी", "日本語", 'it\'s "so"\n  more', "C:\\new"):
        assert plainly(text) == text


def test_hostile_names_cost_no_time() -> None:
    assert close_names("x" * 4_000_000, ["x" * 1000, "x"]) == ()
    assert close_names("liner1", ["y" * 4_000_000, "linear1"]) == ("linear1",)
    assert close_names("liner", (f"{i}/linear" for i in range(10**9))) != ()


def test_nothing_is_near_to_what_is_no_text():
    assert did_you_mean(5, ["conv1"]) == did_you_mean(None, ["conv1"]) == ""
