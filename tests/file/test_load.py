"""Loading: what was saved comes back, and nothing else: no code, no import, no large allocation, no half net."""

import os
import pickle
import random
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import netwright as nw
from layers.table import ROWS, Row
from net_files import described_net, forged, forged_entries, head_and_data, header, sealed, small_net
from netwright.errors import FileError, NetError, NetwrightError
from netwright.file.format import PREFIX
from netwright.file.structure import MOST_USES
from netwright.net.part import Net
from trials import trials

RELU = {"part": "Elementwise", "fields": {"function": "relu"}}
LINEAR = {"part": "Linear", "fields": {"out": 3, "bias": True}}


def scale(x: torch.Tensor) -> torch.Tensor:
    """A function that a net may hold."""
    return 2 * x


def shift(x: torch.Tensor) -> torch.Tensor:
    """Another one."""
    return x + 2


@pytest.fixture
def file(tmp_path: Path) -> Path:
    nw.save(small_net(), tmp_path / "a.net")
    return tmp_path / "a.net"


def refusal(path: Path, **options: Any) -> str:
    """What is said when this file is loaded, without its path."""
    with pytest.raises(FileError) as caught:
        nw.load(path, **options)
    assert caught.value.where.startswith(str(path))
    return str(caught.value).replace(str(path), "FILE")


def back(net: Net, folder: Path) -> Net:
    """The net, saved and loaded, and checked to be the same."""
    nw.save(net, folder / "back.net")
    loaded = nw.load(folder / "back.net")
    assert loaded == net
    assert repr(loaded) == repr(net)
    assert nw.digest(loaded) == nw.digest(net)
    assert {path: array.dtype for path, array in loaded.arrays.items()} == {p: a.dtype for p, a in net.arrays.items()}
    return loaded


def test_a_net_comes_back(tmp_path: Path) -> None:
    net = small_net()
    loaded = back(net, tmp_path)
    x = np.random.default_rng(0).normal(size=(5, 2)).astype("float32")
    assert torch.equal(loaded(x, nw.raw), net(x, nw.raw))


def test_lenet_comes_back(tmp_path: Path) -> None:
    lenet = nw.Chain(
        *(nw.Conv(4, 5), nw.relu, nw.MaxPool(2), nw.Conv(6, 5), nw.relu, nw.MaxPool(2)),
        *(nw.Flatten(), nw.Linear(20), nw.relu, nw.Linear(), nw.softmax),
        input=nw.Image(28, 28, "gray", mean=0.13, deviation=0.31),
        output=nw.Category(range(10)),
    )
    back(lenet, tmp_path)
    back(nw.initialize(lenet), tmp_path)


@pytest.mark.parametrize(
    "net",
    [
        nw.Chain(nw.Shared("both", nw.Linear(2)), nw.relu, nw.Shared("both", nw.Linear(2)), input=2),
        nw.Chain(first=3, second=nw.Chain(nw.relu, third=[2, nw.tanh]), input=("n", 4)),
        nw.Chain(nw.Conv(2, (3, 1), padding=(1, 0), groups=2), input=(5, 6, 2)),
        nw.Chain(nw.Linear(2), input=3, output=nw.Category(["1", 1, 1.0, True][:2])),
        nw.Chain(nw.Linear(), input="n 3", output="n 2"),
        nw.Chain(nw.Linear(), output=nw.Category()),
        nw.Graph(body=(nw.Linear(3), "input"), two=(nw.relu, "body"), input=3, outputs=("body", "two")),
    ],
    ids=repr,
)
def test_nets_of_every_form_come_back(net: Net, tmp_path: Path) -> None:
    back(net, tmp_path)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_layer_comes_back(row: Row, tmp_path: Path) -> None:
    net = nw.Graph({"y": row.layer(*(nw.Input(f"x{i}", sizes) for i, sizes in enumerate(row.inputs)))})
    generator = torch.Generator().manual_seed(0)
    shapes = {path: spec.known for path, spec in net.plan.arrays.items()}
    back(net.with_arrays({path: torch.randn(shape, generator=generator) for path, shape in shapes.items()}), tmp_path)


