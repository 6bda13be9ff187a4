"""A stream is read in blocks of bounded size, shuffled in each, and gone on with from any place."""

import gc
import json
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset

import netwright as nw
from netwright.data.blocks import (
    Place,
    Shuffled,
    StreamColumn,
    a_pass,
    blocks_of,
    count_pass,
    first_block,
    held_out_of,
)
from netwright.data.held_out import random_parts
from netwright.data.sources import Blocks, source
from netwright.errors import DataError


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr("netwright.data.blocks.MOST", 8)


def whole(data, codecs=None):
    return Blocks(source(data), codecs or {}, lambda found: found)


def numbers(count=30):
    return whole(lambda: ((float(i), float(i)) for i in range(count)))


def filled(blocks):
    return (block for block in blocks_of(blocks, Place()) if block is not None)


def inputs(rows):
    return [row["input"] for row in rows]


def test_a_block_is_full_by_number_or_by_bytes(monkeypatch) -> None:
    made = numbers()
    given = filled(made)
    found = [next(given) for _ in range(5)]
    assert [len(block.rows) for block in found] == [8, 8, 8, 6, 8]
    assert [(block.place.sweep, block.place.block, block.place.examples) for block in found] == [
        (1, 0, 0), (1, 1, 8), (1, 2, 16), (1, 3, 24), (2, 0, 0),
    ]  # fmt: skip
    monkeypatch.setattr("netwright.data.blocks.BYTES", 25_000)
    given = filled(whole(lambda: ((b"0" * 10_000, float(i)) for i in range(7))))
    assert [len(next(given).rows) for _ in range(3)] == [3, 3, 1]


def test_every_pass_has_each_example_once_in_an_order_of_its_own_and_blocks_stay_in_place() -> None:
    shuffled = Shuffled(numbers(), 0, {})
    numbered, rows = shuffled.take(30)
    first, second = inputs(rows), inputs(shuffled.take(30)[1])
    assert first == [float(i) for i in numbered]
    for found in (first, second):
        assert [sorted(found[i : i + 8]) for i in (0, 8, 16, 24)] == [
            [float(i) for i in range(start, min(start + 8, 30))] for start in (0, 8, 16, 24)
        ]
    assert first != sorted(first)
    assert first != second
    assert first != inputs(Shuffled(numbers(), 1, {}).take(30)[1])
    assert first == inputs(Shuffled(numbers(), 0, {}).take(30)[1])


class Placed(IterableDataset):
    """Says its place and goes to it."""

    def __init__(self) -> None:
        self.begin = self.given = 0
        self.read = 0

    def state_dict(self):
        return {"given": self.given}

    def load_state_dict(self, state) -> None:
        self.begin = state["given"]

    def __iter__(self):
        begin, self.begin = self.begin, 0
        for number in range(begin, 30):
            self.given, self.read = number + 1, self.read + 1
            yield float(number), float(number)


def of_datasets():
    datasets = pytest.importorskip("datasets")
    column = [float(i) for i in range(30)]
    return datasets.Dataset.from_dict({"input": column, "target": column}).to_iterable_dataset(num_shards=3)


@pytest.mark.parametrize("form", ["function", "own place", "datasets", "batches"])
def test_it_goes_on_from_every_place(form) -> None:
    made = {
        "function": numbers,
        "own place": lambda: whole(Placed()),
        "datasets": lambda: whole(of_datasets()),
        "batches": lambda: whole(DataLoader(list(Placed()), batch_size=7)),
    }[form]()
    shuffled = Shuffled(made, 0, {})
    given, places = [], []
    for _ in range(14):
        given.append(shuffled.take(5)[0])
        places.append(json.loads(json.dumps(shuffled.state)))
    for done, place in enumerate(places, 1):
        again = Shuffled(made, 0, place)
        assert [again.take(5)[0] for _ in given[done:]] == given[done:]


def test_a_source_with_its_own_place_reads_no_example_before_its_block() -> None:
    data = Placed()
    made = whole(data)
    shuffled = Shuffled(made, 0, {})
    shuffled.take(20)
    data.read = 0
    Shuffled(made, 0, shuffled.state).take(1)
    assert data.read == 8


