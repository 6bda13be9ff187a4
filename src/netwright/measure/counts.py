"""The confusion matrix: counts by actual and predicted class, from which most figures of a classifier are computed."""

import html
from collections.abc import Sequence

import numpy as np

from netwright.errors import DataError
from netwright.value import Value

Label = object
MOST_SHOWN = 30  # classes: a wider table does not fit a screen
LABEL_CELLS = 12  # longer labels are cut, so that ten columns still fit a screen


class Confusion(Value):
    """One kind of mistake and how often it was made."""

    actual: Label
    predicted: Label
    count: int


class ConfusionMatrix(Value, eq=False):
    """Counts of examples by actual class (rows) and predicted class (columns); a value.

    Fields:
        labels: the k classes.
        counts: (k, k) int64, read-only.

    Raises: DataError when the counts are not a k by k table of integers that are at least 0.

    Example:
        >>> matrix = ConfusionMatrix(("cat", "dog"), np.array([[8, 2], [0, 5]]))
        >>> print(matrix)
             cat  dog
        cat    8    2
        dog    .    5
        >>> matrix.most_confused()
        (Confusion(actual='cat', predicted='dog', count=2),)
    """

    labels: tuple[Label, ...]
    counts: np.ndarray

    def __post_init__(self) -> None:
        k, counts = len(self.labels), self.counts
        if counts.shape != (k, k) or counts.dtype.kind not in "iu" or (counts < 0).any():
            raise DataError(
                what="counts that are not a confusion matrix",
                expected=f"({k}, {k}) integers of at least 0, for {k} labels",
                got=f"{counts.shape} of {counts.dtype}, least {counts.min() if counts.size else 'none'}",
            )
        held = counts.astype(np.int64)
        held.setflags(write=False)
        object.__setattr__(self, "counts", held)

    def most_confused(self, count: int = 10) -> tuple[Confusion, ...]:
        """The most frequent mistakes, the most frequent first; fewer when there are fewer kinds of mistake."""
        wrong = self.counts.copy()
        np.fill_diagonal(wrong, 0)
        flat = wrong.ravel()
        order = np.argsort(-flat, kind="stable")[:count]
        places = [(int(i) // len(self.labels), int(i) % len(self.labels)) for i in order if flat[i]]
        return tuple(Confusion(self.labels[a], self.labels[p], int(wrong[a, p])) for a, p in places)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ConfusionMatrix):
            return NotImplemented
        return self.labels == other.labels and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        return hash((self.labels, self.counts.tobytes()))

    def __repr__(self) -> str:
        return f"ConfusionMatrix({self.labels!r}, np.array({self.counts.tolist()}))"

    def __str__(self) -> str:
        """The table, a dot for zero; beyond 30 classes the most frequent mistakes instead."""
        if len(self.labels) > MOST_SHOWN:
            return "\n".join(f"{c.actual} as {c.predicted}: {c.count:,}" for c in self.most_confused(MOST_SHOWN))
        names = [column_label(str(label)) for label in self.labels]
        rows = [["", *names]]
        rows += [
            [n, *(f"{c:,}" if c else "." for c in row)] for n, row in zip(names, self.counts.tolist(), strict=True)
        ]
        return aligned_columns(rows)

    def _repr_html_(self) -> str:
        if len(self.labels) > MOST_SHOWN:
            return f"<pre>{html.escape(str(self))}</pre>"
        names = [html.escape(str(label)) for label in self.labels]
        head = "".join(f"<th scope='col'>{name}</th>" for name in names)
        body = ""
        for i, (name, row) in enumerate(zip(names, self.counts.tolist(), strict=True)):
            total = max(1, sum(row))
            cells = ""
            for j, count in enumerate(row):
                colour = "46, 125, 50" if i == j else "198, 40, 40"
                # the square root shows a handful of mistakes beside a thousand right answers
                shade = f" style='background: rgba({colour}, {(count / total) ** 0.5 * 0.6:.2f})'" if count else ""
                cells += f"<td{shade}>{count:,}</td>"
            body += f"<tr><th scope='row'>{name}</th>{cells}</tr>"
        return (
            "<table><caption>rows: actual, columns: predicted</caption>"
            f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def column_label(label: str) -> str:
    """A label that fits a column."""
    from rich.cells import cell_len, set_cell_size  # here, for importing rich takes longer than most programs' start

    return label if cell_len(label) <= LABEL_CELLS else set_cell_size(label, LABEL_CELLS - 1).rstrip() + "…"


def aligned_columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as lines: the first column to the left, the others to the right, by width on the screen."""
    from rich.cells import cell_len

    widths = [max(cell_len(row[j]) for row in rows) for j in range(len(rows[0]))]
    lines: list[str] = []
    for row in rows:
        pads = [" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = [row[0] + pads[0], *(pad + cell for pad, cell in zip(pads[1:], row[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
