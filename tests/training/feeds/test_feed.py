"""The feed: bytes stay bytes, batches are prepared, and what does not fit in memory is encoded as it comes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

import netwright as nw
from netwright.codecs.text.characters import Characters
from netwright.data.order import bucketed_order, epoch_order
from netwright.data.sources import Source, source
from netwright.errors import DataError
from netwright.layers.recurrent.gru import GRU
from netwright.training.feeds.feed import feed

CPU = torch.device("cpu")
PICTURES = np.arange(5 * 4 * 4, dtype=np.uint8).reshape(5, 4, 4)
CHAIN = nw.Chain(nw.Flatten(), 2, nw.softmax, input=nw.Image(4, 4, "gray"), output=nw.Category(["a", "b"]))
NET = nw.with_loss(CHAIN, nw.CrossEntropy())
DATA = source((PICTURES, ["a", "b", "a", "a", "b"]))


def test_bytes_stay_bytes_and_batches_are_floats() -> None:
    made = feed(DATA, NET, CPU)
    assert made.columns["input"].dtype == torch.uint8
    batch = made.batch(torch.tensor([3, 1]))
    torch.testing.assert_close(batch.inputs["input"][0, ..., 0], torch.tensor(PICTURES[3]) / 255)
    assert batch.inputs["target"].tolist() == [0, 1]
    assert batch.examples.tolist() == [3, 1]
    assert (len(made), batch.size, batch.weights) == (5, 2, None)


def test_beyond_memory_batches_are_encoded_as_they_come(monkeypatch) -> None:
    monkeypatch.setattr("netwright.training.feeds.feed.free_memory", lambda device: 100)
    other = source((PICTURES, ["a", "b", "a", "a", "b"]))  # of which nothing was encoded before
    lazy = feed(other, NET, CPU)
    assert lazy.columns["input"] is other.columns["input"]
    indices = torch.tensor([4, 0])
    monkeypatch.undo()
    resident = feed(DATA, NET, CPU).batch(indices)
    for port, tensor in lazy.batch(indices).inputs.items():
        assert torch.equal(tensor, resident.inputs[port])


def test_tensors_beyond_memory_are_encoded_too(monkeypatch) -> None:
    data = source((torch.from_numpy(PICTURES), ["a", "b", "a", "a", "b"]))
    resident = feed(data, NET, CPU).batch(torch.tensor([4, 0]))
    monkeypatch.setattr("netwright.training.feeds.feed.free_memory", lambda device: 100)
    lazy = feed(replace(data), NET, CPU)  # the same examples, of which nothing was encoded before
    assert lazy.raw and lazy.stored == {}
    for port, tensor in lazy.batch(torch.tensor([4, 0])).inputs.items():
        assert torch.equal(tensor, resident.inputs[port])


def test_what_varies_stays_as_it_is_stored_in_an_epoch_and_nowhere_else() -> None:
    varying = nw.with_loss(CHAIN.with_input(nw.Image(4, 4, "gray", vary=(nw.Flip(),))), nw.CrossEntropy())
    for found in ((PICTURES, ["a", "b", "a", "a", "b"]), (PICTURES / 255, ["a", "b", "a", "a", "b"])):
        made = feed(source(found), varying, CPU)
        (batch,) = made.epoch(1, 5, seed=0)
        assert torch.equal(batch.inputs["input"], made.columns["input"][batch.examples])
        still = feed(source(found), NET, CPU)
        assert torch.equal(made.first(3).inputs["input"], still.first(3).inputs["input"])
        for one, other in zip(made.every(2), still.every(2), strict=True):
            assert torch.equal(one.inputs["input"], other.inputs["input"])


def test_what_takes_no_more_memory_is_prepared_once() -> None:
    ports = {"input": nw.Number(10.0, 5.0), "target": nw.Image(4, 4, "gray")}
    net = nw.Graph(
        flat=(nw.Flatten(), "target"), wide=(nw.Linear(16), "input"), sum=(nw.Add(), "wide", "flat"), input=ports
    )
    made = feed(source(([10.0, 15.0, 20.0, 5.0, 0.0], PICTURES)), net, CPU)
    assert made.prepared == {"input"}
    assert made.columns["input"].flatten().tolist() == [0, 1, 2, -1, -2]
    assert made.batch(torch.tensor([2, 0])).inputs["input"].tolist() == [[2.0], [0.0]]


@pytest.mark.parametrize("block", [1, 200, 1 << 20])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 9])
def test_batches_are_the_examples_in_order_whatever_is_gathered_at_once(monkeypatch, block, size) -> None:
    monkeypatch.setattr("netwright.training.feeds.feed.BLOCK", block)
    made = feed(source((PICTURES, ["a", "b", "a", "a", "b"]), weights=[0.0, 1.0, 2.0, 3.0, 4.0]), NET, CPU)
    order = torch.tensor([3, 1, 4, 0, 2])
    given = list(made.batches(order, size))
    assert [batch.size for batch in given] == [len(piece) for piece in order.split(size)]
    for batch, indices in zip(given, order.split(size), strict=True):
        alone = made.batch(indices)
        assert torch.equal(batch.examples, indices)
        assert torch.equal(batch.weights, alone.weights)
        assert all(torch.equal(value, alone.inputs[port]) for port, value in batch.inputs.items())


READER = nw.Chain(nw.Embedding(2), GRU(3), nw.Linear(), nw.softmax, input=Characters("abc", mark_start=True))
TEXTS = ["abc", "a", "cab", "bb", "", "abcabc"]


def reading(**options):
    net = nw.with_loss(READER.with_output(Characters("abc", mark_end=True)), nw.CrossEntropy())
    return feed(source((TEXTS, TEXTS), **options), net, CPU)


def test_texts_are_padded_with_their_last_element() -> None:
    made = reading(weights=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    batch = made.batch(torch.tensor([3, 0, 4]))
    assert batch.inputs["input"].tolist() == [[3, 1, 1, 1], [3, 0, 1, 2], [3, 3, 3, 3]]
    assert batch.inputs["target"].tolist() == [[1, 1, 3, 3], [0, 1, 2, 3], [3, 3, 3, 3]]
    assert {name: n.tolist() for name, n in batch.lengths.items()} == {"n": [3, 4, 1]}
    assert (batch.positions, batch.weights.tolist()) == (4, [pytest.approx(w / 3.5) for w in (4, 1, 5)])
    assert made.batch(torch.tensor([0, 2])).lengths == {}
    assert (made.typical, made.raw) == ({"n": 4}, False)


def test_batches_of_texts_are_of_like_length_and_padding_is_counted() -> None:
    made = reading()
    order = made.order(2, seed=0, epoch=1)
    assert torch.equal(order, bucketed_order(torch.tensor([8, 4, 8, 6, 2, 14]), 2, 0, 1))
    assert made.by_length().tolist() == [4, 1, 3, 0, 2, 5]
    assert made.padding(made.by_length(), 2) == pytest.approx(1 - 21 / (2 * 2 + 2 * 4 + 2 * 7))
    given = list(made.batches(order, 4))
    assert torch.cat([batch.examples for batch in given]).tolist() == order.tolist()
    assert [batch.size for batch in given] == [4, 2]
    for batch in given:
        alone = made.batch(batch.examples)
        assert all(torch.equal(value, alone.inputs[port]) for port, value in batch.inputs.items())


def test_texts_beyond_memory_come_in_random_order(monkeypatch) -> None:
    resident = reading()
    monkeypatch.setattr("netwright.training.feeds.feed.free_memory", lambda device: 100)
    lazy = reading()
    assert lazy.raw
    assert torch.equal(lazy.order(2, seed=0, epoch=1), epoch_order(6, 0, 1))
    assert lazy.by_length().tolist() == [0, 1, 2, 3, 4, 5]
    assert lazy.typical == {"n": 4}
    ours, theirs = (made.batch(torch.tensor([5, 1])) for made in (lazy, resident))
    assert torch.equal(ours.inputs["target"], theirs.inputs["target"])
    assert ours.lengths["n"].tolist() == theirs.lengths["n"].tolist() == [7, 2]


def test_an_epoch_goes_on_after_the_batches_that_are_done_and_every_example_comes_once_shortest_first() -> None:
    made = reading()
    whole = [batch.examples.tolist() for batch in made.epoch(2, 2, seed=3)]
    assert [example for batch in whole for example in batch] == made.order(2, seed=3, epoch=2).tolist()
    for skip in range(4):
        assert [batch.examples.tolist() for batch in made.epoch(2, 2, seed=3, skip=skip)] == whole[skip:]
    assert [batch.examples.tolist() for batch in made.every(4)] == [[4, 1, 3, 0], [2, 5]]
    assert made.first(4).examples.tolist() == [0, 1, 2, 3]
    assert made.first(40).size == 6


def test_an_error_in_a_sample_names_the_row_it_has_in_all_of_the_data() -> None:
    net = nw.with_loss(READER.with_output(Characters("abc", mark_end=True)), nw.CrossEntropy())
    texts = ["abc", "a"] * 50 + ["abd"]
    with pytest.raises(DataError) as caught:
        feed(source((texts, texts)), net, CPU)
    assert caught.value.where.startswith("port 'input', row 100")


def test_an_error_beyond_memory_names_the_row_it_has_in_all_of_the_data(monkeypatch) -> None:
    monkeypatch.setattr("netwright.training.feeds.feed.free_memory", lambda device: 100)
    made = feed(source((PICTURES, ["a", "b", "a", "a", "c"])), NET, CPU)
    made.batch(torch.tensor([3, 0]))
    with pytest.raises(DataError) as caught:
        made.batch(torch.tensor([0, 4]))
    assert caught.value.where == "port 'target', row 4"


class Drawing(Dataset):
    """Examples that are drawn anew each time: the target is the input's number, and the n-th draw gives n."""

    def __init__(self) -> None:
        self.drawn = 0

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index):
        self.drawn += 1
        return [float(self.drawn)], float(self.drawn)


