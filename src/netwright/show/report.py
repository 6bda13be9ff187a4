"""Writes one self-contained HTML page about a net, a run and a measurement."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netwright.codecs.codec import Codec
from netwright.codecs.image import Image
from netwright.codecs.pictures.pixels import shown_pixels
from netwright.codecs.reading import probabilities
from netwright.errors import MissingArraysError, shortened
from netwright.measure.estimate import Estimate
from netwright.measure.output import shows_chances
from netwright.measure.report import Report
from netwright.net.history import Entry
from netwright.net.part import Net
from netwright.regular import write_file
from netwright.show.contact_sheet import contact_sheet
from netwright.show.draw.drawing import draw
from netwright.show.parts import sizes_text
from netwright.show.pictures import activation, coloured, data_uri
from netwright.show.pieces import (
    choices_html,
    curves_html,
    epochs_words,
    escaped,
    extent_words,
    figures_html,
    figures_words,
    rate_range_html,
)
from netwright.show.summary import Summary, summary
from netwright.show.table import cell_text
from netwright.training.folder.pages import draws_runs
from netwright.training.result import Run

ENTRIES = 20  # of a history, on a page
TEMPLATE = Path(__file__).with_name("report.html")
WIDE, NARROW = 1120, 340  # pixels of the drawing, of which the page shows the one that fits
ROWS = 4  # of a contact sheet
BEST = 3  # labels whose probabilities an example shows


def report(
    what: Run | Net,
    measured: Report | None,
    path: str | Path,
    *,
    title: str = "A net",
    examples: Iterable[tuple[Any, Any]] = (),
    notes: Sequence[str] = (),
) -> Path:
    """Write one page: a drawing of the net, its parts, the choices, curves, figures, kernels, activations, examples.

    If the encoder varies pictures in training, a contact sheet shows how.

    Sections without content are left out: a net alone has no curves, a net without pictures no kernels. The page holds
    its own style and pictures, needs no script and no network, and fits a desktop, a phone and paper, light and dark.

    Fields:
        what: a run, or a net with its arrays.
        measured: the result of `nw.measure`, or None.
        path: of the page; an older page is replaced.
        title: of the page.
        examples: pairs of input and target that are shown with their probabilities; the activations are of the first.
        notes: sentences for the top of the page.

    Raises: FileError where the page cannot be written, and then no part of it is left; MissingArraysError for examples
        and a net without arrays.
    """
    run = what if isinstance(what, Run) else None
    net = what.net if isinstance(what, Run) else what
    shown = list(examples)
    table = summary(net)
    missing = [array for array in net.plan.arrays if array not in net.held.arrays]
    if shown and missing:
        raise MissingArraysError(
            what="the net has no arrays yet, so it cannot answer the examples",
            where=", ".join(missing[:6]),
            mend=("nw.train(net, data).net", "no examples"),
        )
    sections = [
        _drawn(net, table),
        _choices(run),
        _learning(run),
        _variation(run, net, shown),
        *(
            _section(f"Measured{title}", figures_words(one), figures_html(one))
            for title, one in _each_output(measured).items()
        ),
        _answers(net, shown),
        *(_worst(f"The worst examples{title}", net, one) for title, one in _each_output(measured).items()),
        _kernels(net),
        _inside(net, shown),
        _history(net),
    ]
    page = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escaped(title),
        lead="".join(f'<p class="lead">{escaped(note)}</p>' for note in notes),
        tiles="".join(_tiles(run, measured, table)),
        sections="\n".join(filter(None, sections)),
        footer="Written by Netwright. The page is one file without scripts and loads nothing from the network.",
    )
    write_file(Path(path), page, "the report")
    return Path(path)


@draws_runs
def run_page(run: Run, path: Path, so_far: str) -> None:
    """Write the page of a run in its folder; `so_far` says how far it is."""
    report(run, None, path, title=f"The run {path.resolve().parent.name}", notes=[so_far] if so_far else [])


def _tiles(run: Run | None, measured: Report | None, table: Summary) -> list[str]:
    """The headline numbers; first the main figure of each output."""
    tiles: list[tuple[str, str]] = []
    for main in _headlines(measured):
        unit = "%" if main.percent else ""
        tiles.append(
            (main.number(main.value), f"{main.name} on {main.n:,} examples, 95% interval {main.interval()}{unit}")
        )
        if main.baseline is not None:
            tiles.append((main.number(main.baseline), f"baseline: {main.baseline_name}"))
    if run is not None:
        best = next((epoch for epoch in run.epochs if epoch.number == run.best), None)
        if best is not None and "error" in best.validation:
            words = (
                f"accuracy on the validation data after epoch {best.number}; these data were used to choose the epoch"
            )
            tiles.append((f"{1 - best.validation['error']:.2%}", words))
        rate = f"{run.epochs[-1].examples_per_second:,.0f} examples per second" if run.epochs else run.ended
        tiles.append((f"{run.seconds:.0f} s", f"of training: {epochs_words(run)}, {rate}"))
    tiles.append((cell_text(table.parameters), f"parameters in {table.kinds.total()} parts"))
    return [
        f'<div class="tile{" first" if i == 0 else ""}"><b>{escaped(value)}</b><span>{escaped(words)}</span></div>'
        for i, (value, words) in enumerate(tiles)
    ]


def _drawn(net: Net, table: Summary) -> str:
    pictures = f'<div class="drawing wide">{draw(net, width=WIDE).svg}</div>'
    pictures += f'<div class="drawing narrow">{draw(net, width=NARROW).svg}</div>'
    words = "Boxes with square corners have learned weights, boxes with round corners have none. "
    words += "The numbers between the boxes are the sizes of the arrays for one example."
    parts = f'<div class="scroll">{table._repr_html_()}</div>'  # type: ignore[reportPrivateUsage]  # a display method
    return _section("The net", words, f"{pictures}<details open><summary>All parts</summary>{parts}</details>")


def _choices(run: Run | None) -> str:
    body = choices_html(run.choices) if run is not None else ""
    return _section("Choices and their reasons", "", body) if body else ""


def _learning(run: Run | None) -> str:
    if run is None or not run.losses:
        return ""
    charts = curves_html(run.losses, run.epochs) + rate_range_html(run.rate_range)
    return _section("Learning", extent_words(run), f'<div class="two">{charts}</div>')


def _variation(run: Run | None, net: Net, examples: Sequence[tuple[Any, Any]]) -> str:
    """The contact sheet of each input whose pictures vary in training: of the given examples, or of the run's own."""
    sections: list[str] = []
    for port, codec in net.inputs.items():
        given = [value for value, _ in examples[:ROWS]] if len(net.inputs) == 1 else []
        pictures = given or ([] if run is None else run.varied.get(port, []))
        if isinstance(codec, Image) and codec.variation and pictures:
            title = "Pictures as they vary in training" + (f": {port}" if len(net.inputs) > 1 else "")
            words = "Each row begins with an example as it is; the others are what steps of training make of it by "
            sheet = contact_sheet(codec, pictures, port=port)._repr_html_()  # type: ignore[reportPrivateUsage]
            sections.append(_section(title, f"{words}{codec.variation}.", f'<div class="scroll">{sheet}</div>'))
    return "\n".join(sections)


