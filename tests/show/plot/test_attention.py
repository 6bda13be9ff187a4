"""Attention is drawn as the net computes it, with the elements of the text at the axes."""

import numpy as np
import pytest

import netwright as nw
from netwright.errors import DataError, NetError, PathError

TEXT = nw.Characters("abc ")
NET = nw.initialize(nw.Chain(nw.Embedding(8), nw.self_attention(8, heads=2), input=TEXT), seed=0)
PLACE = next(path for path in NET.paths if path.endswith("/attention"))


def test_a_map_for_each_head_with_the_text_at_its_axes():
    figure = nw.plot.attention_heads(NET, "ab ca")
    first, second, _ = figure.axes
    scores = NET("ab ca", at=f"{PLACE}.scores").numpy()
    assert np.allclose(first.images[0].get_array(), scores[0]) and np.allclose(second.images[0].get_array(), scores[1])
    assert [label.get_text() for label in first.get_yticklabels()] == ["a", "b", "␣", "c", "a"]
    assert [label.get_text() for label in second.get_xticklabels()] == ["a", "b", "␣", "c", "a"]


def test_of_two_texts_each_has_its_axis():
    source, target = nw.Input("source", TEXT), nw.Input("target", nw.Characters("xyz", length="m"))
    read, written = nw.Embedding(4)(source), nw.Embedding(4)(target)
    net = nw.initialize(nw.Graph(nw.cross_attention(4, heads=1)(written, read)))
    axes = nw.plot.attention_heads(net, {"source": "abc", "target": "zy"}).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["z", "y"]


def test_a_long_text_has_no_names():
    axes = nw.plot.attention_heads(NET, "ab c" * 10).axes[0]
    assert axes.get_xticklabels() == [] and axes.images[0].get_array().shape == (40, 40)


def test_what_does_not_attend():
    with pytest.raises(NetError) as error:
        nw.plot.attention_heads(nw.initialize(nw.Chain(3, input=2)), [1.0, 2.0])
    assert str(error.value) == (
        "this net has no attention\n"
        "  where:    plot.attention_heads\n"
        "  expected: a net with nw.Attention, nw.self_attention(…) or a block of a transformer"
    )
    with pytest.raises(PathError) as error:
        nw.plot.attention_heads(NET, "ab", "embedding1")
    assert str(error.value) == (f"'embedding1' does not attend\n  where:    plot.attention_heads\n  expected: {PLACE}")
    with pytest.raises(DataError) as error:
        nw.plot.attention_heads(NET, ["ab", "ca"])
    assert str(error.value) == (
        "a picture shows the attention of one example\n"
        "  where:    plot.attention_heads\n"
        "  expected: an example, as the net takes it\n"
        "  got:      several"
    )


def test_of_several_one_has_to_be_named():
    block = nw.self_attention(8, heads=1)
    net = nw.initialize(nw.Chain(nw.Embedding(8), block, block, input=TEXT))
    first, second = (path for path in net.paths if path.endswith("/attention"))
    with pytest.raises(PathError) as error:
        nw.plot.attention_heads(net, "ab")
    assert str(error.value) == (
        "several parts attend, so one has to be named\n"
        "  where:    plot.attention_heads\n"
        f"  expected: {first}, {second}\n"
        f"  mend:     path={first!r}"
    )
    assert len(nw.plot.attention_heads(net, "ab", second.split("/")[0]).axes) == 2


def test_many_heads_are_one_page():
    net = nw.initialize(nw.Chain(nw.Embedding(32), nw.self_attention(32, heads=16), input=TEXT), seed=0)
    figure = nw.plot.attention_heads(net, "ab c" * 7)
    assert figure.get_figheight() < 11 and len(figure.axes) == 17
    assert figure.axes[0].get_yticklabels() == []


def test_signs_of_formulas_are_letters():
    net = nw.Chain(nw.Embedding(8), nw.self_attention(8, heads=1), input=nw.Characters("$\\{^_"))
    svg = nw.plot.attention_heads(nw.initialize(net, seed=0), "$\\{^_$")._repr_svg_()
    assert svg.count(">$</text>") == 4


def test_the_only_map_has_larger_cells_and_their_shape():
    read, written = nw.Input("read", nw.Characters("abc")), nw.Input("written", nw.Characters("abc", length="m"))
    look = nw.cross_attention(8, heads=1)(nw.Embedding(8)(written), nw.Embedding(8)(read))
    net = nw.initialize(nw.Graph(look), seed=0)
    width, height = nw.plot.attention_heads(net, {"read": "abcabc", "written": "abc"}).get_size_inches()
    wider, same = nw.plot.attention_heads(net, {"read": "abcabcabc", "written": "abc"}).get_size_inches()
    assert wider - width == pytest.approx(3 * 0.32) and same == height < width


def test_pieces_of_words_are_named_as_in_the_text():
    pieces = nw.Subwords(pieces=300).fit(["The king took the king. "] * 5)
    net = nw.initialize(nw.Chain(nw.Embedding(8), nw.self_attention(8, heads=1), input=pieces), seed=0)
    axes = nw.plot.attention_heads(net, "The king took").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["The", "king", "took"]
