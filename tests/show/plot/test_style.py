"""The look of a picture is applied while it is made, and a user's own settings stay as they are."""

from pathlib import Path

import matplotlib as mpl

import netwright as nw
from netwright.show.plot import style


def test_the_settings_of_the_user_stay():
    before = dict(mpl.rcParams)
    with mpl.rc_context({"font.size": 20, "axes.grid": False}):
        figure = nw.plot.kernels(nw.initialize(nw.Chain(nw.Conv(2, 3), input=(5, 5, 1))), "conv1")
        assert mpl.rcParams["font.size"] == 20 and not mpl.rcParams["axes.grid"]
    assert figure.axes[0].title.get_fontsize() == style.NORMAL
    assert dict(mpl.rcParams) == before


def test_the_ticks_that_are_made_when_it_is_drawn_have_the_look_too():
    with mpl.rc_context({"ytick.labelsize": 30, "ytick.color": "red"}):
        figure = nw.plot.kernels(nw.initialize(nw.Chain(nw.Conv(2, 3), input=(5, 5, 1))), "conv1")
        figure.canvas.draw()
        ticks = figure.axes[1].get_yticklabels()
    assert {label.get_fontsize() for label in ticks} == {style.SMALL}
    assert {label.get_color() for label in ticks} == {style.INK}


def test_the_colours_are_those_of_the_book():
    text = (Path(__file__).parents[3] / "book" / "matplotlibrc").read_text(encoding="utf-8")
    for colour in (style.INK, style.LINE, style.PAPER, *style.CYCLE):
        assert colour.removeprefix("#") in text