def _headlines(measured: Report | None) -> Sequence[Estimate]:
    """The first figure of each output."""
    if measured is None:
        return ()
    return measured.figures if measured.outputs else measured.figures[:1]


def _each_output(measured: Report | None) -> Mapping[str, Report]:
    """The report of each output with the name for its sections; the empty name for a single output."""
    if measured is None:
        return {}
    return {f": {name}": one for name, one in measured.outputs.items()} or {"": measured}


def _answers(net: Net, examples: Sequence[tuple[Any, Any]]) -> str:
    if not examples or not _labelled(net):
        return ""
    chances: list[Mapping[Any, float]] = net([value for value, _ in examples], probabilities)
    said = net([value for value, _ in examples])
    cards = [
        _card(net, value, actual, answer, chance)
        for (value, actual), answer, chance in zip(examples, said, chances, strict=True)
    ]
    return _section(
        f"{len(examples)} examples with their answers",
        "The net's answer is in large type, and its three most probable labels are beside the bars.",
        f'<div class="cards">{"".join(cards)}</div>',
    )


def _worst(title: str, net: Net, measured: Report) -> str:
    if not measured.worst:
        return ""
    cards = [_card(net, e.input, e.actual, e.predicted, e.probabilities, e.loss) for e in measured.worst]
    words = "The examples with the largest loss, the worst first. "
    words += "Each example has its target in large type, and the answer of the net below it."
    return _section(title, words, f'<div class="cards">{"".join(cards)}</div>')


def _card(
    net: Net, value: Any, actual: Any, answer: Any, chances: Mapping[Any, float], loss: float | None = None
) -> str:
    right = _same(actual, answer)
    best = sorted(chances.items(), key=lambda pair: -pair[1])[:BEST]
    bars = "".join(
        f'<span class="bar">{escaped(label)}<u><i style="width:{chance:.1%}"></i></u>{percent(chance)}</span>'
        for label, chance in best
    )
    head = f"<b>{escaped(_brief(answer))}</b>" if loss is None else f"<b>{escaped(_brief(actual))}</b>"
    words = "" if loss is None else f"<small>answer: {escaped(_brief(answer))}<br>loss: {loss:.3g}</small>"
    if loss is None and not right:
        words = f"<small>target: {escaped(_brief(actual))}</small>"
    return f'<div class="card {"right" if right else "wrong"}">{_shown(net, value)}<div>{head}{words}{bars}</div></div>'


