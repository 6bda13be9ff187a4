"""A difference comes back from its small file; a bad file is refused in words, and nothing in it is run."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings

import netwright as nw
from changes.random_edits import edited
from net_files import forged, small_net
from netwright.errors import FileError, NetError, NetwrightError
from netwright.file.structure import MOST_USES
from trials import trials

NET = small_net()
AFTER = NET.insert("linear2", nw.Dropout(0.3)).rename("linear1", "dense").with_arrays({"linear2/bias": [1.0, 2.0]})


def scale(x: torch.Tensor) -> torch.Tensor:
    """A function that a part may hold."""
    return 2 * x


def back(difference: nw.Difference, folder: Path) -> nw.Difference:
    nw.save_difference(difference, folder / "a.difference")
    loaded = nw.load_difference(folder / "a.difference")
    assert loaded == difference and str(loaded) == str(difference)
    return loaded


@pytest.fixture
def file(tmp_path: Path) -> Path:
    nw.save_difference(nw.diff(NET, AFTER), tmp_path / "a.difference")
    return tmp_path / "a.difference"


def refusal(path: Path) -> str:
    with pytest.raises(FileError) as caught:
        nw.load_difference(path)
    return str(caught.value).replace(str(path), "FILE")


@given(edited())
@settings(deadline=None, max_examples=trials(60))
def test_a_difference_comes_back_and_patches(
    tmp_path_factory: pytest.TempPathFactory, pair: tuple[nw.Net, nw.Net]
) -> None:
    before, after = pair
    assert nw.patch(before, back(nw.diff(before, after), tmp_path_factory.mktemp("files"))) == after


def test_only_arrays_that_are_new_or_other_are_written(tmp_path: Path) -> None:
    net = nw.initialize(nw.Chain(200, nw.relu, nw.Linear(200), nw.relu, nw.Linear(2), input=200))
    wrapped = net.replace("linear2", nw.Residual(net["linear2"])).with_arrays({"linear3/bias": [1.0, 2.0]})
    loaded = back(nw.diff(net, wrapped), tmp_path)
    assert nw.patch(net, loaded) == wrapped
    assert (tmp_path / "a.difference").stat().st_size < 4000  # of 330,000 in the net
    other = nw.initialize(net.bare().with_input(200), seed=1)
    with pytest.raises(NetError) as caught:
        nw.patch(other, loaded)
    assert caught.value.where == "array linear2/weight"


def test_other_types_and_functions(tmp_path: Path) -> None:
    assert nw.patch(NET, back(nw.diff(NET, NET.to(torch.bfloat16)), tmp_path)) == NET.to(torch.bfloat16)
    coded = NET.insert("relu1", nw.Function(scale, "... -> ..."))
    nw.save_difference(nw.diff(NET, coded), tmp_path / "code.difference")
    with pytest.raises(FileError, match="a file never holds code"):
        nw.load_difference(tmp_path / "code.difference")
    name = f"{scale.__module__}.scale"
    assert nw.patch(NET, nw.load_difference(tmp_path / "code.difference", functions={name: scale})) == coded
    with pytest.raises(FileError, match="a function that cannot be imported cannot be saved"):
        nw.save_difference(nw.diff(NET, NET.insert(0, nw.Function(lambda x: x, "... -> ..."))), tmp_path / "no")
    assert not (tmp_path / "no").exists()


def test_what_is_no_difference(tmp_path: Path, file: Path) -> None:
    with pytest.raises(NetError) as caught:
        nw.save_difference(NET, file)  # type: ignore[arg-type]
    assert caught.value.what == "save_difference takes a difference"
    nw.save(NET, tmp_path / "a.net")
    assert refusal(tmp_path / "a.net") == (
        "this is no file of a difference\n  where:    FILE\n  mend:     nw.load(file) reads a net"
    )
    with pytest.raises(FileError) as refused:
        nw.load(file)
    assert str(refused.value).replace(str(file), "FILE") == (
        "this is the file of a difference between two nets, not of a net\n"
        "  where:    FILE\n"
        "  mend:     nw.patch(net, nw.load_difference(file)) applies it to the net it was made from"
    )
    assert refusal(tmp_path / "b.difference") == (
        "there is no such file\n  where:    FILE\n  mend:     did you mean 'a.difference'?"
    )


Edit = Callable[[dict[str, Any]], Any]


def places(content: dict[str, Any]) -> list[Any]:
    return content["difference"]["places"]


def arrays(content: dict[str, Any]) -> list[Any]:
    return content["difference"]["arrays"]


BAD: dict[str, Edit] = {
    "no lists": lambda c: c.update(difference={"places": {}, "arrays": []}),
    "more": lambda c: c["difference"].update(more=[]),
    "a change of three": lambda c: places(c).append(["part", "x", ""]),
    "another kind": lambda c: places(c).append(["price", "x", "", None, None]),
    "no change": lambda c: places(c).append(["part", "x", "", None, None]),
    "the whole net removed": lambda c: places(c).append(["part", "", "", {"part": "Linear", "fields": {}}, None]),
    "a name that is none": lambda c: places(c).append(["name", "x", "", "x", "a b"]),
    "a path that is none": lambda c: places(c).append(["shared", "a//b", "", "x", "y"]),
    "a long path": lambda c: places(c).append(["shared", "a/" * 5000 + "b", "", "x", "y"]),
    "a codec that is none": lambda c: places(c).append(["encoder", "", "input", None, "Image"]),
    "reads that are none": lambda c: places(c).append(["reads", "x", "", None, ["", [["input", "relu1"]]]]),
    "ports that are none": lambda c: places(c).append(["ports", "", "", [["a"], []], [["a"], [["output"]]]]),
    "a part that is none": lambda c: places(c).append(["part", "x", "", None, 7]),
    "an option without a name": lambda c: places(c).append(["option", "x", "", 1, 2]),
    "a row of an array cut": lambda c: arrays(c)[0].pop(),
    "a fate that is none": lambda c: arrays(c)[0].__setitem__(1, "eaten"),
    "sizes that are none": lambda c: arrays(c)[0].__setitem__(2, [-1]),
    "how far is none": lambda c: arrays(c)[0].__setitem__(5, "far"),
    "a digest that is none": lambda c: [row.__setitem__(8, [[2], "F32", "0"]) for row in arrays(c)],
    "a type that is none": lambda c: [row.__setitem__(8, [[2], "F99", "0" * 64]) for row in arrays(c)],
    "an array of other sizes": lambda c: [row[9].__setitem__(0, [3]) for row in arrays(c) if row[9]],
    "no array": lambda c: [row.__setitem__(6, "elsewhere") for row in arrays(c) if row[9]],
    "an array too many": lambda c: c["difference"].update(arrays=[]),
    "a source without a digest": lambda c: arrays(c)[0].__setitem__(7, "linear1/weight"),
}


@pytest.mark.parametrize("edit", BAD.values(), ids=BAD)
def test_a_bad_file_is_refused(file: Path, edit: Edit) -> None:
    def change(content: dict[str, Any]) -> None:
        edit(content)

    assert "\n  where:    FILE" in refusal(forged(file, change))


def test_a_hostile_option_gives_a_plain_error(file: Path) -> None:
    nw.save_difference(nw.diff(NET, NET.replace("relu1", nw.tanh)), file)
    loaded = nw.load_difference(forged(file, lambda c: places(c)[0].__setitem__(4, {"part": "Linear", "fields": {}})))
    with pytest.raises(NetError) as caught:
        nw.patch(NET, loaded)
    assert caught.value.what.startswith("the difference does not go with this net: this is not a function of single")
    nw.save_difference(nw.diff(NET, NET.replace("linear1", nw.Linear(5))), file)
    loaded = nw.load_difference(forged(file, lambda c: places(c)[0].__setitem__(4, "wide")))
    with pytest.raises(NetError) as caught:
        nw.patch(NET, loaded)
    assert caught.value.what == "the difference does not go with this net: out of Linear cannot be this"


def test_a_file_of_too_many_parts_is_refused(file: Path) -> None:
    part: Any = {"part": "Elementwise", "fields": {"function": "relu"}}
    for _ in range(6):
        part = {"part": "Repeat", "fields": {"count": 10, "body": part}}
    text = refusal(forged(file, lambda c: places(c).append(["part", "x", "", None, part])))
    assert text.startswith("the net expands to too many parts\n") and f"at most {MOST_USES // 1000}," in text


def test_no_damage_gives_anything_but_a_file_error(file: Path) -> None:
    whole, draw = file.read_bytes(), random.Random(0)
    for _ in range(200):
        at = draw.randrange(len(whole))
        file.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << draw.randrange(8))]) + whole[at + 1 :])
        with pytest.raises(FileError):
            nw.load_difference(file)
    for length in range(0, len(whole), 97):
        file.write_bytes(whole[:length])
        with pytest.raises(NetwrightError):
            nw.load_difference(file)


@pytest.mark.parametrize("count", [0, 1, 7, 8])
def test_a_file_that_ends_in_its_first_bytes_is_no_file_of_a_difference(tmp_path: Path, count: int) -> None:
    net = nw.initialize(nw.Chain(2, input=1))
    path = tmp_path / "a.difference"
    nw.save_difference(nw.diff(net, net.with_arrays({"linear1/bias": [1.0, 2.0]})), path)
    start = path.read_bytes()[:count]
    path.write_bytes(start)
    with pytest.raises(FileError) as caught:
        nw.load_difference(path)
    got = f"a file that begins with {start[:8]!r}" if count else "an empty file"
    assert str(caught.value) == (
        "this is not the file of a difference\n"
        f"  where:    {path}\n"
        "  expected: a file that nw.save_difference wrote\n"
        f"  got:      {got}"
    )
