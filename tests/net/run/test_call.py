"""Calling nets: one, many or a batch; at= and set=; readings; several ports; and nothing given out is the net's own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import DataError, MissingArraysError, NetError, NetwrightError, PathError, SizeError
from netwright.net.part import Net


@pytest.fixture
def net() -> Net:
    bare = nw.Chain(nw.Linear(), nw.softmax, input=2, output=nw.Category(["a", "b"]))
    return bare.with_arrays({"linear1/weight": [[1.0, 0.0], [0.0, 1.0]], "linear1/bias": [0.0, 0.0]})


def test_one_many_and_a_batch(net: Net) -> None:
    assert net((3.0, 1.0)) == "a"  # a tuple is one
    assert net([(3.0, 1.0), (1.0, 3.0)]) == ["a", "b"]  # a list is many
    assert net([np.array([3.0, 1.0])]) == ["a"]
    assert net(np.array([3.0, 1.0])) == "a"
    assert net(torch.tensor([[3.0, 1.0], [0.0, 1.0]])) == ["a", "b"]
    assert net(nw.batch(((3.0, 1.0), (0.0, 1.0)))) == ["a", "b"]


def test_readings(net: Net) -> None:
    assert net((0.0, 0.0), nw.probabilities) == {"a": 0.5, "b": 0.5}
    assert net((0.0, 0.0), nw.raw).tolist() == [0.5, 0.5]
    assert net(np.zeros((3, 2)), nw.raw).shape == (3, 2)
    assert net([(0.0, 0.0)], nw.entropy) == pytest.approx([0.6931472])


def test_where_the_sizes_leave_it_open_the_rank_decides() -> None:
    assert nw.Chain(nw.relu, input=("n", 3))(np.zeros((2, 3))).shape == (2, 3)
    assert nw.Chain(nw.relu, input=("n", 3))(np.zeros((5, 2, 3))).shape == (5, 2, 3)
    assert nw.Chain(nw.relu, input=())(2.0).tolist() == 2
    assert nw.Chain(nw.relu, input=())(np.array([2.0, -1.0])).tolist() == [2, 0]
    with pytest.raises(DataError) as caught:
        nw.Chain(nw.relu)(np.zeros((2, 3)))
    assert str(caught.value) == (
        "this array could be one example or a batch\n"
        "  where:    input 'input'\n"
        "  expected: one example of (2, 3), or a batch of 2 of (3,)\n"
        "  got:      an array (2, 3)\n"
        "  mend:     nw.batch(array) for the batch\n"
        "  or:       [array] for a list of one example"
    )
    assert nw.Chain(nw.relu)(nw.batch(np.zeros((2, 3)))).shape == (2, 3)
    assert nw.Chain(nw.relu)([np.zeros((2, 3))]).shape == (1, 2, 3)


def test_values_inside(net: Net) -> None:
    assert net((3.0, 1.0), at="linear1").tolist() == [3, 1]
    both = net([(3.0, 1.0)], at=["linear1", "softmax1"])
    assert {path: tuple(value.shape) for path, value in both.items()} == {"linear1": (1, 2), "softmax1": (1, 2)}
    deep = nw.initialize(nw.Chain(nw.Residual([3, nw.relu]), input=3))
    assert deep((1.0, 2.0, 3.0), at="residual1/body").equal(deep((1.0, 2.0, 3.0), at="residual1/body/relu1"))
    assert deep((1.0, 2.0, 3.0), at="residual1").equal(deep((1.0, 2.0, 3.0)))
    several = nw.Parallel(one=nw.relu, other=nw.tanh, input=2)
    nested = nw.Graph(both=(several, "input"), sum=(nw.Add(), "both.one", "both.other"), input=2)
    assert nested((1.0, 0.0), at="both.other").equal(nested((1.0, 0.0), at="both/other"))


def test_putting_values_in_place(net: Net) -> None:
    x = torch.tensor([3.0, 1.0])
    assert net(x, set={"linear1": lambda value: -value}) == "b"
    assert net(x, set={"linear1": [0.0, 9.0]}) == "b"
    assert net(x, at="linear1", set={"linear1": torch.tensor([5.0, 6.0])}).tolist() == [5, 6]
    assert net(x.expand(3, 2), set={"linear1": lambda value: value.flip(-1)}) == ["b"] * 3
    assert net(x, at=["linear1"], set={"softmax1": [0.0, 1.0]})["linear1"].tolist() == [3, 1]


def test_putting_a_value_where_a_rewriting_would_remove_it() -> None:
    net = nw.initialize(nw.Chain(nw.Conv(2, 3), nw.relu, nw.MaxPool(2), input=(6, 6, 1)))
    x = torch.randn(6, 6, 1)
    got = net(x, set={"relu1": lambda value: value - 1})
    assert got.equal(nw.MaxPool(2)([net(x, at="relu1") - 1])[0])


def test_training_mode_uses_the_batch_and_its_noise() -> None:
    net = nw.initialize(nw.Chain(nw.Dropout(0.5), input=100))
    x = torch.ones(4, 100)
    assert net(x).equal(x)
    drawn = net(x, training=True, seed=1)
    assert drawn.equal(net(x, training=True, seed=1))
    assert not drawn.equal(net(x, training=True, seed=2))
    assert net(x[:2], training=True, seed=1).equal(drawn[:2])
    assert 0.3 < float((drawn == 0).float().mean()) < 0.7


def test_many_examples_run_in_pieces(net: Net) -> None:
    x = torch.randn(600, 2)
    assert torch.equal(net(x, nw.raw), torch.cat([net(x[i : i + 1], nw.raw) for i in range(600)]))


def test_several_named_inputs_and_outputs() -> None:
    net = nw.Graph(sum=(nw.Add(), "left", "right"), flip=(nw.Elementwise("neg"), "left"), input={"left": 2, "right": 2})
    one = net({"left": (1.0, 2.0), "right": (3.0, 4.0)})
    assert {name: value.tolist() for name, value in one.items()} == {"sum": [4, 6], "flip": [-1, -2]}
    rows = net([{"left": (1.0, 2.0), "right": (3.0, 4.0)}] * 3)
    columns = net({"left": np.ones((3, 2)), "right": np.zeros((3, 2))})
    assert rows["sum"].shape == columns["sum"].shape == (3, 2)


def test_a_net_in_double_precision_runs_in_it(net: Net) -> None:
    assert net.to(dtype=torch.float64)((1.0, 2.0), nw.raw).dtype == torch.float64


@pytest.mark.parametrize("path", ["flatten1", "flatten2"])
def test_nothing_given_out_is_the_nets_or_the_callers(path: str) -> None:
    net = nw.Chain(nw.Flatten(), nw.Flatten(), input=(2, 2))
    x = torch.zeros(3, 2, 2)
    net(x).add_(1)
    net(x, at=path).add_(1)
    net(x[0]).add_(1)
    net(x, set={path: lambda value: value.add_(1)})
    assert not x.any()
    value = nw.initialize(nw.Graph(nw.Input() + nw.Parameter(2)(), input=2))
    before = nw.digest(value)
    value((1.0, 1.0), at="parameter1").add_(1)
    value((1.0, 1.0), set={"parameter1": lambda array: array.add_(1)})
    assert nw.digest(value) == before
    constant = torch.zeros(2)
    value((1.0, 1.0), set={"add1": constant}).add_(1)
    assert not constant.any()


PAIR = nw.Graph(sum=(nw.Add(), "left", "right"), input={"left": 2, "right": 2})
REFUSED: list[tuple[Callable[[Net], Any], type[NetwrightError], str]] = [
    (
        lambda net: net(),
        NetError,
        "a net takes one value, and after it a reading if one is wanted\n"
        "  expected: net(x) or net(x, nw.probabilities)\n"
        "  got:      0 values\n"
        "  mend:     net([a, b]) for many examples, net({'left': a, 'right': b}) for several inputs",
    ),
    (
        lambda net: net.holding(arrays={})((1.0, 2.0)),
        MissingArraysError,
        "2 of the 2 arrays of this net do not exist yet\n"
        "  where:    linear1/weight, linear1/bias\n"
        "  mend:     nw.train(net, data).net, which fills and trains them\n"
        "  or:       nw.initialize(net) for random ones",
    ),
    (
        lambda net: net((1.0, 2.0), at="linear"),
        PathError,
        "no part of this net has the path 'linear'\n  expected: one of 2 paths\n  mend:     did you mean 'linear1'?",
    ),
    (
        lambda net: net((1.0, 2.0), set={"softmax": [1.0]}),
        PathError,
        "no part of this net has the path 'softmax'\n  expected: one of 2 paths\n  mend:     did you mean 'softmax1'?",
    ),
    (
        lambda net: net((1.0, 2.0), at="linear1.hidden"),
        PathError,
        "linear1 has no output port 'hidden'\n  where:    linear1\n  expected: output",
    ),
    (
        lambda net: net((1.0, 2.0), set={"linear1": [1.0, 2.0, 3.0]}),
        SizeError,
        "the array put at linear1 has another size than the value there\n"
        "  where:    linear1\n  expected: (2,)\n  got:      (3,)",
    ),
    (
        lambda net: net((1.0, 2.0), set={"linear1": lambda value: value.sum()}),
        SizeError,
        "the function put at linear1 gives another size than the value there\n"
        "  where:    linear1\n  expected: (1, 2)\n  got:      ()",
    ),
    (
        lambda net: PAIR({"left": (1.0, 2.0), "rigth": (1.0, 2.0)}),
        DataError,
        "this net has 2 inputs, and each needs a value\n"
        "  expected: {'left': …, 'right': …}\n"
        "  got:      a dict with 'left', 'rigth'\n"
        "  mend:     did you mean 'right'?",
    ),
    (
        lambda net: PAIR((1.0, 2.0)),
        DataError,
        "this net has 2 inputs, and each needs a value\n  expected: {'left': …, 'right': …}\n  got:      a tuple",
    ),
    (
        lambda net: PAIR({"left": (1.0, 2.0), "right": np.zeros((3, 2))}),
        DataError,
        "the inputs do not hold equally many examples\n  got:      left: one, right: 3",
    ),
    (
        lambda net: PAIR([{"left": (1.0, 2.0), "right": (1.0, 2.0)}, {"left": (1.0, 2.0)}]),
        DataError,
        "the inputs do not hold equally many examples\n  got:      left: 2, right: 1",
    ),
    (
        lambda net: net((1.0, 2.0, 3.0)),
        DataError,
        "the array has another shape\n  expected: (2,)\n  got:      (3,)",
    ),
    (
        lambda net: nw.Chain(nw.MaxPool(3), nw.relu, input=("n", 2))([np.zeros((2, 2))]),
        DataError,
        "an example is too short for this net\n"
        "  where:    row 0, maxpool1\n  expected: at least 1 position in (n//3, 2)\n  got:      n = 2",
    ),
]


@pytest.mark.parametrize("row", range(len(REFUSED)))
def test_bad_calls_say_what_is_wrong(net: Net, row: int) -> None:
    call, kind, text = REFUSED[row]
    with pytest.raises(kind) as caught:
        call(net)
    assert str(caught.value) == text


def test_a_function_that_gives_no_array():
    net = nw.initialize(nw.Chain(3, input=4))
    with pytest.raises(DataError) as error:
        net(torch.zeros(4), set={"linear1": lambda x: None})
    assert str(error.value) == (
        "the function put at linear1 gives no array\n  where:    linear1\n  expected: an array of (1, 3)\n"
        "  got:      None"
    )


@pytest.mark.parametrize("question", [{"at": "parallel1"}, {"set": {"parallel1": lambda x: 0 * x}}], ids=["at", "set"])
def test_a_part_with_several_outputs_is_asked_for_one(question: dict[str, Any]) -> None:
    net = nw.initialize(nw.Chain(nw.Parallel(a=nw.Linear(2), b=nw.Linear(3)), input=4))
    with pytest.raises(PathError) as caught:
        net(torch.zeros(4), **question)
    assert str(caught.value) == (
        "parallel1 has 2 outputs, and a value is one of them\n"
        "  where:    parallel1\n"
        "  expected: 'parallel1.a' or 'parallel1.b'\n"
        "  got:      'parallel1'"
    )
    assert net(torch.zeros(4), set={"parallel1.b": [1.0, 2.0, 3.0]}, at="parallel1.b").tolist() == [1, 2, 3]


class Frame:
    """What matters of a DataFrame: it is an array on request, its iterator gives the names of its columns."""

    def __init__(self, **columns: Any) -> None:
        self.columns = columns

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        return np.array([*self.columns.values()], dtype=dtype).T

    def __iter__(self) -> Any:
        return iter(self.columns)

    def __getitem__(self, name: str) -> Any:
        return self.columns[name]


FRAME = Frame(a=np.arange(5.0), b=np.arange(5.0) - 2)


def test_a_table_is_as_many_examples_as_it_has_rows() -> None:
    net = nw.Chain(nw.Linear(2), nw.softmax, input=nw.Vector(2, 0, 1), output=nw.Category(["x", "y"]))
    net = nw.initialize(net)
    expected = net([*np.asarray(FRAME)])
    assert net(FRAME) == net(nw.batch(FRAME)) == expected
    assert len(expected) == 5


def test_a_table_gives_a_net_of_several_inputs_its_columns_by_name() -> None:
    ports = {"a": nw.Number(0, 1), "b": nw.Number(0, 1)}
    net = nw.Graph(sum=(nw.Add(), "a", "b"), input=ports).with_output(nw.Number(0, 1))
    assert net(FRAME) == [-2.0, 0.0, 2.0, 4.0, 6.0]


def test_an_array_of_what_is_one_example_each_is_many() -> None:
    net = nw.Chain(nw.Elementwise("neg"), input=nw.Number(0, 1), output=nw.Number(0, 1))
    assert net(np.array([1.0, 2.0, 3.0])) == [-1.0, -2.0, -3.0]
    assert net(np.array([1.0])) == -1.0


def test_examples_of_another_rank_are_refused_before_anything_runs() -> None:
    net = nw.Chain(nw.GRU(4), nw.Last(), nw.Linear(1), input=nw.Each(nw.Number(0, 1)), output=nw.Number(0, 1))
    x = np.zeros((6, 8, 1), dtype="float32")
    asked: list[Callable[[], Any]] = [
        lambda: nw.initialize(net)(list(x)),
        lambda: nw.train(net, (x, x[:, 0, 0]), epochs=1, progress=False),
    ]
    for ask in asked:
        with pytest.raises(DataError) as caught:
            ask()
        assert str(caught.value) == (
            "the examples have another number of axes than the net takes\n"
            "  where:    port 'input'\n"
            "  expected: (?, 1)\n"
            "  got:      (8, 1, 1)\n"
            "  mend:     array[..., 0]: the encoder makes the last axis itself"
        )
    assert len(nw.initialize(net)(list(x[..., 0]))) == 6
