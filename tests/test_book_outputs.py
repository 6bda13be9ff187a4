"""What is kept of an output: a figure in the better of its two forms, and nothing that needs a script."""

import base64
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from nbformat.v4 import new_output
from PIL import Image

import netwright as nw

BOOK = Path(__file__).parents[1] / "book"
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def outputs(monkeypatch):
    monkeypatch.syspath_prepend(BOOK)
    import outputs

    yield outputs
    del sys.modules["outputs"]


def shown(outputs, data):
    output = outputs.settled(new_output("display_data", data))
    return None if output is None else dict(output.data)


def png(pixels):
    """A picture in base64."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def pixels_of(text):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGBA")).astype(int)


def test_a_picture_has_a_palette_where_this_is_smaller(outputs):
    place = np.mgrid[:120, :160].sum(0)
    colours = np.stack([place % 256, place // 2, 255 - place // 2], -1).astype(np.uint8)
    noise = (colours + np.random.default_rng(0).integers(0, 9, colours.shape)).clip(0, 255).astype(np.uint8)
    for photograph in (noise, np.concatenate([noise, place[..., None].clip(0, 255).astype(np.uint8)], -1)):
        kept = outputs.small(png(photograph))
        assert len(kept) < 0.8 * len(png(photograph))
        assert np.abs(pixels_of(kept) - pixels_of(png(photograph))).mean() < 6
        assert outputs.small(kept) == kept
        inside = '<svg><image href="data:image/png;base64,{}"/></svg>\n'
        assert outputs.slim(inside.format(png(photograph))) == inside.format(kept)
    plain = np.zeros((4, 4, 3), np.uint8)
    plain[1:3, 1:3] = 255
    assert (pixels_of(outputs.small(png(plain))) == pixels_of(png(plain))).all()


def test_a_figure_is_an_svg_unless_it_is_large_and_the_png_is_smaller(outputs):
    small, large = "<svg>1</svg>\n", f"<svg>{'1' * 200_000}</svg>\n"
    dot = png(np.zeros((1, 1), np.uint8))
    noise = outputs.small(png(np.random.default_rng(0).integers(0, 256, (500, 500, 3), np.uint8)))
    assert shown(outputs, {"image/svg+xml": small, "image/png": dot}) == {"image/svg+xml": small}
    assert shown(outputs, {"image/svg+xml": large, "image/png": dot}) == {"image/png": dot}
    assert shown(outputs, {"image/svg+xml": large, "image/png": noise}) == {"image/svg+xml": large}
    assert shown(outputs, {"image/svg+xml": large}) == {"image/svg+xml": large}
    assert shown(outputs, {"image/png": dot}) == {"image/png": dot}


def test_a_widget_is_not_kept(outputs):
    assert shown(outputs, {WIDGET: {}, "text/plain": "Box()"}) is None
    assert shown(outputs, {WIDGET: {}, "text/plain": "Box()", "text/html": "<b>1</b>"}) == {"text/html": "<b>1</b>"}
    assert outputs.settled(new_output("stream", text="1")).text == "1"


def test_what_needs_a_script_is_not_kept_beside_its_picture(outputs):
    page, svg = "<div><script>1</script></div>", "<svg>1</svg>\n"
    assert shown(outputs, {"text/html": page, "image/svg+xml": svg}) == {"image/svg+xml": svg}
    assert shown(outputs, {"text/html": "<b>1</b>", "text/plain": "1"}) == {"text/html": "<b>1</b>", "text/plain": "1"}


def test_a_drawing_keeps_its_form_for_a_phone(outputs):
    net = nw.Chain(*(nw.Linear(4), nw.relu) * 4, input=4)

    def narrow(drawing):
        data = {"text/html": drawing._repr_html_(), "image/svg+xml": drawing._repr_svg_()}
        return outputs.settled(new_output("display_data", data)).metadata.get("narrow")

    assert narrow(nw.draw(net)) == outputs.slim(nw.draw(net, width=360).svg)
    assert narrow(nw.draw(net, width=360)) is None


def test_a_drawing_has_no_date_and_no_more_places_than_can_be_seen(outputs):
    svg = (
        '<?xml version="1.0"?>\n<!DOCTYPE svg>\n<svg>\n <metadata>\n  today\n </metadata>\n <!-- axes -->\n'
        '  <path d="M 1.23456 -0.00012 L 10 20.5"/>\n  <text x="3.14159" style="x: 1.23456">0.123456</text>\n</svg>\n'
    )
    assert outputs.slim(svg) == (
        '<svg>\n<path d="M 1.23 -0 L 10 20.5"/>\n<text x="3.14" style="x: 1.23456">0.123456</text>\n</svg>\n'
    )


def test_how_a_file_was_fetched_is_not_kept_but_a_warning_is(outputs):
    def stream(text):
        return outputs.settled(new_output("stream", name="stderr", text=text))

    assert stream("fetching nuclei from a mirror\n  nuclei.tif: 1 MB, checked\n") is None
    assert stream("UserWarning: fetching takes long\n").text == "UserWarning: fetching takes long\n"