@pytest.mark.parametrize("passes", [True, False])
def test_reading_on_changes_nothing_but_when_a_block_is_read(passes) -> None:
    data = Placed()
    alone, ahead = Shuffled(numbers(), 0, {}), Shuffled(whole(data), 0, {})
    assert not ahead.read_on(passes)  # before the first example no block is begun
    before, read = data.read, []
    for _ in range(14):
        taken = ahead.take(5)
        assert taken == alone.take(5)
        read.append(data.read - before)
        while ahead.read_on(passes):
            pass
        assert {**ahead.state, "own": None} == alone.state
        assert ahead.ended == alone.ended
    assert read[:7] == [8, 16, 24, 24, 30, 38 if passes else 30, 38]  # the last example of a pass is in the sixth


def test_an_error_of_the_block_that_comes_is_raised_when_it_is_needed() -> None:
    def cut():
        yield from ((float(i), float(i)) for i in range(12))
        raise OSError("the cable is out")

    shuffled = Shuffled(whole(cut), 0, {})
    assert len(shuffled.take(7)[0]) == 7
    while shuffled.read_on(True):
        pass
    assert len(shuffled.take(1)[0]) == 1
    with pytest.raises(OSError, match="the cable is out"):
        shuffled.take(1)


def test_a_pass_is_counted_and_what_codecs_learn_from_is_kept_where_it_is_small(monkeypatch) -> None:
    rows = whole(lambda: (([float(i)] * 50, "ab"[i % 2]) for i in range(30)))
    count, columns = count_pass(rows, ["input", "target"])
    assert (count, len(columns["input"]), columns["target"]) == (30, 30, ["a", "b"] * 15)
    monkeypatch.setattr("netwright.data.blocks.LEARNED", 2000)
    columns = count_pass(rows, ["input", "target"])[1]
    assert isinstance(columns["input"], StreamColumn)
    assert columns["target"] == ["a", "b"] * 15
    assert nw.Vector().fit(columns["input"]) == nw.Vector().fit([[float(i)] * 50 for i in range(30)])


def test_the_column_of_a_stream_is_read_on_from_slice_to_slice() -> None:
    opened = []

    def rows():
        opened.append(len(opened))
        yield from ((float(i), -i) for i in range(30))

    made = whole(rows)
    opened.clear()
    column = StreamColumn(made, "target", 30)
    assert [value for start in range(0, 30, 7) for value in column[start : start + 7]] == [-i for i in range(30)]
    assert len(opened) == 1
    assert (column[12], column[29], column[3]) == (-12, -29, -3)
    assert list(column) == [-i for i in range(30)]


def test_the_first_block_says_whether_it_is_all(monkeypatch) -> None:
    long, short = first_block(numbers().stream, {}), first_block(numbers(5).stream, {})
    assert (len(long), long.blocks.first.last, long.blocks.examples) == (8, False, None)
    assert (len(short), short.blocks.first.last, short.blocks.examples) == (5, True, 5)


class NotedRows:
    """Rows with a place; it notes which were read."""

    def __init__(self, count):
        self.count, self.place, self.begin, self.read = count, 0, 0, []

    def __iter__(self):
        begin, self.begin = self.begin, 0
        for i in range(begin, self.count):
            self.place = i + 1
            self.read.append(i)
            yield float(i), -i

    def state_dict(self):
        return {"place": self.place}

    def load_state_dict(self, state):
        self.begin = state["place"]


@pytest.mark.parametrize(("count", "again"), [(5, []), (8, []), (30, list(range(8, 16)))])
def test_the_first_block_is_not_read_twice(count, again) -> None:
    data = NotedRows(count)
    blocks = first_block(source(data), {}).blocks
    data.read.clear()
    shuffled = Shuffled(blocks, 0, {})
    first = shuffled.take(min(count, 8))
    while shuffled.read_on(passes=False):
        pass
    assert data.read == again
    fresh = Shuffled(first_block(source(NotedRows(count)), {}).blocks, 0, {})
    assert fresh.take(min(count, 8)) == first
    assert [fresh.take(7) for _ in range(9)] == [shuffled.take(7) for _ in range(9)]
    data.read.clear()
    second = {"sweep": 2, "block": 0, "items": 0, "examples": 0, "own": None, "position": 0}
    Shuffled(blocks, 0, second).take(3)
    assert data.read[0] == 0  # the block is that of the first pass only


def test_the_first_block_is_freed_when_it_was_used() -> None:
    blocks = first_block(source(lambda: ((np.array([float(i)]), i) for i in range(5))), {}).blocks
    shuffled, known = Shuffled(blocks, 0, {}), weakref.ref(blocks.first.rows[0]["input"])
    del blocks
    shuffled.take(5)
    assert known() is not None
    shuffled.take(1)  # of the next pass
    gc.collect()
    assert known() is None


