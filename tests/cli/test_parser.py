"""Arguments are read as numbers, shares and counts; a wrong use is a value."""

import argparse

import pytest

from netwright.cli.parser import (
    Commands,
    Parser,
    WrongUseError,
    positive_number,
    seed_number,
    share_or_count,
    whole_number,
)


def test_numbers():
    assert (whole_number("3"), positive_number("1e-3")) == (3, 0.001)
    assert (share_or_count("0.2"), share_or_count("500")) == (0.2, 500)
    assert type(share_or_count("500")) is int


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (whole_number, "0", "a whole number of at least 1, not 0"),
        (whole_number, "1e3", "a whole number of at least 1, not 1e3"),
        (seed_number, "-1", "a whole number of at least 0, not -1"),
        (positive_number, "-1", "a number above 0, not -1"),
        (positive_number, "inf", "a number above 0, not inf"),
        (share_or_count, "1.5", "a share such as 0.1, or a count such as 500, not 1.5"),
        (share_or_count, "nan", "a share such as 0.1, or a count such as 500, not nan"),
    ],
)
def test_what_is_no_such_number(read, text, words):
    with pytest.raises(argparse.ArgumentTypeError) as error:
        read(text)
    assert str(error.value) == words


def test_a_wrong_use_is_a_value():
    parser = Parser(prog="p")
    made = Commands(parser, "command", required=True).command("go", "go there", ["go far"], lambda options: 3)
    made.add_argument("--to", type=whole_number)
    options = parser.parse_args(["go", "--to", "2"])
    assert (options.run(options), options.to, options.json) == (3, 2, False)
    with pytest.raises(WrongUseError) as error:
        parser.parse_args(["go", "--to", "far"])
    wrong = error.value
    assert (wrong.command, wrong.message) == ("p go", "argument --to: a whole number of at least 1, not far")
    assert wrong.usage.startswith("usage: p go ")
