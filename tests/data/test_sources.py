"""Every form of data a user may have becomes the same columns, and what does not fit is said plainly."""

import doctest
import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from netwright.data.datasets import Split
from netwright.data.sources import Source, image_folder, source
from netwright.data.streams import Stream
from netwright.errors import DataError, FileError

module = importlib.import_module("netwright.data.sources")

PAIRS = [([1.0, 2.0], "a"), ([3.0, 4.0], "b"), ([5.0, 6.0], "c")]
X = np.array([pair[0] for pair in PAIRS])
Y = [pair[1] for pair in PAIRS]


class Pairs(Dataset[Any]):
    """A map-style Dataset that counts how often it is read and has no end of its own."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows, self.reads = rows, 0

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        self.reads += 1
        return self.rows[index % len(self.rows)]


class Endless(Dataset[Any]):
    def __getitem__(self, index: int) -> Any:
        return PAIRS[0]


class Flow(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter(PAIRS)


class Frame:
    """What a table of another library shows of itself."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        return X


def plain(found: Source) -> list[tuple[Any, ...]]:
    rows = [found.row(i) for i in range(len(found))]
    return [tuple(v.tolist() if isinstance(v, np.ndarray | torch.Tensor) else v for v in row.values()) for row in rows]


def refused(data: Any, **ports: Any) -> str:
    with pytest.raises(DataError) as caught:
        found = source(data, **ports)
        if isinstance(found, Stream):
            list(found)
    return str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        (X, Y),
        (torch.tensor(X), tuple(Y)),
        (X.tolist(), np.array(Y)),
        (Frame(), Y),
        PAIRS,
        [list(pair) for pair in PAIRS],
        [{"target": label, "input": vector} for vector, label in PAIRS],
        {"target": Y, "input": X},
        Split(X, Y),
        Pairs(PAIRS),
        Subset(Pairs([PAIRS[2], *PAIRS]), [1, 2, 3]),
    ],
    ids=lambda data: type(data).__name__,
)
def test_all_forms_are_one(data: Any) -> None:
    found = source(data)
    assert isinstance(found, Source)
    assert list(found.columns) == ["input", "target"]
    assert len(found) == 3
    assert plain(found) == PAIRS
    assert plain(found.take(torch.tensor([2, 0]))) == [PAIRS[2], PAIRS[0]]
    assert found.weights is None


def test_a_column_out_of_an_array_is_kept_as_it_is() -> None:
    images = np.zeros((4, 2, 2), np.uint8)
    found = source((images, torch.arange(4)))
    assert isinstance(found, Source)
    assert found.columns["input"] is images
    assert type(found.row(3)["target"]) is int
    assert repr(found) == "Source of 4 examples (input: array (4, 2, 2) uint8, target: tensor (4,) int64)"


def test_a_tensor_dataset_is_its_columns() -> None:
    found = source(TensorDataset(torch.tensor(X), torch.tensor([1, 2, 3])))
    assert isinstance(found, Source)
    assert isinstance(found.columns["input"], torch.Tensor)
    assert plain(found) == [([1.0, 2.0], 1), ([3.0, 4.0], 2), ([5.0, 6.0], 3)]


def test_columns_that_require_gradients_are_cut_off() -> None:
    found = source((torch.zeros(2, 3, requires_grad=True), [0, 1]))
    assert isinstance(found, Source)
    assert not found.row(0)["input"].requires_grad


def test_one_read_of_a_row_gives_all_its_ports_each_time_it_is_asked_for() -> None:
    rows = Pairs(PAIRS)
    found = source(rows)
    assert isinstance(found, Source) and found.drawn
    before = rows.reads
    assert found.read([2, 0, 2]) == {
        port: [pair[i] for pair in (PAIRS[2], PAIRS[0], PAIRS[2])] for i, port in enumerate(("input", "target"))
    }
    assert rows.reads == before + 3
    assert list(found.columns["target"][1:]) == ["b", "c"]


