"""Bins: the ramps of a number, quantiles as edges, and what is refused."""

import numpy as np
import pytest
import torch

from messages import message
from netwright.codecs.table.bins import Bins
from netwright.codecs.table.nullable import Nullable
from netwright.codecs.table.record import Record

PLAIN = Bins(edges=(0, 1, 3), mean=0, deviation=1)


@pytest.mark.parametrize(
    ("x", "ramps"), [(-1, [0, 0]), (0, [0, 0]), (0.25, [0.25, 0]), (1, [1, 0]), (2, [1, 0.5]), (9, [1, 1])]
)
def test_ramps(x: float, ramps: list[float]):
    assert PLAIN.encode(x).tolist() == [x, *ramps]
    assert torch.equal(PLAIN.encode_all([x, 2])[0], PLAIN.encode(x))
    assert torch.equal(PLAIN.encode_all(np.array([x, 2.0]))[0], PLAIN.encode(x))


def test_a_linear_map_is_straight_within_each_bin():
    x = np.linspace(0, 3, 31)
    ramps = PLAIN.encode_all(x)[:, 1:].double().numpy()
    assert ramps @ [2, -1] == pytest.approx(np.interp(x, [0, 1, 3], [0, 2, 1]), abs=1e-6)


def test_fit_takes_quantiles():
    values = np.linspace(0, 100, 401) ** 2
    codec = Bins().fit(values)
    assert codec.edges == (0, 625, 2500, 5625, 10000)
    assert Bins(size=2).fit(values).edges == (0, 2500, 10000)
    assert len(Bins().fit(np.arange(9_999)).edges) == 17
    assert (codec.encoded, codec.decoded) == ("5", "5")
    encoded = codec.encode_all(values)
    assert encoded[:, 0].mean().item() == pytest.approx(0, abs=1e-6)
    assert encoded[:, 0].std(correction=0).item() == pytest.approx(1, abs=1e-6)
    assert codec.fit([1, 2]) is codec
    assert Bins(edges=(0, 1)).fit([0, 4]) == Bins((0, 1), 2, 2)


def test_few_different_numbers_have_few_bins():
    assert Bins().fit([0] * 900 + [1] * 100).edges == (0, 1)
    assert Bins().fit([1, 2, 3] * 200).edges == (1, 2, 3)
    assert Bins().fit([1, 2, 3]).edges == (1, 3)
    assert Bins().fit([3, 3]) == Bins((3, 4), 3, 1)


def test_in_a_record_with_missing_values():
    codec = Record({"age": Nullable(Bins()), "fare": Bins()})
    assert (codec.encoded, codec.fitted) == ("?", False)
    fitted = codec.fit([{"age": age, "fare": fare} for age, fare in ((0, 2), (None, 4), (10, 6), (20, 8))])
    assert fitted.encoded == "5"
    assert fitted.encode({"age": None, "fare": 4})[:3].tolist() == [0, 0, 1]
    assert fitted.encode({"age": 15, "fare": 4})[1:3].tolist() == [0.75, 0]


def test_errors():
    for edges in ((1,), (0, 0), (2, 1), (0, float("inf"))):
        assert message(Bins, edges) == (
            "the edges of bins rise, and there are at least two\n"
            "  where:    Bins\n"
            "  expected: such as (0, 1, 10)\n"
            f"  got:      {tuple(map(float, edges))!r}"
        )
    assert message(PLAIN.encode_all, [1, "two"]).startswith("this is not a number\n  where:    row 1\n")
    assert message(PLAIN.decode, torch.zeros(3)) == (
        "a number and its bins are an input, and no answer of a net\n"
        "  got:      Bins((0.0, 1.0, 3.0), 0.0, 1.0)\n"
        "  mend:     nw.Number()"
    )
