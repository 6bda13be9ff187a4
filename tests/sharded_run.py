"""Trains nets that do not fit whole in the memory that is said to be free, as a program of torchrun does."""

import gc
import json
import math
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import torch.distributed as dist

import netwright as nw
from in_folder import once
from netwright.models.transformer import encoder_block
from netwright.training.engines.cut import owners_of
from netwright.training.events import Choice
from netwright.training.loop import Loop
from netwright.training.prepare import prepare, sharing
from netwright.training.result import Run
from together import RANK, Rows, Slows, ends, kept, refused, rows, texts, train

SGD = {"optimizer": "sgd", "schedule": "constant", "clip": 1.0}


def transformer(width: int = 8, blocks: int = 2) -> nw.Net:
    body = [encoder_block(width, 2, dropout=0.2) for _ in range(blocks)]
    return nw.Chain(
        nw.Embedding(width), *body, nw.Last(), nw.Linear(), nw.softmax,
        input=nw.Characters("abc"), output=nw.Category([*"abc"]),
    )  # fmt: skip


def residual(norm: Sequence[Any] = (nw.BatchNorm(),)) -> nw.Net:
    """Blocks with batch norms, and one layer that is used twice, so that no block has it alone."""
    twice = nw.Shared("twice", nw.Linear(16))
    block = [nw.Residual([nw.Linear(16), *norm, nw.relu, nw.Dropout(0.3)]) for _ in range(3)]
    return ends(nw.Linear(16), *block, twice, nw.tanh, twice)


def of_texts(**more: Any) -> Run:
    data = (texts(40), [text[-1] for text in texts(40)])
    return train(transformer(), data, validation=8, epochs=5, **{**SGD, "learning_rate": 0.05, **more})


EQUAL: dict[str, tuple[int, Callable[[], Run]]] = {  # with the bytes that are free for both processes
    "two rates": (160_000, lambda: of_texts(learning_rate={"embedding1": 0.02, "*": 0.05})),
    "frozen, lengths": (160_000, lambda: of_texts(learning_rate={"embedding1": 0, "*": 0.05})),
    "batch norm, weights, shared": (
        120_000,
        lambda: train(
            residual(), rows(61), validation=11, epochs=5, weights=[1 + i % 3 for i in range(61)], learning_rate=0.01,
            **SGD,
        ),
    ),
    "a last batch of one": (
        96_000,
        lambda: train(residual(norm=()), rows(19), epochs=9, learning_rate=0.01, **SGD),
    ),
    "a callback gets the net and changes the rate": (
        96_000,
        lambda: train(residual(norm=()), rows(40), epochs=5, learning_rate=0.01, callbacks=[Slows()], **SGD),
    ),
}  # fmt: skip


def unequal(norm: Sequence[Any] = (nw.BatchNorm(),)) -> nw.Net:
    """Blocks of 24 to 960 weights, and one layer that is used twice."""
    twice = nw.Shared("twice", nw.Linear(24))
    wide = [nw.Linear(40), *norm, nw.relu, nw.Linear(24), nw.Dropout(0.2)]
    return ends(nw.Linear(4), *norm, nw.relu, wide, twice, nw.tanh, nw.Linear(24, bias=False), twice, nw.relu)


def pictures() -> Any:
    draw = torch.Generator().manual_seed(1)
    return torch.randint(0, 255, (50, 8, 8), generator=draw, dtype=torch.uint8), [i % 3 for i in range(50)]


def of_pictures(**more: Any) -> Run:
    net = nw.Chain(
        nw.Conv(4, 3), nw.BatchNorm(), nw.relu, nw.MaxPool(2), nw.Conv(8, 3), nw.relu, nw.Flatten(), nw.Linear(3),
        nw.softmax, input=nw.Image(8, 8, "gray"), output=nw.Category(range(3)),
    )  # fmt: skip
    return train(net, pictures(), validation=11, **{**SGD, "epochs": 4, "learning_rate": 0.01, **more})


def of_one_layer(**more: Any) -> Run:
    """A net that is one layer, used three times."""
    again = [part for _ in range(3) for part in (nw.Shared("again", nw.Linear(6)), nw.tanh)]
    x = rows(61)[0]
    net = nw.Chain(*again, input=nw.Vector(6), output=nw.Vector(6))
    return train(net, (x, x.sin()), validation=11, **{**SGD, "epochs": 5, "learning_rate": 0.05, **more})


def of_rows(norm: Sequence[Any] = (nw.BatchNorm(),), count: int = 61, **more: Any) -> Run:
    rates = {"linear1": 0.004, "*": 0.01}
    weights = [1 + i % 3 for i in range(count)]
    given = {**SGD, "learning_rate": rates, "weights": weights, "validation": 11, "epochs": 4, **more}
    return train(unequal(norm), rows(count), **given)


PRECISIONS = ("float64", "float32", "bf16")
IN_PIECES = (Choice("pieces", "3 of a batch", "", 3),)
KINDS: dict[str, Callable[..., Run]] = {  # each in float64, float32 and bf16
    "unequal blocks, batch norm": of_rows,
    "convolutions": of_pictures,
    "one layer": of_one_layer,
    "penalties": lambda **more: of_rows(penalties={"*/weight": nw.L2(0.1), "linear*/weight": nw.L1(0.03)}, **more),
    "a last batch of one": lambda **more: of_rows((nw.LayerNorm(),), 30, **{"epochs": 7, **more}),
    "pieces": lambda **more: of_rows((), choices=IN_PIECES, **more),
}


def of_kinds(precisions: Sequence[str], names: Sequence[str] = (*KINDS,)) -> dict[str, Run]:
    return {f"{kind}, {name}": KINDS[name](precision=kind) for kind in precisions for name in names}


