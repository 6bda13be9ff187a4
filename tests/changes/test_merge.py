"""Two edits joined: disjoint ones commute, conflicts are named with both sides, and nothing else is joined."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netwright as nw
from changes.random_edits import edits
from netwright.changes.merge import MEND
from netwright.errors import NetError, NetwrightError, PathError
from random_nets import nets
from trials import trials


@st.composite
def forks(draw: st.DrawFn) -> tuple[nw.Net, nw.Net, nw.Net]:
    base = draw(nets())
    return base, draw(edits(base, most=2)), draw(edits(base, most=2))


@given(forks())
@settings(deadline=None, max_examples=trials(200))
def test_edits_that_can_be_joined_commute(fork: tuple[nw.Net, nw.Net, nw.Net]) -> None:
    base, mine, theirs = fork
    assert nw.merge(base, mine, base) == mine
    assert nw.merge(base, base, theirs) == theirs
    assert nw.merge(base, mine, mine) == mine
    try:
        one = nw.merge(base, mine, theirs)
    except NetwrightError as error:
        assert not isinstance(error, PathError)
        return
    assert nw.merge(base, theirs, mine) == one


BASE = nw.initialize(
    nw.Chain(3, nw.relu, nw.Dropout(0.5), nw.Linear(3), nw.tanh, nw.Linear(), input=4, output=nw.Category(["a", "b"]))
)
DISJOINT: dict[str, nw.Net] = {
    "renamed": BASE.rename("linear1", "dense"),
    "inserted": BASE.insert("relu1", nw.LayerNorm()),
    "option": BASE.replace("dropout1", nw.Dropout(0.1)),
    "array": BASE.with_arrays({"linear1/bias": [1.0, 2.0, 3.0]}),
    "wrapped": BASE.replace("linear2", nw.Residual(BASE["linear2"])),
    "removed": BASE.delete("tanh1"),
    "head": BASE.with_output(nw.Category(["a", "b", "c"])),
    "encoder": BASE.with_input(nw.Vector(4)),
}


@pytest.mark.parametrize(("one", "two"), list(itertools.combinations(DISJOINT, 2)))
def test_edits_of_different_places_commute(one: str, two: str) -> None:
    mine, theirs = DISJOINT[one], DISJOINT[two]
    made = nw.merge(BASE, mine, theirs)
    assert made == nw.merge(BASE, theirs, mine)
    assert made not in (BASE, mine, theirs)
    assert nw.patch(mine, nw.diff(mine, made)) == made
    for path, array in made.held.arrays.items():
        memory = {a.data_ptr() for net in (BASE, mine, theirs) for a in net.held.arrays.values()}
        assert array.data_ptr() in memory, path


def test_all_of_them_together() -> None:
    one = two = BASE
    for net in DISJOINT.values():
        one = nw.merge(BASE, one, net)
    for net in reversed(DISJOINT.values()):
        two = nw.merge(BASE, two, net)
    assert one == two
    assert one.paths == ("dense", "layernorm1", "relu1", "dropout1", *one.paths[4:-1], "linear3")
    assert one.arrays["dense/bias"].tolist() == [1, 2, 3]


def conflicts(mine: nw.Net, theirs: nw.Net, base: nw.Net = BASE) -> list[str]:
    with pytest.raises(NetError) as caught:
        nw.merge(base, mine, theirs)
    assert caught.value.mend == (MEND,)
    return caught.value.where.split("\n")


def test_a_conflict_names_both_sides() -> None:
    mine = BASE.replace("dropout1", nw.Dropout(0.1)).rename("linear1", "one").delete("tanh1")
    theirs = BASE.replace("dropout1", nw.Dropout(0.2)).rename("linear1", "two").replace("tanh1", nw.relu)
    with pytest.raises(NetError) as caught:
        nw.merge(BASE, mine, theirs)
    assert str(caught.value) == (
        "the two nets change 3 places differently\n"
        "  where:    name of linear1: 'one' in mine, 'two' in theirs, 'linear1' in base\n"
        "            dropout1.rate: 0.1 in mine, 0.2 in theirs, 0.5 in base\n"
        "            tanh1: removed in mine, tanh1.function 'relu' in theirs, tanh in base\n"
        "  mend:     give both nets the same at each of these places, or change it in one of them only"
    )
    swapped = conflicts(theirs, mine)
    assert swapped[2] == "tanh1: tanh1.function 'relu' in mine, removed in theirs, tanh in base"


def test_conflicts_of_every_kind() -> None:
    bias = BASE.with_arrays({"linear1/bias": [1.0, 2.0, 3.0]})
    assert conflicts(bias, BASE.with_arrays({"linear1/bias": [0.0, 2.0, 3.0]})) == [
        "array linear1/bias: changed (3,) from zeros in mine, changed (3,) from zeros in theirs"
    ]
    assert conflicts(bias, BASE.replace("linear1", nw.Linear(5))) == [
        "array linear1/bias: changed (3,) from zeros in mine, reset (3,) -> (5,) in theirs"
    ]
    assert conflicts(BASE.insert("relu1", nw.tanh), BASE.insert("relu1", nw.relu)) == [
        "reads of relu1: tanh2 in mine, relu2 in theirs, linear1 in base"
    ]
    assert conflicts(BASE.append(nw.relu, "end"), BASE.append(nw.tanh, "end")) == ["end: relu in mine, tanh in theirs"]
    assert conflicts(BASE.rename("relu1", "act"), BASE.delete("relu1")) == [
        "relu1: name of relu1 'act' in mine, removed in theirs, relu in base"
    ]
    a, b = (BASE.with_output(nw.Category(labels)) for labels in (["x", "y"], ["x", "z"]))
    assert conflicts(a, b)[0].startswith("decoder output: Category(['x', 'y']) in mine, Category(['x', 'z']) in theirs")
    many = nw.initialize(nw.Repeat(20, nw.Linear(2), input=2))
    sides = (nw.initialize(many.bare().with_input(2), seed=seed) for seed in (1, 2))
    found = conflicts(*sides, base=many)
    assert len(found) == 13 and found[-1] == "and 8 more"


def test_a_change_both_made_is_no_conflict() -> None:
    both = BASE.replace("dropout1", nw.Dropout(0.1))
    mine, theirs = both.rename("linear1", "dense"), both.insert("tanh1", nw.relu)
    made = nw.merge(BASE, mine, theirs)
    assert made == theirs.rename("linear1", "dense")


def test_a_part_takes_changes_under_its_new_name() -> None:
    deep = nw.initialize(nw.Chain(body=nw.Chain(nw.Linear(3), nw.Dropout(0.5)), end=nw.Linear(2), input=3))
    mine = deep.rename("body/linear1", "first").rename("body", "block")
    theirs = deep.replace("body/dropout1", nw.Dropout(0.1)).with_arrays({"body/linear1/bias": [1.0, 2.0, 3.0]})
    made = nw.merge(deep, mine, theirs.insert("body/dropout1", nw.relu, "act"))
    assert made.paths == ("block/first", "block/act", "block/dropout1", "block", "end")
    assert made.arrays["block/first/bias"].tolist() == [1, 2, 3]


def test_places_that_do_not_go_together() -> None:
    net = nw.Graph(a=(nw.Linear(), "input"), b=(nw.relu, "a"), c=(nw.Linear(), "b"), d=(nw.Add(), "a", "c"), input=2)
    with pytest.raises(NetwrightError) as caught:
        nw.merge(net, net.replace("a", nw.Linear(3)), net.replace("c", nw.Linear(2)))
    assert str(caught.value).startswith("the two nets change different places, but together they make no net: ")
    with pytest.raises(NetError) as named:
        nw.merge(BASE, BASE.rename("relu1", "x"), BASE.rename("tanh1", "x"))
    assert str(named.value) == (
        "the two nets change different places, but together they make no net: two parts would have the name 'x'\n"
        "  where:    x"
    )


def test_the_history_is_that_of_both() -> None:
    made = nw.merge(BASE, BASE.rename("linear1", "dense"), BASE.delete("tanh1").delete("relu1"))
    assert [entry.text for entry in made.history][-4:] == [
        "rename linear1 to dense",
        "delete tanh1",
        "delete relu1",
        "merge 2 entries of another net made from the same",
    ]


def test_what_is_no_net() -> None:
    with pytest.raises(NetError, match="merge takes a net"):
        nw.merge(BASE, BASE, "theirs.net")  # type: ignore[arg-type]