def _same(actual: Any, answer: Any) -> bool:
    """Whether an answer is right; for arrays, whether every number is."""
    arrays = hasattr(actual, "shape") or hasattr(answer, "shape")
    return np.array_equal(np.asarray(actual), np.asarray(answer)) if arrays else bool(actual == answer)


def _kernels(net: Net) -> str:
    """The kernels of the first convolution, if they have one or three channels and so are pictures."""
    for step in net.plan.steps:
        array = net.held.arrays.get(step.arrays.get("weight", ""))
        if array is None or array.ndim != 4 or array.shape[1] not in (1, 3):
            continue
        kernels = array.detach().float().cpu().numpy()  # (out, channels, h, w)
        largest = float(np.abs(kernels).max()) or 1.0
        figures = ""
        for i, kernel in enumerate(kernels, 1):
            pixels = _kernel(kernel, largest)
            figures += f'<figure><img alt="kernel {i}" src="{data_uri(pixels)}"><figcaption>{i}</figcaption></figure>'
        words = f"The {len(kernels)} kernels of {step.path}, each of {kernels.shape[2]} × {kernels.shape[3]}. "
        words += "Blue is negative, red is positive, white is zero." if kernels.shape[1] == 1 else "Mid gray is zero."
        return _section("Kernels of the first convolution", words, f'<div class="kernels">{figures}</div>')
    return ""


def _kernel(kernel: NDArray[Any], largest: float) -> NDArray[np.uint8]:
    """One kernel (channels, h, w) as a picture, on the scale of all."""
    if len(kernel) == 1:
        framed = np.append(kernel[0].ravel(), (-largest, largest))  # so that every kernel has the same scale
        return coloured(framed, "signed")[:-2].reshape(*kernel[0].shape, 3)
    return ((np.moveaxis(kernel, 0, -1) / largest + 1) * 127.5).round().astype(np.uint8)  # (3, h, w) -> (h, w, 3)


def _inside(net: Net, examples: Sequence[tuple[Any, Any]]) -> str:
    """The output of every part for the first example."""
    if not examples:
        return ""
    value = examples[0][0]
    plan = net.plan
    paths = list(net.paths)
    arrays = net([value], at=paths)
    figures = f"<figure>{_shown(net, value)}<figcaption><b>input</b></figcaption></figure>"
    for path in paths:
        pixels, words = activation(arrays[path][0].float().cpu().numpy())
        sizes = sizes_text(plan, plan.value(path) or ())
        figures += (
            f'<figure><img alt="activations of {escaped(path)}" src="{data_uri(pixels)}">'
            f"<figcaption><b>{escaped(path)}</b> {escaped(sizes)}<br>{escaped(words)}</figcaption></figure>"
        )
    words = "All pictures are for one example. In each picture, the smallest value is dark and the largest is light."
    return _section("The output of every part", words, f'<div class="maps">{figures}</div>')


def _shown(net: Net, value: Any) -> str:
    """An input as a picture where its encoder takes pictures, else as text."""
    codec: Codec | None = next(iter(net.inputs.values()))
    if len(net.inputs) == 1 and isinstance(codec, Image):
        stored = codec.encode(value)  # (h, w, c)
        return f'<img alt="input" src="{data_uri(shown_pixels(stored))}">'
    return f'<div class="what">{escaped(_brief(value))}</div>'


def percent(chance: float) -> str:
    """A probability in percent with two significant digits: 99.98%, 0.13%, below 0.01%.

    Example:
        >>> percent(0.99981), percent(1.0), percent(0.99999), percent(1e-9)
        ('99.98%', '100.00%', '>99.99%', '<0.01%')
    """
    if 0 < chance < 0.00005:
        return "<0.01%"
    return ">99.99%" if 0.99995 <= chance < 1 else f"{chance:.2%}"


def _labelled(net: Net) -> bool:
    return len(net.outputs) == 1 and shows_chances(next(iter(net.outputs.values())))


def _brief(value: Any) -> str:
    return shortened(str(value), 60)


def _history(net: Net) -> str:
    """What was done to the net since it was made, the last 20 entries of it."""
    if not net.held.history:
        return ""
    return _section("History", "The oldest first.", "".join(map(_entry, net.history.entries[-ENTRIES:])))


def _entry(entry: Entry) -> str:
    """One line of a history, which opens to its settings, digests and versions if it has any."""
    line = f"<b>{escaped(entry.kind)}</b> {escaped(f'{entry.part}: {entry.text}' if entry.part else entry.text)}"
    if not entry.facts:
        return f'<div class="entry">{line}</div>'
    facts = "".join(f"<div><dt>{escaped(name)}</dt><dd>{escaped(text)}</dd></div>" for name, text in entry.facts)
    return f'<details class="entry"><summary>{line}</summary><dl class="choices">{facts}</dl></details>'


def _section(title: str, words: str, body: str) -> str:
    return f"<section><h2>{escaped(title)}</h2>{f'<p>{escaped(words)}</p>' if words else ''}{body}</section>"