class Counting(Sequence[int]):
    """A sequence that gives another number each time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: Any) -> int:
        self.asked += 1
        return self.asked


def test_a_sequence_that_stands_for_two_columns_is_read_once_for_both() -> None:
    numbers = Counting()
    found = source((numbers, numbers))
    assert isinstance(found, Source) and found.drawn
    assert found.read([0, 1]) == {"input": [1, 2], "target": [1, 2]}
    other = source((numbers, [5, 6, 7, 8]))
    assert isinstance(other, Source)
    assert other.read([3]) == {"input": [3], "target": [8]}


def test_what_is_in_memory_already_is_not_drawn() -> None:
    found = source((X, np.array(Y)))
    assert isinstance(found, Source) and not found.drawn


@pytest.mark.parametrize("row", [0, 1, 2])
def test_an_error_names_the_row_as_the_user_counts(row: int) -> None:
    found = source(Pairs([*PAIRS, 5]))
    assert isinstance(found, Source)
    order = torch.tensor([1, 0, 2])
    order[row] = 3
    taken = found.take(order)
    for read in (lambda: taken.read([row]), lambda: taken.take(torch.tensor([row, row])).read([0, 1])):
        with pytest.raises(DataError) as caught:
            read()
        assert caught.value.where == "row 3"
    with pytest.raises(DataError) as inside, taken.errors([0, row]):
        raise DataError(what="bad", where="port 'input', row 1, component 2")
    assert inside.value.where == "port 'input', row 3, component 2"


def test_a_net_with_one_port_takes_its_column() -> None:
    for data in (["ab", "cd"], np.array([[1, 2], [3, 4]]), {"text": ["ab", "cd"]}, TensorDataset(torch.ones(2, 3))):
        found = source(data, inputs=("text",), targets=())
        assert isinstance(found, Source)
        assert list(found.columns) == ["text"]
        assert len(found) == 2


def test_several_ports_are_a_dict_of_columns_or_rows() -> None:
    ports = {"inputs": ("query", "key"), "targets": ("value",)}
    columns = source({"query": [1, 2], "key": [3, 4], "value": [5, 6]}, **ports)
    rows = source([{"query": 1, "key": 3, "value": 5}, {"key": 4, "query": 2, "value": 6}], **ports)
    assert isinstance(columns, Source) and isinstance(rows, Source)
    assert columns.columns == rows.columns == {"query": [1, 2], "key": [3, 4], "value": [5, 6]}


def test_weights_go_with_their_rows() -> None:
    found = source(PAIRS, weights=[1, 0, 2.5])
    assert isinstance(found, Source) and found.weights is not None
    assert found.weights.tolist() == [1.0, 0.0, 2.5]
    taken = found.take(torch.tensor([2, 1])).weights
    assert taken is not None and taken.tolist() == [2.5, 0.0]


class Named(Frame):
    """A table whose columns have names."""

    def __init__(self, *names: str) -> None:
        self.columns = names

    def __getitem__(self, name: str) -> list[str]:
        return [name]


def test_a_table_with_the_names_of_the_ports_is_its_columns() -> None:
    found = source(Named("target", "input"))
    assert isinstance(found, Source)
    assert found.columns == {"input": ["input"], "target": ["target"]}


@pytest.mark.parametrize(
    ("ports", "mend"),
    [
        ((("input",), ("target",)), "(data.drop(columns='price'), data['price']), if 'price' is the target"),
        ((("a", "b"), ("target",)), "{'a': data[…], 'b': data[…], 'target': data[…]}"),
    ],
)
def test_a_table_with_other_names_is_refused_with_a_way(ports: Any, mend: str) -> None:
    with pytest.raises(DataError) as caught:
        source(Named("rooms", "area", "price"), *ports)
    assert str(caught.value) == (
        "the net does not know which columns of the table are its ports\n"
        "  where:    data\n"
        f"  expected: the columns {', '.join(map(repr, ports[0] + ports[1]))}\n"
        "  got:      the columns 'rooms', 'area', 'price'\n"
        f"  mend:     {mend}"
    )


# Streams


def generate() -> Iterator[Any]:
    yield from PAIRS


def generate_batches() -> Iterator[Any]:
    yield X[:2], Y[:2]
    yield X[2:], Y[2:]


@pytest.mark.parametrize("data", [generate, Flow(), lambda: PAIRS])
def test_rows_stream_again_in_each_pass(data: Any) -> None:
    found = source(data)
    assert isinstance(found, Stream)
    assert found.batched is False
    for _ in range(2):
        assert [tuple(item.values()) for item in found] == PAIRS


def test_a_loader_streams_batches() -> None:
    loader = DataLoader(TensorDataset(torch.tensor(X), torch.tensor([1, 2, 3])), batch_size=2)
    found = source(loader)
    assert isinstance(found, Stream)
    assert found.batched is True
    assert [item["target"].tolist() for item in found] == [[1, 2], [3]]
    assert [item["target"].tolist() for item in found] == [[1, 2], [3]]


def test_a_loader_without_batches_streams_rows() -> None:
    found = source(DataLoader(TensorDataset(torch.tensor(X), torch.tensor([1, 2, 3])), batch_size=None))
    assert isinstance(found, Stream)
    assert found.batched is False
    assert [int(item["target"]) for item in found] == [1, 2, 3]


def test_a_loader_of_single_tensors_gives_the_tensor() -> None:
    found = source(DataLoader(TensorDataset(torch.tensor(X)), batch_size=2), inputs=("input",), targets=())
    assert isinstance(found, Stream)
    assert [item["input"].tolist() for item in found] == [X[:2].tolist(), X[2:].tolist()]


def test_what_may_be_a_batch_is_left_to_the_coders() -> None:
    found = source(generate_batches)
    assert isinstance(found, Stream)
    assert found.batched is None
    assert [list(item["target"]) for item in found] == [["a", "b"], ["c"]]
    for row in ((X, 3), ("text", "text"), (np.zeros((4, 4)), np.zeros(3)), (torch.zeros(3), torch.tensor(1))):
        one = source(iter([row]))
        assert isinstance(one, Stream)
        assert one.batched is False


def test_a_generator_is_read_once_and_says_so() -> None:
    found = source(generate())
    assert isinstance(found, Stream)
    assert len(list(found)) == 3
    with pytest.raises(DataError) as caught:
        list(found)
    assert str(caught.value) == (
        "the generator has run out: it gives its examples once\n"
        "  where:    data\n"
        "  mend:     give the function that makes it, without calling it\n"
        "  or:       list(…), if memory holds it"
    )


# What does not fit

NO_DATA = "there is no data\n  where:    data\n  expected: at least one example\n  got:      "
NOT_DATA = (
    "this is not data\n"
    "  where:    data\n"
    "  expected: columns (inputs, targets), a list of rows, a dict of named ports, a Dataset, or an iterable\n"
    "  got:      "
)


@pytest.mark.parametrize(
    ("data", "got"),
    [
        ([], "list of 0"),
        (([], []), "tuple of 2"),
        ({"input": [], "target": []}, "dict"),
        (Split([], []), "Split"),
        (Pairs([]), "Pairs"),
        (lambda: iter(()), "function"),
        (iter(()), "tuple_iterator"),
        (DataLoader([], batch_size=2), "a stream that ends at once"),
    ],
)
def test_no_data(data: Any, got: str) -> None:
    assert refused(data) == NO_DATA + got


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (None, "None"),
        (3, "3"),
        ("no/such/place", "'no/such/place'"),
        (lambda: 3, "a function that returns int"),
        (object(), "object"),
    ],
)
def test_what_is_no_data_at_all(data: Any, got: str) -> None:
    assert refused(data) == NOT_DATA + got


def test_a_path_to_a_folder_is_told_of_folder(tmp_path: Path) -> None:
    assert refused(str(tmp_path)) == f"{NOT_DATA}{str(tmp_path)!r}\n  mend:     nw.image_folder({str(tmp_path)!r})"
    for name, call in {"a.parquet": "parquet", "rows/*.jsonl": "jsonl", "a.jsonl.gz": "jsonl"}.items():
        assert refused(name) == f"{NOT_DATA}{name!r}\n  mend:     nw.{call}({name!r})"


def test_columns_of_different_lengths() -> None:
    assert refused((X, [1, 2])) == (
        "the columns have different lengths\n"
        "  where:    data\n"
        "  got:      input: 3\n"
        "            target: 2\n"
        "  mend:     give every example one value in each column"
    )


def test_a_row_that_is_no_pair_is_numbered() -> None:
    expected = "a row is not a pair (input, target)\n  where:    row 1\n  expected: a pair, or a dict with 'input', "
    assert refused([PAIRS[0], (1, 2, 3)]) == expected + "'target'\n  got:      tuple of 3"
    assert refused([PAIRS[0], "ab"]) == expected + "'target'\n  got:      str"
    lazy = source(Pairs([PAIRS[0], "ab"]))
    assert isinstance(lazy, Source)
    with pytest.raises(DataError) as caught:
        lazy.row(1)
    assert str(caught.value) == expected + "'target'\n  got:      str"


def test_columns_in_a_list_are_told_of_the_tuple() -> None:
    assert refused([X, np.array(Y)]) == (
        "a row is not a pair (input, target)\n"
        "  where:    row 0\n"
        "  expected: a pair, or a dict with 'input', 'target'\n"
        "  got:      array (3, 2) float64\n"
        "  mend:     a tuple, if these are columns: (inputs, targets)"
    )


def test_a_stream_numbers_its_items() -> None:
    assert refused(lambda: iter([PAIRS[0], 7])).startswith("a row is not a pair (input, target)\n  where:    item 1\n")


def test_ports_that_are_unknown_or_missing() -> None:
    assert refused({"input": X, "taget": Y}) == (
        "the net has no port 'taget'\n"
        "  where:    data\n"
        "  expected: the ports 'input', 'target'\n"
        "  mend:     did you mean 'target'?"
    )
    assert refused({"input": X, "target": Y, "zzz": Y}) == (
        "the net has no port 'zzz'\n"
        "  where:    data\n"
        "  expected: the ports 'input', 'target'\n"
        "  mend:     leave 'zzz' out"
    )
    assert refused([{"input": 1, "target": 2}, {"input": 1}]) == (
        "the port 'target' is missing\n  where:    row 1\n  expected: the ports 'input', 'target'\n  got:      'input'"
    )


def test_forms_that_do_not_suit_the_ports() -> None:
    several = {"inputs": ("a", "b"), "targets": ("y",)}
    assert refused((X, Y), **several) == (
        "a tuple of two columns fits a net with one input and one target\n"
        "  where:    data\n"
        "  expected: a dict with the ports 'a', 'b', 'y'\n"
        "  got:      a tuple of 2\n"
        "  mend:     {'a': …, 'b': …, 'y': …}"
    )
    assert refused([(1, 2, 3)], **several) == (
        "a row does not name its ports\n"
        "  where:    row 0\n"
        "  expected: a dict with 'a', 'b', 'y'\n"
        "  got:      tuple of 3\n"
        "  mend:     {'a': …, 'b': …, 'y': …}"
    )
    assert refused((X, Y, Y)) == (
        "a tuple of columns has two of them, inputs and targets\n"
        "  where:    data\n"
        "  expected: (inputs, targets)\n"
        "  got:      a tuple of 3\n"
        "  mend:     a list, if these are rows: [(input, target), …]"
    )
    assert refused(X) == (
        "one column is given, but the net needs more\n"
        "  where:    data\n"
        "  expected: the ports 'input', 'target'\n"
        "  got:      array (3, 2) float64\n"
        "  mend:     a tuple of two columns: (inputs, targets)"
    )


@pytest.mark.parametrize("column", ["abc", 3, np.array(3), (value for value in Y)])
def test_a_column_that_is_none(column: Any) -> None:
    assert refused((X, column)).startswith(
        "the column 'target' is not a column\n"
        "  where:    data\n"
        "  expected: an array, a tensor or a list with one value for each example\n"
        "  got:      "
    )


def test_a_dataset_without_a_length() -> None:
    assert refused(Endless()) == (
        "the Dataset has no length\n"
        "  where:    data\n"
        "  got:      Endless\n"
        "  mend:     give it a __len__\n"
        "  or:       make it an IterableDataset, if its examples only come in order"
    )


@pytest.mark.parametrize(
    ("weights", "text"),
    [
        ([1, 2], "there is not one weight for each example\n  where:    weights\n  expected: (3,)\n  got:      (2,)"),
        (
            [1, -2, 1],
            "a weight is negative or not finite\n"
            "  where:    weights, row 1\n"
            "  expected: a number that is 0 or more\n"
            "  got:      -2.0",
        ),
        (
            [1, 2, float("nan")],
            "a weight is negative or not finite\n"
            "  where:    weights, row 2\n"
            "  expected: a number that is 0 or more\n"
            "  got:      nan",
        ),
        (
            [10**400, 1, 1],
            f"weights are numbers, one for each example\n  where:    weights\n  got:      [1{'0' * 77}…",
        ),
        ([0, 0, 0], "every weight is 0, so no example counts\n  where:    weights"),
    ],
)
def test_weights_that_cannot_be(weights: list[float], text: str) -> None:
    assert refused(PAIRS, weights=weights) == text


def test_a_stream_takes_no_weights() -> None:
    assert refused(generate, weights=[1, 2, 3]) == (
        "weights need data whose examples can be counted\n"
        "  where:    weights\n"
        "  got:      function\n"
        "  mend:     let each column, list or Dataset be whole in memory"
    )


# Folders


def test_a_folder_of_labelled_pictures(tmp_path: Path) -> None:
    for name in (
        "dog/2.JPG",
        "dog/deep/1.png",
        "cat/a.png",
        "cat/.hidden.png",
        "cat/.ipynb_checkpoints/1-checkpoint.png",
        "cat/deep/.thumbnails/1.png",
        "cat/notes.txt",
        ".git/x.png",
        "top.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    pets = image_folder(tmp_path)
    assert list(pets) == [
        (tmp_path / "cat/a.png", "cat"),
        (tmp_path / "dog/2.JPG", "dog"),
        (tmp_path / "dog/deep/1.png", "dog"),
    ]
    found = source(pets)
    assert isinstance(found, Source)
    assert found.row(0) == {"input": tmp_path / "cat/a.png", "target": "cat"}


def test_a_missing_folder_suggests_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "pets").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(FileError) as caught:
        image_folder(tmp_path / "pest")
    assert str(caught.value) == (
        f"there is no such folder\n  where:    {tmp_path / 'pest'}\n  mend:     did you mean 'pets'?"
    )
    with pytest.raises(FileError) as caught:
        image_folder(tmp_path / "file")
    assert str(caught.value) == f"the path is a file, not a folder\n  where:    {tmp_path / 'file'}"


def test_a_data_set_where_one_column_is_wanted() -> None:
    with pytest.raises(DataError) as caught:
        source(Split(["ab", "c"], [1, 2]), ("input",), ())
    assert str(caught.value) == (
        "a data set has inputs and targets, and one column is wanted\n"
        "  where:    data\n"
        "  got:      Split of 2 examples\n"
        "  mend:     data.inputs\n"
        "  or:       data.targets"
    )


def test_a_folder_without_labels(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(DataError) as caught:
        image_folder(tmp_path)
    assert str(caught.value) == (
        "the folder has no subfolders, so its pictures have no labels\n"
        f"  where:    {tmp_path}\n"
        "  expected: a subfolder for each label, such as cat/ and dog/\n"
        "  got:      1 pictures at the top"
    )


def test_labels_without_pictures(tmp_path: Path) -> None:
    for name in ("cat", "dog", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "cat" / "1.png").touch()
    with pytest.raises(DataError) as caught:
        image_folder(tmp_path)
    assert str(caught.value) == (
        "subfolders without a picture\n"
        f"  where:    {tmp_path}\n"
        "  expected: files that end in .bmp, .gif, .jpeg, .jpg, .pgm, .png, .ppm, .tif, .tiff, .webp\n"
        "  got:      dog/, empty/\n"
        "  mend:     move these subfolders elsewhere"
    )


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(module).failed == 0


def test_examples_with_a_name_say_it_before_their_rows() -> None:
    named = Source({"input": [1.0, 2.0]}, rows=torch.tensor([4, 7]), name="validation data")
    with pytest.raises(DataError) as error, named.take(torch.tensor([1])).errors():
        raise DataError(what="wrong", where="port 'input', row 0")
    assert error.value.where == "validation data, port 'input', row 7"
