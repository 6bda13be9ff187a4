"""Counts the letters and the words that a net gets wrong in transcripts, whose letters have no place in the input."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from netwright.codecs.text.transcript import Transcript
from netwright.measure.arrays import Rows, host
from netwright.measure.edit_distance import edit_distance
from netwright.measure.estimate import Estimate, Shares
from netwright.measure.tally import Metric, Tally

UNITS: Sequence[tuple[str, Callable[[str], Sequence[str]]]] = (("character error", list), ("word error", str.split))


class TranscriptEdits(Tally):
    """The letters and the words to change, insert and delete in the texts that a net gives.

    Fields: `codec` decodes the net's output.

    Example:
        >>> edits = TranscriptEdits(Transcript("ab "))
        >>> elements = np.eye(4)[[0, 3, 2, 3, 1]]
        >>> edits.update([elements], [np.array([0, 2, 0])]).tolist()
        [0.3333333333333333]
        >>> [round(metric(edits).value, 3) for metric in edits.metrics]
        [0.333, 0.5]
    """

    def __init__(self, codec: Transcript) -> None:
        self.codec = codec
        self._shares = Shares(len(UNITS))

    @property
    def metrics(self) -> Sequence[Metric]:
        return [_of(column) for column in range(len(UNITS))]

    def learn(self, right: Rows) -> None:
        """Nothing: the naive answer is the empty text."""

    def update(self, given: Rows, right: Rows) -> np.ndarray:
        edits: list[list[int]] = []
        counts: list[list[int]] = []
        for output, target in zip(given, right, strict=True):
            answer = self.codec.text_of(self.codec.best_path(torch.from_numpy(host(output))))
            wanted = self.codec.text_of(host(target).tolist())
            edits.append([edit_distance(cut(answer), cut(wanted)) for _, cut in UNITS])
            counts.append([max(len(cut(wanted)), 1) for _, cut in UNITS])
        a, b = np.array(edits).reshape(-1, len(UNITS)), np.array(counts).reshape(-1, len(UNITS))
        self._shares.add(a, b)
        self.n += len(a)
        return a[:, 0] / b[:, 0]

    def estimate(self, column: int) -> Estimate:
        """The share of the letters or of the words."""
        share = self._shares
        of = share.mean if share.proportion("", column).value > 1 else share.proportion  # of more than 1 none has coins
        found = of(UNITS[column][0], column, baseline=1.0, baseline_name="the empty text")
        return replace(found, percent=True, less_is_better=True)


def _of(column: int) -> Metric:
    def metric(seen: TranscriptEdits) -> Estimate:
        return seen.estimate(column)

    return metric
