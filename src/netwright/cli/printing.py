"""Writes what a command has to say: results to stdout, words and errors to stderr, as text or as JSON."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from netwright.errors import Fault


def print_json(value: object) -> None:
    """A result as JSON; characters that the terminal lacks are escaped."""
    print(_json(value, sys.stdout))


def print_words(text: str) -> None:
    """Words beside the result."""
    print(text, file=sys.stderr)


def print_failure(kind: str, text: str, faults: Sequence[Fault], as_json: bool) -> None:
    """An error: its text, or as JSON its kind and each of its faults with place, both sides and mends."""
    if as_json:
        print(
            _json({"error": {"kind": kind, "faults": [_fault(fault) for fault in faults]}}, sys.stderr), file=sys.stderr
        )
    else:
        print_words(text)


def answer_text(answer: Any) -> str:
    """An answer on one line: labels and numbers as they are, arrays as lists."""
    if isinstance(answer, tuple):
        return ", ".join(map(str, answer)) or "none"
    return str(plain_answer(answer))


def plain_answer(answer: Any) -> Any:
    """An answer that JSON knows."""
    if isinstance(answer, dict):
        return {str(name): plain_answer(value) for name, value in answer.items()}
    return answer.tolist() if hasattr(answer, "tolist") else answer


def _fault(fault: Fault) -> Mapping[str, object]:
    texts = {"what": fault.what, "where": fault.where, "expected": fault.expected, "got": fault.got}
    return {**{name: text for name, text in texts.items() if text}, "mend": [*fault.mend]}


def _json(value: object, stream: Any) -> str:
    shown = (stream.encoding or "").lower() in ("utf-8", "utf8")
    return json.dumps(value, ensure_ascii=not shown, indent=2)
