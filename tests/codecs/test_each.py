"""Each: any regular nesting, of any codec, there and back, errors by position."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as pil

import netwright as nw
from messages import message
from netwright.codecs import reading
from netwright.codecs.array import Array
from netwright.codecs.category import Boolean, Category
from netwright.codecs.codec import Codec
from netwright.codecs.each import Each
from netwright.codecs.image import Image
from netwright.codecs.labels import Labels
from netwright.codecs.number import Number, Vector
from netwright.codecs.ragged import Ragged
from netwright.codecs.text.characters import Characters
from netwright.codecs.vary.geometry import Flip
from netwright.errors import DataError

DIGITS = Each(Category(range(10)))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_any_depth_comes_back(shape: list[int], seed: int):
    raw = np.random.default_rng(seed).integers(0, 10, shape)
    encoded = DIGITS.encode(raw)
    assert torch.equal(encoded, torch.from_numpy(raw))
    assert torch.equal(DIGITS.encode(raw.tolist()), encoded)
    assert torch.equal(DIGITS.encode(list(raw)), encoded)
    assert torch.equal(DIGITS.encode(torch.from_numpy(raw)), encoded)
    assert DIGITS.decode(torch.eye(10)[encoded]) == raw.tolist()


@pytest.mark.parametrize(
    ("codec", "raw", "shape"),
    [
        (Number(0, 1), [1, 2, 3], (3, 1)),
        (Number(0, 1), np.zeros((2, 3)), (2, 3, 1)),
        (Boolean(), [[True], [False]], (2, 1, 1)),
        (Vector(2, 0, 1), [[1, 2], [3, 4], [5, 6]], (3, 2)),
        (Vector(2, 0, 1), [[[1, 2]], [[5, 6]]], (2, 1, 2)),
        (Vector(2, 0, 1), np.zeros((4, 3, 2)), (4, 3, 2)),
        (Vector(2, 0, 1), [np.zeros(2), [1, 2]], (2, 2)),
        (Labels(["a"]), [{"a"}, [], ("a",)], (3, 1)),
        (Labels(["a", "b"]), [[{"a"}], [{"b"}]], (2, 1, 2)),
        (Array("n <5>"), [[1, 2], [3, 4]], (2, 2)),
        (Array("()"), [[1, 2], [3, 4]], (2, 2)),
        (Image(4, 5), np.zeros((3, 4, 5, 3), np.uint8), (3, 4, 5, 3)),
        (Image(4, 5, "gray"), [np.zeros((4, 5), np.uint8), np.zeros((8, 9), np.uint8)], (2, 4, 5, 1)),
    ],
)
def test_every_codec_at_every_position(codec: Codec, raw: object, shape: tuple[int, ...]):
    each = Each(codec)
    assert tuple(each.encode(raw).shape) == shape
    assert tuple(each.encode_all([raw, raw]).shape) == (2, *shape)
    prepared = each.prepare(each.encode_all([raw, raw]))
    assert tuple(prepared.shape) == (2, *shape)
    assert message(each.encode, []).startswith(
        ("an empty list has no positions", f"Each({type(codec).__name__}) takes")
    )


def test_sizes():
    assert (DIGITS.encoded, DIGITS.decoded) == ("*each <10>", "*each 10")
    assert Each(Image(4, 5)).encoded == "*each 4 5 3"
    assert Each(Array("()")).encoded == "*each"
    assert Each(Category()).encoded == "*each <?>"


def test_readings_at_every_position():
    output = torch.tensor([[0.25, 0.75], [1.0, 0.0]])
    each = Each(Category(["a", "b"]))
    assert each.decode(output) == ["b", "a"]
    assert each.decode(output, reading.probabilities) == [{"a": 0.25, "b": 0.75}, {"a": 1.0, "b": 0.0}]
    assert each.decode(output, reading.raw) is output
    even = torch.full((200, 2), 0.5)
    drawn = each.decode(even, reading.Sample(seed=1))
    assert 60 < drawn.count("a") < 140  # every position draws anew
    assert drawn == each.decode(even, reading.Sample(seed=1))
    assert Each(Number(10, 2)).decode(torch.tensor([[0.0], [1.0]])) == [10.0, 12.0]


def test_fit_learns_from_all_positions():
    assert Each(Category()).fit([["b", "a"], ["c"]]) == Each(Category(["a", "b", "c"]))
    assert Each(Number()).fit(np.array([[1.0, 3.0], [1.0, 3.0]])) == Each(Number(2, 1))
    assert not Each(Number()).fitted
    assert (
        message(Each(Number()).fit, [[1], 2])
        == """\
