"""Random nets for the laws of every net: chains, residuals, parallels, repeats, graphs, shared parts."""

from hypothesis import strategies as st

import netwright as nw

WIDTH = 4  # of every value, so that parts can stand anywhere

LEAVES = st.sampled_from(
    [
        nw.Linear(WIDTH),
        nw.Linear(WIDTH, bias=False),
        nw.relu,
        nw.tanh,
        nw.LayerNorm(),
        nw.Shared("same", nw.Linear(WIDTH)),
    ]
)


def _chains(parts: st.SearchStrategy[nw.Net]) -> st.SearchStrategy[nw.Net]:
    plain = st.lists(parts, min_size=1, max_size=4).map(lambda found: nw.Chain(*found))
    named = st.lists(parts, min_size=1, max_size=3).map(
        lambda found: nw.Chain(**{f"part_{i}": part for i, part in enumerate(found)})
    )
    return plain | named


def _containers(parts: st.SearchStrategy[nw.Net]) -> st.SearchStrategy[nw.Net]:
    return (
        _chains(parts)
        | parts.map(nw.Residual)
        | st.lists(parts, min_size=2, max_size=3).map(lambda found: nw.Chain(nw.Parallel(*found), nw.Add()))
        | parts.map(lambda part: nw.Repeat(2, part))
        | st.tuples(parts, parts).map(_diamond)
        | parts.map(_twice)
    )


def _diamond(parts: tuple[nw.Net, nw.Net]) -> nw.Net:
    left, right = parts
    return nw.Graph(left=(left, "input"), right=(right, "input"), sum=(nw.Add(), "left", "right"))


def _twice(part: nw.Net) -> nw.Net:
    return nw.Graph(one=(part, "input"), act=(nw.tanh, "one"), two=("one", "act"))


def nets() -> st.SearchStrategy[nw.Net]:
    """Filled nets from WIDTH numbers to WIDTH numbers, a container outside."""
    inner = st.recursive(LEAVES, _containers, max_leaves=5)
    return _containers(inner).map(lambda net: nw.initialize(net.with_input(WIDTH), seed=7))


def chains() -> st.SearchStrategy[nw.Net]:
    """Filled chains."""
    inner = st.recursive(LEAVES, _containers, max_leaves=4)
    return _chains(inner).map(lambda net: nw.initialize(net.with_input(WIDTH), seed=7))
