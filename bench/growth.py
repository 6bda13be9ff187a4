"""How the verbs of a net grow with its parts, and what starting costs: written to bench/growth.md by `make bench`."""

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from bench.run import Verdict, machine, promises, seconds_of, versions
from bench.workloads import SMOLLM2
from bench.yardstick import Yardstick, yardstick

import netwright as nw
from netwright.models.pretrained import llama
from netwright.models.pretrained.weights import Config

RESULTS = Path(__file__).with_name("growth.md")
SIZES = (10, 100, 1000)  # parts
WIDTH = 16
GROWTH = 12.0  # times, for ten times the parts
GOALS = {"build": 70, "replace": 50, "insert": 50, "delete": 50, "load": 120, "train": 300}  # ms for 1,000 parts
IMPORT_MS = 60.0  # over torch, with the collector off
ROWS = [[row / 32] * WIDTH for row in range(32)]

Make = Callable[[int], nw.Net]


def chain(parts: int) -> nw.Net:
    """So many parts one after the other."""
    return nw.Chain(*_leaves(parts), input=WIDTH, output=WIDTH)


def nest(parts: int) -> nw.Net:
    """So many parts, in containers that are five in each other."""
    body: nw.Net = nw.Chain(*_leaves(parts // 5))
    for _ in range(4):
        body = nw.Chain(*_leaves(parts // 5), body=body)
    return nw.Chain(body=body, input=WIDTH, output=WIDTH)


def sequences(parts: int) -> nw.Net:
    """So many parts, the first of which remembers."""
    return nw.Chain(nw.GRU(WIDTH), *_leaves(parts), input=("n", WIDTH))


def _leaves(parts: int) -> list[nw.Net]:
    return [part for _ in range(max(1, parts // 2)) for part in (nw.Linear(WIDTH), nw.relu)]


def verbs(make: Callable[[], nw.Net], deep: str) -> dict[str, tuple[Callable[[], Any], Callable[[Any], object]]]:
    """By name: what is made before, unmeasured, and what is done with it. `deep` is the container that is edited."""
    filled = nw.initialize(make())
    folder = Path(tempfile.mkdtemp())
    first, second = f"{deep}linear1", f"{deep}relu1"

    def saved() -> Path:
        nw.save(filled, folder / "a.net")
        return folder / "a.net"

    return {
        "build": (lambda: None, lambda _: make()),
        "plan": (lambda: filled.with_input(None), lambda net: net.with_input(WIDTH).plan),
        "initialize": (make, nw.initialize),
        "call": (lambda: nw.initialize(make()), lambda net: net((0.5,) * WIDTH)),
        "replace": (lambda: filled, lambda net: net.replace(first, nw.Linear(WIDTH))),
        "insert": (lambda: filled, lambda net: net.insert(first, nw.tanh)),
        "delete": (lambda: filled, lambda net: net.delete(second)),
        "join": (lambda: filled, lambda net: net >> net),
        "diff": (lambda: filled.rename(first, "other"), lambda net: nw.diff(filled, net)),
        "equal": (lambda: nw.load(saved()), lambda net: net == filled),
        "digest": (lambda: filled, nw.digest),
        "save": (lambda: None, lambda _: saved()),
        "load": (saved, nw.load),
        "summary": (lambda: filled, lambda net: str(nw.summary(net))),
        "draw": (lambda: filled, lambda net: nw.draw(net, depth=6)),
        "repr": (lambda: filled, repr),
        "train": (make, lambda net: nw.train(net, (ROWS, ROWS), epochs=1, progress=False, threads=1)),
    }


def unfolding(make: Callable[[], nw.Net]) -> tuple[Callable[[], Any], Callable[[Any], object]]:
    """The verb of sequences."""
    return make, nw.unfold


def milliseconds(before: Callable[[], Any], act: Callable[[Any], object], repeats: int) -> float:
    """The median time of the processor for an act: one thread, and no collector, whose cost is what others leave."""
    found: list[float] = []
    for _ in range(repeats + 1):
        given = before()
        gc.collect()
        start = time.process_time()
        act(given)
        found.append(1000 * (time.process_time() - start))
    return statistics.median(found[1:])


def growing(build: Make, deep: str, repeats: int) -> dict[str, list[float]]:
    """Every verb for every number of parts."""
    table: dict[str, list[float]] = {}
    for parts in SIZES:
        for verb, (before, act) in verbs(lambda parts=parts: build(parts), deep).items():
            table.setdefault(verb, []).append(milliseconds(before, act, repeats))
        table.setdefault("unfold", []).append(milliseconds(*unfolding(lambda parts=parts: sequences(parts)), repeats))
    return table


def published(repeats: int) -> list[tuple[str, ...]]:
    """An edit deep inside nets as they are published, without their weights."""
    smollm2 = llama.llama_net(Config(SMOLLM2, "bench"), nw.Array(f"n <{SMOLLM2['vocab_size']}>"))
    nets = {"bn_inception": nw.bn_inception(["cat", "dog"]), "SmolLM2-135M": smollm2}
    rows: list[tuple[str, ...]] = []
    for name, net in nets.items():
        path = max((step.path for step in net.plan.steps if step.arrays), key=lambda path: path.count("/"))  # deepest
        part = net[path].bare()
        edit = milliseconds(lambda net=net: net, lambda net, path=path, part=part: net.replace(path, part), repeats)
        unfolded = milliseconds(lambda net=net: net, nw.unfold, repeats) if net.plan.varying else None
        cells = (f"{edit:.1f}", "–" if unfolded is None else f"{unfolded:.1f}")
        rows.append((name, f"{len(net.plan.steps)}", path, *cells))
    return rows


def importing(repeats: int, slower: float) -> Verdict:
    """`import netwright` where torch is imported already, without the collections that torch's objects cost."""
    found = [1000 * seconds for seconds in seconds_of("import gc; gc.disable()", repeats)]
    middle, most = statistics.median(found), IMPORT_MS * slower
    return Verdict(
        "import netwright, over torch, collector off", f"{middle:.0f} ms", f"{min(found):.0f}-{max(found):.0f} ms",
        f"≤ {most:.0f} ms", middle <= most, max(found) <= most, "less",
    )  # fmt: skip


def goals(tables: dict[str, dict[str, list[float]]], slower: float) -> list[Verdict]:
    """The promises: so many milliseconds for a chain of 1,000 parts, so many times for ten times the parts.

    `slower` is how many times longer this machine takes for the yardstick than the one for which the goals were set.
    """
    flat = next(iter(tables.values()))
    made = [
        Verdict(
            f"{verb}, 1,000 parts",
            f"{flat[verb][-1]:.0f} ms",
            "–",
            f"≤ {most * slower:.0f} ms",
            flat[verb][-1] <= most * slower,
            better="less",
        )
        for verb, most in GOALS.items()
    ]
    for name, table in tables.items():
        ratios = {verb: times[-1] / times[-2] for verb, times in table.items()}
        worst = max(ratios, key=lambda verb: ratios[verb])
        made.append(
            Verdict(
                f"{name}: the most that ten times the parts cost", f"{ratios[worst]:.1f} × ({worst})",
                f"{min(ratios.values()):.1f}-{ratios[worst]:.1f}", f"≤ {GROWTH:.0f} ×",
                ratios[worst] <= GROWTH, better="less",
            )
        )  # fmt: skip
    return made


def lines_of(table: dict[str, list[float]]) -> list[str]:
    """A table of milliseconds by verb."""
    head = ["verb", *(f"{parts:,} parts" for parts in SIZES), "growth of the last"]
    rows = [(verb, *(f"{t:.1f}" for t in times), f"{times[-1] / times[-2]:.1f} ×") for verb, times in table.items()]
    return lined(head, rows)


def lined(head: list[str], rows: list[tuple[str, ...]]) -> list[str]:
    """A table in Markdown."""
    return [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(row)} |" for row in rows)]


def main() -> None:
    """Measure, write the results, and say them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--date", required=True, help="of the run, as it shall stand in the results")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    where = machine()
    torch.set_num_threads(1)
    gc.disable()
    rounds = yardstick(args.repeats).rounds
    tables: dict[str, dict[str, list[float]]] = {}
    for name, build, deep in (("a chain", chain, ""), ("five deep", nest, "body/" * 5)):
        tables[name] = growing(build, deep, args.repeats)
        rounds += yardstick(args.repeats).rounds
    stick = Yardstick(rounds)
    text = [
        "# How the verbs grow with the parts of a net, measured",
        "",
        f"Written by `make bench` on {args.date}. Machine: {where}. {versions()}.",
        "",
        f"Milliseconds of one processor, medians of {args.repeats}, without the garbage collector: what one of its",
        "passes costs is decided by the objects that torch has made, 0.1 s for 200,000. `train` is one step from cold.",
        "",
        str(stick),
        "",
        *promises([*goals(tables, stick.slower), importing(args.repeats, stick.slower)]),
    ]
    for name, table in tables.items():
        text += ["", f"## {name.capitalize()}", "", *lines_of(table)]
    head = ["net", "leaves", "part replaced", "replace", "unfold"]
    text += ["", "## Published nets, without their weights", "", *lined(head, published(args.repeats))]
    args.out.write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n".join(text))


if __name__ == "__main__":
    main()
