"""Race candidates fairly on a machine whose speed drifts: take turns, then compare medians and within-round ratios."""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.workloads import WORKLOADS

PEERS = {  # name -> (module below bench.peers, environment)
    "base": ("torch_base", {}),
    "expert": ("expert", {}),
    "netwright": ("netwright_fit", {}),
    "lightning": ("lightning_fit", {}),
    "keras-torch": ("keras_fit", {"KERAS_BACKEND": "torch"}),
    "keras-jax": ("keras_fit", {"KERAS_BACKEND": "jax"}),
}
ALLOCATOR = {
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_MMAP_THRESHOLD_": "1000000000",
    "OMP_PROC_BIND": "true",
}
"""For every peer: glibc keeps freed memory, which eager loops would otherwise fault in again at each step, and threads
keep to a processor each, since two on one spin through whole time slices."""

STEPS = {"lenet": 120, "mlp": 400, "char": 3, "seq2seq": 6, "transformer": 6}
"""About a second of the base or half of one: long enough to time, short enough to take turns."""


@dataclass(frozen=True)
class Row:
    """One candidate's result: the seconds of each round, and its speed relative to the base's in the same round.

    A speed compared with another candidate's is always the median of the ratios within the rounds, beside their
    extremes, so that a comparison has one figure wherever it is shown."""

    name: str
    seconds: tuple[float, ...]
    ratio: float
    lowest: float
    highest: float

    def beside(self, other: "Row") -> "Row":
        """This candidate with its speed relative to another one of the same race."""
        ratios = [theirs / ours for ours, theirs in zip(self.seconds, other.seconds, strict=True)]
        return Row(self.name, self.seconds, statistics.median(ratios), min(ratios), max(ratios))


def timed(call: Callable[[], object], calls: int) -> Callable[[], float]:
    """A candidate: the seconds of so many calls, after a first turn in which caches and allocators settle."""

    def turn() -> float:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        return time.perf_counter() - start

    turn()
    return turn


def interleave(candidates: dict[str, Callable[[], float]], repeats: int, base: str = "base") -> list[Row]:
    """Call every candidate once a round, `repeats` rounds, each round starting with another one.

    A candidate returns the seconds its work took. The ratio of a round is the base's seconds over the candidate's, so
    that drift common to both cancels; the row keeps their median and their extremes.
    """
    names = list(candidates)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for repeat in range(repeats):
        for shift in range(len(names)):
            name = names[(repeat + shift) % len(names)]
            seconds[name].append(candidates[name]())
    alone = {name: Row(name, tuple(taken), 1.0, 1.0, 1.0) for name, taken in seconds.items()}
    return [row.beside(alone[base]) for row in alone.values()]


def table(rows: list[Row], examples: int) -> str:
    """The rows as aligned text; `examples` is how many examples one call of a candidate trains on."""
    width = max(len(row.name) for row in rows)
    lines = [f"{'':{width}}  examples/s   ratio  lowest-highest"]
    for row in rows:
        spread = f"{row.lowest:.2f}-{row.highest:.2f}"
        lines.append(
            f"{row.name:{width}}  {examples / statistics.median(row.seconds):>10,.0f}  {row.ratio:>6.2f}  {spread:>14}"
        )
    return "\n".join(lines)


class Worker:
    """A peer in a process of its own, called like a function: backends, threads and allocators stay apart."""

    def __init__(self, peer: str, workload: str, data: Path | None, threads: int | None):
        module, environment = PEERS[peer]
        if threads is not None:
            environment = environment | {"OMP_NUM_THREADS": str(threads)}
        command = [sys.executable, "-m", "bench.worker", module, workload, "--steps", str(STEPS[workload])]
        command += ["--data", str(data)] if data else []
        self.peer = peer
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | ALLOCATOR | environment
        )

    def __call__(self) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the peer {self.peer} stopped; what it said is above")
        return float(answer)

    def close(self) -> None:
        """End the process: it leaves when its input is at an end."""
        self.process.communicate()


def main() -> None:
    """Race the named peers over one workload and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=sorted(WORKLOADS))
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--data", type=Path, default=None, help=".npz with images and labels instead of synthetic data")
    parser.add_argument("--threads", type=int, default=None, help="for all peers; 1 on a machine that others load")
    args = parser.parse_args()
    workers = {
        peer: Worker(peer, args.workload, args.data, args.threads) for peer in dict.fromkeys(["base", *args.peers])
    }
    try:
        for worker in workers.values():
            worker()  # imports, compilation and the first slow call are nobody's figure
        rows = interleave(dict(workers), args.repeats)
        print(table(rows, STEPS[args.workload] * WORKLOADS[args.workload].batch))
    finally:
        for worker in workers.values():
            worker.close()


if __name__ == "__main__":
    main()