CODECS = [
    (nw.Image(4, 5), nw.Category(["a", "b"])),
    (nw.Image(4, 5, "gray", mean=(0.5,), deviation=0.25, layout="chw"), nw.Boolean()),
    (nw.Image(4, 5, mean=nw.FREE, deviation=nw.FREE), nw.Category()),
    (nw.Vector(20, mean=(0.1,) * 20, deviation=2.0), nw.Number(mean=1e6, deviation=3.0)),
    (nw.Vector(), nw.Labels(["dark", 1, True])),
    (nw.Array("6 5 20"), nw.Each(nw.Category(range(3)))),
    (nw.Array("rows 20"), nw.Each(nw.Category(range(3)), "rows")),
    (nw.Array("6 5 20"), nw.Mask(["a", "b"], 6, 5, resize="letterbox", ignored=255)),
    (nw.Array("6 5 20"), nw.Boxes(["a", "b"], 48, 40, strides=(8, 16), least_score=0.1)),
]


@pytest.mark.parametrize("codecs", CODECS, ids=repr)
def test_every_codec_comes_back(codecs: tuple[Any, Any], tmp_path: Path) -> None:
    encoder, decoder = codecs
    flat = () if isinstance(encoder, nw.Array) else (nw.Flatten(),)
    net = nw.Chain(*flat, nw.Linear(), nw.sigmoid, input=encoder, output=decoder)
    loaded = back(net, tmp_path)
    assert loaded.inputs == {"input": encoder}
    assert loaded.outputs == {"output": decoder}


LEAVES = """
import sys
import netwright as nw

for part in (nw.relu, nw.Linear(3), nw.Shared("both", nw.Linear(2))):
    nw.save(part, sys.argv[1])
    assert nw.load(sys.argv[1]) == part
"""


def test_a_leaf_alone_comes_back(tmp_path: Path) -> None:
    run(LEAVES, tmp_path / "a.net")


@pytest.mark.parametrize(
    "labels", [[1, True, 1.0, "1"], [-0.0, 1e-300, float("inf")], ["", "\x00", "ü", "\u2028", "😀"], [10**40, 3]]
)
def test_labels_keep_their_exact_types(labels: list[Any], tmp_path: Path) -> None:
    loaded = back(nw.Chain(nw.Linear(), input=1, output=nw.Category(labels)), tmp_path)
    found = loaded.outputs["output"].labels  # type: ignore[union-attr]
    assert [(type(label), repr(label)) for label in found] == [(type(label), repr(label)) for label in labels]


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2]
)
def test_arrays_keep_their_type_to_the_bit(dtype: torch.dtype, tmp_path: Path) -> None:
    net = nw.Chain(nw.Linear(3), input=2)
    weight = torch.tensor([[1.5, float("nan")], [float("inf"), -0.0], [1e-3, 2.0]]).to(dtype)
    nw.save(net.holding(arrays={"linear1/weight": weight}), tmp_path / "a.net")
    found = nw.load(tmp_path / "a.net").held.arrays["linear1/weight"]
    assert found.dtype == dtype
    assert torch.equal(found.view(torch.uint8), weight.view(torch.uint8))


def test_views_and_partly_filled_nets(tmp_path: Path) -> None:
    net = nw.Chain(nw.Linear(3), nw.Linear(2), input=2)
    net = net.holding(arrays={"linear1/weight": torch.arange(12.0).reshape(2, 6)[:, ::2].T.requires_grad_()})
    assert back(net, tmp_path).arrays.keys() == {"linear1/weight"}


def test_sizes_that_only_arrays_know(tmp_path: Path) -> None:
    net = nw.initialize(nw.Chain(nw.Linear(3), nw.Linear(), input=2, output=4)).with_input(None).with_output(None)
    assert len(back(net, tmp_path).arrays) == 4


@st.composite
def nets(draw: st.DrawFn, depth: int = 3) -> Any:
    """A part of a chain, nested up to a depth, that keeps the rank of its input."""
    leaf = st.sampled_from([nw.relu, nw.tanh, nw.softmax, 2, nw.Linear(3, bias=False), nw.Shared("one", nw.Linear())])
    if depth == 0 or draw(st.booleans()):
        return draw(leaf)
    parts = draw(st.lists(nets(depth=depth - 1), min_size=1, max_size=3))
    named = draw(st.booleans())
    try:
        return nw.Chain(**{f"p{i}": part for i, part in enumerate(parts)}) if named else nw.Chain(*parts)
    except NetwrightError:
        return parts[0]  # what is shared must agree in size


