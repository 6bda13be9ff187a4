"""`Curve`: how well a net answers at every threshold, as points with the area below them."""

import numpy as np

from netwright.measure.estimate import Estimate
from netwright.value import Value


class Curve(Value, eq=False, kw_only=True):
    """Points of one curve, such as the ROC curve of one class.

    Fields:
        kind: "ROC", "precision-recall", "calibration" or "rejection".
        label: the class; None where the curve is that of all classes.
        x, y: (points,), named `x_name` and `y_name`.
        thresholds: (points,) the probability from which on an answer counts; of a calibration curve how many units each
            point stands for.
        low, high: (points,) the ends of the 95% interval of y; empty where only the area has one.
        figure: what sums the curve up, such as the area below it.
    """

    kind: str
    label: object
    x_name: str
    y_name: str
    x: np.ndarray
    y: np.ndarray
    thresholds: np.ndarray
    low: np.ndarray
    high: np.ndarray
    figure: Estimate

    def to_json(self) -> dict[str, object]:
        """A plain dict of numbers, texts and lists."""
        arrays = {name: getattr(self, name).tolist() for name in ("x", "y", "thresholds", "low", "high")}
        finite = {name: [x if np.isfinite(x) else None for x in values] for name, values in arrays.items()}
        names = {"kind": self.kind, "label": None if self.label is None else str(self.label)}
        return {**names, "x_name": self.x_name, "y_name": self.y_name, **finite, "figure": self.figure.to_json()}

    def __repr__(self) -> str:
        of = "" if self.label is None else f" of {self.label!r}"
        return f"<{self.kind} curve{of}, {len(self.x):,} points: {self.figure}>"
