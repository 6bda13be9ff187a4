"""What the base class gives every codec: equality, repr, rows of errors, readings of values."""

import pytest
import torch

import netwright as nw
from netwright.codecs import reading
from netwright.codecs.array import Array
from netwright.codecs.category import Boolean, Category
from netwright.codecs.codec import CODECS, Codec, by_row, fits
from netwright.codecs.each import Each
from netwright.codecs.image import Image
from netwright.codecs.labels import Labels
from netwright.codecs.number import Number, Vector
from netwright.codecs.ragged import Ragged
from netwright.codecs.text.characters import Characters
from netwright.errors import DataError, MissingArraysError, NetError, SizeError
from netwright.sizes.free import FREE
from netwright.sizes.notation import port

REPRS = [
    "Array('28 28 1')",
    "Boolean()",
    "Category()",
    "Category(['cat', 'dog'])",
    "Category(range(10))",
    "Each(Category(range(3)))",
    "Each(Image(4, 5, mean=(0.1, 0.2, 0.3)))",
    "Image(28, 28)",
    "Image(28, 28, 'gray')",
    "Image(28, 28, 'gray', mean=FREE, deviation=FREE)",
    "Image(28, 28, deviation=0.5, layout='chw')",
    "Labels(['a'])",
    "Labels([True, 1, 1.0, '1'])",
    "Number()",
    "Number(0.0, 1.0)",
    "Number(deviation=2.0)",
    "Vector()",
    "Vector(3)",
    "Vector(2, (1.0, 2.0), (1.0, 3.0))",
]


@pytest.mark.parametrize("text", REPRS)
def test_repr_gives_an_equal_codec_back(text: str):
    codec = eval(text)
    assert repr(codec) == text
    assert eval(repr(codec)) == codec
    assert hash(eval(text)) == hash(codec)
    assert [other for other in REPRS if eval(other) == codec] == [text]


def test_a_long_repr_says_how_much_it_leaves_out():
    many = Category([f"label {i}" for i in range(1000)])
    assert repr(many).startswith("Category(['label 0', 'label 1', 'label 2'")
    assert repr(many).endswith(", … 1,000 in all])")
    assert len(repr(many)) < 120
    assert eval(many.code()) == many
    assert repr(Category(range(100_000))) == "Category(range(100000))"
    other = Category([*many.labels[:-1], "another"])
    nets = [nw.Chain(nw.Linear(1000), input=3, output=codec) for codec in (many, other)]
    assert nw.digest(nets[0]) != nw.digest(nets[1])
    assert len(repr(nets[0])) < 200


@pytest.mark.parametrize("text", REPRS)
def test_sizes_are_in_the_notation_of_ports(text: str):
    codec = eval(text)
    assert str(port(codec.encoded)) == codec.encoded
    assert str(port(codec.decoded)) == codec.decoded
    assert codec.fitted == ("FREE" not in text and text not in NOT_FITTED)


NOT_FITTED = {"Category()", "Number()", "Number(deviation=2.0)", "Vector()", "Vector(3)"}


def test_equality_tells_the_types_of_labels_apart():
    assert Category([0, 1]) != Category([False, True])
    assert Category([0, 1]) != Category([0.0, 1.0])
    assert Category([0, 1]) != Labels([0, 1])
    assert Category([0, 1]) == Category(range(2)) == Category(torch.arange(2))
    assert Category([0, 1]) != "Category(range(2))"


def test_a_codec_is_frozen():
    with pytest.raises(AttributeError):
        Number().mean = 3.0  # type: ignore[misc]


def test_an_error_in_many_names_the_row():
    with pytest.raises(DataError) as error:
        Boolean().encode_all([True, False, None])
    assert (
        str(error.value)
        == """\
this is not a boolean
  where:    row 2
  expected: True or False, 1 or 0
  got:      None of type NoneType"""
    )


def test_examples_of_several_sizes_are_not_one_tensor():
    with pytest.raises(DataError) as error:
        Array("?").encode_all([[1, 2], [3, 4], [5]])
    assert (
        str(error.value)
        == """\
this example has another size than the first one
  where:    row 2
  expected: (2,)
  got:      (1,)"""
    )


def test_examples_of_several_lengths_are_ragged():
    found = Array("n").encode_all([[1, 2], [3, 4], [5]])
    assert isinstance(found, Ragged)
    assert [lengths.tolist() for lengths in found.lengths] == [[2, 2, 1]]
    assert found.values.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_an_interface_stands_in_no_file():
    assert "Elements" not in CODECS
    assert CODECS["Characters"] is Characters


def test_what_is_positional_is_printed_first():
    assert repr(Characters("ab", unknown=True, mark_start=True)) == "Characters('ab', mark_start=True, unknown=True)"


def test_an_error_shows_the_beginning_of_a_long_codec():
    codec = Category(range(1, 1001))
    with pytest.raises(SizeError) as error:
        codec.decode(torch.zeros(3))
    assert (
        str(error.value)
        == """\
the output does not have the sizes that the decoder takes
  expected: (1000)  Category([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20…
  got:      (3,)"""
    )


