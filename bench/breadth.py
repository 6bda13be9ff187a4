"""How fast nets that people really train are trained, beside two loops by hand: writes bench/breadth.md."""

import argparse
import importlib.util
import itertools
import statistics
from dataclasses import dataclass, field
from pathlib import Path

import torch
from bench.breadth_peers import Racer
from bench.breadth_quality import Quality, quality
from bench.common_nets import NETS
from bench.interleave import Row
from bench.run import NEEDS, machine, versions

from netwright.machine import has_bf16

GOALS = {  # times the speed of the expert's loop, where there are units for bf16
    "mlp": 1.6, "mlp-norm": 1.6, "mlp-both": 2.0, "mobilenet": 2.0, "resnet": 1.1, "resnet18": 1.1, "unet": 1.2,
}  # fmt: skip
LEAST, MEDIAN, REGRET = 1.0, 1.4, 1.10
SECONDS = 0.5  # of a turn of the base
RESULTS = Path(__file__).with_name("breadth.md")


@dataclass
class Found:
    """What was measured of one net at one batch size: a row for each peer, and for each way that was forced."""

    net: str
    batch: int
    steps: int
    rows: dict[str, Row] = field(default_factory=dict[str, Row])
    chosen: dict[str, str] = field(default_factory=dict[str, str])
    forced: dict[str, float] = field(default_factory=dict[str, float])  # median seconds

    @property
    def regret(self) -> float:
        """The time with what was chosen, times that of the best way."""
        return self.forced[self.chosen["netwright"]] / min(self.forced.values())


def race(net: str, batch: int, repeats: int) -> Found:
    """All peers at hand take turns; then Netwright with every precision and number of threads does."""
    installed = [peer for peer in NETS[net].peers if all(importlib.util.find_spec(name) for name in NEEDS[peer])]
    racers = {peer: Racer(peer, net, batch) for peer in ("base", "expert", "netwright", *installed)}
    try:
        racers["base"](2)
        steps = max(3, min(300, round(SECONDS / (racers["base"](3) / 3))))
        for racer in racers.values():
            racer(steps)  # imports, compilation, choices by trial and the first slow call are nobody's figure
        found = Found(net, batch, steps)
        seconds: dict[str, list[float]] = {name: [] for name in racers}
        for repeat in range(repeats):
            for shift in range(len(racers)):
                name = [*racers][(repeat + shift) % len(racers)]
                seconds[name].append(racers[name](steps))
        found.chosen = {name: racer.chosen for name, racer in racers.items()}
        found.rows = {name: Row(name, tuple(taken), 1.0, 1.0, 1.0) for name, taken in seconds.items()}
        found.forced = _ways(racers["netwright"], steps, repeats)
    finally:
        for racer in racers.values():
            racer.close()
    return found


def _ways(racer: Racer, steps: int, repeats: int) -> dict[str, float]:
    kinds = ("float32", "bf16") if has_bf16(torch.device("cpu")) else ("float32",)
    threads = sorted({1, torch.get_num_threads()})
    ways = [f"{kind} {count}" for kind, count in itertools.product(kinds, threads)]
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way in ways:
            taken[way].append(racer(steps, way))
    return {way: statistics.median(seconds) for way, seconds in taken.items()}


def line(found: Found) -> str:
    """One row of the table of speeds."""
    ours = found.rows["netwright"]
    cells = [f"{found.net}, {found.batch}", f"{found.steps * found.batch / statistics.median(ours.seconds):,.0f}"]
    for peer in ("base", "expert", "lightning", "keras-torch", "keras-jax"):
        if peer not in found.rows:
            cells.append("–")
            continue
        row = ours.beside(found.rows[peer])
        cells.append(f"{row.ratio:.2f} ({row.lowest:.2f}-{row.highest:.2f})")
    cells += [found.chosen["netwright"], found.chosen["expert"], f"{found.regret:.2f}"]
    return "| " + " | ".join(cells) + " |"


def promises(found: list[Found]) -> list[str]:
    """What is promised of all nets, and of some, and what was measured."""
    ratios = {(one.net, one.batch): one.rows["netwright"].beside(one.rows["expert"]).ratio for one in found}
    units = has_bf16(torch.device("cpu"))
    worst, middle = min(ratios, key=ratios.__getitem__), statistics.median(ratios.values())
    widest = max(found, key=lambda one: one.regret)
    rows = [
        ("slowest net", f"{ratios[worst]:.2f} × expert ({worst[0]}, {worst[1]})", LEAST, ratios[worst] >= LEAST),
        ("median", f"{middle:.2f} × expert", MEDIAN, middle >= MEDIAN),
    ]
    rows += [
        (name, f"{min(each):.2f}-{max(each):.2f} × expert", goal, min(each) >= goal)
        for name, goal in (GOALS.items() if units else ())
        if (each := [ratio for (net, _), ratio in ratios.items() if net == name])
    ]
    lines = ["| promise | measured | goal | met |", "|---|---|---|---|"]
    lines += [f"| {name} | {value} | ≥ {goal:.2f} | {'yes' if met else '**no**'} |" for name, value, goal, met in rows]
    regret = f"{widest.regret:.2f} ({widest.net}, {widest.batch})"
    return [*lines, f"| choice of precision and threads | {regret} × the best | ≤ {REGRET:.2f} | "
            f"{'yes' if widest.regret <= REGRET else '**no**'} |"]  # fmt: skip


def report(date: str, repeats: int, found: list[Found], qualities: dict[str, Quality]) -> str:
    """The whole of breadth.md."""
    head = ("net, batch", "examples/s", "base", "expert", "Lightning", "Keras, torch", "Keras, jax", "chosen",
            "the expert's", "regret")  # fmt: skip
    lines = [
        "# Speed on common nets, measured",
        "",
        f"Written by `make bench` on {date}. Machine: {machine()}. {versions()}.",
        "",
        f"All candidates took turns in {repeats} rounds. Each cell says how many times the speed of that peer",
        "Netwright's is: the median of the ratios within the rounds, with the lowest and highest. The base is a plain",
        "eager float32 loop of torch. The expert's loop has channels last, a fused Adam, and the faster of float32 and",
        "bf16 autocast and of one thread and all, tried before. Netwright chose precision and threads itself. Its",
        "regret is the time with what it chose, times that of the best way, in further rounds. The nets are in",
        "bench/common_nets.py; the data are random numbers.",
        "",
        *promises(found),
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *map(line, found),
    ]
    if qualities:
        lines += [
            "",
            "## What bf16 costs",
            "",
            "The cosine of a new net's gradient in bf16 to that in float32, on one batch: Netwright's, the expert's.",
            "And the training loss after equal steps, mean of three seeds with the lowest and highest.",
            "",
            "| net | cosine | the expert's | loss, float32 | loss, bf16 |",
            "|---|---|---|---|---|",
            *(f"| {name} | {one.row()} |" for name, one in qualities.items()),
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Race over all nets, write the results, and say them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--date", required=True, help="of the run, as it shall stand in the results")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--nets", nargs="+", choices=list(NETS), default=list(NETS))
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    found: list[Found] = []
    for name, net in NETS.items():
        for batch in net.batches if name in args.nets else ():
            found.append(race(name, batch, args.repeats))
            print(line(found[-1]), flush=True)
            args.out.write_text(report(args.date, args.repeats, found, {}), encoding="utf-8")  # as far as it has come
    lower = has_bf16(torch.device("cpu"))
    qualities = {name: quality(NETS[name]) for name in args.nets if NETS[name].classes} if lower else {}
    text = report(args.date, args.repeats, found, qualities)
    args.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
