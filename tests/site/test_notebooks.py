"""How the site shows a page of the book: with its results if it was run, and saying so if it was not."""

import base64
import io

import nbformat
import pytest
from nbformat.v4 import new_output
from PIL import Image

PAGE = "# First *page*\n\nWhat it says.\n\n## A [part](01-b.md) of `it`\n\nMore.\n\n```python\n1\n```\n"
SVG = '<svg width="1"><style>@media (prefers-color-scheme:dark){a{x:1}}</style><text>loss</text><text>0.5</text></svg>'


@pytest.fixture
def page(tmp_path):
    (tmp_path / "matplotlibrc").write_text("")
    file = tmp_path / "00-first.md"
    file.write_text(PAGE)
    return file


def executed(site, page, *outputs):
    """Write the executed form of the page, as the builder of the book does."""
    pages = site("pages")
    notebook = pages.read(page)
    notebook.cells[-1].outputs = [new_output("display_data", data) for data in outputs]
    form = pages.executed_form(page)
    form.parent.mkdir()
    nbformat.write(pages.alone(site("outputs").kept(notebook), page), form)


def test_a_page_that_was_not_run_is_shown_from_its_source_and_says_so(site, page, tmp_path):
    first, code = site("notebooks").shown(page, tmp_path).cells
    assert first.source.startswith("# First *page*\n\n:::{note}\nThis page was not run yet")
    assert "## A [part](01-b.ipynb) of `it`" in first.source and code.source == "1" and code.outputs == []


def test_an_executed_page_is_shown_with_its_link_below_its_first_paragraph(site, page, tmp_path, monkeypatch):
    executed(site, page, {"text/plain": "1"})
    first, code = site("notebooks").shown(page, tmp_path).cells
    assert first.source == (
        "# First *page*\n\nWhat it says.\n\n```{div} nw-download\n{download}`Download this page as a notebook "
        "<../notebooks/00-first.ipynb>`\n```\n\n## A [part](01-b.ipynb) of `it`\n\nMore."
    )
    assert code.outputs[0].data == {"text/plain": "1"}
    monkeypatch.setenv("NETWRIGHT_QUICK", "1")
    (tmp_path / "executed").rename(tmp_path / "executed-quick")
    assert ":::{warning}\nQuick form" in site("notebooks").shown(page, tmp_path).cells[0].source


def test_figures_have_numbers_captions_and_descriptions(site, page, tmp_path):
    Image.new("P", (2, 2)).save(file := io.BytesIO(), "PNG")
    png = base64.b64encode(file.getvalue()).decode()
    executed(site, page, {"image/svg+xml": SVG}, {"image/png": png}, {"text/html": "<b>1</b>"})
    drawing, picture, table = (
        o.data["text/html"] for o in site("notebooks").shown(page, tmp_path / "f").cells[1].outputs
    )
    assert drawing.startswith('<figure id="figure-1"><div class="nw-figure"><svg role="img" aria-label="Figure: A part')
    assert 'aria-label="Figure: A part of it. Words in it: loss"' in drawing and "body[data-theme=dark] a" in drawing
    assert '<figcaption><a href="#figure-1">Figure 0.1</a> A part of it</figcaption>' in drawing
    assert '<img src="../f/00-first-2.png" alt="Figure: A part of it" loading="lazy">' in picture
    assert (tmp_path / "f" / "00-first-2.png").read_bytes() == file.getvalue()
    assert table == '<div class="nw-rich"><b>1</b></div>'


def test_a_box_can_give_its_figure_a_caption(site, page, tmp_path):
    page.write_text(PAGE.replace("```python", '```python caption="The <loss> falls"'))
    executed(site, page, {"image/svg+xml": SVG})
    drawing = site("notebooks").shown(page, tmp_path).cells[1].outputs[0].data["text/html"]
    assert 'aria-label="The &lt;loss&gt; falls"' in drawing
    assert "Figure 0.1</a> The &lt;loss&gt; falls</figcaption>" in drawing


def test_a_drawing_has_its_form_for_a_phone_beside_it(site, page, tmp_path):
    html = f'<div class="nw-narrow">{SVG.replace("loss", "low")}</div><script></script>'
    executed(site, page, {"image/svg+xml": SVG, "text/html": html})
    (drawing,) = (o.data["text/html"] for o in site("notebooks").shown(page, tmp_path).cells[1].outputs)
    wide, narrow = drawing.split('</div><div class="nw-narrow">')
    assert '<div class="nw-wide"><svg role="img"' in wide and "loss" in wide
    assert narrow.startswith('<svg role="img" aria-label="Figure: A part of it. Words in it: loss"') and "low" in narrow