@settings(max_examples=40, deadline=None)
@given(part=nets())
def test_random_nets_come_back(part: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    try:
        net = nw.initialize(nw.Chain(part, nw.Linear(2), input=2))
    except NetwrightError:
        return  # likewise
    loaded = back(net, tmp_path_factory.mktemp("net"))
    assert torch.equal(loaded(nw.batch([[1.0, 2.0]])), net(nw.batch([[1.0, 2.0]])))


def test_functions_must_be_supplied(tmp_path: Path) -> None:
    net = nw.Chain(nw.Linear(2), nw.Function(scale, "... -> ..."), input=2)
    path = tmp_path / "a.net"
    nw.save(net, path)
    name = f"{__name__}.scale"
    assert refusal(path) == (
        f"the net uses {name}, and a file never holds code\n"
        "  where:    FILE, net/scale1\n"
        f"  expected: {name}, from you\n"
        "  got:      no functions\n"
        f'  mend:     nw.load(file, functions={{"{name}": …}})'
    )
    assert nw.load(path, functions={name: scale}) == net
    assert "its source is another" in refusal(path, functions={name: shift})
    for near in (f"{__name__}:scale", f"{__name__}.scales"):
        assert refusal(path, functions={near: scale}).endswith(
            f'  mend:     nw.load(file, functions={{"{name}": …}}), in place of {near!r}'
        )
    assert net["scale1"].import_name == name  # what a part says of itself is the key


def test_modules_must_be_supplied(tmp_path: Path) -> None:
    first, second = torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)
    net = nw.Chain(nw.Module(first), nw.Module(second), input=2)
    path = tmp_path / "a.net"
    nw.save(net, path)
    name = "torch.nn.modules.linear.Linear"
    assert "a file never holds code" in refusal(path)
    assert nw.load(path, functions={name: [second, first]}) == net
    assert nw.load(path, functions={name: [torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)]}) == net
    assert refusal(path, functions={name: first}) == (
        f"no module that was supplied as {name} has the options that were saved\n"
        "  where:    FILE, net/module2\n"
        "  expected: 'Linear(in_features=3, out_features=1, bias=True)'\n"
        "  got:      Linear(in_features=2, out_features=3, bias=True)"
    )


def test_examples_are_run_again(tmp_path: Path) -> None:
    net, path = small_net(), tmp_path / "a.net"
    nw.save(net, path, examples=[[1.0, 2.0], [0.0, -1.0]])
    assert nw.load(path) == nw.load(path, check=True) == net
    other = net.with_arrays({"linear2/bias": net.arrays["linear2/bias"] + torch.tensor([0.0, 1.0])})
    nw.save(other, tmp_path / "b.net", examples=[[1.0, 2.0], [0.0, -1.0]])
    text = refusal(spliced(path, tmp_path / "b.net"), check=True)
    assert text.startswith(
        "an example comes out differently than when the net was saved\n"
        "  where:    FILE, example 0, output 'output'\n"
        "  expected: equal to 1e-05 of the largest value, "
    )
    nw.save(net, path)
    assert refusal(path, check=True) == (
        "the file keeps no examples to check\n  where:    FILE\n  mend:     nw.save(net, path, examples=[…])"
    )


def spliced(path: Path, other: Path) -> Path:
    """The file with the outputs of another one in the place of its own, sealed."""
    first, second = (nw_read(p) for p in (path, other))
    from netwright.file.array_file import array_memory
    from netwright.file.format import order, pack

    content, tensors = first
    moved = {name: array for name, array in second[1].items() if " output " in name}
    tensors |= moved
    content["checksums"] |= {name: second[0]["checksums"][name] for name in moved}
    path.write_bytes(pack(content, tensors) + b"".join(bytes(array_memory(tensors[name])) for name in order(tensors)))
    return path


