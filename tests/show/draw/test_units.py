"""Units and their connections: the counts of the two nets that are drawn so, shared weights, and what is refused."""

import pytest

import netwright as nw
from netwright.errors import NetError
from netwright.show.draw.style import MARKS
from netwright.show.draw.units import unit_layers, unit_picture


def connections(net: nw.Net) -> list[tuple[int, int, int]]:
    """Units, lines and different weights of each value."""
    layers = unit_layers(net)
    return [(one.count, len(one.lines), len({w for *_, w in one.lines if w >= 0})) for one in layers]


def test_a_perceptron() -> None:
    net = nw.Chain(4, nw.tanh, 4, nw.tanh, 4, nw.softmax, input=2)
    assert connections(net) == [(2, 0, 0), (4, 8, 8), (4, 16, 16), (4, 16, 16)]
    assert [one.captions[0] for one in unit_layers(net)] == [
        "input",
        "linear1, tanh1",
        "linear2, tanh2",
        "linear3, softmax1",
    ]
    assert unit_layers(net)[1].captions[1:] == ("(4,)", "8 weights", "4 biases")
    svg = nw.draw(net, units=True).svg
    assert svg.count("<circle") == 14 and svg.count('class="edge"') == 40 and "stroke:#" not in svg.split("</style>")[1]


def test_a_convolution_shares_its_weights_and_a_dense_layer_does_not() -> None:
    same = nw.Chain(nw.Conv(1, 3), input=(5, 1))
    assert connections(same) == [(5, 0, 0), (3, 9, 3)]
    assert unit_layers(same)[1].captions[2:] == ("3 weights", "1 bias")
    lines = {(i, j): weight for i, j, weight in unit_layers(same)[1].lines}
    assert lines[0, 0] == lines[1, 1] == lines[2, 2] != lines[1, 0]
    svg = nw.draw(same, units=True).svg
    assert [svg.count(f'style="stroke:{colour}"') for colour in MARKS[:4]] == [3, 3, 3, 0]
    dense = nw.Chain(nw.Flatten(), nw.Linear(5), input=(5, 1))
    assert connections(dense) == [(5, 0, 0), (5, 25, 25)]


def test_a_pool_connects_its_whole_window_without_weights() -> None:
    assert connections(nw.Chain(nw.MaxPool(3), nw.Linear(2), input=(9, 1, 1)[:2])) == [(9, 0, 0), (3, 9, 0), (6, 6, 2)]


def test_a_narrow_picture_flows_down() -> None:
    net = nw.Chain(3, input=2)
    wide, narrow = unit_picture(net, 1120), unit_picture(net, 360)
    assert wide.width > wide.height and narrow.height > wide.height


@pytest.mark.parametrize(
    ("net", "text"),
    [
        (
            nw.Chain(nw.Linear(300), input=5),
            "the net has too many units to draw each of them\n"
            "  expected: at most 200 units, and 2,000 pairs of units that a layer can connect\n"
            "  got:      305 units, 1,500 pairs\n"
            "  mend:     nw.draw(net)\n"
            "  or:       units=True for a net of the same form with smaller sizes",
        ),
        (
            nw.Residual(nw.Linear(3), input=3),
            "only a chain of layers can be drawn unit by unit\n"
            "  expected: one input, one output, and each layer reads the one before\n"
            "  mend:     nw.draw(net)\n"
            "  or:       nw.draw(net[path], units=True) for a part that is a chain",
        ),
        (
            nw.Chain(nw.Linear(3), input=("n", 2)),
            "units can be counted only where all sizes are numbers\n"
            "  where:    input\n"
            "  got:      (n, 2)\n"
            "  mend:     net.with_input(…) with numbers",
        ),
        (
            nw.Chain(nw.LayerNorm(), input=3),
            "only layers that are linear in their input have one weight between two units\n"
            "  where:    layernorm1\n"
            "  expected: a linear layer, a convolution, or a layer without weights\n"
            "  got:      LayerNorm\n"
            "  mend:     nw.draw(net)",
        ),
    ],
)
def test_what_cannot_be_drawn_unit_by_unit(net: nw.Net, text: str) -> None:
    with pytest.raises(NetError) as error:
        nw.draw(net, units=True)
    assert str(error.value) == text
