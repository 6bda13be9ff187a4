"""Writes what bench/tables.py measured as a page: means over tables, and differences with their intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

RESAMPLES = 10_000
OWN = "netwright"
NAMES = {"netwright": "nw.tabular", "boosting": "boosting", "linear": "linear", "realmlp": "RealMLP"}
HEAD = """\
# Tables

What the default net of a table is worth: four nets of `nw.tabular(frame, target)` as one, beside scikit-learn's
histogram gradient boosting and linear models at their defaults, and RealMLP of pytabkit at its tuned defaults. All have
the same five folds of the same tables; `bench/tables.py` says how each is called, and `bench/tables_data.py` lists the
tables. Scores are accuracies of classes and R² of numbers, times 100, on rows that were held out. The form of the net
and its patience were chosen on some of these tables.

Intervals are 95% of a paired bootstrap over tables: they say how the differences would vary with other tables of this
kind. The tables are read from packages where the bench runs; only figures are stored, in `bench/tables.json`. Times
are seconds of the processor for one fit, on one thread.
"""


def page(stored: Mapping[str, Any]) -> str:
    """The page of the stored figures."""
    own = stored[OWN]["tables"]
    others = [model for model in NAMES if model != OWN and model in stored]
    lines = [HEAD, "## Differences", ""]
    lines += ["| nw.tabular against | tables | score | log loss | time of a fit |", "|---|---|---|---|---|"]
    for model in others:
        tables = [name for name in own if name in stored[model]["tables"]]
        there = stored[model]["tables"]
        score = _difference([_mean(own, t, "score") - _mean(there, t, "score") for t in tables], 100)
        with_loss = [name for name in tables if "log loss" in own[name]]
        loss = _difference([_mean(own, t, "log loss") - _mean(there, t, "log loss") for t in with_loss], 1)
        ratio = np.median([_mean(own, t, "seconds") / _mean(there, t, "seconds") for t in tables])
        lines.append(f"| {NAMES[model]} | {len(tables)} | {score} | {loss} | {_times(ratio)} |")
    lines += ["", "A score above 0 and a log loss below 0 are in favour of `nw.tabular`.", "", "## Tables", ""]
    models = [OWN, *others]
    lines += ["| table | " + " | ".join(f"{NAMES[model]} | s" for model in models) + " |"]
    lines += ["|---" * (1 + 2 * len(models)) + "|"]
    for name in sorted(own):
        cells = [_cells(stored[model]["tables"], name) for model in models]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "## Versions", ""]
    lines += [f"- {NAMES[model]}: {_versions(stored[model]['versions'])}" for model in models]
    return "\n".join(lines) + "\n"


def bootstrapped(differences: Sequence[float]) -> tuple[float, float, float]:
    """The mean of differences, and the 95% interval of a bootstrap over them."""
    values = np.asarray(differences)
    drawn = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[drawn].mean(1), [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def _difference(differences: Sequence[float], times: float) -> str:
    mean, low, high = (times * value for value in bootstrapped(differences))
    digits = 2 if times > 1 else 3
    return f"{mean:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


def _times(ratio: float) -> str:
    return f"{ratio:.2f} ×" if ratio < 10 else f"{ratio:,.0f} ×"


def _mean(tables: Mapping[str, Any], name: str, figure: str) -> float:
    return float(np.mean(tables[name][figure]))


def _cells(tables: Mapping[str, Any], name: str) -> str:
    if name not in tables:
        return "not run | "
    return f"{100 * _mean(tables, name, 'score'):.1f} | {_mean(tables, name, 'seconds'):.2f}"


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