Each(Number) takes a list, tuple or array, of one thing or more
  where:    row 1
  got:      2 of type int
  mend:     […] around it, if it is the only one"""
    )


def test_bad_nestings():
    assert (
        message(DIGITS.encode, [[1, 2], [3]])
        == """\
the lists are not nested evenly
  where:    position 1
  expected: 2 items, as in the first
  got:      1 items
  mend:     encode_all([…]), which gives a Ragged"""
    )
    assert (
        message(DIGITS.encode, [[1, 2], 3])
        == """\
the lists are not nested evenly
  where:    position 1
  expected: a list, as the first
  got:      3 of type int"""
    )
    assert (
        message(Each(Vector(2)).encode, [3, [1, 2]])
        == """\
the lists are not nested evenly
  where:    position 0
  expected: a list
  got:      3 of type int"""
    )
    assert (
        message(DIGITS.encode, [[], []])
        == """\
an empty list has no positions
  where:    position 0"""
    )
    assert message(DIGITS.encode, np.zeros((0, 3), int)) == "an empty list has no positions"
    assert (
        message(DIGITS.encode, "7")
        == """\
Each(Category) takes a list, tuple or array, of one thing or more
  got:      '7' of type str
  mend:     […] around it, if it is the only one"""
    )
    assert (
        message(DIGITS.encode_all, [[1, 2], [[3]]])
        == """\
this example is nested to another depth than the first one
  where:    row 1
  expected: 1 deep
  got:      2 deep"""
    )
    assert message(DIGITS.encode_all, []) == "there are no examples"
    assert message(DIGITS.encode_all, np.zeros(3, int)).startswith("Each(Category) takes a list")


NESTED = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=4), min_size=1, max_size=4)


def cut(column: torch.Tensor | Ragged) -> list[object]:
    """The examples of a column as nested lists, the padding cut off."""
    if isinstance(column, torch.Tensor):
        return column.tolist()
    values, lengths = column.padded()

    def part(number: tuple[int, ...]) -> object:
        if len(number) > len(lengths):
            return values[number].tolist()
        return [part((*number, i)) for i in range(int(lengths[len(number) - 1][number]))]

    return [part((row,)) for row in range(len(column))]


@given(NESTED)
def test_lists_of_different_lengths_come_back(rows: list[list[int]]):
    for raws in (rows, [np.array(row) for row in rows], [tuple(row) for row in rows]):
        found = DIGITS.encode_all(raws)
        assert isinstance(found, torch.Tensor) == (len(set(map(len, rows))) == 1)
        assert cut(found) == rows


@given(st.lists(NESTED, min_size=1, max_size=4))
def test_nested_lists_of_different_lengths_come_back(raws: list[list[list[int]]]):
    assert cut(DIGITS.encode_all(raws)) == raws
    assert cut(DIGITS.encode_all([[np.array(part) for part in raw] for raw in raws])) == raws


def test_lengths_at_both_depths():
    found = DIGITS.encode_all([[[1, 2], [3]], [[4]]])
    assert isinstance(found, Ragged)
    assert [lengths.tolist() for lengths in found.lengths] == [[2, 1], [2, 1, 1]]
    pictures = DIGITS.encode_all([np.zeros((2, 3), int), np.zeros((1, 3), int)])
    assert isinstance(pictures, Ragged)
    assert tuple(pictures.values.shape) == (3, 3)  # the second axis is the same everywhere
    assert [lengths.tolist() for lengths in pictures.lengths] == [[2, 1]]
    vectors = Each(Vector(2, 0, 1)).encode_all([[[1, 2]], [[3, 4], [5, 6]]])
    assert isinstance(vectors, Ragged)
    assert vectors.row(1).tolist() == [[3, 4], [5, 6]]


def test_what_differs_inside_a_position_is_a_length_too():
    texts = Each(Characters("abc"))
    found = texts.encode_all([["ab", "c"], ["abc"]])
    assert isinstance(found, Ragged)
    assert [lengths.tolist() for lengths in found.lengths] == [[2, 1], [2, 1, 3]]
    assert cut(found) == [[[0, 1], [2]], [[0, 1, 2]]]
    assert texts.encode(["ab", "cb"]).tolist() == [[0, 1], [2, 1]]
    assert texts.decode(torch.eye(3)[texts.encode(["ab", "cb"])]) == ["ab", "cb"]
    assert (
        message(texts.encode, ["ab", "c"])
        == """\