def nw_read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The content and all arrays of a file."""
    import safetensors.torch

    from netwright.file.format import unpack

    return unpack(head_and_data(path)[0])[0], safetensors.torch.load_file(path)


def test_another_digest(file: Path) -> None:
    forged(file, lambda content: content.update(digest="0" * 64))
    assert nw.load(file) == small_net()
    assert refusal(file, check=True) == (
        "the net is not the one that was saved: its digest is another\n"
        "  where:    FILE\n"
        f"  expected: {'0' * 64}\n"
        f"  got:      {nw.digest(small_net())}\n"
        "  mend:     load it with Netwright 0.1.0, which wrote it"
    )


def test_missing_file(file: Path) -> None:
    path = file.with_name("b.net")
    with pytest.raises(FileError) as caught:
        nw.load(path)
    assert str(caught.value) == f"there is no such file\n  where:    {path}\n  mend:     did you mean 'a.net'?"


def test_things_that_are_no_file(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "this is not a file\n  where:    FILE\n  got:      a folder"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.net")
        assert refusal(tmp_path / "pipe.net").endswith("got:      a device or a pipe")
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(FileError, match="there is no such file"):
        nw.load(tmp_path / "x" / "a.net")


def test_other_files(tmp_path: Path) -> None:
    path = tmp_path / "a.net"
    start = "this is not the file of a net\n  where:    FILE\n  expected: a file that nw.save wrote\n  got:      "
    mend = "\n  mend:     net.with_arrays(state_dict) takes arrays from elsewhere into a net of yours"
    path.write_bytes(b"")
    assert refusal(path) == start + "an empty file"
    path.write_bytes(pickle.dumps({"a": 1}))
    assert refusal(path) == start + "a pickle, which can run any code when it is opened" + mend
    torch.save({"a": torch.ones(2)}, path)
    archive = "an archive, such as torch.save writes: pickles inside can run any code"
    assert refusal(path) == start + archive + mend
    torch.save({"a": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    assert "a pickle" in refusal(path)
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2)}, path)
    foreign = "a safetensors file without a net, or one whose first bytes are damaged"
    assert refusal(path) == start + foreign + mend
    path.write_bytes(b"hello")
    assert refusal(path) == start + "a file that begins with b'hello'" + mend


def test_truncated_anywhere(file: Path) -> None:
    whole = file.read_bytes()
    head = len(head_and_data(file)[0])
    for size in {*range(0, len(whole), 7), *range(head - 3, head + 3), len(whole) - 1}:
        file.write_bytes(whole[:size])
        with pytest.raises(FileError):
            nw.load(file)
    file.write_bytes(whole[:-1])
    assert refusal(file) == (
        "the file is cut off\n"
        "  where:    FILE\n"
        f"  expected: {len(whole):,} bytes\n"
        f"  got:      {len(whole) - 1:,} bytes\n"
        "  mend:     copy or download the file again"
    )
    file.write_bytes(whole + b"\0")
    assert refusal(file).startswith("the file goes on after its end\n")
    file.write_bytes(whole[: head - 1])
    assert refusal(file).startswith("the file is cut off within its header\n")


def test_a_header_longer_than_any(tmp_path: Path) -> None:
    path = tmp_path / "a.net"
    path.write_bytes((1 << 62).to_bytes(8, "little") + sealed(header({}))[8:])
    assert refusal(path) == (
        "the header is too long\n"
        "  where:    FILE, header\n"
        "  expected: at most 8,388,608 bytes\n"
        f"  got:      {1 << 62:,} bytes"
    )


def test_a_header_shorter_than_any(tmp_path: Path) -> None:
    path = tmp_path / "a.net"
    for length in range(len(PREFIX)):
        path.write_bytes(length.to_bytes(8, "little") + PREFIX)
        assert refusal(path) == (
            "the header is too short\n"
            "  where:    FILE, header\n"
            f"  expected: at least {len(PREFIX)} bytes\n"
            f"  got:      {length} bytes\n"
            "  mend:     copy or download the file again"
        )


def test_flipped_bytes_are_always_seen(file: Path) -> None:
    whole = file.read_bytes()
    dice = random.Random(0)
    for _ in range(trials(2000)):
        bad = bytearray(whole)
        bad[dice.randrange(len(bad))] ^= dice.randrange(1, 256)
        file.write_bytes(bytes(bad))
        with pytest.raises(FileError):
            nw.load(file)
    head, data = head_and_data_of(whole)
    file.write_bytes(head + bytes([data[0] ^ 1]) + data[1:])
    assert refusal(file) == (
        "the file is damaged: an array is not what was written\n"
        "  where:    FILE, array linear1/bias\n"
        "  expected: bytes that agree with the checksum\n"
        "  mend:     copy or download the file again"
    )
    file.write_bytes(head[:200] + bytes([head[200] ^ 1]) + head[201:] + data)
    assert refusal(file) == (
        "the file is damaged: its header is not what was written\n"
        "  where:    FILE, header\n"
        "  expected: bytes that agree with the checksum\n"
        "  mend:     copy or download the file again"
    )


def head_and_data_of(whole: bytes) -> tuple[bytes, bytes]:
    end = 8 + int.from_bytes(whole[:8], "little")
    return whole[:end], whole[end:]


def test_sealed_noise_is_refused_or_another_net(file: Path) -> None:
    """A forger can repair the checksum: then any character of the header may differ, and still nothing else happens."""
    head, data = head_and_data(file)
    dice = random.Random(1)
    refused = 0
    for _ in range(500):
        text = bytearray(head[8:])
        text[dice.randrange(100, len(text))] = dice.choice(b'"\\{}[],:0123456789.eE-aNIntrufls/@ \x00\xff')
        file.write_bytes(sealed(bytes(text), data))
        try:
            assert isinstance(nw.load(file), Net)
        except FileError:
            refused += 1
    assert refused > 300


def test_unknown_kinds_and_fields(tmp_path: Path) -> None:
    path = tmp_path / "a.net"
    assert refusal(described_net({"part": "LocalResponseNrm", "fields": {}}, path)) == (
        "there is no part of the name 'LocalResponseNrm'\n"
        "  where:    FILE, net\n"
        "  mend:     did you mean 'LocalResponseNorm'?\n"
        "  or:       import the module that defines LocalResponseNrm before nw.load"
    )
    linear = {"part": "Linear", "fields": {"out": 3, "bias": True, "biass": 1}}
    chain = {"part": "Chain", "fields": {"parts": [["first", linear]]}}
    assert refusal(described_net(chain, path)) == (
        "Linear has no field 'biass'\n"
        "  where:    FILE, net/first\n"
        "  expected: out, bias\n"
        "  mend:     did you mean 'bias'?"
    )
    wrong = {"part": "Linear", "fields": {"out": "3", "bias": True}}
    assert refusal(described_net({"part": "Chain", "fields": {"parts": [["first", wrong]]}}, path)) == (
        "the file does not describe a net\n"
        "  where:    FILE, net/first\n"
        "  expected: out of Linear: int | netwright.sizes.free.Free\n"
        "  got:      '3'"
    )


def test_a_field_added_since_takes_its_default(tmp_path: Path) -> None:
    old = {"part": "Linear", "fields": {"out": 3}}
    path = described_net({"part": "Chain", "fields": {"parts": [["linear1", old]]}}, tmp_path / "a.net")
    assert nw.load(path) == nw.Chain(nw.Linear(3))


@pytest.mark.parametrize(
    "part",
    [
        None,
        3,
        "Linear",
        [],
        [LINEAR],
        {},
        {"part": "Linear"},
        {"part": ["Linear"], "fields": {}},
        {"part": "Linear", "fields": []},
        {"part": "Linear", "fields": {"out": True, "bias": True}},
        {"part": "Linear", "fields": {"out": -3, "bias": True, "more": 0}},
        {"part": "Linear", "fields": {"out": {"mark": "LOCKED"}}},
        {"part": "Linear", "fields": {"out": {"float": "1"}}},
        {"part": "Linear", "fields": {"out": {"float": []}}},
        {"part": "Linear", "fields": {"out": 3}, "shared": "a b"},
        {"part": "Linear", "fields": {"out": 3}, "shared": 3},
        {"part": "Linear", "fields": {"out": 3}, "held": {}},
        {"part": "Conv", "fields": {"out": 3, "kernel": []}},
        {"part": "Conv", "fields": {"out": 3, "kernel": -1}},
        {"part": "Conv", "fields": {"out": 3, "kernel": [[3]]}},
        {"part": "Conv", "fields": {"out": 3, "padding": "other"}},
        {"part": "Elementwise", "fields": {}},
        {"part": "Elementwise", "fields": {"function": "no_such_function"}},
        {"part": "Elementwise", "fields": {"function": 3}},
        {"part": "Elementwise", "fields": {"function": {"function": "os.system", "hash": ""}}},
        {"part": "Elementwise", "fields": {"function": {"function": 3, "hash": ""}}},
        {"part": "Chain", "fields": {}},
        {"part": "Chain", "fields": {"parts": []}},
        {"part": "Chain", "fields": {"parts": [["a", 3]]}},
        {"part": "Chain", "fields": {"parts": [["a/b", RELU]]}},
        {"part": "Chain", "fields": {"parts": [["a", RELU], ["a", RELU]]}},
        {"part": "Chain", "fields": {"parts": RELU}},
        {"part": "Graph", "fields": {"ports_in": [], "calls": [], "ports_out": []}},
        {"part": "Graph", "fields": {"ports_in": ["x"], "calls": [RELU], "ports_out": []}},
        {"part": "Repeat", "fields": {"count": 0, "body": RELU}},
        {"part": "Repeat", "fields": {"count": -5, "body": RELU}},
        {"part": "Repeat", "fields": {"count": True, "body": RELU}},
        {"part": "Repeat", "fields": {"count": 2, "body": 3}},
        {"part": "Container", "fields": {}},
        {"part": "Leaf", "fields": {}},
        {"codec": "Image", "fields": {"height": 3, "width": 3}},
        {"record": "Call", "fields": {"name": "a", "part": RELU, "reads": [], "place": "a"}},
        {"record": "Level", "fields": {}},
    ],
)
def test_parts_that_are_none(part: Any, tmp_path: Path) -> None:
    refusal(described_net(part, tmp_path / "a.net"))


def graph(reads: Any = (("input", ("", "input")),), name: str = "a", part: Any = RELU) -> dict[str, Any]:
    call = {"record": "Call", "fields": {"name": name, "part": part, "reads": reads, "place": name}}
    outputs = [["output", ["a", "output"]]]
    return {"part": "Graph", "fields": {"ports_in": ["input"], "calls": [call], "ports_out": outputs}}


@pytest.mark.parametrize(
    "part",
    [
        graph(reads=[["input", ["b", "output"]]]),
        graph(reads=[["input", ["a", "output"]]]),
        graph(reads=[["other", ["", "input"]]]),
        graph(reads=[["input", ["", "other"]]]),
        graph(reads=[["input"]]),
        graph(reads=[]),
        graph(name="b"),
        graph(name="a b"),
        graph(part=LINEAR["fields"]),
    ],
)
def test_wirings_that_are_none(part: Any, tmp_path: Path) -> None:
    assert nw.load(described_net(graph(), tmp_path / "a.net"))(nw.batch([[1.0, -1.0]])).tolist() == [[1.0, 0.0]]
    refusal(described_net(part, tmp_path / "a.net"))


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("digest"),
        lambda content: content.update(more=1),
        lambda content: content.update(examples=True),
        lambda content: content.update(examples="1"),
        lambda content: content.update(inputs=[]),
        lambda content: content["inputs"].update(other=content["inputs"]["input"]),
        lambda content: content["inputs"].update(input=LINEAR),
        lambda content: content["inputs"]["input"]["fields"].update(sizes="n n2 ("),
        lambda content: content["inputs"]["input"]["fields"].update(sizes=[]),
        lambda content: content["outputs"]["output"]["fields"].update(labels=["a"]),
        lambda content: content["outputs"]["output"]["fields"].update(labels=["a", {"float": "nan"}]),
        lambda content: content["outputs"]["output"]["fields"].update(labels=["a", None]),
        lambda content: content["outputs"]["output"]["fields"].update(labels=["a", "b", "c"]),
        lambda content: content["checksums"].pop("linear1/bias"),
        lambda content: content["checksums"].update(more="0"),
        lambda content: content["checksums"].update({"linear1/bias": 0}),
    ],
)
def test_contents_that_are_none(change: Any, file: Path) -> None:
    forged(file, lambda content: (change(content), None)[1])
    refusal(file)


def test_sizes_that_do_not_agree_are_not_explained(file: Path) -> None:
    """Explaining tries mends, such as as many labels as the net has outputs: two billion, if a file says so."""

    def wide(content: dict[str, Any]) -> None:
        content["net"]["fields"]["parts"][2][1]["fields"]["out"] = 2**31

    assert refusal(forged(file, wide)) == (
        "Chain cannot be what the file says: the sizes do not agree\n  where:    FILE, net"
    )


def test_examples_that_are_not_there(file: Path) -> None:
    forged(file, lambda content: content.update(examples=10**18))
    assert "an example is missing" in refusal(file, check=True)


def test_arrays_that_do_not_fit(file: Path) -> None:
    swapped = lambda entries: entries["linear1/weight"].update(shape=[2, 3])  # noqa: E731
    assert refusal(forged_entries(file, swapped)) == (
        "an array does not have the size that the net gives it\n"
        "  where:    FILE, array linear1/weight\n"
        "  expected: (3, 2)\n"
        "  got:      (2, 3)"
    )


def test_arrays_that_do_not_fit_each_other(tmp_path: Path) -> None:
    net = nw.Chain(nw.Linear(), nw.relu, nw.Linear()).with_arrays({"linear1/weight": torch.ones(3, 2)})
    nw.save(net, tmp_path / "a.net")
    other = nw.Chain(nw.Linear(), nw.relu, nw.Linear()).with_arrays({"linear1/bias": torch.ones(6)})
    nw.save(other, tmp_path / "b.net")
    both = nw_read(tmp_path / "a.net"), nw_read(tmp_path / "b.net")
    from netwright.file.array_file import array_memory
    from netwright.file.format import order, pack

    tensors = both[0][1] | both[1][1]
    content = both[0][0] | {"checksums": both[0][0]["checksums"] | both[1][0]["checksums"]}
    data = b"".join(bytes(array_memory(tensors[name])) for name in order(tensors))
    (tmp_path / "c.net").write_bytes(pack(content, tensors) + data)
    assert "an array does not have the size that the net gives it" in refusal(tmp_path / "c.net")


def test_arrays_missing_and_extra(file: Path) -> None:
    moved = lambda entries: entries.update({"linear9/bias": entries.pop("linear1/bias")})  # noqa: E731
    assert refusal(forged_entries(file, moved)) == "an array is missing\n  where:    FILE, array 'linear1/bias'"
    nw.save(nw.initialize(nw.Chain(nw.Linear(2), input=2)), file)

    def renamed(content: dict[str, Any]) -> None:
        content["net"]["fields"]["parts"][0][0] = "other"

    assert refusal(forged(file, renamed)) == (
        "the net has no place for an array\n"
        "  where:    FILE, array 'linear1/bias'\n"
        "  expected: one of 2 paths\n"
        "  mend:     did you mean 'other/bias'?"
    )


def test_truth_values_are_zero_or_one(tmp_path: Path) -> None:
    net = nw.Chain(nw.Linear(2), input=2).holding(arrays={"linear1/bias": torch.tensor([True, False])})
    back(net, tmp_path)
    hidden = torch.tensor([True, False])
    hidden.view(torch.uint8)[0] = 2
    nw.save(net.holding(arrays={"linear1/bias": hidden}), tmp_path / "a.net")
    assert "an array of truth values holds something else" in refusal(tmp_path / "a.net")


def test_a_chain_of_chains_too_deep(tmp_path: Path) -> None:
    part: Any = RELU
    for _ in range(40):
        part = {"part": "Chain", "fields": {"parts": [["a", part]]}}
    assert isinstance(nw.load(described_net(part, tmp_path / "a.net")), Net)
    for _ in range(40):
        part = {"part": "Chain", "fields": {"parts": [["a", part]]}}
    assert refusal(described_net(part, tmp_path / "a.net")).startswith("the file is nested too deeply\n")
    net: Any = nw.relu
    for _ in range(50):
        net = nw.Chain(a=net)
    nw.save(net, tmp_path / "a.net")
    assert nw.load(tmp_path / "a.net") == net
    with pytest.raises(NetError) as error:
        nw.Chain(a=net)
    assert str(error.value) == (
        "nets nest at most 50 deep\n"
        "  where:    Chain\n"
        "  got:      51 containers in each other\n"
        "  mend:     nw.Chain(…) or nw.Repeat(count, part) puts parts one after the other, however many"
    )


HOSTILE = """
import resource, sys, tracemalloc
import netwright as nw

