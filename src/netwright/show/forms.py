"""What a notebook shows of nets, runs, measurements and data: their forms, registered for `netwright.forms.html_form`.

A form is one piece of HTML that holds its own style and pictures, needs neither matplotlib nor a script, and takes the
colour of its text from the page, so that it fits a light and a dark one. Importing this module registers the forms.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netwright.data.datasets import Dataset, Split
from netwright.data.table import HEAD, Table
from netwright.errors import shortened
from netwright.forms import html_form
from netwright.measure.report import Report
from netwright.net.part import Container
from netwright.show.chart import ChartLine, chart
from netwright.show.draw.drawing import draw
from netwright.show.pictures import data_uri
from netwright.show.pieces import (
    choices_html,
    curves_html,
    escaped,
    extent_words,
    figures_html,
    figures_words,
    rate_range_html,
    table_html,
)
from netwright.show.summary import summary
from netwright.training.descend import Trajectory
from netwright.training.events import Status
from netwright.training.range_test import RateRange
from netwright.training.result import Run

WIDE = 900  # pixels at which the rows of a drawing wrap
DRAWN = 1000  # parts side by side in a drawing: more take seconds, and nobody would look at them
OPEN = 24  # rows of a table that is not folded
PICTURES, ROWS = 24, 8  # examples of a data set that are shown: as pictures, or as rows of a table
SIDE = 112  # pixels of a picture: of a larger one every second is kept, or every third, and so on
LONGEST = 80  # characters of a cell
STYLE = """<style>
.nw-form{max-width:70em;font-size:13px;line-height:1.45}
.nw-form svg,.nw-form img{max-width:100%;height:auto}
.nw-form p{margin:.3em 0 .6em}.nw-form details{margin:.5em 0}.nw-form summary{cursor:pointer}
.nw-form table{border-collapse:collapse;margin:.3em 0}.nw-form .scroll{overflow-x:auto}
.nw-form th,.nw-form td{padding:.2em .7em;text-align:right;border:0;white-space:nowrap}
.nw-form th[scope=row],.nw-form .nw-summary td:nth-child(2),.nw-form .nw-summary td:nth-child(3){text-align:left}
.nw-form .nw-columns td{text-align:left;white-space:normal}
.nw-form caption{text-align:left;opacity:.75}
.nw-form .two{display:flex;flex-wrap:wrap;gap:.6em 1.6em;align-items:flex-start}
.nw-form .choices div{display:flex;flex-wrap:wrap;gap:0 .8em;padding:.15em 0}
.nw-form dl,.nw-form dd,.nw-form dt{margin:0}.nw-form dt{min-width:9em;font-weight:600}
.nw-form dd span{opacity:.7;padding-left:.8em}
.nw-form figure{display:inline-block;margin:0 .7em .5em 0;text-align:center}
.nw-form figure img{image-rendering:pixelated;display:block;margin:0 auto}
.nw-form .nw-chart{display:block;flex:1 1 26em;max-width:34em}
.nw-form .nw-grid{stroke:currentColor;opacity:.18}
.nw-form .nw-tick,.nw-form .nw-legend{fill:currentColor;font-size:13px}
.nw-form .nw-line{fill:none;stroke-width:2.2;stroke-linejoin:round}
.nw-form .nw-line0{stroke:#3b7dd8}.nw-form .nw-fill0{fill:#3b7dd8}
.nw-form .nw-line1{stroke:#d9792b}.nw-form .nw-fill1{fill:#d9792b}
</style>"""


@html_form.register
def net_form(net: Container) -> str:
    """A net: its drawing, if a cell can show it soon, and the table of its parts, which is folded if it is long."""
    table = summary(net)
    parts = f'<div class="scroll">{table._repr_html_()}</div>'  # type: ignore[reportPrivateUsage]  # a display method
    shown = " open" if len(table.rows) <= OPEN else ""
    words = escaped(table.kinds_text())
    drawing = draw(net, width=WIDE).svg if len(net.children()) <= DRAWN else ""
    return _form(f"{drawing}<details{shown}><summary>{words}</summary>{parts}</details>")


@html_form.register
def run_form(run: Run) -> str:
    """A run: how far it went, its curves, its choices, which are folded."""
    charts = curves_html(run.losses, run.epochs) if run.losses else ""
    charts += rate_range_html(run.rate_range)
    choices = choices_html(run.choices)
    folded = f"<details><summary>{len(run.choices)} choices and their reasons</summary>{choices}</details>"
    return _form(f"<p>{escaped(extent_words(run))}</p>" + f'<div class="two">{charts}</div>' + folded * bool(choices))


@html_form.register
def status_form(status: Status) -> str:
    """A run that goes on or has just ended: its curves so far."""
    charts = curves_html(status.losses, status.done) if status.losses else ""
    return _form(f'<div class="two">{charts}</div>') if charts else ""


@html_form.register
def rate_range_form(found: RateRange) -> str:
    """A range test: what it found, and its curve."""
    return _form(f"<p>{found.rate:.3g}: {escaped(found.why)}</p>{rate_range_html(found)}")


@html_form.register
def report_form(report: Report) -> str:
    """A measurement: the figures of each output with their intervals and baselines, and the confusion matrix."""
    outputs = report.outputs or {"": report}
    sections = [
        f"{f'<p><b>{escaped(name)}</b></p>' if name else ''}<p>{escaped(figures_words(one))}</p>{figures_html(one)}"
        for name, one in outputs.items()
    ]
    return _form("".join(sections))


@html_form.register
def trajectory_form(way: Trajectory) -> str:
    """A descent: the cost at every step."""
    points = [(float(step), float(cost)) for step, cost in enumerate(way.costs)]
    return _form(f"<p>{escaped(repr(way))}</p>{chart([ChartLine('cost', points)], 'step')}")


@html_form.register
def split_form(part: Split) -> str:
    """Examples: the first ones, as pictures with their targets, or as rows of a table."""
    return _form(f"<p>{escaped(repr(part))}</p>{_examples(part)}")


@html_form.register
def dataset_form(data: Dataset) -> str:
    """A data set: what it is and where it came from, its parts, and its first examples."""
    parts = [("train", data.train), ("validation", data.validation), ("test", data.test)]
    rows = [(name, f"{len(part):,} examples") for name, part in parts if part is not None]
    facts = [*rows, ("licence", data.licence), ("source", data.source)]
    listed = "".join(f"<div><dt>{escaped(name)}</dt><dd>{escaped(text)}</dd></div>" for name, text in facts)
    head = f"<p><b>{escaped(data.name)}</b>: {escaped(data.about)}</p>"
    return _form(f'{head}<dl class="choices">{listed}</dl>{_examples(data.train)}')


@html_form.register
def table_form(found: Table) -> str:
    """A table: what each column was taken for."""
    head = f"{found.rows:,} rows, {found.input.encoded} numbers a row"
    columns = f'<div class="nw-columns">{table_html(HEAD, found.cells)}</div>'
    shown = " open" if len(found.columns) <= OPEN else ""
    return _form(f"<details{shown}><summary>{head}</summary>{columns}</details>")


def _form(body: str) -> str:
    return f'<div class="nw-form">{STYLE}{body}</div>'


def _examples(part: Split) -> str:
    """The first examples: a contact sheet where all of them are pictures, else a table."""
    first = [part[i] for i in range(min(PICTURES, len(part)))]
    pictures = [_pixels(value) for value, _ in first]
    if first and all(picture is not None for picture in pictures):
        shown = zip(pictures, (target for _, target in first), strict=True)
        return "".join(_captioned(picture, target) for picture, target in shown if picture is not None)
    more = [("…", "")] if len(part) > ROWS else []
    rows = [(_cell(value), _cell(target)) for value, target in first[:ROWS]]
    return table_html(("input", "target"), [*rows, *more]) if rows else ""


def _pixels(value: Any) -> NDArray[np.uint8] | None:
    """A picture as bytes; None for what is none: an array of bytes with two axes, or with three and 1 or 3 channels."""
    array = value.numpy() if isinstance(value, Tensor) and value.dtype == torch.uint8 else value
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or not array.size:
        return None
    if array.ndim != 2 and (array.ndim != 3 or array.shape[2] not in (1, 3)):
        return None
    step = -(-max(array.shape[:2]) // SIDE)
    return array[::step, ::step]


def _captioned(picture: NDArray[np.uint8], target: Any) -> str:
    size = max(1, round(56 / max(picture.shape[0], 1))) * picture.shape[1]
    image = f'<img alt="an example of {escaped(_cell(target))}" width="{size}" src="{data_uri(picture)}">'
    return f"<figure>{image}<figcaption>{escaped(_cell(target))}</figcaption></figure>"


def _cell(value: Any) -> str:
    if isinstance(value, np.ndarray | Tensor) and value.ndim:
        return f"{value.dtype}, {' × '.join(map(str, value.shape))}"
    return shortened(str(value), LONGEST)
