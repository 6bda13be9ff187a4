"""The batches of a stream that is not kept: epochs of equal length, read again in each, encoded as in memory."""

import pytest
import torch

import netwright as nw
from netwright.codecs.text.characters import Characters
from netwright.data.blocks import first_block
from netwright.data.sources import source
from netwright.errors import DataError
from netwright.layers.recurrent.gru import GRU
from netwright.training.events import Choice, Status
from netwright.training.feeds.feed import feed
from netwright.training.feeds.passes import batches_of
from netwright.training.feeds.streamed import FEW, Streamed, with_steps

CPU = torch.device("cpu")
NUMBERS = nw.with_loss(nw.Chain(nw.Linear(1), input=nw.Vector(1, 0, 1), output=nw.Number(0, 1)), nw.MSE())


def made_of(data, net=NUMBERS) -> Streamed:
    made = batches_of(first_block(source(data), net.held.inputs), net, CPU)
    assert isinstance(made, Streamed)
    return made


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr("netwright.data.blocks.MOST", 6)


@pytest.mark.parametrize("counts", [(4, 4, 4, 4), (4, 6, 2), (4, 1, 9), (4, 1, 1, 1, 1, 9)])
def test_the_rest_of_a_longer_pass_begins_the_next_epoch_and_a_shorter_one_opens_the_next_pass(counts) -> None:
    passes, numbers = iter((1, *counts)), iter(range(-1, 100))  # the first item is looked at before the passes

    def opened():
        for _ in range(next(passes)):
            number = float(next(numbers))
            yield [number], number

    made = made_of(opened)
    assert len(made) == 4
    given = []
    for epoch in range(1, 3):
        batches = list(made.epoch(epoch, 2, seed=0))
        assert [batch.size for batch in batches] == [2, 2]
        assert all(torch.equal(batch.inputs["input"], batch.inputs["target"]) for batch in batches)
        given += torch.cat([batch.inputs["input"] for batch in batches]).flatten().tolist()
    assert len({*given}) == 8
    assert {*given} <= {*range(11)}  # those that were read first are trained on


READER = nw.Chain(nw.Embedding(2), GRU(3), nw.Linear(), nw.softmax, input=Characters("abc", mark_start=True))
TEXTS = ["abc", "a", "cab", "bb", "", "abcabc", "ca", "b"]


def test_batches_are_encoded_and_padded_as_in_memory() -> None:
    net = nw.with_loss(READER.with_output(Characters("abc", mark_end=True)), nw.CrossEntropy())
    made, memory = made_of(lambda: ((text, text) for text in TEXTS), net), feed(source((TEXTS, TEXTS)), net, CPU)
    made.count = 8
    assert made.composition(3, seed=0) == (
        "in random order",
        "the data is read in blocks, so its lengths are not known before",
    )
    seen = []
    for batch in (*made.epoch(1, 3, seed=0), *made.every(3), made.first(5)):
        alone = memory.batch(batch.examples)
        assert all(torch.equal(value, alone.inputs[port]) for port, value in batch.inputs.items())
        assert {name: str(n) for name, n in batch.lengths.items()} == {
            name: str(n) for name, n in alone.lengths.items()
        }
        seen.append(batch.examples.tolist())
    assert sorted(seen[0] + seen[1] + seen[2]) == list(range(8))
    assert seen[3:] == [[0, 1, 2], [3, 4, 5], [6, 7], [0, 1, 2, 3, 4]]


def test_few_examples_are_kept_to_try_something_with(monkeypatch) -> None:
    monkeypatch.setattr("netwright.data.blocks.MOST", 10_000)
    assert made_of(lambda: (([float(i)], 0.0) for i in range(2000))).first(10_000).size == FEW
    monkeypatch.setattr("netwright.training.feeds.streamed.FEW_BYTES", 1_000)
    assert made_of(lambda: (([float(i)], 0.0) for i in range(2000))).first(10_000).size < 20


def test_an_epoch_may_be_a_number_of_steps() -> None:
    made = with_steps(made_of(lambda: (([float(i)], 0.0) for i in range(7))), 3, 4)
    assert len(made) == 12
    assert [batch.size for batch in made.epoch(1, 4, seed=0)] == [4, 4, 4]
    memory = feed(source(([[1.0]], [2.0])), NUMBERS, CPU)
    assert with_steps(memory, 3, 4) is with_steps(memory, None, 4) is memory


def test_an_error_names_the_example_by_its_number_in_the_pass() -> None:
    made = made_of(lambda: (([float(i)], 0.0 if i != 9 else "x") for i in range(12)))
    made.count = 12
    with pytest.raises(DataError) as caught:
        list(made.epoch(1, 4, seed=0))
    assert caught.value.where == "port 'target', row 9"


class Shorter(torch.utils.data.IterableDataset):
    def __len__(self) -> int:
        return 10

    def __iter__(self):
        return ((([float(i)], 0.0)) for i in range(7))


def test_a_pass_that_ends_early_is_said_once_and_the_next_one_is_opened() -> None:
    made = made_of(Shorter())
    status = Status(3, 9, 4, len(made), ())
    made.heard_by(status)
    for epoch in (1, 2, 3):
        assert [batch.size for batch in made.epoch(epoch, 4, seed=0)] == [4, 4, 2]
    assert status.choices == (
        Choice(
            "data",
            "pass 1 ended after 7 examples",
            "its length says 10; the next pass was opened to fill the epoch",
        ),
    )
