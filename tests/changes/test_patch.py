"""A difference applied to the net it was made from gives the other net; to another base it is refused."""

import pytest
from hypothesis import given, settings

import netwright as nw
from changes.random_edits import edited
from netwright.errors import NetError, SizeError
from trials import trials

NET = nw.initialize(nw.Chain(3, nw.relu, nw.Linear(), input=2, output=nw.Category(["a", "b"])))


def patched(before: nw.Net, after: nw.Net) -> nw.Net:
    difference = nw.diff(before, after)
    assert difference.equal == (before == after)
    return nw.patch(before, difference)


@given(edited())
@settings(deadline=None, max_examples=trials(300))
def test_the_patch_of_a_difference_is_the_other_net(pair: tuple[nw.Net, nw.Net]) -> None:
    before, after = pair
    made = patched(before, after)
    assert made == after
    assert nw.diff(after, made).equal
    assert patched(after, before) == before


def test_what_is_not_touched_is_shared() -> None:
    other = NET.insert("linear2", nw.Dropout(0.3)).rename("linear1", "dense").with_arrays({"linear2/bias": [1.0, 2.0]})
    made = nw.patch(NET, nw.diff(NET, other))
    for path, array in made.held.arrays.items():
        source = other if path == "linear2/bias" else NET
        assert (
            array.data_ptr()
            == source.held.arrays[path.replace("dense", "linear1") if source is NET else path].data_ptr()
        )
    assert str(made.history).endswith("patch 6 changes")


def test_a_net_that_differs_elsewhere_is_patched_too() -> None:
    change = nw.diff(NET, NET.replace("relu1", nw.tanh).with_arrays({"linear1/bias": [1.0, 2.0, 3.0]}))
    wider = nw.initialize(NET.with_output(nw.Category(["a", "b", "c"])), seed=5)
    made = nw.patch(wider, change)
    assert made.outputs == wider.outputs and repr(made["relu1"]) == "tanh"
    assert made.arrays["linear1/bias"].tolist() == [1, 2, 3]
    assert made.arrays["linear2/weight"].equal(wider.arrays["linear2/weight"])


def test_another_base_is_refused_with_its_places() -> None:
    after = NET.replace("relu1", nw.tanh).insert("linear2", nw.Dropout(0.3)).with_output(nw.Category(["a", "b", "c"]))
    change = nw.diff(NET, after.rename("linear1", "dense").with_arrays({"dense/bias": [1.0, 2.0, 3.0]}))
    base = nw.initialize(nw.Chain(nw.Linear(3), nw.tanh, nw.Dropout(0.1), nw.Linear(2), input=2), seed=4)
    with pytest.raises(NetError) as caught:
        nw.patch(base, change)
    touched = "relu1.function, reads of linear2, reads of dropout1, dropout1, decoder output, array linear2/weight"
    assert str(caught.value) == (
        "the difference was made from another net\n"
        f"  where:    {touched}\n"
        "  expected: a net in which every place that the difference touches is as it was in its first net\n"
        "  mend:     nw.merge(base, net, nw.patch(base, difference)), where base is the net it was made from"
    )
    many = nw.diff(nw.initialize(nw.Repeat(20, nw.Linear(2), input=2)), nw.Repeat(20, nw.Linear(2), input=2))
    with pytest.raises(NetError) as caught:
        nw.patch(nw.Chain(nw.relu), many)
    assert caught.value.where.endswith(" and 28 more")


def test_the_mend_for_another_base_works() -> None:
    change = nw.diff(NET, NET.insert("linear2", nw.Dropout(0.3)))
    net = NET.replace("linear2", nw.Chain(nw.tanh, nw.Linear()))
    assert "dropout1" in nw.merge(NET, net, nw.patch(NET, change)).paths


def test_a_difference_that_makes_no_net_here_is_refused() -> None:
    change = nw.diff(NET, NET.rename("relu1", "act"))
    with pytest.raises(NetError) as caught:
        nw.patch(NET.rename("linear2", "act"), change)
    assert str(caught.value) == (
        "the difference does not go with this net: two parts would have the name 'act'\n  where:    act"
    )
    wider = nw.diff(nw.Chain(nw.relu, nw.Linear(2)), nw.Chain(nw.relu, nw.Linear(3)))
    with pytest.raises(SizeError, match="the difference does not go with this net"):
        nw.patch(nw.Chain(nw.relu, nw.Linear(2), input=4, output=2), wider)


def test_no_difference() -> None:
    with pytest.raises(NetError) as caught:
        nw.patch(NET, "x.difference")  # type: ignore[arg-type]
    assert str(caught.value) == (
        "patch takes a difference\n  got:      'x.difference'\n  mend:     nw.patch(net, nw.diff(before, after))"
    )
    assert nw.patch(NET, nw.diff(NET, NET)) == NET
