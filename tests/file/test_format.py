"""The container: strict JSON, checksums that guard every byte, limits before anything is parsed."""

import json
import tracemalloc

import pytest
import torch

from net_files import header, sealed
from netwright.errors import FileError
from netwright.file import format as form

ARRAYS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(3, dtype=torch.bfloat16), "c": torch.tensor(True)}


def entry(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_pack_then_unpack() -> None:
    content, entries = form.unpack(form.pack({"x": [1, 2.5, None, "ü"]}, ARRAYS))
    assert content == {"x": [1, 2.5, None, "ü"]}
    assert [(e.name, e.dtype, e.shape, e.start, e.stop) for e in entries] == [
        ("a", torch.float32, (2, 3), 0, 24),
        ("b", torch.bfloat16, (3,), 24, 30),
        ("c", torch.bool, (), 30, 31),
    ]


def test_the_header_opens_with_its_checksum() -> None:
    head = form.pack({}, ARRAYS)
    assert head[8:].startswith(form.PREFIX)
    assert json.loads(head[8:])["__metadata__"]["format"] == "netwright 1"
    assert len(head) % 8 == 0


def test_every_bit_of_the_header_is_guarded() -> None:
    head = form.pack({"x": 1}, {})
    for place in range(len(head)):
        for bit in range(8):
            bad = bytearray(head)
            bad[place] ^= 1 << bit
            with pytest.raises(FileError):
                form.unpack(bytes(bad))


def test_every_type_of_torch_that_has_a_name_is_there() -> None:
    for name, dtype in form.DTYPES.items():
        _, (found,) = form.unpack(form.pack({}, {"a": torch.zeros(2, 0, dtype=dtype)}))
        assert (found.dtype, found.shape) == (dtype, (2, 0)), name


@pytest.mark.parametrize(
    ("net", "error"),
    [
        ('{"a":1,"a":2}', "a name stands twice in the header\n  where:    net\n  got:      'a'"),
        ('{"a":NaN}', "the header holds a number that JSON does not have\n  where:    net\n  got:      NaN"),
        (
            '{"a":-Infinity}',
            "the header holds a number that JSON does not have\n  where:    net\n  got:      -Infinity",
        ),
        ('{"a":1e999}', "the header holds a number that is not finite\n  where:    net\n  got:      '1e999'"),
        ("[" * 100_000, "the file is nested too deeply\n  where:    net"),
        ('{"a":' * 50_000, "the file is nested too deeply\n  where:    net"),
        ("[]", "the file does not describe a net\n  where:    net\n  expected: an object\n  got:      a list of 0"),
        (
            '{"a"',
            "the header is not JSON\n  where:    net\n  expected: JSON\n"
            "  got:      Expecting ':' delimiter: line 1 column 5 (char 4)",
        ),
    ],
)
def test_strict_json(net: str, error: str) -> None:
    with pytest.raises(FileError) as caught:
        form.unpack(sealed(header(net)))
    assert str(caught.value) == error


def test_a_number_of_many_digits_is_refused() -> None:
    with pytest.raises(FileError) as caught:
        form.parse_header('{"a":' + "9" * 100_000 + "}", "net")
    assert caught.value.what == "the header is not JSON"


def test_text_that_is_not_ascii() -> None:
    text = header("{}").replace(b"{}", "ü".encode())
    with pytest.raises(FileError) as caught:
        form.unpack(sealed(text))
    assert str(caught.value) == "the header is not text\n  where:    header\n  expected: JSON in ASCII"


def test_a_newer_format() -> None:
    with pytest.raises(FileError) as caught:
        form.unpack(sealed(header({}, form="netwright 2")))
    assert str(caught.value) == (
        "the file was written by a newer Netwright\n"
        "  where:    header\n"
        "  expected: format 1 or older\n"
        "  got:      format 2\n"
        "  mend:     pip install --upgrade netwright"
    )


@pytest.mark.parametrize(
    "other", ["netwright 0", "netwright -1", "netwright", "other 1", "netwright 1 ", "netwright ²"]
)
def test_another_format(other: str) -> None:
    with pytest.raises(FileError, match="the file does not describe a net"):
        form.unpack(sealed(header({}, form=other)))


@pytest.mark.parametrize(
    "entries",
    [
        {"a": entry(shape=(2**40, 1), offsets=(0, 8))},
        {"a": entry(shape=(0, 2**61, 2**61), offsets=(0, 0))},
        {"a": entry(shape=(-2, -1))},
        {"a": entry(shape=(2.0,))},
        {"a": entry(shape=(True, 2))},
        {"a": entry(shape="2")},
        {"a": entry(shape=[1] * 65 + [2])},
        {"a": entry(shape=(10**4000,))},
        {"a": entry(dtype="F31")},
        {"a": entry(dtype=["F32"])},
        {"a": entry(offsets=(0,))},
        {"a": entry(offsets=(8, 0))},
        {"a": entry(offsets=(8, 16))},
        {"a": entry(), "b": entry()},
        {"a": entry(), "b": entry(offsets=(16, 24))},
        {"a": {**entry(), "more": 1}},
        {"a": 3},
    ],
)
def test_entries_that_no_file_has(entries: dict[str, object]) -> None:
    with pytest.raises(FileError):
        form.unpack(sealed(header({}, entries)))


def test_sizes_that_multiply_to_terabytes() -> None:
    with pytest.raises(FileError) as caught:
        form.unpack(sealed(header({}, {"a": entry(shape=(2**20, 2**20))})))
    assert str(caught.value) == (
        "the size of an array is not that of its data\n"
        "  where:    array a\n"
        "  expected: (1048576, 1048576) of F32, 4,398,046,511,104 bytes\n"
        "  got:      8 bytes"
    )


@pytest.mark.parametrize("unit", ["[],", '{"a":1},', '"x",', "1,", "[[[]]],", '{"a":{}},'])
def test_little_memory_for_any_header(unit: str) -> None:
    hostile = sealed(header('{"a":[' + unit * (form.HEADER_LIMIT // 2 // len(unit)) + "1]}"))
    tracemalloc.start()
    with pytest.raises(FileError):
        form.unpack(hostile)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6


@pytest.mark.parametrize("unit", ["[],", '{"a":1},', '"x",', "1000,", '"%d":"",', '"%d":{},'])
def test_little_memory_for_the_largest_header_that_is_read(unit: str) -> None:
    cost = sum(unit.encode().count(sign) * cost for sign, cost in form.COSTS.items())
    pieces = [unit % i if "%" in unit else unit for i in range(int(form.MEMORY_LIMIT / cost * 0.9))]
    ends = ("{", '"":0}') if "%" in unit else ('{"a":[', "1]}")
    allowed = sealed(header(ends[0] + "".join(pieces) + ends[1]))
    assert len(allowed) < form.HEADER_LIMIT
    tracemalloc.start()
    form.unpack(allowed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6


@pytest.mark.parametrize("text", ["[{,:" * 500_000, '{"a": "\\\\", "b"}' * 60_000, "\\" * 400_001])
def test_signs_within_a_text_take_no_memory(text: str) -> None:
    net = {"vocabulary": text, "tokenizer": [json.dumps({"model": text[:9999]})]}
    assert form.unpack(form.pack(net, {})) == (net, [])


def test_a_header_of_texts_and_nothing_else_is_refused() -> None:
    with pytest.raises(FileError) as caught:
        form.unpack(sealed(header('{"a":' + '""' * (form.HEADER_LIMIT // 5) + "}")))
    assert str(caught.value).startswith(
        "the net has too many parts, arrays or labels for one file\n  where:    header\n"
    )


def test_short() -> None:
    assert form.short([1, 2]) == "a list of 2"
    assert form.short({"a": 1}) == "a mapping of 1"
    assert form.short("x" * 100) == "'" + "x" * 78 + "…"


def test_a_path_is_a_text_or_a_path():
    assert form.file_path("a.net") == "a.net"
    with pytest.raises(FileError) as error:
        form.file_path(3)
    assert str(error.value) == ("a file is named by a path\n  expected: a text or a pathlib.Path\n  got:      3")
    with pytest.raises(FileError) as error:  # which would be the working directory
        form.file_path("")
    assert str(error.value) == ("a file is named by a path\n  expected: a text or a pathlib.Path\n  got:      ''")
