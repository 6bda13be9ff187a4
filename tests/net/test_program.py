"""Programs: the graph that a function draws, its places, its values, and what cannot be drawn."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import netwright as nw
from netwright.errors import NetError

DENSE, SHIFT = nw.Linear(3), nw.Parameter(3)


def test_an_argument_is_a_place() -> None:
    @nw.program(input=3)
    def net(x: Any, dense: Any = DENSE, shift: Any = SHIFT, act: Any = torch.tanh) -> Any:
        for _ in range(2):
            x = act(dense(x) + shift)
        return x

    assert net.paths == ("shift", "dense", "add1", "act", "dense_2", "add2", "act_2")
    assert sorted(net.plan.arrays) == ["dense/bias", "dense/weight", "shift/value"]
    assert eval(repr(net), dict(vars(nw))) == net
    filled = nw.initialize(net)
    x = torch.randn(5, 3)
    w = filled.arrays
    expected = x
    for _ in range(2):
        expected = (expected @ w["dense/weight"].T + w["dense/bias"] + w["shift/value"]).tanh()
    torch.testing.assert_close(filled(nw.batch(x)), expected)


def test_a_trained_part_brings_its_arrays_to_its_place() -> None:
    trained = nw.initialize(nw.Chain(3, input=3))["linear1"]

    @nw.program(input=3)
    def net(x: Any, dense: Any = trained) -> Any:
        return dense(dense(x))

    assert sorted(net.arrays) == ["dense/bias", "dense/weight"]
    assert net.held.arrays["dense/weight"].data_ptr() == trained.held.arrays["weight"].data_ptr()


def test_parts_of_the_body_are_new_at_each_call() -> None:
    @nw.program
    def net(x: Any, deep: bool = True, name: str = "n", none: Any = None, half: float = 0.5) -> Any:
        if deep and none is None:
            x = nw.Linear(3)(x)
        assert (name, half) == ("n", 0.5)
        return nw.Linear(3)(x)

    assert net.paths == ("linear1", "linear2")
    assert net == nw.Graph(linear1=(3, "x"), linear2=(3, "linear1"), input={"x": None})


def test_several_inputs_and_outputs() -> None:
    @nw.program(input={"left": 2, "right": 2}, output={"sum": 2})
    def named(left: Any, right: Any) -> Any:
        return {"sum": left + right, "product": left * right, "back": left - right, "flat": left @ right}

    assert named.output_names == ("sum", "product", "back", "flat")
    assert named.outputs["sum"] == nw.Array("2")
    got = named({"left": (1.0, 2.0), "right": (3.0, 5.0)})
    assert {name: value.tolist() for name, value in got.items()} == {
        "sum": [4, 7],
        "product": [3, 10],
        "back": [-2, -3],
        "flat": 13,
    }
    assert eval(repr(named), dict(vars(nw))) == named

    @nw.program
    def pair(x: Any) -> Any:
        return nw.relu(x), -x

    assert pair.output_names == ("output1", "output2")

    @nw.program
    def one(x: Any) -> Any:
        return (nw.relu(x),)

    assert one.output_names == ("output",)


def test_programs_nest_and_shorthand_is_allowed() -> None:
    @nw.program
    def inner(x: Any, dense: Any = [4]) -> Any:  # noqa: B006  # never changed: it is a chain
        return nw.relu(dense(x))

    @nw.program(input=2)
    def outer(x: Any, body: Any = inner, tail: Any = [3, nw.relu]) -> Any:  # noqa: B006  # never changed: it is a chain
        return tail(body(x))

    assert outer.paths == (
        "body/dense/linear1",
        "body/dense",
        "body/relu1",
        "body",
        "tail/linear1",
        "tail/relu1",
        "tail",
    )


def _if(x: Any) -> Any:
    return x if x else -x


def _loop(x: Any) -> Any:
    return [nw.relu(value) for value in x]


def _unread(x: Any, y: Any) -> Any:
    return nw.relu(x)


def _nothing(x: Any) -> Any:
    nw.relu(x)


def _many(*x: Any) -> Any:
    return x[0]


def _array(x: Any) -> Any:
    return nw.relu(x) + {1}


def _mixed(x: Any) -> Any:
    return nw.Add()(x, 3)


REFUSED: list[tuple[Callable[..., Any], str]] = [
    (
        _if,
        "if or while on a value is refused while a net is drawn: the value does not exist yet\n"
        "  mend:     nw.where(condition, a, b) chooses in the running net; loops and ifs over Python values are fine",
    ),
    (
        _loop,
        "iteration over a value is refused while a net is drawn: the value does not exist yet\n"
        "  mend:     nw.where(condition, a, b) chooses in the running net; loops and ifs over Python values are fine",
    ),
    (_unread, "the program never uses its input 'y'\n  where:    _unread\n  mend:     leave 'y' out"),
    (
        _nothing,
        "a program returns values of the net it draws\n"
        "  where:    _nothing\n"
        "  expected: a value, a tuple of values, or a mapping from names to values\n"
        "  got:      NoneType: None",
    ),
    (
        _many,
        "every argument of a program has a name: it is an input, a part or a value\n  where:    _many\n"
        "  got:      *x: Any",
    ),
    (
        _array,
        "+ joins two values of the net\n"
        "  got:      {1}\n"
        "  mend:     nw.Constant(…) or nw.Parameter(…) for an array; nw.Function for any other arithmetic",
    ),
    (
        _mixed,
        "a part takes values of a net that is being drawn, or raw things, not both\n"
        "  where:    Add\n"
        "  got:      3\n"
        "  mend:     nw.Constant(…) or nw.Parameter(…) for an array that is part of the net",
    ),
]


@pytest.mark.parametrize(("function", "text"), REFUSED, ids=[function.__name__ for function, _ in REFUSED])
def test_what_cannot_be_drawn(function: Callable[..., Any], text: str) -> None:
    with pytest.raises(NetError) as caught:
        nw.program(function)
    assert str(caught.value) == text


def test_a_value_of_another_net_is_refused() -> None:
    foreign = nw.Input("foreign")

    def leaky(x: Any) -> Any:
        return x + foreign

    with pytest.raises(NetError) as caught:
        nw.program(leaky)
    assert str(caught.value) == (
        "the net reads 'foreign', a value of another net\n  mend:     pass the value in as an input"
    )


def test_where_chooses_in_the_running_net() -> None:
    @nw.program(input=3)
    def size(x: Any) -> Any:
        return nw.where(x, x, -x)

    assert size((1.0, -2.0, 0.0)).tolist() == [1, 2, 0]
    assert repr(size) == (
        "Graph(neg1=(Elementwise('neg'), 'x'), where1=(where, 'x', 'x', 'neg1'), input={'x': Array('3')})"
    )


@pytest.mark.parametrize("wrong", [3, nw.Linear(3)])
def test_what_is_no_function_is_refused(wrong: Any):
    with pytest.raises(NetError) as error:
        nw.program(wrong)
    assert str(error.value) == f"program takes a function\n  got:      {wrong!r}"


def test_numbers_are_constants_on_either_side() -> None:
    @nw.program(input=2)
    def net(x: Any) -> Any:
        return 2 * x + 1 - (1 - x) * 3 - 0.5

    assert net((1.0, 2.0)).tolist() == [2.5, 7.5]
    assert net.paths.count("constant1") == 1


def test_a_number_as_a_default_stays_a_number() -> None:
    @nw.program(input=2)
    def net(x: Any, deep: int = 3) -> Any:
        for _ in range(deep):
            x = nw.relu(x)
        return x

    assert net.paths == ("relu1", "relu2", "relu3")


@pytest.mark.parametrize(
    ("sign", "function"),
    [
        ("//", lambda x: x // 2),
        ("~", lambda x: ~x),
        ("len", len),
    ],
)
def test_operators_that_are_no_part(sign: str, function: Callable[..., Any]) -> None:
    with pytest.raises(NetError) as caught:
        function(nw.Input("x", 2))
    assert str(caught.value) == (
        f"{sign} is not an operation on a value of a net that is being drawn\n"
        "  expected: + - * / % ** @, comparisons, x[…], and parts\n"
        "  mend:     nw.where(x, a, b) chooses a where x is above 0\n"
        "  or:       nw.square, nw.sqrt, nw.exp and their like are parts\n"
        "  or:       nw.Function(f, ports)(x, y) for torch code of your own"
    )


def test_a_value_is_no_tensor() -> None:
    x = nw.Input("x", 2)
    with pytest.raises(NetError) as caught:
        x.sum()
    assert str(caught.value) == (
        "a value of a net that is being drawn has no 'sum': it is no tensor yet\n"
        "  mend:     parts do the arithmetic: nw.Sum()(x), nw.Mean()(x), nw.Reshape(2, 3)(x)\n"
        "  or:       nw.Function(f, ports)(x) for torch code of your own"
    )


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (lambda a, b: a / b, "div"),
        (lambda a, b: a / 2, "div"),
        (lambda a, b: 2 / a, "div"),
        (lambda a, b: a**b, "pow"),
        (lambda a, b: a**2, "pow"),
        (lambda a, b: 2**a, "pow"),
        (lambda a, b: a % b, "remainder"),
        (lambda a, b: 3 % a, "remainder"),
        (lambda a, b: a < b, "lt"),
        (lambda a, b: a > 1, "gt"),
        (lambda a, b: a <= 1, "le"),
        (lambda a, b: a > b, "gt"),
        (lambda a, b: a >= b, "ge"),
        (lambda a, b: a == b, "eq"),
        (lambda a, b: a != 1, "ne"),
        (lambda a, b: abs(a - b), "abs"),
    ],
)
def test_operators_are_those_of_torch(function: Callable[..., Any], kind: str) -> None:
    x = {"a": torch.tensor([[1.0, 2.5, 0.5]]), "b": torch.tensor([[1.0, 0.5, 3.0]])}
    names = {"a": nw.Input("a", 3), "b": nw.Input("b", 3)}
    net = nw.Graph(function(**names))
    assert any(path.startswith(kind) for path in net.paths)
    given = {name: nw.batch(x[name].tolist()) for name in net.input_names}
    found = net(given if len(given) > 1 else next(iter(given.values())))
    assert found.tolist() == function(**x).float().tolist()


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[0],
        lambda x: x[-1],
        lambda x: x[1:3],
        lambda x: x[..., 0],
        lambda x: x[..., 1:],
        lambda x: x[:, 1],
        lambda x: x[1, ..., 2],
        lambda x: x[1:, 0, :2],
        lambda x: x[..., -1, 0],
        lambda x: x[:, ..., :-1],
        lambda x: x[2, 1, 0],
    ],
)
def test_slices_are_those_of_an_array(function: Callable[..., Any]) -> None:
    x = torch.arange(60.0).view(1, 5, 4, 3)
    net = nw.Graph(function(nw.Input("x", "5 4 3")))
    assert net(x).tolist() == function(x[0])[None].tolist()


def test_all_of_a_value_is_the_value() -> None:
    x = nw.Input("x", "5 4")
    assert x[:] is x and x[...] is x and x[0:, ...] is x


def test_elements_that_a_value_names() -> None:
    @nw.program(input={"x": "n 2", "index": "m <n>"})
    def picked(x: Any, index: Any) -> Any:
        return x[index]

    assert picked.paths == ("gather1",) and picked.plan.outputs == {"output": picked.plan.inputs["index"] + (2,)}
    rows = nw.batch([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])
    assert picked({"x": rows, "index": nw.batch([[2, 0]])}).tolist() == [[[5.0, 6.0], [1.0, 2.0]]]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: x[::2], "x[slice(None, None, 2)]"),
        (lambda x: x[None], "x[None]"),
        (lambda x: x[..., 0, ...], "x[..., 0, ...]"),
        (lambda x: x[1.5], "x[1.5]"),
    ],
)
def test_what_is_no_slice(function: Callable[..., Any], said: str) -> None:
    with pytest.raises(NetError) as caught:
        function(nw.Input("x", "5 4"))
    assert str(caught.value) == (
        "a value of a net that is being drawn is indexed by whole numbers, slices, one ..., or one value\n"
        f"  got:      {said}\n"
        "  mend:     x[0], x[1:-1], x[..., 0], or x[i] with a value i of indices\n"
        "  or:       nw.Reverse()(x), nw.Transpose(1, 0)(x) or nw.Reshape(2, 3)(x), for another order or other axes"
    )
