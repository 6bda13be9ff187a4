"""Boxes have the corners that tell whether they compute or are kept, and arrows end before them."""

from netwright.show.plot.blank import new_figure, only_axes
from netwright.show.plot.nodes import arrow, node
from netwright.show.plot.style import BLUE, INK


def test_boxes():
    axes = only_axes(new_figure())
    node(axes, (0, 0), "a", square=True)
    node(axes, (1, 0), "b", hollow=True)
    filled, hollow = (text.get_bbox_patch() for text in axes.texts)
    assert "Square" in type(filled.get_boxstyle()).__name__ and "Round" in type(hollow.get_boxstyle()).__name__
    assert filled.get_facecolor()[3] == 1 and hollow.get_facecolor()[3] == 0
    assert (axes.texts[0].get_color(), axes.texts[1].get_color()) == ("white", INK)


def test_arrows():
    axes = only_axes(new_figure())
    arrow(axes, (0, 0), (1, 1), BLUE, gap=20)
    patch = axes.texts[0].arrow_patch
    assert (patch.shrinkA, patch.shrinkB) == (20, 20)
