"""What a decoder says of its answer decides what is counted, and at which positions."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.measure.classification import ClassCounts
from netwright.measure.output import TALLIES, shows_chances
from netwright.measure.positions import PositionCounts
from netwright.measure.regression import NumberSums
from netwright.measure.sequences import ElementCounts
from netwright.measure.several import LabelCounts

KIND = nw.Category(["a", "b"])


@pytest.mark.parametrize(
    ("codec", "kind", "unit"),
    [
        (KIND, ClassCounts, "examples"),
        (nw.Boolean(), ClassCounts, "examples"),
        (nw.Each(KIND), PositionCounts, "positions"),
        (nw.Each(nw.Boolean()), PositionCounts, "positions"),
        (nw.Labels(["a"]), LabelCounts, "examples"),
        (nw.Number(0, 1), NumberSums, "examples"),
        (nw.Image(2, 3), NumberSums, "examples"),
        (nw.Array("n 3"), NumberSums, "positions"),
        (nw.Characters("ab"), ElementCounts, "elements"),
    ],
)
def test_the_answer_decides_what_is_counted(codec, kind, unit) -> None:
    tally = TALLIES[codec.answer](codec, ())
    assert (type(tally), tally.unit) == (kind, unit)


@pytest.mark.parametrize(
    ("codec", "components"),
    [
        (nw.Number(0, 1), 1),
        (nw.Vector(3), 3),
        (nw.Image(2, 3), 18),
        (nw.Array("n 3"), 3),
        (nw.Array("3 n"), 1),
        (nw.Each(nw.Vector(2)), 2),
        (nw.Array("()"), 1),
    ],
)
def test_numbers_beside_each_other_have_a_mean_of_their_own(codec, components) -> None:
    assert TALLIES["numbers"](codec, ()).components == components


def test_probabilities_are_shown_of_one_answer() -> None:
    assert [shows_chances(codec) for codec in (KIND, nw.Boolean(), nw.Each(KIND), nw.Number(), None)] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_lists_of_lists_that_differ_are_refused_with_their_row() -> None:
    net = nw.initialize(nw.Chain(2, nw.softmax, input=(2, 2, 3), output=nw.Each(KIND)), seed=0)
    x = torch.tensor(np.zeros((2, 2, 2, 3), "float32"))
    with pytest.raises(nw.DataError) as caught:
        nw.measure(net, (x, [[["a", "b"], ["a", "b"]], [["a"], ["a", "b"]]]))
    assert caught.value.where == "row 1, position 1"


def test_a_decoder_of_boxes_is_measured_by_their_precision():
    class Corners(nw.Codec):
        """One box in a picture, as its four sides."""

        encoded = decoded = "4"
        answer = "boxes"

        def encode(self, raw):
            return torch.tensor(raw[0][0], dtype=torch.float32)

        def read(self, output, reading):
            del reading
            return [(tuple(output.tolist()), "cat", 1.0)]

    net = nw.Chain(nw.Dropout(0.5), input=4, output=Corners())
    boxes = [[0.0, 0.0, 10.0, 10.0], [5.0, 5.0, 9.0, 9.0]]
    report = nw.measure(net, (boxes, [[((0, 0, 10, 7.2), "cat")], [((5, 5, 9, 9), "cat")]]))
    assert [figure.name for figure in report.figures] == ["mAP50", "mAP50-95"]
    assert report.map50.value == 1.0 and 0.5 < report.map50_95.value < 1.0
    assert (report.kind, report.asked, report.worst) == ("boxes", (), ())
