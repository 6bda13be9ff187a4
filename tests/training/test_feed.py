"""The feed: bytes stay bytes, batches are prepared, and what does not fit in memory is encoded as it comes."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.data.sources import Source, source
from netwright.errors import DataError
from netwright.training.feed import collected, feed

CPU = torch.device("cpu")
PICTURES = np.arange(5 * 4 * 4, dtype=np.uint8).reshape(5, 4, 4)
CODECS = {"input": nw.Image(4, 4, "gray"), "target": nw.Category(["a", "b"])}
DATA = source((PICTURES, ["a", "b", "a", "a", "b"]))


def test_bytes_stay_bytes_and_batches_are_floats() -> None:
    made = feed(DATA, CODECS, CPU)
    assert made.columns["input"].dtype == torch.uint8
    batch = made.batch(torch.tensor([3, 1]))
    torch.testing.assert_close(batch.inputs["input"][0, ..., 0], torch.tensor(PICTURES[3]) / 255)
    assert batch.inputs["target"].tolist() == [0, 1]
    assert batch.examples.tolist() == [3, 1]
    assert (len(made), batch.size, batch.weights) == (5, 2, None)


def test_beyond_memory_batches_are_encoded_as_they_come(monkeypatch) -> None:
    monkeypatch.setattr("netwright.training.feed.free_memory", lambda device: 100)
    lazy = feed(DATA, CODECS, CPU)
    assert lazy.columns["input"] is DATA.columns["input"]
    indices = torch.tensor([4, 0])
    monkeypatch.undo()
    resident = feed(DATA, CODECS, CPU).batch(indices)
    for port, tensor in lazy.batch(indices).inputs.items():
        assert torch.equal(tensor, resident.inputs[port])


def test_what_takes_no_more_memory_is_prepared_once() -> None:
    codecs = {"input": nw.Number(10.0, 5.0), "target": CODECS["input"]}
    made = feed(source(([10.0, 15.0, 20.0, 5.0, 0.0], PICTURES)), codecs, CPU)
    assert made.prepared == {"input"}
    assert made.columns["input"].flatten().tolist() == [0, 1, 2, -1, -2]
    assert made.batch(torch.tensor([2, 0])).inputs["input"].tolist() == [[2.0], [0.0]]


@pytest.mark.parametrize("block", [1, 200, 1 << 20])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 9])
def test_batches_are_the_examples_in_order_whatever_is_gathered_at_once(monkeypatch, block, size) -> None:
    monkeypatch.setattr("netwright.training.feed.BLOCK", block)
    made = feed(source((PICTURES, ["a", "b", "a", "a", "b"]), weights=[0.0, 1.0, 2.0, 3.0, 4.0]), CODECS, CPU)
    order = torch.tensor([3, 1, 4, 0, 2])
    given = list(made.batches(order, size))
    assert [batch.size for batch in given] == [len(piece) for piece in order.split(size)]
    for batch, indices in zip(given, order.split(size), strict=True):
        alone = made.batch(indices)
        assert torch.equal(batch.examples, indices)
        assert torch.equal(batch.weights, alone.weights)
        assert all(torch.equal(value, alone.inputs[port]) for port, value in batch.inputs.items())


def test_an_error_names_the_port_and_the_row() -> None:
    with pytest.raises(DataError) as caught:
        feed(Source({"input": PICTURES[:2], "target": ["a", "c"]}), CODECS, CPU)
    assert caught.value.where == "port 'target', row 1"


@pytest.mark.parametrize("batched", [False, True])
def test_streams_are_collected(batched) -> None:
    rows = [([float(i), 0.0], i) for i in range(4)]
    batches = [(np.array([x for x, _ in rows[i : i + 2]]), np.array([y for _, y in rows[i : i + 2]])) for i in (0, 2)]
    stream = source(iter(batches if batched else rows))
    whole = collected(stream, {"input": nw.Vector(2)})
    assert len(whole) == 4
    assert [int(value) for value in whole.columns["target"]] == [0, 1, 2, 3]


def test_an_endless_stream_is_refused(monkeypatch) -> None:
    monkeypatch.setattr("netwright.training.feed.free_memory", lambda device: 10_000)

    def endless():
        while True:
            yield [1.0], 0

    with pytest.raises(DataError, match="larger than a quarter of the free memory"):
        collected(source(endless), {"input": nw.Vector(1)})