path = sys.argv[1]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tracemalloc.start()
try:
    nw.load(path)
except nw.errors.FileError as error:
    print(error.what)
peak = tracemalloc.get_traced_memory()[1]
assert peak < 50e6, peak
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
assert grown < 50_000, grown  # kilobytes
"""


def run(program: str, *arguments: object) -> str:
    """What a fresh process prints; its errors are errors."""
    command = [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="measures memory with resource")
def test_hostile_files_take_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.net"
    huge = {"dtype": "F32", "shape": [2**30, 2**10], "data_offsets": [0, 2**42]}
    path.write_bytes(sealed(header({}, {"a": huge})))
    assert run(HOSTILE, path) == "the file does not describe a net"
    net = nw.initialize(nw.Chain(nw.Linear(2), input=2))
    nw.save(net, path)

    def terabytes(entries: dict[str, Any]) -> None:
        entries["linear1/weight"].update(shape=[2**20, 2**20], data_offsets=[0, 2**42])
        entries["linear1/bias"].update(data_offsets=[2**42, 2**42 + 8])

    assert run(HOSTILE, forged_entries(path, terabytes)) == "the file is cut off"
    path.write_bytes(sealed(header('{"a":' + "[" * 4_000_000)))
    assert run(HOSTILE, path) == "the net has too many parts, arrays or labels for one file"


AUDIT = """
import sys
import netwright as nw