NUMBERS = nw.with_loss(nw.Chain(nw.Linear(1), input=nw.Vector(1, 0, 1), output=nw.Number(0, 1)), nw.MSE())


def test_a_dataset_is_read_anew_for_every_batch_and_all_its_ports_at_once() -> None:
    made = feed(source(Drawing()), NUMBERS, CPU)
    assert made.raw
    batches = [batch for _ in range(2) for batch in made.batches(torch.arange(6), 4)]
    values = torch.cat([batch.inputs["input"] for batch in batches]).flatten()
    assert torch.equal(values, torch.cat([batch.inputs["target"] for batch in batches]).flatten())
    assert torch.equal(values, values[0] + torch.arange(12))


def test_examples_are_those_that_the_user_counts() -> None:
    made = feed(DATA.take(torch.tensor([4, 2, 0])), NET, CPU)
    assert made.batch(torch.tensor([2, 0])).examples.tolist() == [0, 4]


def test_an_error_names_the_row_of_the_user_whatever_was_taken(monkeypatch) -> None:
    data = source((PICTURES, ["a", "b", "a", "c", "b"])).take(torch.tensor([4, 3, 0]))
    for memory in (1 << 40, 100):
        monkeypatch.setattr("netwright.training.feeds.feed.free_memory", lambda device, memory=memory: memory)
        with pytest.raises(DataError) as caught:
            feed(data, NET, CPU).batch(torch.tensor([2, 1]))
        assert caught.value.where == "port 'target', row 3"


