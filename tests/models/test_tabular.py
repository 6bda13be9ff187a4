"""The default net of a table: its ends, and that it learns a line and a step."""

import numpy as np
import pandas as pd
import pytest

import netwright as nw
from netwright.models.tabular import net_of_rows

RANDOM = np.random.default_rng(0)
N = 120
FRAME = pd.DataFrame({
    "x": RANDOM.normal(0, 1, N),
    "z": np.where(RANDOM.random(N) < 0.2, np.nan, RANDOM.normal(5, 2, N)),
    "kind": RANDOM.choice(["a", "b"], N),
})  # fmt: skip


@pytest.mark.parametrize(
    ("target", "end"),
    [(["u", "v"] * (N // 2), "softmax"), ([True, False] * (N // 2), "sigmoid"), (np.arange(N) / 3, "sum")],
)
def test_the_end_fits_the_target(target: object, end: str):
    net = nw.tabular(FRAME.assign(y=target), "y")
    assert net.paths[-1] == end
    assert net.plan.inputs == {"input": (7,)}
    assert not any(array.any() for array in net.arrays.values())
    assert {*net.arrays} == {"paths/linear/weight", "paths/deep/linear2/weight"}


def test_it_learns_numbers_and_classes():
    line = FRAME.assign(y=2 * FRAME.x + (FRAME.kind == "a") + RANDOM.normal(0, 0.1, N))
    run = nw.train(nw.tabular(line, "y"), line, epochs=60, progress=False)
    assert float(nw.measure(run.net, line).r2) > 0.9
    step = FRAME.assign(y=np.where(FRAME.x > 0, "up", "down"))
    run = nw.train(nw.tabular(step, "y"), step, epochs=60, progress=False)
    assert float(nw.measure(run.net, step).accuracy) > 0.9


def test_any_encoder_of_vectors():
    net = net_of_rows(nw.Vector(3), nw.Vector(2))
    assert (net.plan.inputs, net.plan.outputs) == ({"input": (3,)}, {"output": (2,)})
