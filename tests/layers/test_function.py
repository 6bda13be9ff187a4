"""Functions as leaves: known by import name, ports and source; local ones run and are only themselves."""

import hashlib
import inspect

import pytest
import torch
from torch import Tensor

import netwright as nw
from netwright.errors import NetError, SizeError


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
    assert one.import_name == f"{__name__}.scale"
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
    with pytest.raises(NetError) as caught:
        nw.Function(scale, "n -> ")
    assert str(caught.value) == (
        "this is not the notation of ports\n"
        "  where:    'n -> '\n"
        "  expected: an output port behind the arrow; one without axes is ()"
    )


def double_in_place(x: Tensor) -> Tensor:
    return x.mul_(2)


def test_a_function_may_write_in_place() -> None:
    net = nw.Chain(nw.Residual(nw.Function(double_in_place, "... -> ...")), input=2)
    x = torch.tensor([1.0, -1.0])
    assert net(x).tolist() == [3.0, -3.0]
    assert nw.to_torch(net)(x[None]).tolist() == [[3.0, -3.0]]
    assert x.tolist() == [1.0, -1.0]


def test_a_training_run_with_noise_of_torch_can_be_repeated() -> None:
    net = nw.Chain(nw.Linear(20), nw.Function(torch.nn.functional.dropout, "... -> ..."), 1, input=4)
    x = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
    first = nw.train(net, (x, x[:, :1]), epochs=2, progress=False)
    assert nw.train(net, (x, x[:, :1]), epochs=2, progress=False).net == first.net


def one(x: Tensor) -> float:
    return 1.0


def summed(x: Tensor) -> Tensor:
    return x.sum(0)


@pytest.mark.parametrize(
    ("function", "ports", "expected", "got"),
    [
        (scale, "n -> 2", "(2,)", "(3,) in a batch of 1"),
        (scale, "n -> n n", "(3, 3)", "(3,) in a batch of 1"),
        (split, "n -> 2", "(2,)", "(1,) in a batch of 1, (2,) in a batch of 1"),
        (summed, "n -> n", "(3,)", "() in a batch of 3"),
        (one, "n -> n", "(3,)", "float 1.0"),
    ],
)
def test_a_result_that_breaks_the_promise_of_the_ports(function, ports: str, expected: str, got: str) -> None:
    leaf = nw.Function(function, ports)
    with pytest.raises(SizeError) as caught:
        nw.Chain(f=leaf, input=3)(torch.ones(3))
    assert str(caught.value) == (
        "f gives something else than its ports promise\n"
        "  where:    f\n"
        f"  expected: {expected} for every example\n"
        f"  got:      {got}\n"
        f"  mend:     let the ports of {leaf!r} say what its code does, the batch axis first and not in them"
    )


def test_what_lies_behind_the_end_is_a_copy_of_the_last_element():
    net = nw.Chain(nw.Function(lambda x: 1 / x, "... -> ..."), nw.Sum(), input=("n",))
    x = torch.tensor([[2.0, 4.0, 0.0]], requires_grad=True)
    y = nw.apply(net, {}, x, lengths={"n": torch.tensor([2])})
    y.sum().backward()
    assert y.tolist() == [0.75]
    assert x.grad.tolist() == [[-0.25, -0.0625, 0.0]]


def test_a_function_is_told_lengths_along_axes_it_names_or_refused():
    def total(x, *, lengths):
        length = lengths["n"]
        return x.sum(1) if length is None else torch.stack([row[:n].sum() for row, n in zip(x, length, strict=True)])

    net = nw.Chain(nw.Function(total, "n -> ()"), input=("n",))
    assert [float(y) for y in net([torch.ones(3), torch.ones(1)])] == [3.0, 1.0]
    with pytest.raises(nw.SizeError) as caught:
        nw.Chain(nw.Function(lambda x: x.sum(1), "n -> ()"), input=("n",))
    assert "does not take the lengths of examples" in str(caught.value)
