"""Measures the values inside a net over data: their mean, their spread, and how many of them are 0."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from torch import Tensor

from netwright.errors import DataError
from netwright.measure.estimate import Estimate, Moments, Shares, nothing_measured, plus, student
from netwright.measure.report import Report


class InnerSums:
    """The sums of the values at one path of a net, example by example.

    Example:
        >>> seen = InnerSums("relu1")
        >>> seen.update([np.array([0.0, 2.0]), np.array([0.0, 4.0])])
        >>> seen.report().mean.value, seen.report().zeros.value
        (1.5, 0.5)
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.n = self.counted = 0
        self._sums: Moments | None = None  # (3,) of an example: Σ v, Σ v², how many v
        self._zeros = Shares(1)
        self._least, self._greatest = math.inf, -math.inf

    def update(self, values: Sequence[Any] | Tensor) -> None:
        """Add the values of examples, of any sizes.

        Raises: DataError for values that are not finite.
        """
        rows: list[np.ndarray] = []
        for row, value in enumerate(cast(Sequence[Any], values), self.n):
            array = value.detach().double().cpu().numpy() if isinstance(value, Tensor) else value
            flat = np.asarray(array, np.float64).reshape(-1)
            if not np.isfinite(flat).all():
                raise DataError(
                    what="a value inside the net is not finite",
                    where=f"{self.path}, row {row}",
                    expected="finite numbers",
                    got=f"{(~np.isfinite(flat)).sum():,} of {flat.size:,} are NaN or infinite",
                )
            rows.append(flat)
        if not rows:
            return
        made = np.array([[flat.sum(), (flat**2).sum(), flat.size] for flat in rows])  # (b, 3)
        self._sums = plus(self._sums, Moments.of(made))
        self._zeros.add(np.array([[(flat == 0).sum()] for flat in rows]), made[:, 2:])
        self._least = min([self._least, *(float(flat.min()) for flat in rows if flat.size)])
        self._greatest = max([self._greatest, *(float(flat.max()) for flat in rows if flat.size)])
        self.n += len(rows)
        self.counted += int(made[:, 2].sum())

    def report(self) -> Report:
        """The report.

        Raises: DataError where there were no examples.
        """
        if self._sums is None:
            raise nothing_measured()
        total, squares, count = self._sums.mean
        mean = total / count
        of_mean = np.array([1.0, 0.0, -mean]) / count  # how much an example's sums move the mean
        spread = math.sqrt(max(0.0, squares / count - mean**2))
        of_square = np.array([0.0, 1.0, -squares / count]) / count - 2 * mean * of_mean
        of_spread = of_square / (2 * spread) if spread > 0 else np.zeros(3)
        return Report(
            kind="inner value",
            n=self.n,
            unit="values",
            counted=self.counted,
            figures=(
                self._estimate("mean", mean, of_mean),
                self._estimate("standard deviation", spread, of_spread),
                self._zeros.proportion("zeros", 0),
                Estimate(name="least", value=self._least, low=-math.inf, high=math.inf, n=self.n),
                Estimate(name="greatest", value=self._greatest, low=-math.inf, high=math.inf, n=self.n),
            ),
            baseline_from="nothing: a value inside has no naive guess",
            output=self.path,
        )

    def _estimate(self, name: str, value: float, effect: np.ndarray) -> Estimate:
        """A smooth function of the mean sums, by the delta method and Student's t."""
        assert self._sums is not None
        n = self.n
        variance = float(effect @ self._sums.co @ effect) / (n - 1) / n if n > 1 else math.inf
        width = math.sqrt(max(0.0, variance)) * (student(n - 1) if n > 1 else 1.0)
        return Estimate(name=name, value=float(value), low=value - width, high=value + width, n=n)


def inner_report(tallies: Sequence[InnerSums]) -> Report:
    """The report of one path, or of several with the mean of each."""
    reports: Mapping[str, Report] = {one.path: one.report() for one in tallies}
    return several_reports(reports) if len(reports) > 1 else next(iter(reports.values()))


def several_reports(reports: Mapping[str, Report]) -> Report:
    """The report of several outputs or paths: the first figure of each, and the reports themselves."""
    first = next(iter(reports.values()))
    figures = [(name, report.figures[0]) for name, report in reports.items()]
    return Report(
        kind="several outputs" if first.kind != "inner value" else "several inner values",
        n=first.n,
        counted=first.n,
        figures=tuple(replace(figure, name=f"{name} {figure.name}") for name, figure in figures),
        baseline_from=first.baseline_from,
        output=", ".join(reports),
        outputs=reports,
    )
