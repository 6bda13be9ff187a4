"""The laws of a drawing, for any net: nothing overlaps, nothing is cut off, no line goes through a box."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netwright as nw
from drawn_svg import Picture, inside
from netwright.show.draw.drawing import Drawing
from netwright.show.draw.picture import inside_of, view_of
from netwright.show.draw.scene import Scene, View
from random_nets import nets

CORE = nw.Graph(
    join=(nw.Concatenate(), "input", "state"),
    linear=(nw.Linear(2), "join"),
    tanh=(nw.tanh, "linear"),
    input={"input": 3, "state": 2},
)
BLOCK = nw.encoder_block(16, 4)
NETS = {
    "inception": nw.bn_inception(range(10)),
    "transformer": nw.Chain(BLOCK, BLOCK, nw.Repeat(4, BLOCK), nw.LayerNorm(), input=("n", 16)),
    "fold": nw.Chain(nw.Fold(CORE), nw.Bidirectional(nw.GRU(3)), nw.Linear(2), input=("n", 3)),
    "fold alone": nw.Fold(CORE),
    "long names": nw.Chain(**{"a_very_long_name_of_a_part_that_does_not_end" * 3: nw.Linear(3)}, b=nw.tanh, input=3),
}


def check(drawing: Drawing, width: int) -> None:
    """Everything that must hold of any drawing."""
    picture = Picture(drawing.svg)
    assert picture.page.right <= width
    rects = [box.rect for box in picture.boxes]
    for a, b in itertools.combinations(rects, 2):
        assert not a.overlaps(b)
    for a, b in itertools.combinations(picture.frames, 2):
        assert not a.overlaps(b) or a.within(b) or b.within(a)
    for frame, rect in itertools.product(picture.frames, rects):
        assert not rect.overlaps(frame) or rect.within(frame)
    for line in [*picture.lines, *picture.loops]:
        assert not any(inside(point, rect) for point in line for rect in rects)
    for box in picture.boxes:
        assert box.texts
        assert all(text.within(box.rect) for _, _, text in box.texts)
    free = [rect for kind, _, rect in picture.texts if kind in ("size", "head")]
    assert all(text.within(picture.page, 4) for text in free)
    assert not any(text.overlaps(rect, 2) for text, rect in itertools.product(free, rects))


def check_complete(net: nw.Net, depth: int, width: int, drawing: Drawing) -> None:
    """Every part, every edge and every port is there, at every opened level."""
    scene = Scene(View(net.plan, width < 560, {}), net, "", depth, width - 28, whole=True, framed=False)
    scenes, boxes, edges = [scene], 0, 0
    while scenes:
        one = scenes.pop()
        boxes += len(one.boxes)
        edges += len(one.layout.routes)
        assert len(one.layout.routes) == sum(len(part.reads) for part in one.contents.parts) + len(one.contents.outputs)
        scenes += [frame.scene for frame in one.frames.values()]
    picture = Picture(drawing.svg)
    assert (len(picture.boxes), len(picture.lines)) == (boxes, edges)


@pytest.mark.parametrize("width", [360, 1120])
@pytest.mark.parametrize("depth", [1, 2, 9])
@pytest.mark.parametrize("name", NETS)
def test_nothing_overlaps_in_nets_that_people_draw(name: str, depth: int, width: int) -> None:
    drawing = nw.draw(NETS[name], depth=depth, width=width)
    check(drawing, width)
    check_complete(NETS[name], depth, width, drawing)


@settings(max_examples=60, deadline=None)
@given(nets(), st.sampled_from([1, 2, 9]), st.sampled_from([360, 700, 1120]))
def test_nothing_overlaps_in_any_net(net: nw.Net, depth: int, width: int) -> None:
    drawing = nw.draw(net, depth=depth, width=width)
    check(drawing, width)
    check_complete(net, depth, width, drawing)
    assert nw.draw(net, depth=depth, width=width) == drawing


def test_a_frame_that_leaves_no_room_to_turn_beside_it_is_made_narrower() -> None:
    net = nw.Chain(nw.Residual([nw.Linear(4), nw.Linear(4), nw.Linear(4), nw.LayerNorm()]), input=4)
    check(nw.draw(net, depth=2, width=700), 700)


def test_a_residual_leads_its_input_past_its_body() -> None:
    net = nw.Chain(nw.Residual([nw.Linear(4), nw.relu, nw.Linear(4)]), input=4)
    picture = Picture(nw.draw(net, depth=2).svg)
    boxes = {box.texts[0][1]: box.rect for box in picture.boxes}
    assert boxes.keys() == {"input", "linear1", "relu1", "linear2", "add", "output"}
    middles = {(rect.top + rect.bottom) / 2 for rect in boxes.values()}
    assert len(middles) == 1  # the body goes on straight
    (arc,) = [line for line in picture.lines if min(y for _, y in line) < min(rect.top for rect in boxes.values())]
    assert arc[-1][0] == boxes["add"].left


def test_the_state_of_a_fold_goes_back_to_its_beginning() -> None:
    for width in (360, 1120):
        picture = Picture(nw.draw(nw.Chain(nw.Fold(CORE), input=("n", 3)), depth=2, width=width).svg)
        (loop,) = picture.loops
        (frame,) = picture.frames
        along = [x if width == 1120 else y for x, y in loop]
        assert max(along) == max(along[: len(along) // 2]) and along[-1] < along[0]
        assert all(inside(point, frame) for point in loop)
    assert "fold1 · Fold · for each element" in picture_heads(1120)


def picture_heads(width: int) -> list[str]:
    return Picture(nw.draw(nw.Chain(nw.Fold(CORE), input=("n", 3)), depth=2, width=width).svg).of("head")


def test_elements_have_their_own_sizes_in_a_frame() -> None:
    sizes = Picture(nw.draw(nw.Fold(CORE)).svg).of("size")
    assert sizes.count("(n, 3)") == 1 and sizes.count("(3,)") == 1 and sizes.count("(n, 2)") == 1


def sizes(net: nw.Net, depth: int = 1) -> list[str]:
    return sorted(Picture(nw.draw(net, depth=depth).svg).of("size"))


def test_sizes_are_written_at_the_inputs_and_where_they_change() -> None:
    assert sizes(nw.Chain(nw.Linear(4), nw.relu, nw.Linear(4), nw.softmax, input=3)) == ["(3,)", "(4,)"]
    two = nw.Graph(sum=(nw.Add(), "a", "b"), join=(nw.Concatenate(), "sum", "a"), input={"a": 3, "b": 3})
    assert sizes(two) == ["(3,)", "(3,)", "(6,)"]
    assert sizes(nw.Chain(nw.Fold(CORE), nw.tanh, input=("n", 3)), 2) == [
        "(2,)", "(2,)", "(3,)", "(5,)", "(n, 2)", "(n, 3)",
    ]  # fmt: skip


def test_sizes_that_change_at_the_end_of_a_frame_are_written_once() -> None:
    wide_inside = nw.Chain(nw.Chain(nw.Linear(8), nw.relu, nw.Linear(3)), nw.tanh, nw.Linear(2), input=3)
    assert sizes(wide_inside) == ["(2,)", "(3,)"]
    assert sizes(wide_inside, 2) == ["(2,)", "(3,)", "(3,)", "(8,)"]
    changed_before_the_end = nw.Chain(nw.Chain(nw.Linear(8), nw.relu), nw.tanh, input=3)
    assert sizes(changed_before_the_end, 2) == ["(3,)", "(8,)"]
    twice = nw.Graph({"one": (inner := nw.Linear(8)(nw.relu(nw.Input("input", 3)))), "two": inner})
    both = nw.Graph(part=(twice, "input"), sum=(nw.Add(), "part.one", "part.two"), input=3)
    assert sizes(both, 2) == ["(3,)", "(8,)", "(8,)"]


def test_equal_containers_that_are_drawn_once_say_the_sizes_of_the_last() -> None:
    block = nw.Chain(nw.Conv(1, 3), nw.relu)
    assert sizes(nw.Chain(block, block, block, input=(9, 1)), 2) == ["(3, 1)", "(7, 1)", "(9, 1)"]


def test_a_container_that_a_page_opens_begins_with_its_sizes() -> None:
    net = nw.Chain(nw.Linear(4), nw.Chain(nw.relu, nw.tanh, nw.Linear(5)), input=3)
    assert Picture(inside_of(view_of(net.plan, 1120), net["chain1"], "chain1", 1120)).of("size") == ["(4,)", "(5,)"]


def test_a_residual_block_of_common_size_is_one_row() -> None:
    body = [nw.Conv(64, 3, padding=1, bias=False), nw.BatchNorm(), nw.relu, nw.Conv(64, 3, padding="same"),
            nw.BatchNorm()]  # fmt: skip
    drawing = nw.draw(nw.Chain(nw.Chain(nw.Residual(body), nw.relu), input=(16, 16, 64)), depth=3)
    rects = [box.rect for box in Picture(drawing.svg).boxes if box.path]
    assert len(rects) == 7
    assert len({(rect.top + rect.bottom) / 2 for rect in rects}) == 1
