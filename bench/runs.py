"""What a run's folder costs and how fast data is read, measured: writes bench/runs.md."""

import argparse
import tempfile
from pathlib import Path

from bench.checkpoints import kept, nets
from bench.interleave import interleave, table
from bench.run import Verdict, cost, faster, machine, promises, versions
from bench.sources import EPOCHS, NETS, candidate

FOLDER, READ = 1.03, 0.90  # at most so many times the time without a folder; at least so much of the speed in memory
RESULTS = Path(__file__).with_name("runs.md")


def folders(seconds: float, repeats: int) -> tuple[dict[str, str], list[Verdict]]:
    """Runs with and without a folder, for each net: the tables, and the promises."""
    texts, verdicts = dict[str, str](), list[Verdict]()
    with tempfile.TemporaryDirectory() as place:
        for name, net in nets().items():
            steps, rows = kept(net, seconds, repeats, Path(place, name))
            texts[f"A run kept in a folder, {name} net, {steps:,} steps"] = table(rows, steps)
            verdicts.append(cost(f"a folder, {name} net", rows, "without", FOLDER))
    return texts, verdicts


def sources(examples: int, repeats: int) -> tuple[dict[str, str], list[Verdict]]:
    """The same data in every form, for each net: the tables, and the promises."""
    texts, verdicts = dict[str, str](), list[Verdict]()
    for name, (forms, net) in NETS.items():
        with tempfile.TemporaryDirectory() as place:
            found = {form: candidate(*data, net()) for form, data in forms(Path(place), examples).items()}
            rows = interleave(found, repeats, "memory")
        texts[f"Data in several forms, {name}"] = table(rows, EPOCHS * examples)
        verdicts += [faster(f"{row.name}, {name}", row, "memory", READ) for row in rows if row.name != "memory"]
    return texts, verdicts


def main() -> None:
    """Measure, write the results, and say them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--date", required=True, help="of the run, as it shall stand in the results")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60, help="of a run whose folder is measured")
    parser.add_argument("--examples", type=int, default=20_000, help="of the data in several forms")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    where = machine()
    texts, verdicts = folders(args.seconds, args.repeats)
    read, speeds = sources(args.examples, args.repeats)
    text = [
        "# Runs: what a folder costs, and how fast data is read, measured",
        "",
        f"Written by `make bench` on {args.date}. Machine: {where}. {versions()}.",
        "",
        f"All candidates took turns in {args.repeats} rounds, with one thread. A ratio is the median of the ratios",
        "within the rounds, with the lowest and highest. The time with a folder is that of the whole call: the first",
        f"and the last files are included, which a longer run has no more of. The speed of data is that of {EPOCHS}",
        "epochs, reading included. A picture is 784 numbers, in JSON lines a list of them in decimal digits.",
        "",
        *promises([*verdicts, *speeds]),
    ]
    for name, rows in {**texts, **read}.items():
        text += ["", f"## {name}", "", "```", rows, "```"]
    args.out.write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n".join(text))


if __name__ == "__main__":
    main()
