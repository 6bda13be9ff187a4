"""One peer in a process of its own: for every line on standard input it trains once and prints the seconds it took."""

import argparse
import contextlib
import importlib
import sys
from pathlib import Path

from bench.workloads import WORKLOADS


def main() -> None:
    """Read the peer's module, the workload and the number of steps from the command line, then serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", help="module below bench.peers")
    parser.add_argument("workload", choices=sorted(WORKLOADS))
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--data", type=Path, default=None)
    args = parser.parse_args()
    workload = WORKLOADS[args.workload]
    xs, ys = workload.data(64 * workload.batch, args.data)
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # what a peer prints must not be read as an answer
        train = importlib.import_module(f"bench.peers.{args.peer}").train
        for _ in sys.stdin:
            print(train(workload, xs, ys, args.steps, workload.batch), file=answers, flush=True)


if __name__ == "__main__":
    main()
