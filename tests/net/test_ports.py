"""Shorthand for outer ports: sizes as a tuple, a number or a text; one codec for the only port, or a mapping."""

import pytest

import netwright as nw
from netwright.errors import NetError, PathError
from netwright.net.ports import as_codec, as_codecs, codecs_of, ports_repr, present


@pytest.mark.parametrize("port", [(28, 28, 1), "28 28 1", nw.Array("28 28 1")])
def test_sizes_are_a_codec(port) -> None:
    assert as_codec(port) == nw.Array("28 28 1")


def test_nothing_is_nothing_and_codecs_of_takes_all_away() -> None:
    assert as_codec(None) is None
    assert as_codecs(None, ["a"]) == {}
    assert codecs_of(None, ["a", "b"]) == {"a": None, "b": None}
    assert present({"a": None, "b": nw.Boolean()}) == {"b": nw.Boolean()}


def test_one_codec_for_the_only_port_or_a_mapping() -> None:
    assert as_codecs(3, ["a"]) == {"a": nw.Array("3")}
    assert as_codecs({"b": 3}, ["a", "b"]) == {"b": nw.Array("3")}
    with pytest.raises(NetError) as caught:
        as_codecs(3, ["a", "b"])
    assert str(caught.value) == (
        "a net with 2 ports needs a codec for each\n  expected: {'a': …, 'b': …}\n  got:      3"
    )
    with pytest.raises(PathError) as caught:
        as_codecs({"lft": 3}, ["left", "right"])
    assert str(caught.value) == "this net has no port 'lft'\n  expected: left, right\n  mend:     did you mean 'left'?"


def test_printed_as_arguments() -> None:
    net = nw.Chain(2, nw.softmax, input=3, output=nw.Category(["a", "b"]))
    assert ports_repr(net) == ", input=Array('3'), output=Category(['a', 'b'])"


@pytest.mark.parametrize(
    "leaf",
    [
        nw.Linear(3).with_input(4),
        nw.relu.with_input((2, 3)),
        nw.Linear().with_input(4).with_output(nw.Category(["a", "b"])),
        nw.Shared("s", nw.Linear(3).with_input(4)),
        nw.where.with_input({"condition": 2, "b": 2}),
        nw.Linear(3),
    ],
    ids=repr,
)
def test_a_leaf_is_its_text(leaf: nw.Net) -> None:
    assert eval(repr(leaf), vars(nw)) == leaf
    assert eval(repr(leaf), vars(nw)).inputs == leaf.inputs


SCALED = nw.Vector(2, mean=(1.0, 3.0), deviation=2.0)
READER = nw.Chain(nw.Linear(1), input=SCALED)


def test_a_part_inside_reads_what_its_encoder_gave():
    before = nw.Chain(nw.Linear(2), input=4)
    with pytest.raises(NetError) as caught:
        nw.Chain(before=before, reader=READER)
    assert (
        str(caught.value)
        == """\
a part reads values that its encoder standardized, and inside a net no encoder does
  where:    before -> reader
  expected: values as of Vector(2, (1.0, 3.0), 2.0)
  got:      values as they are
  mend:     reader.with_input(None), if they come so, or all is trained anew
  or:       reader trained on values as they are: the sizes alone for input="""
    )
    with pytest.raises(NetError, match="left -> right"):
        nw.join(before, READER)
    x = nw.Input("x", 4)
    with pytest.raises(NetError, match="encoder standardized"):
        nw.Graph(READER(before(x)))
    with pytest.raises(NetError, match=r"got: +values as of Number\(0.0, 2.0\)"):
        nw.Chain(nw.Chain(1, input=4, output=nw.Number(0, 2)), nw.Chain(1, input=nw.Number(1, 2)))
    assert nw.Chain(before=before, reader=READER.with_input(None)).plan.outputs == {"output": (1,)}


def test_what_is_decoded_and_encoded_alike_goes_together():
    decodes = nw.Chain(nw.Linear(2), input=4, output=nw.Vector(2, mean=(1, 3), deviation=(2, 2)))
    assert nw.Chain(decodes, READER).inputs == decodes.inputs
    assert nw.join(decodes, READER).outputs == READER.outputs
    for plain in (nw.Vector(2), nw.Vector(2, mean=0, deviation=1), 2):  # not trained yet, or as they are
        nw.Chain(nw.Linear(2), nw.Chain(nw.Linear(1), input=plain), input=4)
    assert nw.Chain(READER, nw.relu).inputs == {"input": SCALED}


def test_parts_that_read_one_input_read_it_alike():
    other = nw.Chain(nw.Linear(1), input=nw.Vector(2, mean=0, deviation=5))
    with pytest.raises(NetError) as caught:
        nw.Parallel(READER, other)
    assert (
        str(caught.value)
        == """\
two parts read one input, each by another encoder
  where:    input 'input' -> chain2
  expected: Vector(2, (1.0, 3.0), 2.0), as of the part before
  got:      Vector(2, 0.0, 5.0)
  mend:     chain2.with_input(None), if that encoder suits both
  or:       input={'input': …}, which counts for all"""
    )
    x = nw.Input("x")
    with pytest.raises(NetError, match="each by another encoder"):
        nw.Graph(nw.Add()(READER(x), other(x)))
    with pytest.raises(NetError, match="each by another encoder"):
        nw.Parallel(*(nw.Chain(nw.Embedding(2), input=nw.Category(list(labels))) for labels in ("ab", "ba")))
    with pytest.raises(NetError, match="each by another encoder"):
        nw.Parallel(nw.Chain(1, input=2), READER)
    assert nw.Parallel(READER, READER).inputs == {"input": SCALED}
    assert nw.Parallel(READER, other.with_input(None)).inputs == {"input": SCALED}
    assert nw.Parallel(READER, other, input={"input": SCALED}).inputs == {"input": SCALED}
