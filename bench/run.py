"""`make bench`: every speed that is promised, measured beside its peers in one run, written to bench/results.md."""

import argparse
import compileall
import importlib.metadata
import importlib.util
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from bench.inference import CALLS, race
from bench.interleave import ALLOCATOR, PEERS, STEPS, Row, Worker, interleave, table
from bench.quality import WITHIN, differences
from bench.recurrent import PLACES, race_fold, race_generation
from bench.workloads import WORKLOADS
from bench.yardstick import Yardstick, yardstick

import netwright
from netwright.machine import has_bf16

NEEDS = {"lightning": ["lightning"], "keras-torch": ["keras"], "keras-jax": ["keras", "jax"]}
PACKAGES = ("netwright", "torch", "numpy", "lightning", "keras", "jax", "transformers", "onnxruntime")
UNITS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
GOALS = {  # times the speed of each peer, where there are units for bf16
    "lenet": {"base": 3.0, "expert": 1.1, "lightning": 3.5, "keras-torch": 3.5, "keras-jax": 3.5},
    "mlp": {"base": 3.0, "lightning": 6.0},
    "char": {"base": 2.4},
    "seq2seq": {"base": 1.65},
    "transformer": {"base": 1.7},
}
AHEAD = 1.0  # times the speed of each peer, where there are none: most of a step is products by the same library
LEFT_OUT = {  # Lightning adds less than a millisecond to steps so long; Keras takes seconds a round, all in all minutes
    "char": ("lightning", "keras-torch", "keras-jax"),
    "seq2seq": ("lightning", "keras-torch", "keras-jax"),
    "transformer": ("lightning", "keras-torch", "keras-jax"),
}
FOLD = 1.5  # of a folded cell, times its leaf
LATE = 1.1  # of a late character, times an early one
COST = 1.10  # of a plan's call, times the module written by hand
IMPORT_SECONDS = 0.15
MEMORY = 1.10  # times the base's
RESULTS = Path(__file__).with_name("results.md")


@dataclass(frozen=True)
class Verdict:
    """One promise: what was measured, its spread, what it must be, whether it is, and whether it is in every round."""

    name: str
    measured: str
    spread: str
    goal: str
    met: bool
    always: bool = True
    better: str = "more"

    @property
    def answer(self) -> str:
        """What the table says of it: a promise that some rounds did not keep is met by the median alone."""
        return ("yes" if self.always else "by the median") if self.met else "**no**"


def training(workload: str, repeats: int, threads: int | None) -> tuple[str, list[Verdict]]:
    """All peers at hand over one workload, taking turns."""
    installed = [peer for peer in PEERS if all(importlib.util.find_spec(name) for name in NEEDS.get(peer, []))]
    peers = [peer for peer in installed if peer not in LEFT_OUT.get(workload, ())]
    workers = {peer: Worker(peer, workload, None, threads) for peer in peers}
    try:
        for worker in workers.values():
            worker()  # imports, compilation and the first slow call are nobody's figure
        rows = interleave(dict(workers), repeats)
    finally:
        for worker in workers.values():
            worker.close()
    text = table(rows, STEPS[workload] * WORKLOADS[workload].batch)
    goals = {peer: goal if has_bf16(torch.device("cpu")) else AHEAD for peer, goal in GOALS[workload].items()}
    return text, [against(workload, rows, peer, goal) for peer, goal in goals.items() if peer in peers]


def against(workload: str, rows: list[Row], peer: str, goal: float) -> Verdict:
    """How many times a peer's speed ours is, round by round."""
    ours, other = (next(row for row in rows if row.name == name) for name in ("netwright", peer))
    return faster(f"training {workload}", ours.beside(other), peer, goal)


def faster(name: str, row: Row, of: str, least: float) -> Verdict:
    """A speed that is at least so many times another one."""
    spread, goal = f"{row.lowest:.2f}-{row.highest:.2f}", f"≥ {least:.2f} × {of}"
    return Verdict(name, f"{row.ratio:.2f} × {of}", spread, goal, row.ratio >= least, row.lowest >= least)


def inference(batch: int, repeats: int) -> Verdict:
    """The cost of a plan's call beside a module written by hand."""
    return cost(f"LeNet inference, batch {batch}", race(batch, repeats), "by hand", COST)


def cost(name: str, rows: list[Row], of: str, most: float) -> Verdict:
    """The seconds of the second candidate, times those of the first."""
    other = rows[1]
    times, lowest, highest = 1 / other.ratio, 1 / other.highest, 1 / other.lowest
    spread = f"{lowest:.2f}-{highest:.2f}"
    goal = f"≤ {most:.2f} × {of}"
    return Verdict(name, f"{times:.2f} × {of}", spread, goal, times <= most, highest <= most, "less")


def recurrence(repeats: int) -> list[Verdict]:
    """What a fold of a cell costs beside the leaf, and whether generating slows down as a text grows."""
    early, late = PLACES.values()
    return [
        cost("forward and backward, Fold of a GRU cell", race_fold(repeats), "leaf", FOLD),
        cost(f"generating a character after {late:,}", race_generation(repeats), f"after {early:,}", LATE),
    ]


