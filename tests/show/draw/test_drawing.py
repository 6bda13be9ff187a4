"""A drawing must show every part, say what learns, and be a whole SVG file."""

import re

import pytest

import netwright as nw
from drawn_svg import Picture
from netwright.cli.demo import lenet
from netwright.errors import FileError, NetError

BRANCHES = nw.Graph(
    left=([nw.Conv(8, 1), nw.relu], "input"),
    right=(nw.Conv(4, 3), "input"),
    end=(nw.relu, "left"),
    input=(9, 9, 3),
)


def texts(drawing, kind):
    return Picture(drawing.svg).of(kind)


def test_every_part_and_port_of_a_chain():
    drawing = nw.draw(lenet())
    names = ["conv1", "relu1", "maxpool1", "conv2", "relu2", "maxpool2", "flatten1", "linear1", "relu3", "linear2"]
    assert sorted(texts(drawing, "name")) == sorted(["input", *names, "softmax1", "output"])
    assert texts(drawing, "size").count("(24, 24, 20)") == 1
    assert "Category(range(10))" in texts(drawing, "what")
    assert drawing.width <= 1120 and drawing.height < 200


def test_square_learns_and_round_does_not():
    boxes = {box.path: box for box in Picture(nw.draw(lenet()).svg).boxes}
    rounding = {path: (box.family, box.corner) for path, box in boxes.items()}
    assert rounding["conv1"] == ("conv", 4) and rounding["linear2"] == ("linear", 4)
    assert rounding["maxpool1"] == ("pool", 17) and rounding["relu1"] == ("pointwise", 17)


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
    drawing.save(tmp_path / "net.html")
    page = (tmp_path / "net.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and drawing._repr_html_() in page and drawing.svg in page
    with pytest.raises(FileError) as error:
        drawing.save(tmp_path / "no" / "net.svg")
    assert str(error.value) == (
        "the drawing cannot be written\n"
        f"  where:    {tmp_path / 'no' / 'net.svg'}\n"
        "  got:      No such file or directory"
    )


def test_another_ending_is_refused():
    with pytest.raises(NetError) as error:
        nw.draw(BRANCHES).save("net.png")
    assert str(error.value) == (
        "a drawing is saved as a picture or as a page\n"
        "  where:    net.png\n"
        "  expected: a name that ends in .svg or .html\n"
        "  got:      '.png'"
    )


def test_a_terminal_shows_the_tree():
    assert (
        repr(nw.draw(BRANCHES, depth=2))
        == str(nw.draw(BRANCHES, depth=2))
        == (
            "Graph  (9, 9, 3) -> (7, 7, 4), (9, 9, 8)\n"
            "├─ left      Chain of 2 parts  (9, 9, 8)\n"
            "│  ├─ conv1  Conv(8, 1)        (9, 9, 8)\n"
            "│  └─ relu1  relu              (9, 9, 8)\n"
            "├─ right     Conv(4)           (7, 7, 4)\n"
            "└─ end       relu              (9, 9, 8)"
        )
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


def test_every_output_of_a_part_has_its_own_line_and_size():
    core = nw.Chain(nw.Linear(8), nw.relu, nw.Parallel(mean=nw.Linear(3), spread=nw.Linear(7)))
    for width in (1120, 360):
        picture = Picture(nw.draw(nw.Chain(core, nw.Concatenate(), input=5), width=width).svg)
        (box,) = [box for box in picture.boxes if box.path == "chain1"]
        sizes = {text: rect for kind, text, rect in picture.texts if kind == "size" and text in ("(3,)", "(7,)")}
        assert len(sizes) == 2 and not sizes["(3,)"].overlaps(sizes["(7,)"])
        ends = {line[0] for line in picture.lines if line[0][width == 360] == box.rect[2 + (width == 360)]}
        assert len(ends) == 2


def test_a_part_with_many_outputs_is_high_enough():
    core = nw.Chain(nw.relu, nw.Parallel(*(nw.Linear(n) for n in range(2, 8))))
    boxes = Picture(nw.draw(nw.Chain(core, nw.Concatenate(), input=5)).svg).boxes
    assert [box.rect.bottom - box.rect.top for box in boxes if box.path == "chain1"] == [6 * 18 + 8]


def test_the_last_state_of_a_fold_comes_from_its_body() -> None:
    core = nw.Graph(
        join=(nw.Concatenate(), "input", "state"), linear=(nw.Linear(2), "join"), tanh=(nw.tanh, "linear"),
        input={"input": 3, "state": 2},
    )  # fmt: skip
    text = nw.draw(nw.Fold(core)).svg
    assert "(n, 2)" in text
    assert text.count("(2,)") >= 1


def test_parts_that_share_arrays_have_one_letter():
    shared = nw.Shared("same", nw.Linear(4))
    svg = nw.draw(nw.Chain(shared, nw.relu, shared, nw.Shared("x", nw.Linear(4)), input=4)).svg
    assert svg.count('class="mark"') == 2 and svg.count(">a</text>") == 2


def test_colours_follow_the_theme_of_the_page_and_else_that_of_the_system():
    svg = nw.draw(BRANCHES).svg
    for selector in ("@media (prefers-color-scheme:dark){.nw-net{", "[data-theme=dark] .nw-net", "[data-theme=light]"):
        assert selector in svg


def test_letters_are_large_enough_to_read():
    sizes = {float(size) for size in re.findall(r"font-size:([\d.]+)px", nw.draw(BRANCHES, width=360).svg)}
    assert min(sizes) >= 9
