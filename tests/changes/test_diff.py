"""Everything that differs between two nets is said, and nothing else."""

import math

import pytest
import torch

import netwright as nw
from netwright.changes.diff import home_of
from netwright.net.part import Net


@pytest.fixture
def chain() -> Net:
    return nw.initialize(nw.Chain(3, nw.relu, nw.Linear(), nw.softmax, input=2, output=nw.Category(["a", "b"])))


def test_equal_nets_say_so(chain: Net) -> None:
    for other in (chain, chain.with_arrays(chain.arrays), chain.replace("relu1", nw.relu)):
        assert str(nw.diff(chain, other)) == repr(nw.diff(chain, other)) == "the nets are equal"
        assert nw.diff(chain, other).equal
    assert len(nw.diff(chain, chain).of("kept")) == 4


def test_the_history_is_no_difference(chain: Net) -> None:
    assert nw.diff(chain, chain.rename("relu1", "act").rename("act", "relu1")).equal


def test_what_an_edit_did_to_the_arrays(chain: Net) -> None:
    assert str(nw.diff(chain, chain.replace("linear1", nw.Linear(5)))) == (
        "option    linear1.out  3 -> 5\n"
        "reset     linear1/weight  (3, 2) -> (5, 2)\n"
        "reset     linear1/bias  (3,) -> (5,)\n"
        "reset     linear2/weight  (2, 3) -> (2, 5)\n"
        "kept      1 array"
    )
    assert str(nw.diff(chain, chain.append(nw.relu))) == (
        "added     relu2  relu, reads softmax1\n"
        "rewired   the net  outputs: softmax1 -> relu2\n"
        "decoder   output  Category(['a', 'b']) -> None\n"
        "kept      4 arrays"
    )
    assert str(nw.diff(chain, nw.Chain(nw.relu, input=2))) == (
        "removed   linear1  Linear(3)\n"
        "removed   linear2  Linear()\n"
        "removed   softmax1  softmax\n"
        "rewired   relu1  linear1 -> input\n"
        "rewired   the net  outputs: softmax1 -> relu1\n"
        "decoder   output  Category(['a', 'b']) -> None\n"
        "removed   linear1/weight  (3, 2) -> -\n"
        "removed   linear1/bias  (3,) -> -\n"
        "removed   linear2/weight  (2, 3) -> -\n"
        "removed   linear2/bias  (2,) -> -"
    )
    more = nw.initialize(nw.Chain(chain[:"linear2"], nw.Linear(4)))
    assert nw.diff(chain[:"linear2"], more).of("kept") == ()


def test_how_far_an_array_went(chain: Net) -> None:
    ones = chain.with_arrays({"linear1/bias": [1.0, 2.0, 2.0]})
    more = ones.with_arrays({"linear1/bias": [1.1, 2.2, 2.2]})
    assert nw.diff(chain, ones).changes[1].by == math.inf
    assert str(nw.diff(chain, ones)) == "changed   linear1/bias  (3,)  from zeros\nkept      3 arrays"
    assert str(nw.diff(ones, more)) == "changed   linear1/bias  (3,)  by 10.00%\nkept      3 arrays"
    broken = ones.with_arrays({"linear1/bias": [math.nan, 0.0, 0.0]})
    assert str(nw.diff(ones, broken)) == "changed   linear1/bias  (3,)  not finite\nkept      3 arrays"
    assert nw.diff(broken, broken).equal


def test_another_type_of_number(chain: Net) -> None:
    lines = str(nw.diff(chain, chain.to(torch.float64))).splitlines()
    assert lines[0] == "changed   linear1/weight  (3, 2)  float32 -> float64  by 0.00%"


