"""Lays out tables of parts: as text in columns, and as HTML for notebooks."""

import html
from collections.abc import Sequence

from netwright.sizes.formula import Formula, formula_text


def cell_text(value: Formula | None) -> str:
    """A number with thousands separated, a formula as mathematics writes it, `?` for what is not known."""
    return "?" if value is None else formula_text(value)


def text_table(head: Sequence[str], depths: Sequence[int], cells: Sequence[Sequence[str]], left: int) -> list[str]:
    """The lines of a table whose last row is a total: so many columns at the left, numbers behind them at the right.

    Fields: `depths`, by row, how many containers a part stands in; its path is shortened to its name there.
    """
    body = [
        ("  " * depth + (path.split("/")[-1] if depth else path), *rest)
        for depth, (path, *rest) in zip(depths, cells, strict=True)
    ]
    table = [tuple(head), *body]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(_padded(line, widths, left)).rstrip() for line in table]
    rule = "-" * max(map(len, lines))
    return [lines[0], rule, *lines[1:-1], rule, lines[-1]]


def html_table(kind: str, head: Sequence[str], depths: Sequence[int], cells: Sequence[Sequence[str]]) -> str:
    """The same as HTML, of the class `kind`; here paths stand in full."""
    names = "".join(f"<th scope='col'>{name}</th>" for name in head)
    body = ""
    for depth, (path, *rest) in zip(depths, cells, strict=True):
        first = f"<th scope='row' style='padding-left:{depth + 0.6:.1f}em'>{html.escape(path)}</th>"
        body += f"<tr>{first}{''.join(f'<td>{html.escape(cell)}</td>' for cell in rest)}</tr>"
    return f"<table class='{kind}'><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def _padded(line: Sequence[str], widths: Sequence[int], left: int) -> list[str]:
    pairs = enumerate(zip(line, widths, strict=True))
    return [cell.ljust(width) if i < left else cell.rjust(width) for i, (cell, width) in pairs]
