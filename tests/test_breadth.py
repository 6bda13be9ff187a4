"""docs/breadth.md: every expression is run, has the sizes of Keras' layer, and without weights its numbers too."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import netwright as nw
from blocks import run_file

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "breadth.md"
WOLFRAM = DOCS / "coming-from-wolfram.md"
DRAWS = {"Dropout", "AlphaDropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "Lambda"}
OPERATORS = {  # of the guides "Neural Network Layers" and "Neural Network Operations"
    "NetMapOperator",
    "NetMapThreadOperator",
    "NetFoldOperator",
    "NetBidirectionalOperator",
    "NetNestOperator",
    "NetPairEmbeddingOperator",
    "NetGANOperator",
}


def rows() -> list[tuple[str, str, str, str]]:
    """Keras' call, the sizes of its inputs and of its output, and ours."""
    found: list[tuple[str, str, str, str]] = []
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 4:
            found.append((cells[0], cells[1], cells[2], cells[3]))
    return found


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    return run_file(PAGE)


def ours(call: str, sizes: str, text: str, names: dict[str, Any]) -> nw.Net:
    """Our expression as a net of these inputs."""
    part = eval(text, dict(names))
    if text.startswith("adapted"):
        return part
    below = re.search(r"input_dim=(\d+)", call)
    inputs: list[Any] = []
    for i, size in enumerate(sizes.split(" and ")):
        axes = eval(size)
        given = " ".join(map(str, axes)) + f" <{below[1]}>" if below else axes or "()"
        inputs.append(nw.Input(f"x{i}", given))
    return nw.Graph({"y": part(*inputs)})


def test_the_counts_are_those_of_the_tables() -> None:
    page = PAGE.read_text("utf-8")
    table = rows()
    equal = sum(text != "–" for *_, text in table)
    assert f"| Keras: calls of its layers | {len(table)} | {equal} |" in page
    assert len(table) == 351 and equal >= 290
    cells = [
        line.strip("| ").split(" | ") for line in WOLFRAM.read_text("utf-8").splitlines() if line.startswith("| `")
    ]
    for kind, name in (("Layer", "layers"), ("Operator", "operators")):
        known: dict[str, bool] = {}
        for theirs, mine in cells:
            for found in re.findall(rf"`(\w+{kind})\b", theirs):
                known[found] = not mine.startswith("–")
        assert f"| Wolfram Language: {name} | {len(known)} | {sum(known.values())} |" in page
        assert kind == "Layer" or known.keys() == OPERATORS


def test_sizes_are_those_of_keras(names: dict[str, Any]) -> None:
    wrong: list[str] = []
    for call, sizes, output, text in rows():
        if text == "–":
            continue
        (made,) = list(ours(call, sizes, text, names).plan.outputs.values())[:1]
        if made != eval(output):
            wrong.append(f"{call}: {made} and not {output}")
    assert wrong == []


@pytest.mark.slow
def test_numbers_are_those_of_keras(names: dict[str, Any]) -> None:
    """Of all layers without weights that draw nothing, on numbers of two examples."""
    os.environ["KERAS_BACKEND"] = "torch"
    keras = pytest.importorskip("keras")
    draw, compared, wrong = torch.Generator().manual_seed(0), 0, list[str]()
    for call, sizes, _, text in rows():
        kind = call.partition("(")[0]
        if text == "–" or "…" in call or kind in DRAWS or text.startswith("adapted"):
            continue
        net = ours(call, sizes, text, names)
        if net.plan.arrays:
            continue
        x = [torch.randn(2, *eval(size), generator=draw) for size in sizes.split(" and ")]
        layer = eval(f"keras.layers.{call}", {"keras": keras})
        theirs = layer(x if len(x) > 1 else x[0]).detach().cpu()
        mine = nw.apply(net, {}, {f"x{i}": value for i, value in enumerate(x)})
        y = mine["y"] if isinstance(mine, dict) else mine
        compared += 1
        if y.shape != theirs.shape or not torch.allclose(y, theirs, rtol=1e-5, atol=1e-6):
            wrong.append(call)
    assert wrong == [] and compared >= 150
