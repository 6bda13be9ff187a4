"""Mends are written as a user writes them, and the likeliest comes first."""

from collections.abc import Callable

import pytest

import netwright as nw
from netwright.errors import NetwrightError, SizeError
from netwright.net.faults.edit import code


def mends(make: Callable[[], nw.Net]) -> tuple[str, ...]:
    with pytest.raises(SizeError) as caught:
        make()
    return tuple(text.partition("   ")[0].partition(" (checked")[0] for text in caught.value.mend)


def test_code_is_what_a_user_of_nw_writes() -> None:
    values = [
        nw.Linear(3),
        nw.Each(nw.Category(["Cat()", "b"])),
        nw.relu,
        nw.Chain(nw.Linear(3), nw.softmax),
        nw.Array("n 3"),
    ]
    assert [code(value) for value in values] == [
        "nw.Linear(3)",
        "nw.Each(nw.Category(['Cat()', 'b']))",
        "nw.relu",
        "nw.Chain(nw.Linear(3), nw.softmax)",
        "nw.Array('n 3')",
    ]


@pytest.mark.parametrize("value", [nw.Linear(3, bias=False), nw.Conv(8, (3, 3), padding="same"), nw.Category(range(7))])
def test_code_gives_the_value_back(value: object) -> None:
    assert repr(eval(code(value), {"nw": nw})) == repr(value)


def test_a_free_width_comes_before_a_given_one_and_only_one_of_them() -> None:
    found = mends(lambda: nw.Chain(4, nw.relu, 12, input=3, output=10))
    assert found == ("nw.Linear() in place of linear2", "output=12", "nw.Linear(10) at the end")


def test_a_smaller_kernel_and_a_kept_size() -> None:
    found = mends(lambda: nw.Chain(nw.Conv(4, 9), input=(6, 6, 1)))
    assert found[:2] == ("nw.Conv(4, 9, padding='same') in place of conv1", "nw.Conv(4) in place of conv1")


def test_groups() -> None:
    found = mends(lambda: nw.Chain(6, nw.Conv(8, 3, groups=4), input=("n", 5)))
    assert found == ("nw.Linear(8) in place of linear1", "nw.Conv(8, groups=2) in place of conv1")


def test_a_mend_beside_a_kept_array_keeps_it_or_says_that_it_starts_anew() -> None:
    head = nw.initialize(nw.Chain(10, input=500), seed=0)["linear1"]
    found = mends(lambda: nw.Chain(300, nw.relu, head, input=20))
    assert found == (
        "nw.Linear() in place of linear1",
        "nw.Linear(10) in place of linear2, with new arrays",
        "nw.Linear(500) before linear2",
    )


def test_at_most_three() -> None:
    assert len(mends(lambda: nw.Chain(4, nw.relu, 12, nw.softmax, input=3, output=nw.Category(range(10))))) == 3


@pytest.mark.parametrize(
    ("end", "decoder", "mend"),
    [
        ((3, nw.softmax), nw.Boolean(), "nw.Linear() in place of linear1, nw.sigmoid in place of softmax1"),
        ((2, nw.softmax), nw.Boolean(), "output=nw.Category([False, True])"),
        ((2, nw.softmax), nw.Number(), "nw.Linear() in place of linear1, leave softmax1 out"),
        ((1, nw.sigmoid), nw.Category(["a", "b"]), "nw.Linear() in place of linear1, nw.softmax in place of sigmoid1"),
    ],
)
def test_no_mend_is_an_end_that_cannot_learn(end, decoder, mend) -> None:
    with pytest.raises(SizeError) as caught:
        nw.Chain(*end, input=2, output=decoder)
    assert caught.value.mend[0].partition("   ")[0].partition(" (checked")[0] == mend
    for text in caught.value.mend:  # none ends in a softmax over one value, or gives labels to a sigmoid
        assert not text.startswith(("nw.Linear(1) before softmax1", "nw.Linear() in place of linear1  "))
    nw.train(caught.value.mended, ([[0.0, 1.0], [1.0, 0.0]], _targets(decoder)), epochs=1, progress=False)


def _targets(decoder: nw.Codec) -> list[object]:
    return (
        [0.5, 2.0]
        if isinstance(decoder, nw.Number)
        else ["a", "b"]
        if isinstance(decoder, nw.Category)
        else [True, False]
    )


def test_at_every_position_the_last_leaf_has_to_suit_the_decoder_too():
    with pytest.raises(SizeError) as caught:
        nw.Chain(nw.Linear(2), nw.sigmoid, input=("n", 3), output=nw.Each(nw.Category(range(3))))
    assert str(caught.value) == (
        "the decoder expects (n, 3), but the net gives (n, 2)\n"
        "  where:    sigmoid1 -> output\n"
        "  expected: (n, 3)   Each(Category(range(3)))\n"
        "  got:      (n, 2)   the 2 comes from linear1: Linear(2)\n"
        "  mend:     nw.Linear() in place of linear1, nw.softmax in place of sigmoid1 (checked: 12 parameters)\n"
        "  or:       nw.Linear(3) at the end              (checked: 17 parameters)"
    )
    with pytest.raises(SizeError) as caught:
        nw.Chain(nw.Linear(5), nw.softmax, input=("n", 3), output=nw.Each(nw.Boolean()))
    assert str(caught.value) == (
        "the decoder expects (n, 1), but the net gives (n, 5)\n"
        "  where:    softmax1 -> output\n"
        "  expected: (n, 1)   Each(Boolean())\n"
        "  got:      (n, 5)   the 5 comes from linear1: Linear(5)\n"
        "  mend:     nw.Linear() in place of linear1, nw.sigmoid in place of softmax1 (checked: 4 parameters)"
    )


def test_the_end_of_a_loop_is_not_left_out_alone() -> None:
    """The embedding's fault suggests to leave out what makes numbers, which here is the end of a loop."""
    with pytest.raises(NetwrightError) as caught:
        nw.Chain(nw.Map(nw.softmax), nw.Embedding(2), input=("n", 2))
    assert "embedding1 expects indices" in str(caught.value)
    assert "nw.Linear(2) in place of embedding1" in str(caught.value.mend)
