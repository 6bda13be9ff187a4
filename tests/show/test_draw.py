"""A drawing must show every part, say what learns, and be a whole SVG file."""

import re
import xml.etree.ElementTree as ET

import pytest

import netwright as nw
from netwright.cli.demo import lenet
from netwright.errors import FileError, NetError

BRANCHES = nw.Graph(
    left=([nw.Conv(8, 1), nw.relu], "input"),
    right=(nw.Conv(4, 3), "input"),
    end=(nw.relu, "left"),
    input=(9, 9, 3),
)


def texts(drawing, kind):
    root = ET.fromstring(drawing.svg)
    return [e.text for e in root.iter("{http://www.w3.org/2000/svg}text") if e.get("class") == kind]


def test_every_part_and_port_of_a_chain():
    drawing = nw.draw(lenet())
    names = ["conv1", "relu1", "maxpool1", "conv2", "relu2", "maxpool2", "flatten1", "linear1", "relu3", "linear2"]
    assert sorted(texts(drawing, "name")) == sorted(["input", *names, "softmax1", "output"])
    assert texts(drawing, "size").count("(24, 24, 20)") == 2
    assert "Category(range(10))" in texts(drawing, "what")
    assert (drawing.width, drawing.height) == (1095, 166)


def test_square_learns_and_round_does_not():
    found = re.findall(r'class="box (\w+)"[^>]*rx="(\d+)"/><text class="name"[^>]*>(\w+)<', nw.draw(lenet()).svg)
    rounding = {name: (family, corner) for family, corner, name in found}
    assert rounding["conv1"] == ("conv", "4") and rounding["linear2"] == ("linear", "4")
    assert rounding["maxpool1"] == ("pool", "23") and rounding["relu1"] == ("pointwise", "23")


def test_depth_opens_containers():
    closed, opened = nw.draw(BRANCHES), nw.draw(BRANCHES, depth=2)
    assert "left" in texts(closed, "name") and texts(closed, "head") == []
    assert texts(opened, "head") == ["left"] and "conv1" in texts(opened, "name")


def test_a_narrow_drawing_wraps():
    drawing = nw.draw(lenet(), width=340)
    assert drawing.width <= 340 and drawing.height > 500


def test_a_leaf_alone_and_names_escaped():
    assert sorted(texts(nw.draw(nw.Linear(3)), "name")) == ["Linear", "input", "output"]
    svg = nw.draw(nw.Chain(nw.Linear(), input=2, output=nw.Category(["<b>", "c"]))).svg
    assert "<b>" not in svg and "&lt;b&gt;" in svg


def test_saving(tmp_path):
    drawing = nw.draw(BRANCHES)
    drawing.save(tmp_path / "net.svg")
    assert (tmp_path / "net.svg").read_text(encoding="utf-8") == drawing.svg == drawing._repr_svg_()
    with pytest.raises(FileError) as error:
        drawing.save(tmp_path / "no" / "net.svg")
    assert str(error.value) == (
        "the drawing cannot be written\n"
        f"  where:    {tmp_path / 'no' / 'net.svg'}\n"
        "  got:      No such file or directory"
    )


def test_options_out_of_range():
    with pytest.raises(NetError) as error:
        nw.draw(BRANCHES, depth=0)
    assert str(error.value) == (
        "this drawing would show nothing\n"
        "  expected: depth of at least 1, width of at least 200\n"
        "  got:      depth=0, width=1120"
    )


@pytest.mark.parametrize(
    ("options", "got"),
    [
        ({"depth": "a"}, "depth='a', width=1120"),
        ({"width": None}, "depth=1, width=None"),
        ({"depth": True}, "depth=True, width=1120"),
    ],
)
def test_options_that_are_no_numbers(options, got):
    with pytest.raises(NetError) as error:
        nw.draw(BRANCHES, **options)
    assert str(error.value) == (
        f"depth and width are whole numbers\n  expected: depth of at least 1, width of at least 200\n  got:      {got}"
    )


@pytest.mark.parametrize("depth", [1, 2])
def test_every_output_of_a_part_has_its_own_line_and_size(depth):
    net = nw.Chain(nw.Linear(8), nw.Parallel(mean=nw.Linear(3), spread=nw.Linear(7)), input=5)
    drawing = nw.draw(net, depth=depth)
    found = re.findall(r'class="size" x="([\d.]+)" y="([\d.]+)">(\(\d,\))<', drawing.svg)
    (x, y), (u, v) = ((float(a), float(b)) for a, b, text in found if text in ("(3,)", "(7,)"))
    assert x == u and v - y == 18
    starts = {float(start) for start in re.findall(r'class="edge" d="M[\d.]+ ([\d.]+)', drawing.svg)}
    assert {y + 6, v + 6} <= starts  # a line below each


def test_a_part_with_many_outputs_is_high_enough():
    net = nw.Chain(nw.Parallel(*(nw.Linear(n) for n in range(2, 8))), nw.Concatenate(), input=5)
    heights = [float(height) for height in re.findall(r'class="box other"[^>]* height="([\d.]+)"', nw.draw(net).svg)]
    assert heights == [6 * 18 + 10]


def test_the_last_state_of_a_fold_comes_from_its_body() -> None:
    core = nw.Graph(
        join=(nw.Concatenate(), "input", "state"), linear=(nw.Linear(2), "join"), tanh=(nw.tanh, "linear"),
        input={"input": 3, "state": 2},
    )  # fmt: skip
    text = nw.draw(nw.Fold(core)).svg
    assert "(n, 2)" in text
    assert text.count("(2,)") >= 1