def test_an_error_names_the_port_and_the_row() -> None:
    with pytest.raises(DataError) as caught:
        feed(Source({"input": PICTURES[:2], "target": ["a", "c"]}), NET, CPU)
    assert caught.value.where == "port 'target', row 1"


@pytest.mark.parametrize("raw", [False, True])
def test_a_last_batch_that_is_too_small_joins_the_one_before(raw, monkeypatch) -> None:
    if raw:
        monkeypatch.setattr("netwright.training.feeds.feed.free_memory", lambda device: 0)
    whole = nw.with_loss(nw.initialize(nw.Chain(nw.Linear(), input=2, output=nw.Number(0.0, 1.0))), nw.MSE())
    made = feed(source((torch.rand(13, 2), [0.0] * 13), weights=[1.0] * 13), whole, torch.device("cpu"))
    assert made.raw == raw
    order = torch.arange(13)
    for least, sizes in ((1, [4, 4, 4, 1]), (2, [4, 4, 5])):
        batches = list(made.batches(order, 4, least))
        assert [batch.size for batch in batches] == [len(batch.weights) for batch in batches] == sizes
        assert torch.cat([batch.examples for batch in batches]).tolist() == order.tolist()


def test_examples_are_encoded_once_for_all_nets_that_encode_them_alike() -> None:
    data = source((PICTURES, ["a", "b", "a", "a", "b"]))
    first, wider = feed(data, NET, CPU), nw.with_loss(CHAIN.replace("flatten1", [nw.Flatten(), 7]), nw.CrossEntropy())
    again = feed(data, wider, CPU)
    assert all(again.columns[port] is column for port, column in first.columns.items())
    inverted = nw.with_loss(CHAIN.with_output(nw.Category(["b", "a"])), nw.CrossEntropy())
    assert feed(data, inverted, CPU).columns["target"].tolist() == [1, 0, 1, 1, 0]


@pytest.mark.parametrize("scale", [2.0**1000, 2.0**-1074, 1.0])
def test_weights_beyond_float32_count_by_their_proportions(scale: float) -> None:
    made = feed(source((PICTURES, ["a", "b", "a", "a", "b"]), weights=[scale * w for w in (0, 1, 2, 3, 4)]), NET, CPU)
    assert made.weights.tolist() == [0, 0.5, 1, 1.5, 2]


def test_batches_of_pictures_with_boxes_are_in_random_order() -> None:
    things = [[], [((0, 0, 2, 2), "a")], [((0, 0, 2, 2), "a")] * 3, [], [((1, 1, 3, 3), "b")] * 2]
    boxes = nw.Boxes(["a", "b"], 4, 4, strides=4)
    chain = nw.Chain(nw.Conv(7, 4, stride=4), nw.GridBoxes(4), input=nw.Image(4, 4, "gray"), output=boxes)
    made = feed(source((PICTURES, things)), nw.with_loss(chain, nw.DetectionLoss(4, 4, (4,))), CPU)
    assert made.ragged and made.composition(2, 0) is None
    assert torch.equal(made.order(2, 0, 1), epoch_order(5, 0, 1))
    assert made.by_length().tolist() == [0, 1, 2, 3, 4]