def import_time(repeats: int, slower: float) -> Verdict:
    """Seconds that `import netwright` takes where torch is imported already."""
    seconds = seconds_of("", repeats)
    middle, most = statistics.median(seconds), IMPORT_SECONDS * slower
    return Verdict(
        "import netwright, over torch", f"{middle:.3f} s", f"{min(seconds):.3f}-{max(seconds):.3f} s",
        f"≤ {most:.3f} s", middle <= most, max(seconds) <= most, "less",
    )  # fmt: skip


def seconds_of(before: str, repeats: int) -> list[float]:
    """What `import netwright` takes in new processes that have imported torch, and then done something."""
    compileall.compile_dir(str(Path(netwright.__file__).parent), quiet=1)  # as pip does when it installs
    code = f"import time, torch; {before}\nt = time.perf_counter(); import netwright; print(time.perf_counter() - t)"
    return [float(_output("-c", code)) for _ in range(repeats)]


def memory() -> Verdict:
    """Peak memory of a process that trains LeNet, beside the base's: once, it is the same each time."""
    ratio = _peak("netwright") / _peak("base")
    goal = f"≤ {MEMORY:.2f} × base"
    return Verdict("peak memory, training LeNet", f"{ratio:.2f} × base", "–", goal, ratio <= MEMORY, better="less")


def quality() -> Verdict:
    """What bf16 costs: the paired difference of test accuracy to float32, in points, after one epoch of real MNIST."""
    found = differences(seeds=10, epochs=1)
    mean = statistics.mean(found)
    return Verdict(
        "test accuracy, bf16 − float32", f"{mean:+.3f} points", f"{min(found):+.2f} to {max(found):+.2f}, 10 seeds",
        f"within ±{WITHIN}", abs(mean) <= WITHIN, better="near 0",
    )  # fmt: skip


def machine() -> str:
    """The processor, its units and the load, as one line."""
    facts = dict[str, str]()
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            facts.setdefault(key.strip(), value.strip())
    units = [unit for unit in UNITS if unit in facts.get("flags", "").split()]
    name = facts.get("model name") or platform.processor() or platform.machine()
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return (
        f"{name}, {os.cpu_count()} cores, {' '.join(units) or 'units unknown'}, {torch.get_num_threads()} threads{load}"
    )


def versions() -> str:
    """Which release of each package raced."""
    found = {dist.metadata["Name"].lower(): dist.version for dist in importlib.metadata.distributions()}
    python = f"Python {platform.python_version()}"
    return ", ".join([python, *(f"{name} {found[name]}" for name in PACKAGES if name in found)])


def promises(verdicts: list[Verdict]) -> list[str]:
    """The lines of a table that says what was promised and what was measured."""
    rows = [(v.name, v.measured, v.spread, v.better, v.goal, v.answer) for v in verdicts]
    head = ["| promise | measured | spread | better | goal | met |", "|---|---|---|---|---|---|"]
    return [*head, *("| " + " | ".join(row) + " |" for row in rows)]


def report(
    date: str, where: str, tables: dict[str, str], verdicts: list[Verdict], repeats: int, stick: Yardstick
) -> str:
    """The whole of results.md."""
    lines = [
        "# Speed, measured",
        "",
        f"Written by `make bench` on {date}. Machine: {where}. {versions()}.",
        "",
        f"All candidates took turns in {repeats} rounds. A ratio is the median of the ratios within the rounds, with",
        "the lowest and highest; examples a second are those of the median round. The base is a plain eager float32",
        "loop of torch, the expert a loop by hand with its faster precision and threads. Absolute figures depend on",
        "the machine. For all peers glibc keeps freed memory and each thread keeps to one processor. A promise is met",
        "by the median where the median keeps it and some round does not. Without units for bf16 most of a step is",
        "products in float32, which all peers have from the same library: the promise is that no peer is faster, and",
        "bf16 is not compared with float32.",
        "",
        str(stick),
        "",
        *promises(verdicts),
    ]
    for workload, text in tables.items():
        lines += ["", f"## Training {workload}, batch {WORKLOADS[workload].batch}", "", "```", text, "```"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure everything, write the results, and say them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--date", required=True, help="of the run, as it shall stand in the results")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=None, help="for all peers; 1 on a machine that others load")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    where, tables, verdicts = machine(), dict[str, str](), list[Verdict]()
    for workload in WORKLOADS:
        tables[workload], found = training(workload, args.repeats, args.threads)
        verdicts += found
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    verdicts += [inference(batch, 3 * args.repeats) for batch in CALLS]
    verdicts += recurrence(2 * args.repeats)
    stick = yardstick(args.repeats)
    verdicts += [import_time(args.repeats, stick.slower), memory()]
    if has_bf16(torch.device("cpu")):
        verdicts.append(quality())
    text = report(args.date, where, tables, verdicts, args.repeats, stick)
    args.out.write_text(text, encoding="utf-8")
    print(text)


def _peak(peer: str) -> float:
    return float(_output("-m", "bench.memory", PEERS[peer][0], "lenet"))


def _output(*arguments: str) -> str:
    environment = os.environ | ALLOCATOR
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, env=environment
    ).stdout


if __name__ == "__main__":
    main()