def test_options_codecs_and_shared_names_without_arrays() -> None:
    assert str(nw.diff(nw.Chain(act=nw.relu), nw.Chain(act=nw.tanh))) == "option    act.function  'relu' -> 'tanh'"
    net = nw.Chain(nw.Dropout(0.5), nw.Linear(2), input=2)
    assert str(nw.diff(net, net.replace("dropout1", nw.Dropout(0.1)))) == "option    dropout1.rate  0.5 -> 0.1"
    assert str(nw.diff(net, net.with_input(nw.Vector(2)))).startswith("encoder   input  Array('2') -> Vector(2")
    shared = net.replace("linear1", nw.Shared("one", nw.Linear(2)))
    assert str(nw.diff(net, shared)) == "shared    linear1  None -> 'one'"
    assert str(nw.diff(nw.Linear(3), nw.Linear(3, bias=False))) == "option    bias  True -> False"


def test_arrays_that_become_shared() -> None:
    net = nw.initialize(nw.Chain(nw.Linear(2), nw.relu, nw.Linear(2), input=2))
    layer = nw.Shared("one", net["linear1"])
    tied = net.replace("linear2", nw.Linear(2)).replace("linear1", layer).replace("linear2", layer)
    difference = nw.diff(net, tied)
    assert difference.of("shared") == ("@one/weight", "@one/bias")
    assert difference.of("removed") == ("linear2/weight", "linear2/bias")
    assert nw.patch(net, difference) == tied


def test_what_was_renamed_is_not_called_removed_and_added() -> None:
    net = nw.initialize(nw.Chain(4, nw.relu, nw.Chain(3, nw.tanh, 3), input=2), seed=0)
    renamed = net.rename("linear1", "dense").rename("chain1", "head")
    assert str(nw.diff(net, renamed)) == (
        "renamed   chain1 -> head\n"
        "renamed   linear1 -> dense\n"
        "renamed   dense/weight  (4, 2)  was linear1/weight\n"
        "renamed   dense/bias  (4,)  was linear1/bias\n"
        "renamed   head/linear1/weight  (3, 4)  was chain1/linear1/weight\n"
        "renamed   head/linear1/bias  (3,)  was chain1/linear1/bias\n"
        "renamed   head/linear2/weight  (3, 3)  was chain1/linear2/weight\n"
        "renamed   head/linear2/bias  (3,)  was chain1/linear2/bias"
    )
    copied = renamed.with_arrays(renamed.arrays)  # equal values in other memory, new biases among them
    assert str(nw.diff(net, copied)) == str(nw.diff(net, renamed))


def test_a_part_that_stands_elsewhere_is_moved() -> None:
    net = nw.initialize(nw.Chain(nw.Linear(3), nw.relu, body=nw.Chain(nw.tanh, nw.tanh), input=3))
    moved = net.delete("linear1").replace("body", net["body"].append(net["linear1"]))
    difference = nw.diff(net, moved)
    assert str(difference) == (
        "moved     linear1 -> body/linear1, reads tanh2\n"
        "rewired   relu1  linear1 -> input\n"
        "rewired   body  outputs: tanh2 -> linear1\n"
        "renamed   body/linear1/weight  (3, 3)  was linear1/weight\n"
        "renamed   body/linear1/bias  (3,)  was linear1/bias"
    )
    assert nw.patch(net, difference) == moved


def test_another_part_under_another_name_is_no_rename() -> None:
    """Both have biases of zero: equal, but not the same array."""
    net = nw.initialize(nw.Chain(a=nw.Linear(2), input=2), seed=0)
    other = nw.initialize(nw.Chain(b=nw.Linear(2), input=2), seed=1)
    difference = nw.diff(net, other)
    assert [change.fate for change in difference.changes] == ["added", "added", "removed", "removed"]
    assert nw.patch(net, difference) == other


def test_one_array_is_renamed_once() -> None:
    net = nw.initialize(nw.Chain(a=nw.Linear(2), input=2), seed=0)
    two = nw.Chain(b=net["a"], c=net["a"], input=2)
    assert [change.fate for change in nw.diff(net, two).changes] == ["renamed", "renamed", "added", "added"]


def test_paths_by_other_names_of_places() -> None:
    assert home_of("a/b/c", {"a": "x"}) == "x/b/c"
    assert home_of("a/b/c", {"a": "x", "a/b": "y/z"}) == "y/z/c"
    assert home_of("a/b/c", {"b": "x"}) == "a/b/c"
