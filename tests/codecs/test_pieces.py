"""A column is cut into pieces of a bounded size, and what codecs learn from pieces is what the whole column says."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.codecs.codec import Codec
from netwright.codecs.pieces import PIECE, bytes_of, kept_if_small, pieces
from netwright.sizes.free import FREE

WIDE = np.random.default_rng(0).normal(5, 2, (5000, 50))  # two pieces
PICTURES = (WIDE / 20).clip(0, 1).reshape(-1, 10, 5)
GRAY = nw.Image(10, 5, color="gray", mean=FREE, deviation=FREE)


def test_pieces_are_small_and_together_the_column() -> None:
    found = list(pieces(WIDE))
    assert len(found) == 2 and all(piece.nbytes <= PIECE for _, piece in found)  # type: ignore[attr-defined]
    assert [first for first, _ in found] == [0, len(found[0][1])]
    assert np.array_equal(np.concatenate([piece for _, piece in found]), WIDE)


def test_a_list_is_one_piece() -> None:
    assert list(pieces([1, 2])) == [(0, [1, 2])]


@pytest.mark.parametrize(
    ("value", "least"),
    [
        (np.zeros(9), 72),
        ("abc", 3),
        ([1.0] * 100, 2400),
        ({"a": b"x"}, 60),
        ([0.5] * 999, 24_000),
        ([0] + [b"x" * 90] * 999, 90_000),
    ],
)
def test_the_memory_of_a_raw_value(value: Any, least: int) -> None:
    assert least <= bytes_of(value) < 50 * least


@pytest.mark.parametrize(
    ("codec", "raws"),
    [
        (nw.Vector(), WIDE),
        (nw.Number(), WIDE[:, 0].repeat(100)),
        (nw.Each(nw.Number()), WIDE),
        (GRAY, PICTURES),
    ],
)
def test_statistics_of_pieces_are_those_of_the_whole(codec: Codec, raws: np.ndarray) -> None:
    rows = raws if isinstance(codec, nw.Vector) else raws.reshape(-1, 1)
    mean, deviation = codec.fit(raws).scale or (0, 1)
    assert mean == pytest.approx(rows.mean(0), rel=1e-3) and deviation == pytest.approx(rows.std(0), rel=1e-3)


class Watched(Sequence[Any]):
    """An array that notes how many rows are read at once."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.most = array, 0

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: Any) -> Any:
        found = self.array[index]
        self.most = max(self.most, len(found) if isinstance(index, slice) else 1)
        return found


@pytest.mark.parametrize("codec", [nw.Vector(), GRAY])
def test_a_fit_holds_no_more_than_a_piece(codec: Codec) -> None:
    seen = Watched(WIDE if isinstance(codec, nw.Vector) else PICTURES.repeat(5, 0))
    codec.fit(seen)
    assert 1 < seen.most < len(seen)


def test_an_error_in_a_later_piece_names_the_row() -> None:
    broken = WIDE.copy()
    broken[4321, 7] = np.nan
    with pytest.raises(nw.DataError) as caught:
        nw.Vector().fit(broken)
    assert caught.value.where == "row 4321, component 7"


def test_labels_of_many_pieces() -> None:
    labels = np.arange(300_000) % 7
    assert nw.Category().fit(labels).names == tuple(range(7))


def test_a_small_column_is_kept_as_it_would_be_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    class Column(Sequence[Any]):
        def __init__(self, values: Any) -> None:
            self.values = values

        def __len__(self) -> int:
            return len(self.values)

        def __getitem__(self, index: Any) -> Any:
            return self.values[index]

    monkeypatch.setattr("netwright.codecs.pieces.MOST", 4)
    array = np.arange(20.0).reshape(10, 2)
    kept = kept_if_small(Column(array))
    assert isinstance(kept, np.ndarray) and np.array_equal(kept, array)
    tensor = kept_if_small(Column(torch.arange(10)))
    assert isinstance(tensor, torch.Tensor) and tensor.tolist() == list(range(10))
    assert kept_if_small(Column([[1], [2, 3]] * 5)) == [[1], [2, 3]] * 5
    assert kept_if_small(array) is array
    large = Column(array)
    monkeypatch.setattr("netwright.codecs.pieces.SMALL", 100)
    assert kept_if_small(large) is large
