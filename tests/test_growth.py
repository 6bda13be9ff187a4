"""Tests how the work of every verb grows with the parts of a net: by counts of solves and steps, never by a clock.

A solve of the sizes is what most verbs cost; all else they do is a walk over the parts.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import netwright as nw
from netwright.net.plan import plan
from netwright.net.plan.solution import Solution
from netwright.net.plan.solve import solve
from steps import steps

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
    "select, replace": (lambda net: nw.select(net, nw.relu).replace(nw.gelu), [PARTS]),
    "select, remove": (lambda net: nw.select(net, nw.relu).remove(), [PARTS // 2]),
    "a part": (lambda net: net["linear9"], []),
    "with_arrays": (lambda net: net.with_arrays({"linear9/bias": torch.ones(4)}), []),
    "to": (lambda net: net.to(torch.float64), []),
    "initialize": (nw.initialize, []),
    "call": (lambda net: nw.initialize(net)((0.5,) * 4), []),
    "equal": (lambda net: net == net.to(torch.float64), []),
    "diff": (lambda net: nw.diff(net, net.to(torch.float64)), []),
    "patch": (lambda net: nw.patch(net, nw.diff(net, net.to(torch.float64))), []),
    "rename and patch": (lambda net: nw.patch(net, nw.diff(net, net.rename("linear9", "middle"))), [PARTS, PARTS]),
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
    assert solved == [PARTS]


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


def wide(parts: int) -> nw.Net:
    """A chain of so many parts."""
    return nw.Chain(*[part for _ in range(parts // 2) for part in (nw.Linear(4), nw.relu)], input=4, output=4)


def deep(parts: int) -> nw.Net:
    """So many parts in containers, five in each other."""
    leaves = [part for _ in range(parts // 10) for part in (nw.Linear(4), nw.relu)]
    net: nw.Net = nw.Chain(*leaves)
    for _ in range(4):
        net = nw.Chain(*leaves, body=net)
    return nw.Chain(body=net, input=4, output=4)


def sequences(parts: int) -> nw.Net:
    return nw.Chain(nw.GRU(4), *[part for _ in range(parts // 2) for part in (nw.Linear(4), nw.relu)], input=("n", 4))


def middle(net: nw.Net) -> tuple[str, str]:
    """The paths of a Linear, and of what comes after it, in the innermost container."""
    path = "body/" * (5 if "body" in net.paths else 0)
    return f"{path}linear1", f"{path}relu1"


def saved(net: nw.Net) -> Path:
    path = Path(tempfile.mkdtemp()) / "a.net"
    nw.save(net, path)
    return path


# What is made before, and what is done with it.
GROWING: dict[str, tuple[Callable[[nw.Net], Any], Callable[[Any], object]]] = {
    "plan": (lambda net: net.with_input(None), lambda net: net.with_input(4).plan),
    "initialize": (lambda net: net.with_arrays({}), nw.initialize),
    "call": (lambda net: net.to(torch.float64), lambda net: net((0.5,) * 4)),
    "replace": (lambda net: net, lambda net: net.replace(middle(net)[0], nw.Linear(4))),
    "insert": (lambda net: net, lambda net: net.insert(middle(net)[0], nw.tanh)),
    "delete": (lambda net: net, lambda net: net.delete(middle(net)[1])),
    "rename": (lambda net: net, lambda net: net.rename(middle(net)[0], "other")),
    "get": (lambda net: net, lambda net: net[middle(net)[0]]),
    "join": (lambda net: net, lambda net: net >> net),
    "diff": (lambda net: (net, net.rename(middle(net)[0], "other")), lambda nets: nw.diff(*nets)),
    "patch": (
        lambda net: (net, nw.diff(net, net.rename(middle(net)[0], "other"))),
        lambda pair: nw.patch(*pair),
    ),
    "merge": (
        lambda net: (net, net.rename(middle(net)[0], "other"), net.delete(middle(net)[1])),
        lambda nets: nw.merge(*nets),
    ),
    "equal": (lambda net: (net, nw.load(saved(net))), lambda nets: nets[0] == nets[1]),
    "digest": (lambda net: net, nw.digest),
    "save": (lambda net: net, saved),
    "load": (saved, nw.load),
    "summary": (lambda net: net, lambda net: str(nw.summary(net))),
    "draw": (lambda net: net, lambda net: nw.draw(net, depth=9)),
    "repr": (lambda net: net, repr),
    "train": (lambda net: net, lambda net: nw.train(net, (ROWS, ROWS), epochs=1, progress=False, threads=1)),
}


@pytest.mark.parametrize("build", [wide, deep])
@pytest.mark.parametrize("verb", GROWING)
def test_ten_times_the_parts_take_at_most_twelve_times_the_steps(verb: str, build: Callable[[int], nw.Net]) -> None:
    def taken(parts: int) -> int:
        make, act = GROWING[verb]
        given = make(nw.initialize(build(parts)))
        return steps(lambda: act(given))

    taken(10)  # what is made once for all nets
    assert taken(400) <= 12 * taken(40)


@pytest.mark.parametrize("build", [wide, deep, sequences])
def test_building_and_unfolding_grow_with_the_parts(build: Callable[[int], nw.Net]) -> None:
    build(10)
    assert steps(lambda: build(400)) <= 12 * steps(lambda: build(40))
    if build is sequences:
        long, short = build(400), build(40)
        assert steps(lambda: nw.unfold(long)) <= 12 * steps(lambda: nw.unfold(short))