the positions have different lengths: one tensor cannot hold them
  got:      Ragged(2 examples of 1 to 2, 3 elements of torch.int64)
  mend:     encode_all([…]), which gives a Ragged"""
    )
    assert message(texts.encode_all, [["ab"], ["a", "cd"]]).splitlines()[:2] == [
        "character 'd' is not in the vocabulary",
        "  where:    row 1, position 1, character 1, in 'cd'",
    ]


def test_a_bad_thing_is_named_by_position():
    for raw in ([[1, 2], [3, 12]], np.array([[1, 2], [3, 12]])):
        assert (
            message(DIGITS.encode, raw)
            == """\
label 12 is not one of the 10 categories
  where:    position (1, 1)
  expected: 0, 1, 2, 3, 4, 5, …, 9
  got:      12 of type int"""
        )
    assert (
        message(Each(Vector(2)).encode_all, [[[1, 2]], [[1, float("nan")]]])
        == """\
the value is NaN
  where:    row 1, position 0, component 1
  expected: a finite number
  got:      nan
  mend:     leave such examples out, or fill in a value"""
    )


def test_each_of_each_is_one():
    assert (
        message(Each, DIGITS)
        == """\
Each of Each is Each: it takes any depth
  got:      Each(Each(Category(range(10))))
  mend:     Each(Category(range(10)))"""
    )


def test_other_classes_are_a_codecs_own():
    assert Category(["a", "b"]).for_classes(3) == Category(range(3))
    assert Each(Category(["a", "b"])).for_classes(3) == Each(Category(range(3)))
    assert Each(Number(0.0, 1.0)).for_classes(3) is None


def test_a_column_that_is_not_in_memory_is_learned_from_in_pieces(monkeypatch) -> None:
    class Column(Sequence):
        def __init__(self, values) -> None:
            self.values, self.longest = values, 0

        def __len__(self) -> int:
            return len(self.values)

        def __getitem__(self, index):
            found = self.values[index]
            self.longest = max(self.longest, len(found) if isinstance(index, slice) else 1)
            return found

    monkeypatch.setattr("netwright.codecs.pieces.MOST", 5)
    lists = [[float(i)] * (i % 4 + 1) for i in range(40)]
    for values, codec in (
        (lists, Each(Number())),
        (lists, Each(Category())),
        ([["ab", "c" * i] for i in range(1, 30)], Each(Category())),
        (np.arange(120).reshape(40, 3) % 7, Each(Number())),
        (np.arange(120).reshape(40, 3) % 7, Each(Category())),
    ):
        column = Column(values)
        assert codec.fit(column) == codec.fit(values)
        assert column.longest == 5
    with pytest.raises(DataError) as caught:
        Each(Number()).fit(Column([*lists[:17], [], *lists]))
    assert caught.value.where == "row 17"


def test_the_pictures_of_a_sequence_do_not_vary():
    assert message(lambda: Each(Image(4, 4, vary=(Flip(),)))) == (
        "the pictures of a sequence do not vary\n  where:    Each(Image)\n  got:      Flip(axis='horizontal')\n"
        "  mend:     leave vary=… out"
    )


def test_a_film_is_a_sequence_of_its_pictures(tmp_path: Path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 6, 4), dtype=np.uint8)
    frames = [pil.fromarray(one) for one in pixels]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "b.tiff", save_all=True, append_images=frames[1:2])
    codec = Each(Image(3, 2, "gray"))
    film = codec.encode(tmp_path / "a.gif")
    assert torch.equal(film, codec.encode(pixels))
    both = codec.encode_all([tmp_path / "a.gif", str(tmp_path / "b.tiff"), pixels])
    assert isinstance(both, Ragged)
    assert both.lengths[0].tolist() == [3, 2, 3]
    assert torch.equal(both.row(1), film[:2])
    frames = Each(Image(3, 2, "gray"), "frames")
    net = nw.initialize(nw.Map(nw.Conv(2, 3, padding="same"), input=frames), seed=0)
    assert net(tmp_path / "a.gif").shape == (3, 3, 2, 2)
    for one, alone in zip(net([tmp_path / "a.gif", tmp_path / "b.tiff"]), (film, film[:2]), strict=True):
        assert torch.allclose(one, net(alone.numpy()[..., 0]), atol=1e-6)
    chw = Each(Image(3, 2, layout="chw"))
    assert torch.equal(chw.encode(tmp_path / "a.gif")[..., :1], film)
    assert message(codec.encode_all, [pixels, tmp_path / "c.gif"]).startswith(
        "there is no such file\n  where:    row 1"
    )


def test_the_axis_has_a_name():
    codec = Each(Category(range(3)), "words")
    assert (codec.encoded, codec.decoded) == ("words <3>", "words 3")
    assert repr(codec) == "Each(Category(range(3)), 'words')"
    assert codec.encode([0, 2]).tolist() == [0, 2]
    for nested in ([[0, 1], [2, 0]], np.zeros((2, 2), np.int64)):
        assert (
            message(codec.encode, nested)
            == """\
