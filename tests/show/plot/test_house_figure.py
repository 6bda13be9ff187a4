"""A picture is shown by a notebook once, as SVG with text that can be selected, the same each time."""

import matplotlib as mpl
from IPython.core.formatters import DisplayFormatter

import netwright as nw
from netwright.show.plot.style import INK, PAPER


def picture():
    return nw.plot.kernels(nw.initialize(nw.Chain(nw.Conv(2, 3), input=(5, 5, 1)), seed=0), "conv1")


def test_a_notebook_shows_it_as_svg_and_text():
    shown, _ = DisplayFormatter().format(picture())
    assert shown.keys() == {"image/svg+xml", "text/plain"}
    svg = shown["image/svg+xml"]
    assert "conv1: 2 kernels of 3 × 3</text>" in svg and PAPER in svg and INK in svg


def test_the_same_picture_is_the_same_text():
    with mpl.rc_context({"svg.hashsalt": None, "svg.fonttype": "path"}):
        assert picture()._repr_svg_() == picture()._repr_svg_()


def test_it_is_a_figure_of_matplotlib(tmp_path):
    picture().savefig(tmp_path / "kernels.png")
    assert (tmp_path / "kernels.png").read_bytes()[:4] == b"\x89PNG"


def test_a_browser_writes_what_no_font_of_matplotlib_has():
    text = nw.Characters("日本")
    net = nw.initialize(nw.Chain(nw.Embedding(4), nw.self_attention(4, heads=1), input=text), seed=0)
    assert "日" in nw.plot.attention_heads(net, "日本")._repr_svg_()
