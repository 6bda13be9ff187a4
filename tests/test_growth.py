"""Tests how the work grows with a net: how often, and for how many leaves, its sizes are solved. No test reads a clock.

A solve is what a verb costs: everything else it does is a walk over the parts.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import netwright as nw
from netwright.net.plan import plan
from netwright.net.plan.solve import Solution, solve

PARTS = 40
ROWS = [[0.5] * 4 for _ in range(8)]


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many leaves each solve had that the test has made so far."""
    sizes: list[int] = []

    def counted(*given: object) -> Solution:
        found: Solution = solve(*given)  # type: ignore[arg-type]
        sizes.append(len(found.wiring.leaves))
        return found

    monkeypatch.setattr(plan, "solve", counted)
    return sizes


def chain() -> nw.Net:
    parts = [part for _ in range(PARTS // 2) for part in (nw.Linear(4), nw.relu)]
    return nw.Chain(*parts, input=4, output=4)


def nest(depth: int) -> nw.Net:
    """A net of five leaves in `depth` containers, each in the other."""
    net: nw.Net = nw.Chain(nw.Linear(4), nw.relu, nw.Linear(4), nw.relu, nw.Linear(4))
    for _ in range(depth - 1):
        net = nw.Chain(body=net)
    return nw.Chain(body=net, input=4, output=4)


EDITS: dict[str, tuple[Callable[[nw.Net], object], list[int]]] = {
    "replace": (lambda net: net.replace("linear9", nw.Linear(4)), [PARTS]),
    "insert": (lambda net: net.insert("linear9", nw.tanh), [PARTS + 1]),
    "delete": (lambda net: net.delete("relu9"), [PARTS - 1]),
    "rename": (lambda net: net.rename("linear9", "middle"), [PARTS]),
    "append": (lambda net: net.append(nw.tanh), [PARTS + 1]),
    "prepend": (lambda net: net.prepend(nw.Linear(4)), [PARTS + 1]),
    "slice": (lambda net: net[: PARTS // 2], [PARTS // 2]),
    "with_output, as it was": (lambda net: net.with_output(4), []),
    "with_output, another": (lambda net: net.with_output(None), [PARTS]),
    "with_input, another": (lambda net: net.with_input(nw.Vector(4)), []),  # another codec of the same sizes
    "a part": (lambda net: net["linear9"], []),
    "with_arrays": (lambda net: net.with_arrays({"linear9/bias": torch.ones(4)}), []),
    "to": (lambda net: net.to(torch.float64), []),
    "initialize": (nw.initialize, []),
    "call": (lambda net: nw.initialize(net)((0.5,) * 4), []),
    "equal": (lambda net: net == net.to(torch.float64), []),
    "diff": (lambda net: nw.diff(net, net.to(torch.float64)), []),
    "digest": (nw.digest, []),
    "summary": (nw.summary, []),
    "draw": (nw.draw, []),
    "repr": (repr, []),
}


@pytest.mark.parametrize("held", [False, True], ids=["bare", "with arrays"])
@pytest.mark.parametrize("verb", EDITS)
def test_a_verb_solves_what_it_makes_once(verb: str, held: bool, solved: list[int]) -> None:
    net = nw.initialize(chain()) if held else chain()
    act, wanted = EDITS[verb]
    solved.clear()
    act(net)
    assert solved == wanted


def test_a_chain_is_solved_once_to_be_built(solved: list[int]) -> None:
    chain()
    assert solved == [PARTS]


def test_joined_chains_are_solved_as_a_whole_alone(solved: list[int]) -> None:
    left, right = nw.initialize(chain()), nw.initialize(chain())
    solved.clear()
    assert len((left >> right).plan.steps) == 2 * PARTS
    assert solved == [2 * PARTS]


def test_a_file_is_solved_as_it_stands(tmp_path: Path, solved: list[int]) -> None:
    net = nw.initialize(chain())
    solved.clear()
    nw.save(net, tmp_path / "a.net")
    assert solved == []
    assert nw.load(tmp_path / "a.net") == net
    assert solved == [PARTS, PARTS]  # its parts alone, then with its codecs


def test_training_solves_the_net_with_its_loss_alone(solved: list[int]) -> None:
    net = chain()
    solved.clear()
    run = nw.train(net, (ROWS, ROWS), epochs=1, progress=False, threads=1)
    assert solved == [PARTS + 1]
    assert run.net.arrays.keys() == net.plan.arrays.keys()


@pytest.mark.parametrize("act", ["replace", "insert", "delete", "rename"])
def test_an_edit_deep_in_a_nest_solves_each_level_once(act: str, solved: list[int]) -> None:
    depth = 5
    net = nw.initialize(nest(depth))
    path = "/".join(["body"] * depth)
    acts: dict[str, tuple[Callable[[], nw.Net], int]] = {
        "replace": (lambda: net.replace(f"{path}/linear2", nw.Linear(4)), 5),
        "insert": (lambda: net.insert(f"{path}/linear2", nw.tanh), 6),
        "delete": (lambda: net.delete(f"{path}/relu1"), 4),
        "rename": (lambda: net.rename(f"{path}/linear2", "middle"), 5),
    }
    edit, leaves = acts[act]
    solved.clear()
    edit()
    assert solved == [leaves] * (depth + 1)