the axis 'words' is one list, and this is nested 2 deep
  expected: a list, tuple or array of what Category takes
  mend:     leave the name of the axis out, for any nesting"""
        )
    assert message(Each, Category(range(3)), "two words").startswith("the axis of a sequence is a name")


MASKS = nw.Mask(["dark", "light"], 6, 6, resize="letterbox")
MARKS = nw.initialize(nw.Chain(nw.Conv(2, 1), nw.softmax, input=Image(6, 6, "gray", resize="letterbox")), seed=1)


def of_frames(decoder: Codec) -> nw.Net:
    """The net of one picture, at every frame of a film."""
    net = nw.Chain(nw.Map(MARKS.bare()), input=Each(Image(6, 6, "gray", resize="letterbox"), "frames"))
    return net.with_arrays({f"map1/body/{path}": value for path, value in MARKS.arrays.items()}).with_output(decoder)


def test_masks_of_frames_are_in_the_pixels_of_each_frame(tmp_path: Path):
    draw = np.random.default_rng(0)
    net, single = of_frames(Each(MASKS, "frames")), MARKS.with_output(MASKS)
    film = draw.integers(0, 256, (3, 12, 8), np.uint8)
    mixed = [film[0], film[1][:6], film[2][:4, :4]]
    for answers, frames in ((net(film), film), (net([mixed])[0], mixed)):
        for answer, frame in zip(answers, frames, strict=True):
            assert answer.shape == frame.shape and (answer == single(frame)).all()
    chances = net([mixed], nw.probabilities)[0]
    assert [one["light"].shape for one in chances] == [(12, 8), (6, 8), (4, 4)]
    assert [[mask.shape for mask in film] for film in net([film, film[:1]])] == [[(12, 8)] * 3, [(12, 8)]]
    pictures = [pil.fromarray(frame) for frame in film]
    pictures[0].save(tmp_path / "film.gif", save_all=True, append_images=pictures[1:])
    assert [mask.shape for mask in net(tmp_path / "film.gif")] == [(12, 8)] * 3
    one = nw.measure(net, ([mixed], [[single(frame) for frame in mixed]]), metrics=[first_size])
    assert one.first_size.value == 12


def first_size(answers: list[list[np.ndarray]], targets: object) -> float:
    del targets
    return answers[0][0].shape[0]


def test_masks_of_frames_have_the_sizes_of_their_frames():
    film = np.zeros((2, 12, 8), np.uint8)
    masks = [np.zeros((12, 8), int), np.zeros((12, 6), int)]
    data = ([film] * 4, [masks] * 4)
    said = message(lambda: nw.train(of_frames(Each(MASKS, "frames")), data, epochs=1, progress=False))
    assert said == (
        "the mask has another size than its picture\n  where:    port 'target', row 0, position 1\n"
        "  expected: 12 x 8, height by width\n  got:      12 x 6"
    )


def test_boxes_of_frames_are_in_the_pixels_of_each_frame():
    image = Image(16, 16, "gray")
    decoder = Each(nw.Boxes(["a"], 16, 16, strides=(16,)), "frames")
    box = torch.tensor([[4.0, 4.0, 12.0, 8.0, 9.0, 9.0]])  # (cells, 5 + k)
    answer = decoder.decode(torch.stack([box, box]))
    frames = [np.zeros((32, 16), np.uint8), np.zeros((16, 48), np.uint8)]
    found = decoder.on_input(answer, Each(image).place_of(frames))
    assert [one.box for things in found for one in things] == [(4.0, 8.0, 12.0, 16.0), (12.0, 4.0, 36.0, 8.0)]
    assert decoder.on_input(answer, Each(image).place_of(frames[:1] * 2)) == [found[0], found[0]]
    assert decoder.on_input(answer, Each(image).place_of([*frames, frames[0]])) == answer  # whose they are is not known
    assert decoder.codec.on_input(answer[0], Each(image).place_of(frames)) == answer[0]
    assert Each(image).place_of([[frames[0]], frames]) == [[image.place_of(frames[0])], [*map(image.place_of, frames)]]


def test_frames_with_as_many_things_as_a_thing_has_parts():
    thing = ((0, 0, 2, 2), "a")
    film = [[thing, thing], [], [thing, thing, thing]]
    assert Each(nw.Boxes(["a"], 8, 8)).encode_all([film, film[:1]]).lengths[1].tolist() == [3, 1, 4, 3]