@pytest.mark.parametrize("codec", [Number(), Boolean(), Category(range(3)), Image(2, 2), Array("n"), Vector(3)])
def test_no_examples(codec: Codec):
    for nothing in ([], torch.zeros(0)):
        with pytest.raises(DataError) as error:
            codec.encode_all(nothing)
        assert str(error.value) == "there are no examples"


@pytest.mark.parametrize(
    "codec",
    [Number(0, 1), Boolean(), Category(range(3)), Image(2, 2), Array("n"), Vector(3, 0, 1), Labels(["a", "b"])],
)
def test_the_array_itself_is_always_to_be_had(codec: Codec):
    output = torch.randn(3)
    assert codec.decode(output, reading.raw) is output


def test_nan_is_not_decoded():
    with pytest.raises(DataError) as error:
        Category(range(3)).decode(torch.tensor([0.5, float("nan"), 0.5]))
    assert (
        str(error.value)
        == """\
the output holds NaN: there is nothing to decode
  got:      1 of 3 values are NaN
  mend:     look at the array itself: give nw.raw as the reading"""
    )


def test_an_output_of_another_size_is_not_decoded():
    with pytest.raises(SizeError) as error:
        Category(range(3)).decode(torch.ones(12, 12, 3))
    assert (
        str(error.value)
        == """\
the output does not have the sizes that the decoder takes
  expected: (3)  Category(range(3))
  got:      (12, 12, 3)"""
    )


@pytest.mark.parametrize(
    ("sizes", "shape", "answer"),
    [
        ("*s 3", (3,), True),
        ("*s 3", (5, 4, 3), True),
        ("*s 3", (), False),
        ("*s 3", (3, 4), False),
        ("*s", (), True),
        ("2 *s 3", (2, 9, 9, 3), True),
        ("2 *s 3", (3, 9, 2), False),
        ("n n ?", (4, 4, 9), True),
        ("n n", (4, 5), False),
        ("16*k", (48,), True),
        ("16*k", (40,), False),
        ("()", (), True),
        ("()", (1,), False),
    ],
)
def test_fits(sizes: str, shape: tuple[int, ...], answer: bool):
    assert fits(shape, port(sizes)) is answer


@pytest.mark.parametrize("codec", [Number(0, 1), Vector(1, 0, 1), Image(1, 1, "gray"), Array("1")])
def test_a_value_has_no_probabilities(codec: Codec):
    with pytest.raises(DataError) as error:
        codec.decode(torch.ones([int(size) for size in codec.decoded.split()]), reading.probabilities)
    assert (
        str(error.value)
        == f"""\
{type(codec).__name__} gives a value, not a distribution over labels
  expected: no reading, or nw.raw for the array itself
  got:      Probabilities()
  mend:     leave the reading out"""
    )


def test_what_is_not_learned_yet_is_named():
    with pytest.raises(MissingArraysError) as error:
        Number(deviation=2).prepare(torch.ones(1))
    assert (
        str(error.value)
        == """\
this Number has no mean yet
  expected: mean given, or learned from data
  got:      Number(deviation=2.0)
  mend:     train the net: nw.train learns it from the training data
  or:       give mean="""
    )
    assert Number(FREE, 1).fit([3.0, 5.0]) == Number(4, 1)


def test_what_is_learned_already_is_kept():
    for codec in (Number(0, 1), Category(range(3)), Labels(["a"]), Vector(1, 0, 1), Image(2, 2), Each(Number(0, 1))):
        assert codec.fit([]) is codec


def test_fields_are_of_their_types():
    with pytest.raises(NetError) as error:
        Category(5)  # type: ignore[arg-type]
    assert str(error.value) == (
        "labels of Category cannot be this\n  where:    Category\n  expected: a list or FREE\n"
        "  got:      5, of type int"
    )


@pytest.mark.parametrize(
    ("codec", "answer", "names"),
    [
        (Category(["a", "b"]), "class", ("a", "b")),
        (Each(Category(["a", "b"])), "class", ("a", "b")),
        (Boolean(), "yes or no", (False, True)),
        (Labels(["a"]), "labels", ("a",)),
        (Number(0, 1), "numbers", (0,)),
        (Vector(2), "numbers", (0, 1)),
        (Array("n 3"), "numbers", (0, 1, 2)),
        (Image(2, 2), "numbers", (0, 1, 2)),
        (Array("n <50>"), None, ()),
        (Characters("ab", mark_end=True, unknown=True), "elements", ("a", "b", "<unknown>", "<edge>")),
    ],
)
def test_a_codec_says_what_its_answer_is(codec: Codec, answer: str | None, names: tuple[object, ...]):
    assert (codec.answer, codec.names) == (answer, names)


def test_an_error_names_the_row_that_it_is_raised_in():
    assert [*by_row(["1", "2"], int)] == [1, 2]
    with pytest.raises(DataError) as error:
        [*by_row([1.0, "one"], Number(0, 1).encode, first=5)]
    assert error.value.where == "row 6"
    with pytest.raises(DataError) as error:
        Array("n 3").encode_all([[[1, 2, 3]], [1, 2, 3]])
    assert error.value.where.startswith("row 1")