events = []
watched = ("exec", "compile", "import", "open", "os.", "subprocess.", "socket.", "ctypes.", "marshal.", "pickle.")


def watch(name, arguments):
    if name.startswith(watched):
        events.append((name, *map(str, arguments)))


sys.addaudithook(watch)
for path in sys.argv[1:]:
    try:
        nw.load(path)
    except nw.errors.FileError as error:
        print(error.what)
seen = [event for event in events if not (event[0] == "open" and event[1].isdigit())]  # a handle is open already
assert [event[:2] for event in seen] == [("open", path) for path in sys.argv[1:]], seen
"""


def test_loading_runs_imports_and_opens_nothing(file: Path) -> None:
    damaged, pickled = file.with_name("b.net"), file.with_name("c.net")
    damaged.write_bytes(file.read_bytes()[:-1] + b"x")
    pickled.write_bytes(pickle.dumps(os.getcwd))
    assert run(AUDIT, file, damaged, pickled).splitlines() == [
        "the file is damaged: an array is not what was written",
        "this is not the file of a net",
    ]


def test_no_name_in_a_file_imports_a_module(tmp_path: Path) -> None:
    names = ["_dynamo", "onnx", "_inductor", "load", "save", "compile", "__import__", "hub", "_export", "func"]
    paths = [
        described_net({"part": "Elementwise", "fields": {"function": name}}, tmp_path / f"{name}.net") for name in names
    ]
    run(AUDIT, *paths)


def test_repeats_that_expand_to_millions(tmp_path: Path) -> None:
    net = nw.Repeat(5, nw.Repeat(7, nw.relu))
    back(net, tmp_path)
    from netwright.file.structure import described_value

    plain: Any = described_value(net, "net")
    plain["fields"]["count"] = MOST_USES // 7 + 1
    text = refusal(described_net(plain, tmp_path / "a.net"))
    assert text.startswith("the net expands to too many parts\n")
    plain["fields"]["count"] = 10**18
    assert run(HOSTILE, described_net(plain, tmp_path / "a.net")) == "the net expands to too many parts"


def test_functions_that_are_no_mapping():
    with pytest.raises(FileError) as error:
        nw.load("a.net", functions=3)
    assert str(error.value) == (
        "functions= maps import names to functions\n  got:      3\n"
        '  mend:     nw.load(file, functions={"project.layers.scale": scale})'
    )
    with pytest.raises(FileError, match="a file is named by a path"):
        nw.load(3)


def test_arrays_loaded_in_inference_mode_can_be_learned_elsewhere(tmp_path):
    nw.save(nw.initialize(nw.Chain(2, nw.tanh, nw.Linear(1), input=3)), tmp_path / "a.net")
    with torch.inference_mode():
        net = nw.load(tmp_path / "a.net")
    x = torch.ones(1, 3, requires_grad=True)
    nw.apply(net, {}, x).sum().backward()
    assert x.grad is not None
