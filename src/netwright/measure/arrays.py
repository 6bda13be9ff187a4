"""Metrics count in numpy on the processor: tensors of any device and precision come in here, and are checked here.

A batch is checked whole before anything is added, so a refused batch leaves the metric as it was.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch

from netwright.errors import DataError

Array: TypeAlias = torch.Tensor | np.ndarray
Rows: TypeAlias = Array | Sequence[Array]  # one for each example: a batch, or arrays of different sizes
SUM_TOLERANCE = 0.01  # bf16 keeps 3 figures: its rows of probabilities add up to 1 within 0.4%


def host(values: Rows) -> np.ndarray:
    """As a numpy array; bf16 and half become float32, a gradient is cut off."""
    if isinstance(values, torch.Tensor):
        values = values.detach().to("cpu")
        return (values.float() if values.dtype in (torch.bfloat16, torch.float16) else values).numpy()
    return np.asarray(values)


def check_shape(name: str, values: np.ndarray, shape: tuple[int, ...], means: str) -> None:
    """Raise an error for an array whose shape does not fit the rest of the batch."""
    if values.shape != shape:
        raise DataError(
            what=f"{name} of another shape than expected", expected=f"{shape}, {means}", got=f"{values.shape}"
        )


def check_probabilities(values: np.ndarray, seen: int, *, sum_to_one: bool) -> None:
    """Refuse rows with a NaN, with a number outside 0..1, or that do not add up to 1."""
    if not len(values):
        return
    if not (values.min() >= 0 and values.max() <= 1 + SUM_TOLERANCE):  # false for NaN too
        row = int(np.argmin(((values >= 0) & (values <= 1 + SUM_TOLERANCE)).all(axis=1)))
        _refuse_row(values[row], seen + row, "a number that is no probability", "numbers from 0 to 1")
    if sum_to_one:
        off = np.abs(values.sum(axis=1) - 1)
        if off.max() > SUM_TOLERANCE:
            row = int(np.argmax(off > SUM_TOLERANCE))
            total = f"numbers that add up to 1, not to {values[row].sum():.4g}"
            _refuse_row(values[row], seen + row, "probabilities that do not add up", total)


def _refuse_row(row: np.ndarray, index: int, what: str, expected: str) -> None:
    shown = ", ".join(f"{x:.4g}" for x in row[:5]) + (", …" if len(row) > 5 else "")
    raise DataError(
        what=what,
        where=f"probabilities, row {index}",
        expected=expected,
        got=f"[{shown}]",
        mend="give probabilities: nw.softmax (one class) or nw.sigmoid (yes or no) comes after the last Linear",
    )


def class_indices(targets: np.ndarray, classes: int, seen: int) -> np.ndarray:
    """Targets as int64 indices below the number of classes."""
    if targets.dtype.kind not in "iub":
        raise DataError(
            what="class targets that are not integers",
            expected=f"indices 0..{classes - 1}",
            got=f"{targets.dtype} numbers",
        )
    indices = targets.astype(np.int64, copy=False)
    outside = (indices < 0) | (indices >= classes)
    if outside.any():
        row = int(np.argmax(outside))
        raise DataError(
            what="a target that is not a class",
            where=f"targets, row {seen + row}",
            expected=f"an index 0..{classes - 1}, for {classes} labels",
            got=f"{indices[row]}",
        )
    return indices


def choices(p: np.ndarray, k: int, name: str, means: str) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (rows, k) and the class that is chosen in each row: the most probable, the first of equals.

    One column is the probability of the second of two classes, which is chosen from one half on, as a decoder of yes or
    no does.
    """
    if k == 2 and p.ndim == 2 and p.shape[1] == 1:
        both = np.concatenate([1 - p, p], axis=1)  # (rows, 1) -> (rows, 2)
        return both, (p[:, 0] >= 0.5).astype(np.int64)
    check_shape(name, p, (len(p) if p.ndim else 0, k), means)
    return p, p.argmax(axis=1)


def rank_of_target(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    """How many classes are more probable than the target, (rows,), from p (rows, k) and t (rows,).

    Among equals the first in the order of the classes counts as more probable, as it does for the most probable class.
    """
    of_target = p[np.arange(len(p)), t][:, None]  # (rows, 1)
    ahead = (p > of_target) | ((p == of_target) & (np.arange(p.shape[1]) < t[:, None]))  # (rows, k)
    return ahead.sum(axis=1)


def check_choice(labels: Sequence[object]) -> None:
    """Raise an error for labels that offer no choice."""
    if len(labels) < 2 or len({*map(str, labels)}) < len(labels):
        raise DataError(
            what="labels that offer no choice", expected="at least two, each once", got=f"{list(labels)[:10]}"
        )


def check_top(top: Sequence[int], k: int, noun: str) -> None:
    """Raise an error for top-n accuracies that equal the accuracy, or are always 1."""
    for n in top:
        if not 2 <= n <= k:
            raise DataError(
                what="a top-n accuracy that says nothing", expected=f"n from 2 to {k}, for {k} {noun}", got=f"{n}"
            )


def check_finite(name: str, values: np.ndarray, seen: int) -> None:
    """Refuse NaN and infinity, naming the row."""
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(np.argmax(bad.reshape(len(bad), -1).any(axis=1)))
        found = values[row][bad[row]] if values.ndim > 1 else values[row]
        raise DataError(
            what=f"{name} that are not finite numbers",
            where=f"{name}, row {seen + row}",
            expected="finite numbers",
            got=f"{np.ravel(found)[0]}",
        )
