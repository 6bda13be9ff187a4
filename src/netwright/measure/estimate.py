"""`Estimate`: a measured number with its interval and its naive baseline, since they are always shown together.

The intervals are at 95%. They cover the random choice of the examples, but not the randomness of training.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from netwright.errors import DataError
from netwright.value import Value

Z = 1.959963984540054  # the normal deviation that leaves 2.5% on each side
MOST_DECIMALS = 8  # beyond this, and from 1e9 on, a number is shown with an exponent


class Estimate(Value, kw_only=True):
    """A measured number with its 95% interval and what a net that learned nothing would get.

    Fields:
        name: what was measured, as in the line of text.
        value: the number; NaN if it is 0/0 (the precision of a class that was never predicted).
        low, high: the ends of the interval; infinite if the data cannot tell (the spread of one example).
        n: how many examples (or predictions of a class) it was computed from.
        baseline: the same number for the naive guess; None if it is not known.
        baseline_name: the naive guess in words, as `always "1"`.
        percent: the text shows it times 100 with a percent sign; for proportions.
        less_is_better: as of an error or a loss; False as of an accuracy.

    Example:
        >>> print(proportion("accuracy", 9926, 10_000, baseline=0.1135, baseline_name='always "1"'))
        accuracy 99.3% (99.1-99.4, n=10,000), always "1": 11.4%
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    baseline: float | None = None
    baseline_name: str = ""
    percent: bool = False
    less_is_better: bool = False

    def __float__(self) -> float:
        return float(self.value)

    def number(self, x: float) -> str:
        """`x` in this estimate's unit, with as many decimals as the width of its interval justifies."""
        if math.isnan(x):
            return "undefined"
        if self.percent:
            return rounded(x, 2, min(max(1, 0 - self._magnitude(100.0)), 4)) + "%"
        decimals = 1 - self._magnitude(1.0)
        if not math.isfinite(x) or abs(x) >= 1e9 or decimals > MOST_DECIMALS:
            return f"{x:.4g}"
        return rounded(x, 0, max(0, decimals))

    def interval(self) -> str:
        """The interval as text, without brackets or percent signs; the empty text when the data cannot tell it."""
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            return ""
        between = " to " if self.low < 0 else "-"
        return between.join(self.number(end).removesuffix("%") for end in (self.low, self.high))

    def versus(self) -> str:
        """The baseline as text, `always "1": 11.4%`; the empty text when there is none."""
        return "" if self.baseline is None else f"{self.baseline_name}: {self.number(self.baseline)}"

    def complement(self, name: str) -> "Estimate":
        """One minus this proportion, with the interval and the baseline that follow."""
        baseline = None if self.baseline is None else 1 - self.baseline
        value, low, high, less = 1 - self.value, 1 - self.high, 1 - self.low, not self.less_is_better
        return replace(self, name=name, value=value, low=low, high=high, baseline=baseline, less_is_better=less)

    def to_json(self) -> dict[str, object]:
        """A plain dict; undefined, infinite and unknown numbers are None, since JSON does not have them."""
        return {
            "value": json_number(self.value),
            "low": json_number(self.low),
            "high": json_number(self.high),
            "n": self.n,
            "baseline": None if self.baseline is None else json_number(self.baseline),
            "baseline_name": self.baseline_name,
        }

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        within = f"{self.interval() or 'no interval'}, n={self.n:,}"
        line = f"{self.name} {self.number(self.value)} ({within})"
        return ", ".join(filter(None, (line, self.versus())))

    def _magnitude(self, scale: float) -> int:
        """The power of ten of the half-width; without a width, that of a hundredth of the value."""
        half = (self.high - self.low) / 2
        if not (math.isfinite(half) and half > 0):
            half = abs(self.value) / 100 if math.isfinite(self.value) else 0.0
        elif not self.percent and (near := min(self.value - self.low, self.high - self.value)) > 0:
            half = near  # the interval of a loss may reach far up
        if self.percent and 0 < self.value < 1:
            half = min(half, 1.99 * self.value, 1.99 * (1 - self.value))  # only all of them are 100%, only none are 0%
        return math.floor(math.log10(half * scale)) if half > 0 else -1


