"""Surgery: the laws on random nets, the verbs at any depth and in every container, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netwright as nw
from netwright.errors import NetError, NetwrightError, PathError
from netwright.net.part import Net
from random_nets import WIDTH, chains, nets

FEW = settings(max_examples=15, deadline=None)


def same_memory(before: Net, after: Net, *but: str) -> None:
    """Every array that both nets hold is one piece of memory, except below these paths."""
    for path, array in after.held.arrays.items():
        if path in before.held.arrays and not path.startswith(but):
            assert array.data_ptr() == before.held.arrays[path].data_ptr(), path


@FEW
@given(nets(), st.data())
def test_replacing_a_part_by_itself_changes_nothing(net: Net, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(net.paths))
    again = net.replace(path, net[path])
    assert again == net
    assert nw.digest(again) == nw.digest(net)
    same_memory(net, again)


@FEW
@given(chains(), st.data())
def test_cut_then_join_is_the_original(net: Net, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(net)))
    pieces = [piece for piece in ((0, at), (at, len(net))) if piece[0] < piece[1]]
    cut = [net[start:stop] for start, stop in pieces]
    again = cut[0] if len(cut) == 1 else cut[0] >> cut[1]
    if not any("@" in path for path in net.arrays):
        assert sum(len(piece.held.arrays) for piece in cut) == len(net.held.arrays)
    assert again == net
    assert nw.digest(again) == nw.digest(net)
    same_memory(net, again)


@FEW
@given(nets(), st.data())
def test_renaming_there_and_back_is_the_original(net: Net, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([path for path in net.paths if not _below_shared(net, path)]))
    parent, _, name = path.rpartition("/")
    there = net.rename(path, "elsewhere")
    there_path = f"{parent}/elsewhere" if parent else "elsewhere"
    if not _copied(net, path):
        assert there_path in there.paths
        assert path not in there.paths
    assert len(there.held.arrays) == len(net.held.arrays)
    same_memory(net, there)
    assert there.rename(there_path, name) == net


@FEW
@given(nets(), st.data())
def test_deleting_what_was_inserted_is_the_original(net: Net, data: st.DataObject) -> None:
    paths = [path for path in net.paths if not _below_shared(net, path)]
    path = data.draw(st.sampled_from(paths))
    parent, _, _ = path.rpartition("/")
    more = net.insert(path, nw.Linear(WIDTH), name="extra")
    assert (f"{parent}/extra" if parent else "extra") in more.paths
    same_memory(net, more)
    assert more.delete(f"{parent}/extra" if parent else "extra") == net


@FEW
@given(nets())
def test_a_net_is_its_text(net: Net) -> None:
    bare = net.with_arrays({}).holding(arrays={})
    again = eval(repr(bare), dict(vars(nw)))
    assert again == bare
    assert repr(again) == repr(bare)
    assert hash(again) == hash(bare)


def _below_shared(net: Net, path: str) -> bool:
    pieces = path.split("/")
    return any(net["/".join(pieces[:i])].held.shared for i in range(1, len(pieces)))


def _copied(net: Net, path: str) -> bool:
    """Whether an edit at this path also happens at another path: below a part that is called twice."""
    pieces = path.split("/")
    levels = ["/".join(pieces[:i]) for i in range(len(pieces))]
    owners = [net[level] if level else net for level in levels]
    for owner, name in zip(owners, pieces, strict=True):
        places = [call.place for call in owner.level.calls]  # type: ignore[attr-defined]  # only containers have parts
        mine = next(call.place for call in owner.level.calls if call.name == name)  # type: ignore[attr-defined]
        if places.count(mine) > 1:
            return True
    return False


@pytest.fixture
def chain() -> Net:
    return nw.initialize(nw.Chain(3, nw.relu, nw.Linear(), nw.softmax, input=2, output=nw.Category(["a", "b"])))


def test_a_new_part_brings_its_arrays_or_resets(chain: Net) -> None:
    assert chain.replace("linear1", nw.Linear(3)).arrays.keys() == {"linear2/weight", "linear2/bias"}
    kept = chain.replace("linear1", chain["linear1"])
    assert kept == chain
    trained = nw.initialize(nw.Chain(3, input=2), seed=5)["linear1"]
    swapped = chain.replace(0, trained)
    assert swapped.arrays["linear1/weight"].equal(trained.arrays["weight"])


def test_the_ends_of_a_chain(chain: Net) -> None:
    body = chain[:-1]
    assert body.outputs == {"output": None}
    assert body.append(nw.softmax).with_output(nw.Category(["a", "b"])) == chain
    longer = chain.prepend(nw.Linear(2))
    assert longer.paths == ("linear3", "linear1", "relu1", "linear2", "softmax1")
    assert longer.inputs == {"input": None}
    assert longer.delete("linear3").with_input(2) == chain


def test_another_decoder_resets_the_head(chain: Net) -> None:
    pets = chain.with_output(nw.Category(["cat", "dog", "cow"]))
    assert nw.diff(chain, pets).of("reset") == ("linear2/weight", "linear2/bias")
    assert nw.diff(chain, pets).of("kept") == ("linear1/weight", "linear1/bias")
    same_memory(chain, pets)
    assert chain.with_input(5).arrays.keys() == {"linear1/bias", "linear2/weight", "linear2/bias"}
    assert chain.with_output(None) == chain[:].with_output({"output": None})


def test_a_residual_that_is_edited_becomes_a_graph_with_the_same_paths() -> None:
    net = nw.initialize(nw.Chain(nw.Residual([4, nw.relu, 4]), input=4))
    inside = net.replace("residual1/body/linear1", nw.Linear(4, bias=False))
    assert type(inside["residual1"]) is nw.Residual
    other = net.replace("residual1/add", nw.Multiply())
    assert type(other["residual1"]) is nw.Graph
    assert other.paths == net.paths
    assert other.replace("residual1/add", nw.Add()) == net
    same_memory(net, other)


def test_a_repeat_of_which_one_is_edited_becomes_a_chain() -> None:
    net = nw.initialize(nw.Repeat(3, [4, nw.relu], input=4))
    other = net.replace("2/relu1", nw.tanh)
    assert other.paths == net.paths
    assert type(other) is nw.Chain
    assert repr(other).startswith(
        "Chain(**{'1': Chain(Linear(4), relu)}, **{'2': Chain(linear1=Linear(4), relu1=tanh)}"
    )
    assert eval(repr(other.holding(arrays={})), dict(vars(nw))) == other.holding(arrays={})
    same_memory(net, other)
    assert type(net[:2]) is nw.Chain


def test_a_part_called_twice_is_edited_once() -> None:
    @nw.program(input=3)
    def net(x: Any, dense: Any = nw.Linear(3)) -> Any:  # noqa: B008  # a part as a default is what a program is about
        return dense(nw.relu(dense(x)))

    net = nw.initialize(net)
    wide = net.replace("dense_2", nw.Linear(3, bias=False))
    assert sorted(wide.plan.arrays) == ["dense/weight"]
    alone = net.delete("dense")
    assert alone.paths == ("relu1", "dense_2")
    assert alone.held.arrays["dense_2/weight"].data_ptr() == net.held.arrays["dense/weight"].data_ptr()
    assert net.rename("dense", "d").paths == ("d", "relu1", "dense_2")
    assert sorted(net.rename("dense", "d").arrays) == ["d/bias", "d/weight"]
    assert sorted(net[2:].arrays) == ["dense_2/bias", "dense_2/weight"]


def test_shared_parts_keep_their_arrays_through_edits() -> None:
    block = nw.Shared("block", nw.Chain(4, nw.relu))
    net = nw.initialize(nw.Chain(block, nw.tanh, block, input=4))
    assert sorted(net.arrays) == ["@block/linear1/bias", "@block/linear1/weight"]
    assert sorted(net["chain1"].arrays) == ["@block/linear1/bias", "@block/linear1/weight"]
    assert sorted(net["chain1/linear1"].arrays) == ["bias", "weight"]
    assert net.replace("chain1/linear1", net["chain1/linear1"]) == net
    assert net.delete("tanh1").arrays.keys() == net.arrays.keys()
    trained = nw.initialize(nw.Chain(3, input=4))
    assert sorted(nw.Shared("s", trained).arrays) == ["@s/linear1/bias", "@s/linear1/weight"]
    alone = nw.Shared("s", trained)
    assert alone.rename("linear1", "dense").arrays.keys() == {"@s/dense/weight", "@s/dense/bias"}
    assert alone.append(nw.Linear(2)).delete("linear2") == alone
    assert alone[:].arrays.keys() == alone.arrays.keys()


def test_graphs_are_cut_at_values() -> None:
    net = nw.Graph(
        a=(nw.Linear(3), "x"),
        b=(nw.Linear(3), "y"),
        sum=(nw.Add(), "a", "b"),
        last=(nw.relu, "sum"),
        input={"x": 2, "y": 3},
        output=3,
    )
    head = net["sum":]
    assert head.inputs == {"a": None, "b": None}
    assert head.outputs == {"output": nw.Array("3")}
    body = net[:"sum"]
    assert body.output_names == ("a", "b")
    assert body.inputs == {"x": nw.Array("2"), "y": nw.Array("3")}
    assert net["b":"last"].inputs == {"y": nw.Array("3"), "a": None}
    assert net["last":].input_names == ("input",)


REFUSED: list[tuple[Callable[[Net], object], type[NetwrightError], str]] = [
    (
        lambda net: net["conv1"],
        PathError,
        "no part of this Chain has the name 'conv1'\n  expected: one of linear1, relu1, linear2, softmax1",
    ),
    (
        lambda net: net.replace("liner1", 3),
        PathError,
        "no part of this Chain has the name 'liner1'\n"
        "  expected: one of linear1, relu1, linear2, softmax1\n"
        "  mend:     did you mean 'linear1'?",
    ),
    (lambda net: net["linear1/x"], PathError, "a Linear has no parts\n  where:    x"),
    (
        lambda net: net[4],
        PathError,
        "no part stands at position 4\n  expected: -4 to 3: linear1, relu1, linear2, softmax1",
    ),
    (
        lambda net: net.replace(-5, nw.relu),
        PathError,
        "no part stands at position -5\n  expected: -4 to 3: linear1, relu1, linear2, softmax1",
    ),
    (
        lambda net: net[2:2],
        NetError,
        "this slice holds no part\n  where:    [2:2]\n  got:      4 parts: linear1, relu1, linear2, softmax1",
    ),
    (
        lambda net: net["relu1":"linear1"],
        NetError,
        "this slice holds no part\n  where:    ['relu1':'linear1']\n"
        "  got:      4 parts: linear1, relu1, linear2, softmax1",
    ),
    (
        lambda net: net[::2],
        NetError,
        "a slice of a net has no step\n  where:    [::2]\n  mend:     net[first:last]",
    ),
    (
        lambda net: net.rename("relu1", "linear1"),
        NetError,
        "the name 'linear1' is taken\n  where:    linear1\n"
        "  expected: none of linear1, relu1, linear2, softmax1, input",
    ),
    (
        lambda net: net.rename("relu1", "a/b"),
        NetError,
        "a part's name has letters, digits and underscores only\n  where:    relu1\n  got:      'a/b'",
    ),
    (
        lambda net: net.rename("relu1", "output"),
        NetError,
        "a part cannot have the name 'output': that is an argument of nw.Chain and nw.Graph\n"
        "  where:    relu1\n  mend:     output_1",
    ),
    (
        lambda net: net[:1].delete(0),
        NetError,
        "a net of no parts is no net\n  where:    linear1\n  mend:     net.replace('linear1', part)",
    ),
    (
        lambda net: nw.Residual(4).delete("add"),
        NetError,
        "add reads 2 values: its readers cannot read them all in its place\n  where:    add\n"
        "  mend:     net.replace('add', part), with a part that takes its place",
    ),
    (
        lambda net: nw.Graph(shift=(nw.Parameter(2), {}), sum=(nw.Add(), "input", "shift")).delete("shift"),
        NetError,
        "shift reads nothing: its readers would have nothing to read\n  where:    shift\n"
        "  mend:     net.replace('shift', part), with a part that takes its place",
    ),
    (
        lambda net: (
            nw.Chain(nw.Shared("s", nw.Chain(2)), nw.Shared("s", nw.Chain(2))).append(3).delete("chain1/linear1")
        ),
        NetError,
        "a net of no parts is no net\n  where:    linear1\n  mend:     net.replace('linear1', part)",
    ),
    (
        lambda net: nw.Chain(nw.Shared("s", nw.Chain(2)), nw.Shared("s", nw.Chain(2))).replace("chain1/linear1", 3),
        NetError,
        "the part 's' is shared: an edit inside one use would leave the others behind\n  where:    chain1\n"
        "  mend:     net.replace('chain1', part) for this use, with a part not shared, or shared under a new name",
    ),
    (
        lambda net: net.with_output({"out": 3}),
        PathError,
        "this net has no port 'out'\n  expected: output\n  mend:     did you mean 'output'?",
    ),
    (
        lambda net: net.with_arrays({"linear1.wait": 3}),
        PathError,
        "this net has no array 'linear1.wait'\n  expected: one of 4 paths\n"
        "  mend:     did you mean 'linear1/weight' or 'linear2/weight' or 'linear1/bias'?",
    ),
]


@pytest.mark.parametrize("row", range(len(REFUSED)))
def test_refusals_say_what_and_how_to_mend_it(chain: Net, row: int) -> None:
    edit, kind, text = REFUSED[row]
    with pytest.raises(kind) as caught:
        edit(chain)
    assert str(caught.value) == text


def test_what_is_shared_is_the_same_in_both() -> None:
    shared = nw.Chain(nw.Shared("e", nw.Linear(4)), input=4)
    one, other = (nw.initialize(shared, seed=seed) for seed in (0, 1))
    whole = one >> nw.initialize(shared)
    assert sorted(whole.arrays) == ["@e/bias", "@e/weight"]
    same = other.with_arrays({path: one.arrays[path] for path in one.arrays})
    assert (one >> same).arrays["@e/weight"].equal(one.arrays["@e/weight"])
    joins: list[tuple[str, Callable[[], Any]]] = [
        ("linear2", lambda: one >> other),
        ("chain2", lambda: nw.Chain(one, other)),
        ("b", lambda: nw.Parallel(a=one, b=other)),
        ("linear2", lambda: one.append(other["linear1"])),
        ("linear2", lambda: one.prepend(other["linear1"])),
        ("linear2", lambda: one.insert("linear1", other["linear1"])),
    ]
    for name, joined in joins:
        with pytest.raises(NetError) as caught:
            joined()
        assert str(caught.value) == (
            f"arrays with one shared path differ between {name} and the parts before it\n"
            "  where:    @e/weight\n"
            "  expected: the same arrays wherever a shared name is used\n"
            f"  got:      others in {name}\n"
            "  mend:     one.with_arrays({path: other.arrays[path]}) for each of these paths makes them the same\n"
            "  or:       another name in nw.Shared in one of them keeps both"
        )


SCALED = nw.Vector(2, mean=(1.0, 3.0), deviation=2.0)


@pytest.mark.parametrize(
    "edit",
    [
        lambda net, part: net.append(part),
        lambda net, part: net.replace("linear2", part),
        lambda net, part: net.replace("linear1", part),
        lambda net, part: net.insert("linear2", part),
        lambda net, part: net.insert("linear1", part),
        lambda net, part: part.prepend(net),
        lambda net, part: nw.Chain(inside=net, output=2).replace("inside/linear2", part),
    ],
)
def test_no_edit_takes_a_parts_scale_away(edit):
    net, part = nw.Chain(nw.Linear(2), nw.Linear(2), input=2), nw.Chain(nw.Linear(2), input=SCALED)
    with pytest.raises(NetError, match="reads values that its encoder standardized"):
        edit(net, part)
    assert edit(net, part.with_input(None)).plan.outputs == {"output": (2,)}


def test_an_edit_keeps_what_is_scaled_alike():
    net, part = nw.Chain(nw.Linear(2), nw.relu, input=SCALED, output=SCALED), nw.Chain(nw.Linear(2), input=SCALED)
    for edited in (net.replace("linear1", part), net.insert("linear1", part), net.append(part), part.prepend(net)):
        assert edited.inputs == {"input": SCALED}
    assert net.replace("linear1", net["linear1"]) == net


def test_a_part_without_the_output_that_is_read() -> None:
    net = nw.Graph(scan=(nw.LSTM(3), "input"), last=(nw.Linear(2), "scan.cell"), input=("n", 2))
    with pytest.raises(NetError) as caught:
        net.replace("scan", nw.GRU(3))
    assert str(caught.value) == ("scan has no output port 'cell'\n  where:    scan\n  expected: output, hidden")


def test_an_edit_in_the_body_of_a_map_or_a_fold_keeps_its_arrays() -> None:
    mapped = nw.initialize(nw.Chain(nw.Map(nw.Linear(5)), input=("n", 3)))
    more = mapped.insert("map1/body", nw.tanh)
    assert {*more.arrays} == {"map1/body/body/weight", "map1/body/body/bias"}
    assert nw.diff(mapped, more).of("renamed") == ("map1/body/body/weight", "map1/body/body/bias")
    folded = nw.initialize(nw.Chain(nw.Fold(nw.GRUCell(5)), input=("n", 3)))
    named = folded.rename("fold1/body", "cell")
    assert {*named.arrays} == {f"fold1/body/cell/{path.rpartition('/')[2]}" for path in folded.arrays}
    same_memory(folded, named)
    x = nw.batch([[[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]]])
    assert bool((named(x, nw.raw)["output"] == folded(x, nw.raw)["output"]).all())


@pytest.mark.parametrize(
    "edit",
    [
        lambda net: net.delete("linear1"),
        lambda net: nw.select(net, "linear1").remove(),
        lambda net: nw.Chain(net).delete("chain1/linear1"),
        lambda net: nw.select(nw.Chain(net), "chain1/linear1").remove(),
        lambda net: net.delete("add1").replace("linear1", nw.Add()),
    ],
)
def test_an_encoder_stays_at_an_input_that_gets_another_name(edit: Any) -> None:
    made = edit(nw.initialize(nw.Chain(nw.Linear(4), nw.Add(), input=4)))
    assert made.input_names == ("x1",)
    assert dict(made.held.inputs) == {"x1": nw.Array("4")}
    assert made.plan.outputs == {"output": (4,)}
