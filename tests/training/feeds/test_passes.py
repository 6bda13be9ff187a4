"""A stream is kept one pass at a time, each epoch has the next pass, and a pass that is too large is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import netwright as nw
from netwright.data.sources import source
from netwright.errors import DataError
from netwright.training.feeds.feed import Feed
from netwright.training.feeds.passes import batches_of, collected

CPU = torch.device("cpu")
NUMBERS = nw.with_loss(nw.Chain(nw.Linear(1), input=nw.Vector(1, 0, 1), output=nw.Number(0, 1)), nw.MSE())


def test_what_is_no_stream_is_a_feed() -> None:
    made = batches_of(source(([[1.0]], [2.0])), NUMBERS, CPU)
    assert isinstance(made, Feed)
    assert sorted(made.stored) == ["input", "target"]


@pytest.mark.parametrize("counts", [(4, 4, 4), (4, 6, 2), (4, 1, 9), (4, 1, 1, 1, 1, 9)])
def test_a_stream_is_opened_again_for_every_epoch_of_the_same_number(counts) -> None:
    numbers, passes = iter(range(100)), iter(counts)

    def opened():
        for _ in range(next(passes)):
            number = float(next(numbers))
            yield [number], number

    probe, passes = source(opened), iter(counts)
    numbers = iter(range(100))
    made = batches_of(collected(probe, NUMBERS.held.inputs), NUMBERS, CPU)
    assert made.stored == {}
    for epoch, start in enumerate((0, 4, 8), 1):
        given = torch.cat([batch.inputs["input"] for batch in made.epoch(epoch, 2, seed=0)]).flatten()
        assert sorted(given.tolist()) == [start, start + 1, start + 2, start + 3]
        batch = made.first(4)
        assert batch.inputs["input"].flatten().tolist() == [start, start + 1, start + 2, start + 3]
        assert torch.equal(batch.inputs["input"], batch.inputs["target"])


def test_an_iterator_is_read_once() -> None:
    whole = collected(source(iter([([1.0], 1.0), ([2.0], 2.0)])), NUMBERS.held.inputs)
    assert (whole.once, whole.again) == ("an iterator gives its examples once", None)
    assert collected(source(lambda: [([1.0], 1.0)]), NUMBERS.held.inputs).take(torch.tensor([0])).once == (
        "a part of a stream is held out of one pass"
    )


@pytest.mark.parametrize("batched", [False, True])
def test_streams_are_collected(batched) -> None:
    rows = [([float(i), 0.0], i) for i in range(4)]
    batches = [(np.array([x for x, _ in rows[i : i + 2]]), np.array([y for _, y in rows[i : i + 2]])) for i in (0, 2)]
    stream = source(iter(batches if batched else rows))
    whole = collected(stream, {"input": nw.Vector(2)})
    assert len(whole) == 4
    assert [int(value) for value in whole.columns["target"]] == [0, 1, 2, 3]


def test_an_endless_stream_is_refused(monkeypatch) -> None:
    monkeypatch.setattr("netwright.training.feeds.passes.free_memory", lambda device: 10_000)

    def endless():
        while True:
            yield [1.0], 0

    with pytest.raises(DataError, match="larger than a quarter of the free memory"):
        collected(source(endless), {"input": nw.Vector(1)})


@pytest.mark.parametrize(
    "row",
    [
        [0.5] * 2_000,
        tuple([0.5] * 20 for _ in range(100)),
        {"a": [0.5] * 2_000},
        b"0" * 16_000,
        np.zeros(2_000),
        torch.zeros(4_000),
        Image.new("RGB", (80, 70)),
    ],
    ids=lambda row: type(row).__name__,
)
def test_what_a_stream_holds_is_counted_whatever_it_is_kept_in(monkeypatch, row) -> None:
    monkeypatch.setattr("netwright.training.feeds.passes.free_memory", lambda device: 400_000)
    given: list[int] = []

    def rows():
        for number in range(100):
            given.append(number)
            yield row, number

    stream = source(rows)
    with pytest.raises(DataError, match="larger than a quarter of the free memory"):
        collected(replace(stream, batched=False), {})
    assert len(given) <= 10
