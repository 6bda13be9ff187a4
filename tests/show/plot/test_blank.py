"""A figure belongs to no window, and without matplotlib the error says what to install."""

import sys

import pytest

import netwright as nw
from netwright.errors import MissingExtraError
from netwright.show.plot.blank import LONGEST, new_figure, plain_name


def test_no_window_knows_the_figure():
    import matplotlib.pyplot as plt

    nw.plot.kernels(nw.initialize(nw.Chain(nw.Conv(2, 3), input=(5, 5, 1))), "conv1")
    assert plt.get_fignums() == []


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError) as error:
        nw.plot.kernels(nw.Chain(4, input=3), "conv1")
    assert str(error.value) == (
        "nw.plot.kernels needs the package matplotlib, which is not installed\n"
        '  mend:     pip install "netwright[plot]"'
    )


@pytest.mark.parametrize("name", ["$a^$", r"$\frac$", "_hidden", "x" * 500])
def test_a_name_is_written_letter_by_letter(name):
    figure = new_figure(3, 2)
    axes = figure.add_subplot()
    axes.plot([0, 1], label=plain_name(name))
    axes.legend()
    assert name[: LONGEST // 2] in figure._repr_svg_()
