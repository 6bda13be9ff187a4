"""Snapshots: several are one, and each comes out again."""

import torch

from netwright.training.snapshot import Snapshot


def test_parts_come_out_as_they_went_in() -> None:
    parts = {"a": Snapshot({"x": torch.ones(2), "x/y": torch.zeros(1)}, {"n": 1}), "ab": Snapshot({}, {"m": [2]})}
    joined = Snapshot.joined(parts)
    assert sorted(joined.arrays) == ["a/x", "a/x/y"]
    assert {name: dict(joined.part(name).plain) for name in parts} == {"a": {"n": 1}, "ab": {"m": [2]}}
    assert {name: sorted(joined.part(name).arrays) for name in parts} == {"a": ["x", "x/y"], "ab": []}
