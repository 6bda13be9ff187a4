"""A branch that nothing reads is refused, unless somebody says which output is read."""

import pytest

import netwright as nw
from netwright.errors import NetError


def test_a_chain_does_not_drop_branches() -> None:
    with pytest.raises(NetError) as caught:
        nw.Chain(nw.Parallel(3, 5), nw.Linear(2))
    assert str(caught.value) == (
        "linear1 reads the first output of parallel1 alone, and linear2 would lead nowhere\n"
        "  where:    parallel1 -> linear1\n"
        "  expected: all outputs of parallel1: linear1, linear2\n"
        "  got:      linear1\n"
        "  mend:     nw.Concatenate() before linear1, which reads them all\n"
        "  or:       leave linear2 out"
    )
    assert nw.Chain(nw.Parallel(3, 5), nw.Concatenate(), nw.Linear(2), input=2).plan.outputs == {"output": (2,)}


@pytest.mark.parametrize(
    "make",
    [
        lambda: nw.Chain([nw.relu, nw.Parallel(3, 5)], nw.Linear(2)),
        lambda: nw.Residual(nw.Parallel(3, 5)),
        lambda: nw.Graph(both=(nw.Parallel(3, 5), "input"), end=(nw.Linear(2), "both")),
        lambda: nw.Chain(nw.Parallel(3, 5)) >> nw.Linear(2),
        lambda: nw.Graph(nw.Linear(2)(nw.Parallel(3, 5)(nw.Input()))),
    ],
)
def test_other_ways_to_lose_a_branch(make) -> None:
    with pytest.raises(NetError, match="would lead nowhere"):
        make()


def test_what_is_said_or_read_is_not_lost() -> None:
    assert nw.Graph(both=(nw.Parallel(3, 5), "input"), end=(nw.Linear(2), "both.linear1"))
    assert nw.Graph(both=(nw.Parallel(3, 5), "input"), end=(nw.Linear(2), "both"), outputs=["end", "both.linear2"])
    heads = nw.Graph({"output": nw.Linear(3)(y := nw.Input()), "other": nw.Linear(5)(y)})
    named = nw.Graph(both=(heads, "input"), end=(nw.Linear(2), "both.output"))
    assert "(Linear(2), 'both.output')" in repr(named)
    x = nw.Parallel(3, 5)(nw.Input())
    assert nw.Graph({"a": nw.Linear(2)(x), "b": x["linear2"]})
    assert nw.Chain(nw.LSTM(3), nw.Linear(2))  # its states come with its output, no part makes them alone
    assert nw.Chain(nw.Parallel(3, 5)).output_names == ("linear1", "linear2")
