"""Answers and errors as text and as JSON."""

import json

import torch

from netwright.cli.printing import answer_text, plain_answer, print_failure, print_json
from netwright.errors import Fault


def test_answers():
    assert [answer_text(answer) for answer in (7, "cat", ("a", "b"), (), torch.tensor([1.0, 2.0]))] == [
        "7", "cat", "a, b", "none", "[1.0, 2.0]",
    ]  # fmt: skip
    assert plain_answer({"y": torch.tensor(1.5), 3: "x"}) == {"y": 1.5, "3": "x"}


def test_a_failure(capsys):
    faults = [Fault(what="no", where="here", expected="yes", got="no", mend=("do", "or do"))]
    print_failure("NetError", "words", faults, False)
    assert capsys.readouterr() == ("", "words\n")
    print_failure("NetError", "words", faults, True)
    out, err = capsys.readouterr()
    fault = {"what": "no", "where": "here", "expected": "yes", "got": "no", "mend": ["do", "or do"]}
    assert out == "" and json.loads(err) == {"error": {"kind": "NetError", "faults": [fault]}}
    print_json({"größe": 1})
    assert json.loads(capsys.readouterr().out) == {"größe": 1}
