"""Word error and character error of texts: the fewest words or characters to change, insert and delete."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from netwright.errors import DataError, shortened
from netwright.measure.estimate import Estimate, Shares


def edit_distance(left: Sequence[object], right: Sequence[object]) -> int:
    """The fewest elements to change, insert and delete that make one sequence the other: Levenshtein's distance.

    Example:
        >>> edit_distance("kitten", "sitting"), edit_distance(["a", "b"], [])
        (3, 2)

    Source: Levenshtein, Binary codes capable of correcting deletions, insertions, and reversals, 1966.
    """
    names = {element: index for index, element in enumerate(dict.fromkeys([*left, *right]))}
    other, places = np.array([names[element] for element in right], np.int64), np.arange(len(right) + 1)
    costs = places.copy()  # of no element of `left` against the first elements of `right`
    for row, element in enumerate(left, 1):
        changed = np.minimum(costs[:-1] + (other != names[element]), costs[1:] + 1)
        # an insertion costs 1 more than the place before it, whatever that costs
        costs = np.minimum.accumulate(np.concatenate([[row], changed]) - places) + places
    return int(costs[-1])


def word_error(answers: Sequence[str], targets: Sequence[str]) -> Estimate:
    """The words to change, insert and delete in all answers, as a share of the words of the targets.

    Words are what stands between spaces; case and punctuation count. The share is that of all texts together, so that a
    long text counts for more; its interval comes from how the texts differ. It is above 100% where much is inserted.
    The baseline is to answer nothing.

    `nw.measure(net, data, metrics=[nw.word_error])` measures a net that answers with texts.

    Raises: DataError for answers of another number than the targets, for what is no text, for targets without a word.

    Example:
        >>> import netwright as nw
        >>> round(float(nw.word_error(["the cat sat", "on a mat"], ["the cat sat", "on the mat"])), 3)
        0.167

    Source: Jelinek, Statistical methods for speech recognition, 1997; the same numbers as jiwer's `wer`.
    """
    return _error("word error", "word", str.split, answers, targets)


def character_error(answers: Sequence[str], targets: Sequence[str]) -> Estimate:
    """The characters to change, insert and delete in all answers, as a share of the characters of the targets.

    Spaces at the ends do not count, and a space, case and punctuation do. As of `word_error`, the share is that of all
    texts together, and the baseline is to answer nothing.

    `nw.measure(net, data, metrics=[nw.character_error])` measures a net that answers with texts.

    Raises: DataError for answers of another number than the targets, for what is no text, for targets without one.

    Example:
        >>> import netwright as nw
        >>> round(float(nw.character_error(["the cat", "a mat"], ["the cat", "the mat"])), 3)
        0.214

    Source: the same numbers as jiwer's `cer`.
    """
    return _error("character error", "character", _characters, answers, targets)


def _characters(text: str) -> list[str]:
    return [*text.strip()]


def _error(
    name: str,
    unit: str,
    elements: Callable[[str], Sequence[str]],
    answers: Sequence[Any],
    targets: Sequence[Any],
) -> Estimate:
    if len(answers) != len(targets):
        raise DataError(
            what=f"the {name} compares as many answers as targets",
            where=name.replace(" ", "_"),
            got=f"{len(answers):,} answers, {len(targets):,} targets",
        )
    for side, texts in (("answers", answers), ("targets", targets)):
        for row, text in enumerate(texts):
            if not isinstance(text, str):
                raise DataError(
                    what=f"the {name} compares texts",
                    where=f"{side}, row {row}",
                    expected="a text",
                    got=shortened(f"{type(text).__name__} {text!r}", 60),
                )
    right = [elements(text) for text in targets]
    counts = np.array([[len(one)] for one in right]).reshape(-1, 1)
    if not counts.sum():
        raise DataError(what=f"the targets have no {unit}, so there is no share of them", where="targets")
    edits = np.array([[edit_distance(elements(text), one)] for text, one in zip(answers, right, strict=True)])
    found = Shares(1)
    found.add(edits, np.maximum(counts, 1e-9))  # an empty target has edits, too
    value = float(edits.sum() / counts.sum())
    estimate = (found.proportion if value <= 1 else found.mean)(name, 0, baseline=1.0, baseline_name="the empty text")
    return replace(estimate, value=value, percent=True, less_is_better=True)