def test_a_pass_in_another_order_is_read_from_its_beginning() -> None:
    passes = iter(range(10))

    def rows():  # each pass has all numbers, in an order of its own
        start = 5 * next(passes)
        yield from ((float((start + i) % 30), 0) for i in range(30))

    shuffled = Shuffled(first_block(source(rows), {}).blocks, 0, {})
    _, rows_of_a_pass = shuffled.take(30)
    assert sorted(inputs(rows_of_a_pass)) == list(range(30))


def test_an_item_that_may_be_one_example_or_a_batch_is_refused() -> None:
    made = whole(lambda: iter([(torch.zeros(2), torch.zeros(2))] * 3))
    with pytest.raises(DataError) as caught:
        list(a_pass(made))
    assert str(caught.value) == (
        "an item of this stream could be one example or a batch\n"
        "  where:    port 'input'\n"
        "  expected: one example (2,), or a batch of 2\n"
        "  got:      a net that does not say the sizes of its input\n"
        "  mend:     net.with_input(…), the sizes of one example or an encoder"
    )


def parts(data, validation=0.2, learning=()):
    found = first_block(source(data), {})
    count, columns = count_pass(found.blocks, learning)
    return held_out_of(replace(found, blocks=replace(found.blocks, examples=count, columns=columns)), validation, 0)


def pairs(count=30):
    return lambda: ((float(i), float(i)) for i in range(count))


@pytest.mark.parametrize("form", ["function", "batches"])
def test_a_stream_has_a_part_that_trains_and_one_that_validates(form) -> None:
    data = pairs() if form == "function" else DataLoader(list(pairs()()), batch_size=7)
    expected = [part.tolist() for part in random_parts(30, 0.2, 0)]
    for part, places in zip(parts(data), expected, strict=True):
        assert inputs(row for _, row in a_pass(part.blocks)) == [number for number, _ in a_pass(part.blocks)] == places
        assert part.rows.tolist() == places[: len(part)]
        assert part.blocks.examples == len(places)
        assert (part.blocks.first is None) == part.blocks.part.validates  # each validation reads its stream anew
        shuffled, given, states = Shuffled(part.blocks, 0, {}), [], []
        for _ in range(12):
            states.append(json.loads(json.dumps(shuffled.state)))
            given.append(shuffled.take(4))
        numbers = [number for taken, _ in given for number in taken]
        assert numbers == inputs(row for _, rows in given for row in rows)
        assert sorted(numbers[: len(places)]) == places
        for done, state in enumerate(states):
            again = Shuffled(part.blocks, 0, state)
            assert [again.take(4) for _ in given[done:]] == given[done:]
        assert {ended for _, ended in shuffled.ended} == {30}


def test_codecs_learn_from_the_part_that_trains(monkeypatch) -> None:
    places = [float(i) for i in random_parts(30, 0.2, 0)[0]]
    for most in (10_000, 1):
        monkeypatch.setattr("netwright.data.blocks.LEARNED", most)
        training, _ = parts(pairs(), learning=["input"])
        assert list(training.blocks.columns["input"]) == places
    with pytest.raises(DataError) as caught, training.errors():
        raise DataError(what="no number", where="row 20")
    assert caught.value.where == f"row {places[20]:g}"


def test_a_stream_whose_passes_differ_has_no_parts() -> None:
    opened = iter(range(100))

    def moved():
        pass_number = next(opened)
        return ((float(i), float(i + pass_number)) for i in range(30))

    assert parts(moved) is None


@pytest.mark.parametrize("validates", [False, True])
def test_a_pass_without_an_example_of_a_part_is_refused(validates) -> None:
    lengths = iter([30] * 5)

    def shorter():
        return ((float(i), float(i)) for i in range(next(lengths, 1)))

    found = parts(shorter, 29 if not validates else 1)
    assert found is not None
    part = found[validates]
    with pytest.raises(DataError) as caught:
        list(a_pass(part.blocks)) if validates else Shuffled(part.blocks, 0, {}).take(60)
    assert str(caught.value) == (
        f"a pass over the stream has no example that {'validates' if validates else 'trains'}\n"
        "  where:    data\n"
        "  expected: 30 examples, as in the pass that was counted\n"
        "  mend:     keep=True, if passes have to differ in length"
    )