def always(choose: Any, plan: Any, trained: Any, optimizer: Any, *_: Any) -> sharing.Sharing:
    """Each process holds a share, however much memory is free."""
    sizes = {path: math.prod(plan.arrays[path].shape) for path in trained}
    if choose.group.size == 1:
        return sharing.Sharing(None, sum(sizes.values()))
    choose.say("sharing", f"each process holds 1/{choose.group.size} of the net", "as this test wants it")
    owners = owners_of(plan, [slot for _, slot in plan.wiring.outputs], sizes)
    return sharing.Sharing(owners, sum(sizes.values()))


def in_shares() -> Any:
    return patch.object(prepare, "sharing_of", always)


def trained_in(folder: Path | None, ended_by: str = "", at: int = 0, **more: Any) -> Run:
    """The run; this ends it at an item of the second process."""
    options = {**SGD, "learning_rate": {"linear1": 0.005, "*": 0.01}, "validation": 7, "optimizer": "adam", **more}
    return train(residual(), Rows(once(folder, ended_by), at), folder=folder, epochs=6, **options)


def of_tensors() -> int:
    """Bytes of all tensors of this process that hold float64."""
    found = [x for x in gc.get_objects() if issubclass(type(x), torch.Tensor)]
    found = [getattr(x, "_local_tensor", x) for x in found if x.dtype == torch.float64 and not x.is_meta]
    return sum({x.untyped_storage().data_ptr(): x.untyped_storage().nbytes() for x in found}.values())


def bytes_of(loop: Loop) -> dict[str, int]:
    flat = loop.prepared.engine.flat
    updates = [getattr(update, "update", update) for update, _ in loop.prepared.updates]
    states = [array for update in updates for array in update.state().arrays.values()]
    return {
        "weights": flat.master.untyped_storage().nbytes(),
        "gradient": flat.gradient.untyped_storage().nbytes(),
        "optimizer": sum(array.untyped_storage().nbytes() for array in states),
        "best net so far": loop._best.trained.untyped_storage().nbytes(),
        "all": of_tensors(),
    }


COLLECTIVES = {  # with their names in older and newer torch
    "gathered": ("all_gather_into_tensor", "all_gather_single"),
    "scattered": ("reduce_scatter_tensor", "reduce_scatter_single"),
}


def sent() -> tuple[ExitStack, dict[str, int]]:
    """Where FSDP sends arrays, the bytes of the whole arrays by kind of collective."""
    found, patched = dict.fromkeys(COLLECTIVES, 0), ExitStack()

    def counting(kind: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counts(*given: Any, **named: Any) -> Any:
            found[kind] += max(x.nbytes for x in (*given, *named.values()) if isinstance(x, torch.Tensor))
            return call(*given, **named)

        return counts

    for kind, names in COLLECTIVES.items():
        name = next(name for name in reversed(names) if hasattr(dist, name))
        patched.enter_context(patch.object(dist, name, counting(kind, getattr(dist, name))))
    return patched, found


def counted() -> dict[str, Any]:
    """What a process holds after the sixth step, and what that step sent, for a net of many weights."""
    found: dict[str, Any] = {}

    def step(loop: Loop, batch: Any) -> float:
        patched, bytes_sent = sent() if loop.status.step == 5 else (ExitStack(), {})
        with patched:
            loss = made(loop, batch)
        if bytes_sent:
            found["sent"] = bytes_sent
        if loop.status.step == 6:
            gc.collect()
            found.update(bytes_of(loop))
        return loss

    made, data = Loop._step, (texts(40), [text[-1] for text in texts(40)])
    with patch.object(Loop, "_step", step):
        run = train(transformer(64, 6), data, epochs=2, batch_size=4)
    found["sharing"] = next((choice.value for choice in run.choices if choice.name == "sharing"), "")
    return found


def main(folder: Path) -> None:
    found: dict[str, Any] = {}
    for name, (free, make) in EQUAL.items():
        sharing.free_memory = lambda _, free=free: free
        run = make()
        found[name] = {**kept(run), "sharing": next(c.value for c in run.choices if c.name == "sharing")}
    sharing.free_memory = lambda _: 20_000
    found["too large"] = refused(of_texts)
    sharing.free_memory = lambda _: 160_000
    found["whole arrays"] = refused(lambda: of_texts(optimizer=torch.optim.Adagrad))
    for name, free in (("whole", 1 << 40), ("share", 22_000_000)):
        sharing.free_memory = lambda _, free=free: free
        found[name] = counted()
    (folder / f"{RANK}.json").write_text(json.dumps(found))


def write(folder: Path, runs: dict[str, Run]) -> None:
    sharing_of = {
        name: [choice.value for choice in run.choices if choice.name == "sharing"] for name, run in runs.items()
    }
    found = {name: {**kept(run), "sharing": sharing_of[name]} for name, run in runs.items()}
    (folder / f"{RANK}.json").write_text(json.dumps(found))


def all_kinds(folder: Path) -> None:
    with in_shares():
        found = of_kinds(PRECISIONS)
    whole = {f"whole {name}": run for name, run in of_kinds(["bf16"]).items()}
    write(folder, {**found, **whole})


def short(folder: Path) -> None:
    with in_shares():
        write(folder, of_kinds(["float32"], ["unequal blocks, batch norm"]))


def one_run(folder: Path, ended_by: str, at: str) -> None:
    with in_shares():
        trained_in(folder, ended_by, int(at))


if __name__ == "__main__":
    {"main": main, "all kinds": all_kinds, "short": short, "run": one_run}[sys.argv[1]](
        Path(sys.argv[2]), *sys.argv[3:]
    )
