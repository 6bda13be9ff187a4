"""Boxes are as large as their texts, and texts that are too long say that they are cut."""

import pytest

import netwright as nw
from netwright.show.draw.boxes import Box, part_box, port_box, shortened_name, spread, wrapped
from netwright.show.draw.contents import DrawnPart


def drawn(part: nw.Net, path: str, count: int = 1) -> DrawnPart:
    return DrawnPart(path, path, part, (), (), (), tuple(f"{path}{i}" for i in range(count)) if count > 1 else (path,))


def test_what_a_name_says_already_is_not_said_again() -> None:
    assert part_box(drawn(nw.relu, "relu1"), 300, -1).what == ()
    assert part_box(drawn(nw.LayerNorm(), "layernorm1"), 300, -1).what == ()
    assert part_box(drawn(nw.LayerNorm(), "norm"), 300, -1).what == ("LayerNorm()",)
    assert part_box(drawn(nw.Linear(3), "linear1"), 300, -1).what == ("Linear(3)",)


def test_containers_many_parts_and_folds() -> None:
    block = nw.Chain(nw.Linear(3), nw.relu)
    assert part_box(drawn(block, "block"), 300, -1).what == ("Chain of 2 parts",)
    many = part_box(drawn(block, "block", 12), 300, -1)
    assert (many.name, many.what, many.many) == ("block … block11", ("12 × Chain of 2 parts",), True)
    core = nw.Graph(
        join=(nw.Concatenate(), "input", "state"), linear=(nw.Linear(2), "join"), input={"input": 3, "state": 2}
    )
    fold = nw.Fold(core)
    assert part_box(drawn(fold, "fold"), 300, -1).what == ("Fold of 1 part ↻",)


def test_square_learns_and_round_does_not() -> None:
    assert part_box(drawn(nw.tanh, "a"), 300, -1).round and not part_box(drawn(nw.Linear(3), "a"), 300, -1).round


def test_long_texts_wrap_and_then_are_cut() -> None:
    assert wrapped("Conv(64, 3, padding='same', bias=False)", 300) == ("Conv(64, 3,", "padding='same',", "bias=False)")
    assert wrapped("Linear(64, bias=False)", 300) == ("Linear(64,", "bias=False)")
    assert wrapped("Characters('abcdefgh')", 300) == ("Characters('abcdefgh')",)
    assert wrapped("word " * 40, 300)[-1].endswith("…") and len(wrapped("word " * 40, 300)) == 3
    assert shortened_name("a_long_name_of_a_part", 9) == "a_lo…part" and shortened_name("short", 9) == "short"
    assert port_box("in", "Image(28, 28)", 300).family == "port"


@pytest.mark.parametrize("most", [80, 150, 300])
def test_a_box_is_no_wider_than_asked(most: float) -> None:
    part = nw.Conv(64, 3, padding="same", bias=False)
    box = part_box(drawn(part, "a_convolution_with_a_long_name"), most, -1)
    assert box.width <= max(most, 60) and box.height == 34 + 13 * len(box.what)


def test_names_are_escaped_and_several_values_spread() -> None:
    svg = "".join(Box("<b>", (), "other", round=False, path='a"b').drawn(0, 0, 60, 34))
    assert "&lt;b&gt;" in svg and 'data-path="a&quot;b"' in svg
    assert spread(3, 100, [20, 20, 20]) == [30, 50, 70]
