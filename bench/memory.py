"""Prints the most memory, in bytes, that one peer's process had while it trained on pictures as many as MNIST's."""

import argparse
import importlib
import resource

from bench.workloads import WORKLOADS

EXAMPLES = 60_000


def main() -> None:
    """Train one peer in this process and print its peak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", help="module below bench.peers")
    parser.add_argument("workload", choices=sorted(WORKLOADS))
    parser.add_argument("--steps", type=int, default=40)
    args = parser.parse_args()
    workload = WORKLOADS[args.workload]
    xs, ys = workload.data(EXAMPLES)
    importlib.import_module(f"bench.peers.{args.peer}").train(workload, xs, ys, args.steps, workload.batch)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)  # Linux counts in KiB


if __name__ == "__main__":
    main()
