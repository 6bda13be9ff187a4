"""A stream says how many examples it has where the data says so, and an error of the data says the item."""

import pytest
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, SequentialSampler

from netwright.data.sources import source
from netwright.data.streams import Stream


class Sized(IterableDataset):
    def __len__(self) -> int:
        return 7

    def __iter__(self):
        return ((float(i), 0.0) for i in range(7))


ROWS = [(float(i), 0.0) for i in range(7)]


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (Sized(), 7),
        (DataLoader(ROWS, batch_size=3), 7),
        (DataLoader(ROWS, batch_size=3, drop_last=True), 6),
        (DataLoader(ROWS, batch_size=None), 7),
        (DataLoader(Sized(), batch_size=3), 7),
        (DataLoader(Sized(), batch_size=3, drop_last=True), None),
        (DataLoader(ROWS, batch_sampler=BatchSampler(SequentialSampler(ROWS[:4]), 3, False)), None),
        (DataLoader(ROWS, batch_sampler=[[0, 1], [2]]), None),
        (lambda: iter(ROWS), None),
    ],
)
def test_the_length_is_what_the_data_says(data, length) -> None:
    made = source(data)
    assert made.length == length
    if length is not None:
        assert sum(len(item["input"]) if made.batched else 1 for item in made) == length


def test_an_error_of_the_data_says_the_item() -> None:
    def rows():
        yield from ROWS
        raise OSError("the cable is out")

    with pytest.raises(OSError, match="the cable is out") as caught:
        list(source(rows))
    assert str(caught.value) == "the cable is out"
    assert caught.value.__notes__ == ["raised by the data at item 7, counted from 0"]


class Placed(IterableDataset):
    """Says its place; the next iteration begins there."""

    def state_dict(self):
        return {}

    def load_state_dict(self, state) -> None:
        raise NotImplementedError

    def __iter__(self):
        return iter(ROWS)


def test_data_that_says_its_place_is_known() -> None:
    data = Placed()
    assert source(data).placed is data
    assert source(Sized()).placed is None
    assert isinstance(source(data), Stream)