def wilson(hits: float, n: float) -> tuple[float, float]:
    """The 95% score interval of a proportion: the p for which |hits/n - p| <= z √(p (1 - p) / n).

    It stays within 0 and 1 and keeps its width when all or none are hits, where the normal interval shrinks to a
    point. `hits` may be fractional: the sum of n numbers within 0..1 varies at most as much as n coins do.
    With n = 0 it is everything, (0, 1).

    Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927.

    Example:
        >>> [round(end, 4) for end in wilson(9926, 10_000)]
        [0.9907, 0.9941]
    """
    if n == 0:
        return 0.0, 1.0
    p, z2 = hits / n, Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * math.sqrt(max(0.0, p * (1 - p)) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return (0.0 if hits <= 0 else max(0.0, middle - half)), (1.0 if hits >= n else min(1.0, middle + half))


def proportion(name: str, hits: float, n: int, *, baseline: float | None = None, baseline_name: str = "") -> Estimate:
    """hits/n with its Wilson interval; undefined, within (0, 1), when n is 0."""
    low, high = wilson(hits, n)
    value = float(hits / n) if n else math.nan
    return Estimate(
        name=name, value=value, low=low, high=high, n=n, baseline=baseline, baseline_name=baseline_name, percent=True
    )


def f1_score(
    name: str, right: int, wrong: int, missed: int, *, baseline: float | None = None, baseline_name: str = ""
) -> Estimate:
    """F1 = 2 tp / (2 tp + fp + fn), the harmonic mean of precision and recall, with its interval.

    F1 = 2 j / (1 + j) grows with j = tp / (tp + fp + fn), and j is a plain proportion: of the examples that have the
    class or were given it, those that have both. So the ends are those of Wilson's interval of j, put through the same
    formula. Nothing is linearized, and the interval stays within 0 and 1.

    Source: Lam et al., Confidence intervals for the F1 score: a comparison of four methods, 2023 (Wilson indirect).
    """
    j = proportion(name, right, right + wrong + missed)
    value, low, high = (2 * end / (1 + end) for end in (j.value, j.low, j.high))
    return Estimate(
        name=name, value=value, low=low, high=high, n=j.n, baseline=baseline, baseline_name=baseline_name, percent=True
    )


def average(parts: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """The ends of the plain mean of shares, each given with its own ends: (share, low, high).

    They are the mean distance below the mean and the mean distance above it, as if all shares erred in one direction at
    once. One example may be a part of several shares, so nothing narrower is safe; the interval is at least as wide as
    it should be. The mean of no share is somewhere from 0 to 1.
    """
    if not parts:
        return 0.0, 1.0
    value, low, high = (math.fsum(column) / len(parts) for column in zip(*parts, strict=True))
    return max(0.0, min(low, value)), min(1.0, max(high, value))


def student(freedom: float) -> float:
    """The deviation that leaves 2.5% on each side of Student's t, from its expansion in 1 / freedom: 4% off at 3.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.

    Example:
        >>> [round(student(freedom), 2) for freedom in (3, 10, 1000)]
        [3.06, 2.23, 1.96]
    """
    return Z + (Z**3 + Z) / (4 * freedom) + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * freedom**2)


def mean_estimate(value: float, error: float, n: int) -> tuple[float, float]:
    """The 95% interval of a mean of n losses, of which none is below 0, from its standard error.

    The ends are value · exp(-(1.85 + 9/n²) r) and value · exp((z + min(3, 110/n)) r), where r = error / value. Losses
    are skewed: few are large, and a small sample that missed them has both too small a mean and too small an error. So
    the truth lies above value ± t error far too often: of 5 squares of normal errors in 1 of 5 samples. On the
    logarithm little is missed below, and what has to be added above depends on n more than on the losses.

    In simulations the truth is within in 93-98% of samples of 5, 20, 100 and 1000 squares of normal, Laplace,
    exponential and Student's (5) errors, exponential and lognormal losses, absolute errors, and losses that hardly
    differ. With 3 losses it is 90-94%, with 2 82-87%; with 5 means of three squares of exponential errors each, 91%.
    Where one loss in ten is thirty times the others it is 80-84% for 5 and for 20, 95% for 100, and 39% for 5 where the
    others are all equal: so small a sample may have none of them, and then it does not show that there are any.
    One loss has no spread, so its interval is not known.
    """
    if n < 2:
        return 0.0, math.inf
    if not error > 0:
        return value, value
    if value <= 0:  # rounding lets a probability be a little above 1
        return value - student(n - 1) * error, value + student(n - 1) * error
    ratio = error / value
    return value * math.exp(-(1.85 + 9 / n**2) * ratio), value * math.exp((Z + min(3.0, 110 / n)) * ratio)


def equal_coins(share: float, variance: float, most: float, freedom: float) -> float:
    """The number of independent answers whose share would have this variance, at most `most`, times (z / t)².

    The factor, with Student's t of `freedom`, is there because a variance from few examples is itself uncertain.

    Source: Korn and Graubard, Confidence intervals for proportions with small expected number of positive counts
    estimated from survey data, Survey Methodology 1998.
    """
    as_many = share * (1 - share) / variance if variance > 0 else math.inf
    return min(as_many, most) * (Z / student(freedom)) ** 2


class Shares:
    """Ratios Σa / Σb where every example gives its own a and b: of its b positions, a are right.

    The positions of one example are not independent, so they do not count as so many coins. The variance of the ratio
    is read from how examples differ, g/(g - 1) Σ(aᵢ - R bᵢ)² / (Σb)² over the g examples with bᵢ > 0; a proportion has
    Wilson's interval of as many coins as would vary that much, R (1 - R) / variance, at most Σb, and fewer by (z / t)²
    since a variance read from few examples is itself uncertain (t is Student's for g - 1). Where examples do not
    differ, as when all is right, nothing tells how they would: each then counts as one coin. In simulations with 5 to
    1000 examples, dependent and not, it covers 92% to 99%.

    Only sums are kept, so batches stream and memory does not grow.

    Source: Korn and Graubard, Confidence intervals for proportions with small expected number of positive counts
    estimated from survey data, Survey Methodology 1998; Cochran, Sampling Techniques, 1977 (the ratio's variance).

    Example:
        >>> right = Shares(1)
        >>> right.add(np.array([[90], [60], [75]]), np.array([[100], [100], [100]]))
        >>> print(right.proportion("accuracy", 0))
        accuracy 75.0% (37.7-93.7, n=3)
    """

    def __init__(self, columns: int) -> None:
        self._sums = np.zeros((6, columns))  # examples with b > 0, Σa, Σb, Σa², Σab, Σb²

    @property
    def examples(self) -> np.ndarray:
        """(columns,) how many examples have b > 0."""
        return self._sums[0]

    def add(self, a: np.ndarray, b: np.ndarray) -> None:
        """Add examples, (n, columns) each."""
        a, b = a.astype(np.float64), b.astype(np.float64)
        self._sums += np.stack([(b > 0).sum(0), a.sum(0), b.sum(0), (a * a).sum(0), (a * b).sum(0), (b * b).sum(0)])

    def proportion(self, name: str, column: int, *, baseline: float | None = None, baseline_name: str = "") -> Estimate:
        """The ratio of a column, where a is a part of b; undefined, within (0, 1), where Σb is 0."""
        g, ratio, variance = self._ratio(column)
        low, high = wilson(ratio * (coins := self._coins(column, g, ratio, variance)), coins) if g else (0.0, 1.0)
        return Estimate(
            name=name,
            value=ratio,
            low=low,
            high=high,
            n=g,
            baseline=baseline,
            baseline_name=baseline_name,
            percent=True,
        )

    def f1_score(self, name: str, column: int, *, baseline: float | None = None, baseline_name: str = "") -> Estimate:
        """F1 from a column of j = tp / (tp + fp + fn), as the function `f1_score` does."""
        j = self.proportion(name, column, baseline=baseline, baseline_name=baseline_name)
        value, low, high = (2 * end / (1 + end) for end in (j.value, j.low, j.high))
        return replace(j, value=value, low=low, high=high)

    def mean(self, name: str, column: int, *, baseline: float | None = None, baseline_name: str = "") -> Estimate:
        """The ratio of a column of losses, with the interval of `mean_estimate`."""
        g, ratio, variance = self._ratio(column)
        low, high = mean_estimate(ratio, math.sqrt(variance), g)
        return Estimate(
            name=name,
            value=ratio,
            low=low,
            high=high,
            n=g,
            baseline=baseline,
            baseline_name=baseline_name,
        )

    def _ratio(self, column: int) -> tuple[int, float, float]:
        """How many examples, the ratio, and its variance: infinite for one example."""
        g, a, b, aa, ab, bb = map(float, self._sums[:, column])
        if not g:
            return 0, math.nan, math.inf
        ratio = a / b
        spread = aa - 2 * ratio * ab + ratio * ratio * bb
        if spread <= 1e-12 * aa:  # rounding alone
            spread = 0.0
        return int(g), ratio, spread * g / (g - 1) / (b * b) if g > 1 else math.inf

    def _coins(self, column: int, g: int, ratio: float, variance: float) -> float:
        """The number of independent answers that would vary as much."""
        if g < 2 or variance <= 0:
            return float(g)
        return equal_coins(ratio, variance, float(self._sums[2, column]), g - 1)


class Moments(Value, eq=False):
    """Count, mean and co-moments of vectors, in float64, added batch by batch without keeping the batches.

    Fields: `n`; `mean` (*s, m); `co` (*s, m, m), the sum over examples of (x - mean)(x - mean)ᵀ.

    Source: Chan, Golub, LeVeque, Updating formulae and a pairwise algorithm for computing sample variances, 1979.
    """

    n: int
    mean: np.ndarray
    co: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> "Moments":
        """Those of one batch, (b, *s, m) with b >= 1."""
        values = values.astype(np.float64, copy=False)
        mean = values.mean(axis=0)  # (*s, m)
        off = np.moveaxis(values - mean, 0, -1)  # (*s, m, b)
        return cls(len(values), mean, off @ np.swapaxes(off, -1, -2))  # (*s, m, m)

    def plus(self, other: "Moments") -> "Moments":
        """Those of both sets of examples together."""
        n = self.n + other.n
        off = other.mean - self.mean
        co = self.co + other.co + off[..., :, None] * off[..., None, :] * (self.n * other.n / n)
        return Moments(n, self.mean + off * (other.n / n), co)

    def estimate(self, name: str, column: int, *, baseline: float | None = None, baseline_name: str = "") -> Estimate:
        """The mean of one column of (m,) vectors of losses, with the interval of `mean_estimate`."""
        value = float(self.mean[column])
        error = math.sqrt(float(self.co[column, column]) / (self.n - 1) / self.n) if self.n > 1 else math.inf
        low, high = mean_estimate(value, error, self.n)
        return Estimate(
            name=name,
            value=value,
            low=low,
            high=high,
            n=self.n,
            baseline=baseline,
            baseline_name=baseline_name,
        )


def plus(a: Moments | None, b: Moments | None) -> Moments | None:
    """The moments of both; None stands for no example yet."""
    return b if a is None else a if b is None else a.plus(b)


def rounded(x: float, shift: int, decimals: int) -> str:
    """x times 10**shift, rounded half up as people do (0.1135 is 11.4%), with thousands separated."""
    exact = Decimal(repr(float(x))).scaleb(shift)
    return f"{exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) + 0:,}"


def json_number(x: float) -> float | None:
    """x, or None where JSON has no such number."""
    return float(x) if math.isfinite(x) else None


def nothing_measured(without: int = 0) -> DataError:
    """The error for a result that is requested before any example counted; `without` are those without positions."""
    if without:
        return DataError(
            what="nothing was measured: no position of any example counts",
            expected="at least one position whose target is known",
            got=f"{without:,} example{'s' * (without > 1)}, such as masks whose pixels are all ignored",
        )
    return DataError(
        what="nothing was measured: there were no examples",
        expected="at least one example",
        got="0 examples",
    )
