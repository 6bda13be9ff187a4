"""Functions as leaves: known by import name, ports and source; local ones run and are only themselves."""

import hashlib
import inspect

import pytest
import torch
from torch import Tensor

import netwright as nw
from netwright.errors import NetError


def scale(x: Tensor) -> Tensor:
    return 3 * x


def split(x: Tensor) -> tuple[Tensor, Tensor]:
    return x[..., :1], x[..., 1:]


class Callable:
    def __call__(self, x: Tensor) -> Tensor:
        return x


def test_two_are_equal_by_import_name_ports_and_source() -> None:
    one, other = nw.Function(scale, "... -> ..."), nw.Function(scale, "... -> ...")
    assert one == other
    assert nw.digest(one) == nw.digest(other)
    assert one != nw.Function(scale, "... n -> ... n")
    assert one != nw.Function(split, "... -> ...")
    assert one.import_name == f"{__name__}:scale"
    assert one.source_hash == hashlib.sha256(inspect.getsource(scale).encode()).hexdigest()
    assert repr(one) == f"Function({__name__}.scale, '... -> ...')"


def test_a_local_function_runs_and_has_no_import_name() -> None:
    def local(x: Tensor) -> Tensor:
        return x + 1

    for function in (local, lambda x: x + 1, Callable()):
        assert nw.Function(function, "... -> ...").import_name == ""
    part, other = nw.Function(local, "... -> ..."), nw.Function(lambda x: x + 1, "... -> ...")
    assert part == nw.Function(local, "... -> ...")
    assert part != other
    assert nw.Chain(part, other, input=2).paths == ("local1", "function1")
    assert nw.Chain(part, other, input=2)((1.0, 2.0)).tolist() == [3, 4]


def test_a_builtin_has_no_source() -> None:
    part = nw.Function(torch.fft.rfft, "... n -> ... m")
    assert part.source_hash == ""


def test_several_ports() -> None:
    both = nw.Function(split, "... n -> first: ... 1, rest: ... m")
    net = nw.Graph(both=(both, "input"), sum=(nw.Multiply(), "both.first", "both.rest"), input=2, output=1)
    assert net((2.0, 5.0)).tolist() == [10]


def test_refusals() -> None:
    with pytest.raises(NetError) as caught:
        nw.Function(3, "... -> ...")  # type: ignore[arg-type]
    assert str(caught.value) == "nw.Function takes a function\n  got:      3"
    with pytest.raises(NetError) as caught:
        nw.Function(scale, "...")
    assert str(caught.value) == (
        "this is not the notation of ports\n"
        "  where:    '...'\n"
        "  expected: one arrow between the input ports and the output ports"
    )
