"""Computes the tables of docs/scale.md: what a step on several processes holds and sends, counted and on paper.

    python -m bench.scale

prints the tables; tests/test_scale.py compares them with the document, and the formulas with bytes that were counted.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

LINE = 32  # numbers: every array begins on a multiple of it
WIDTH = {"float32": 4, "bf16": 4, "float64": 8}  # bytes of a weight and of its gradient
ADAM = 2  # numbers that Adam keeps for each weight

# A Llama of 1.3 billion parameters, in bf16 with Adam.
LAYERS, WIDE, INNER, WORDS, LENGTH = 24, 2048, 5504, 32_000, 2048
# What one device is assumed to be. None of it was measured here.
PEAK = 989e12  # multiplications and additions a second, bf16
USED = 0.4  # the share of it that training reaches
SEQUENCES = 8  # of `LENGTH` elements, for each device in a step
BANDWIDTH = {8: 450e9, 64: 400e9, 1024: 400e9}  # bytes a second of an all-reduce: inside a machine, between machines
BACKWARD = 2 / 3  # of the computing is the backward pass: two of three products for each weight
LATENCY = 5e-6  # seconds for each of the 2 (N − 1) sends of a ring


def padded(sizes: Iterable[int]) -> int:
    """How many numbers the flat buffer of arrays of these sizes has."""
    return sum(math.ceil(size / LINE) * LINE for size in sizes)


def held(sizes: Sequence[int], running: int, precision: str) -> Mapping[str, int]:
    """Bytes that each process holds for arrays of these sizes, and for so many running numbers."""
    one, flat = WIDTH[precision], padded(sizes)
    return {
        "weights": one * flat,
        "gradient": one * flat,
        "Adam": ADAM * one * flat + 4,
        "copy in bf16": 2 * flat if precision == "bf16" else 0,
        "best net so far": one * (sum(sizes) + running),
    }


def sent(sizes: Sequence[int], norms: Sequence[int], precision: str) -> Mapping[str, int]:
    """Bytes that each process gives to all-reduces in a step; `norms` are the widths of batch norms with arrays before.

    A batch norm adds up its sums and its count, then its squares, and in the backward the derivatives of both.
    """
    one = WIDTH[precision]
    return {
        "gradient": one * padded(sizes),
        "loss": 8,
        "whether to stop": 8,
        "batch norms": one * sum(2 * (2 * width + 1) for width in norms),
    }


def llama() -> list[int]:
    """The sizes of the arrays of the Llama."""
    layer = [WIDE, *[WIDE * WIDE] * 4, WIDE, *[WIDE * INNER] * 3]
    return [WORDS * WIDE, *layer * LAYERS, WIDE, WORDS * WIDE]


def step(devices: int, sequences: int = SEQUENCES) -> tuple[float, float]:
    """Seconds of a step of the Llama with so many sequences on each device: to compute, and to add up the gradients."""
    count, elements = sum(llama()), sequences * LENGTH
    work = elements * (6 * count + 12 * LAYERS * WIDE * LENGTH)
    ring = 2 * (devices - 1) / devices * sent(llama(), [], "bf16")["gradient"] / BANDWIDTH[devices]
    return work / (PEAK * USED), ring + 2 * (devices - 1) * LATENCY


def waiting(devices: int, sequences: int) -> float:
    """The share of a step that would be saved if gradients were added up during the backward pass."""
    compute, wait = step(devices, sequences)
    return min(wait, BACKWARD * compute) / (compute + wait)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def memory_table() -> str:
    """What each process holds for the Llama."""
    rows = {name: held(llama(), 0, name) for name in WIDTH}
    parts = [*rows["float32"]]
    body = [[part, *(f"{rows[name][part] / 1e9:.2f} GB" for name in rows)] for part in parts]
    whole = ["together", *(f"{sum(found.values()) / 1e9:.2f} GB" for found in rows.values())]
    return table(["held by each process", *rows], [*body, whole])


def devices_table() -> str:
    """What 8, 64 and 1,024 devices would give for the Llama."""
    body: list[list[str]] = []
    for devices in BANDWIDTH:
        compute, wait = step(devices)
        elements = devices * SEQUENCES * LENGTH
        body.append([
            f"{devices:,}", f"{devices * SEQUENCES:,}", f"{compute:.3f} s", f"{wait:.3f} s",
            f"{compute / (compute + wait):.0%}", f"{elements / (compute + wait) / 1e6:.1f} million",
        ])  # fmt: skip
    head = ["devices", "sequences a step", "compute", "all-reduce", "of the ideal speed", "elements a second"]
    return table(head, body)


def waiting_table() -> str:
    """What it costs that gradients are added up after the backward pass."""
    each = (8, 4, 1)
    body = [[f"{devices:,}", *(f"{waiting(devices, sequences):.0%}" for sequences in each)] for devices in BANDWIDTH]
    return table(["devices", *(f"{n} sequence{'s' * (n > 1)} on each" for n in each)], body)


if __name__ == "__main__":
    print(f"{sum(llama()) / 1e9:.3f} billion weights\n")
    print(memory_table(), devices_table(), waiting_table(), sep="\n\n")
