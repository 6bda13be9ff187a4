"""What the verbs of a net refuse at the entrance, and the type that arrays take."""

import numpy as np
import pytest
import torch

import netwright as nw

NET = nw.initialize(nw.Chain(3, nw.relu, nw.Linear(), nw.softmax, input=4, output=nw.Category(["a", "b"])))
X = torch.zeros(4)
NAMED = "a part is named by its path or its position\n  expected: a text such as 'body/linear1', or a whole number\n"
ARRAY = "  expected: numbers, or rows of them that are equally long: an array, a tensor or nested lists\n"
CHANGE = "  expected: a function of the value, or an array in its place\n"
ONE = "a net takes one value, and after it a reading if one is wanted\n  expected: net(x) or net(x, nw.probabilities)\n"
SEVERAL = "net([a, b]) for many examples, net({'left': a, 'right': b}) for several inputs"
WRONG = {
    "item none": (lambda: NET[None], nw.PathError, NAMED + "  got:      None of type NoneType"),
    "item float": (lambda: NET[1.5], nw.PathError, NAMED + "  got:      1.5 of type float"),
    "item bool": (lambda: NET[True], nw.PathError, NAMED + "  got:      True of type bool"),
    "slice": (lambda: NET[1.5:], nw.PathError, NAMED + "  got:      1.5 of type float"),
    "rename": (
        lambda: NET.rename("linear1", 3),
        nw.NetError,
        "a part's name has letters, digits and underscores only\n  where:    linear1\n  got:      3",
    ),
    "arrays list": (
        lambda: NET.with_arrays([1]),
        nw.NetError,
        "with_arrays takes a mapping from paths to arrays\n  got:      [1] of type list\n"
        "  mend:     net.with_arrays({'linear1/weight': array})",
    ),
    "arrays key": (
        lambda: NET.with_arrays({3: X}),
        nw.PathError,
        "this net has no array 3\n  expected: one of 4 paths",
    ),
    "arrays ragged": (
        lambda: NET.with_arrays({"linear1/weight": [[1], [2, 3]]}),
        nw.DataError,
        f"this is not an array of numbers\n  where:    linear1/weight\n{ARRAY}  got:      [[1], [2, 3]] of type list",
    ),
    "to text": (
        lambda: NET.to(dtype="float16"),
        nw.NetError,
        "a net's arrays have a float type of torch\n"
        "  expected: torch.float32, torch.float64, torch.bfloat16 or torch.float16\n  got:      'float16'\n"
        "  mend:     net.to(dtype=torch.float16)",
    ),
    "to nowhere": (
        lambda: NET.to("gpux"),
        nw.NetError,
        "this is not a device\n  expected: 'cpu', 'cuda', 'cuda:1', 'mps', …\n  got:      'gpux'",
    ),
    "at": (
        lambda: NET(X, at=3),
        nw.PathError,
        "at= takes a path or several\n  expected: a text, or a list of texts\n  got:      3 of type int",
    ),
    "set": (
        lambda: NET(X, set=3),
        nw.NetError,
        "set= takes a mapping from paths to functions or arrays\n  got:      3 of type int\n"
        "  mend:     set={'linear1': lambda x: 0 * x}",
    ),
    "set key": (
        lambda: NET(X, set={3: X}),
        nw.PathError,
        "set= names places by their paths\n  expected: a text\n  got:      3 of type int",
    ),
    "set none": (
        lambda: NET(X, set={"linear1": None}),
        nw.DataError,
        f"this is not an array of numbers\n  where:    set, linear1\n{CHANGE}  got:      None of type NoneType",
    ),
    "set text": (
        lambda: NET(X, set={"linear1": "x"}),
        nw.DataError,
        f"this is not an array of numbers\n  where:    set, linear1\n{CHANGE}  got:      'x' of type str",
    ),
    "many": (
        lambda: NET(nw.batch(nw.batch([X]))),
        nw.DataError,
        "nw.batch of nw.batch: a batch has one batch axis\n  mend:     nw.batch(examples), once",
    ),
    "reading name": (
        lambda: NET(X, "raw"),
        nw.NetError,
        f"{ONE}  got:      2 values\n  mend:     nw.raw\n  or:       {SEVERAL}",
    ),
    "two values": (lambda: NET(X, X), nw.NetError, f"{ONE}  got:      2 values\n  mend:     {SEVERAL}"),
    "reading class": (
        lambda: NET(X, nw.Top),
        nw.NetError,
        "Top is a kind of reading, not a reading yet\n  expected: net(x, reading)\n  got:      the class Top\n"
        "  mend:     nw.Top(3)",
    ),
    "reading and at": (
        lambda: NET(X, nw.probabilities, at="linear1"),
        nw.NetError,
        "a reading and at= exclude each other: a reading decodes the output, at= gives arrays from inside\n"
        "  expected: net(x, reading) or net(x, at=path)\n  got:      Probabilities() and at='linear1'",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_types_are_plain_errors(case):
    do, kind, text = WRONG[case]
    with pytest.raises(kind) as error:
        do()
    assert str(error.value) == text


def test_a_device_that_is_not_there():
    with pytest.raises(nw.NetError, match="the arrays cannot go to 'cuda:99'"):
        NET.to("cuda:99")


def test_a_type_may_stand_alone():
    assert NET.to(torch.float64) == NET.to(dtype=torch.float64)
    assert NET.to("cpu", torch.float64) == NET.to(torch.float64)


def test_numpys_position():
    assert NET[np.int64(0)] == NET[0]
    assert NET[np.int64(0) : np.int64(2)] == NET[:2]


@pytest.mark.parametrize("value", [torch.ones(3, dtype=torch.float64), [1, 1, 1], np.ones(3, ">f4"), np.ones(3, "i8")])
def test_arrays_take_the_type_of_the_others(value):
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        net = NET.to(dtype).with_arrays({"linear1/bias": value})
        assert net.arrays["linear1/bias"].dtype == dtype
        assert net.arrays["linear1/bias"].tolist() == [1.0, 1.0, 1.0]
        net(X)


def test_tensors_that_replace_all_keep_their_type():
    double = {path: array.double() for path, array in NET.arrays.items()}
    assert NET.with_arrays(double) == NET.to(torch.float64)


def test_a_module_of_several_types_stays_as_it_is():
    module = torch.nn.Linear(4, 2)
    module.register_buffer("scale", torch.ones(2, dtype=torch.float64))
    net = nw.Chain(nw.Module(module), nw.Linear(2), input=4)
    assert net.with_arrays(net.arrays) == net


def test_arrays_are_copies():
    bias = torch.zeros(3)
    net = NET.with_arrays({"linear1/bias": bias})
    bias += 1
    assert net.arrays["linear1/bias"].tolist() == [0.0, 0.0, 0.0]


def test_all_that_is_odd_about_weights_is_in_one_error() -> None:
    net = nw.initialize(nw.Chain(4, nw.relu, 2, input=3))
    with pytest.raises(nw.PathError) as caught:
        net.with_arrays({"linear1.weight": torch.ones(5, 3), "linear1.bias": torch.ones(4), "head.bias": torch.ones(2)})
    assert str(caught.value) == (
        "this net has no array 'head.bias'\n"
        "  expected: one of 4 paths\n"
        "  got:      unexpected: head.bias\n"
        "            missing: linear2/weight, linear2/bias\n"
        "            of another size: linear1/weight (5, 3)\n"
        "  mend:     did you mean 'linear2/bias' or 'linear1/bias'?"
    )


def test_arrays_of_another_size_and_missing_ones_are_in_one_error() -> None:
    net = nw.Chain(nw.Linear(4), nw.relu, nw.Linear(2), nw.relu, nw.Linear(2), input=3)
    weights = {"linear1.weight": torch.zeros(5, 3), "linear1.bias": torch.zeros(5), "linear2.weight": torch.zeros(2, 5)}
    with pytest.raises(nw.SizeError) as caught:
        net.with_arrays(weights)
    assert str(caught.value) == (
        "2 faults\n"
        "1. linear1/weight does not fit any more\n"
        "     where:    input -> linear1\n"
        "     expected: (5,)   Linear(out) of the kept array linear1/weight (5, 3)\n"
        "     got:      (4,)   Linear(out) of linear1\n"
        "     mend:     nw.Linear() in place of linear1      (checked: 38 parameters)\n"
        "2. 3 of the 6 arrays of this net are not given\n"
        "     where:    linear2/bias, linear3/weight, linear3/bias\n"
        "     mend:     nw.initialize(net) for random ones, when the others fit"
    )
    assert repr(caught.value.mended) == "Chain(Linear(), relu, Linear(2), relu, Linear(2), input=Array('3'))"
    with pytest.raises(nw.SizeError) as caught:
        nw.initialize(net).with_arrays(weights)
    assert "not given" not in str(caught.value)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "body/"])
def test_what_stands_before_every_name_is_named(prefix: str) -> None:
    net = nw.initialize(nw.Chain(4, nw.relu, 2, input=3))
    state = {prefix + name: array for name, array in nw.to_torch(net).state_dict().items()}
    with pytest.raises(nw.PathError) as caught:
        net.with_arrays(state)
    assert caught.value.what == f"this net has no array '{prefix}linear1.weight' and 3 others"
    assert caught.value.mend == (
        f"{{name.removeprefix({prefix!r}): array for name, array in arrays.items()}}: all begin with {prefix!r}",
    )
    assert net.with_arrays({name.removeprefix(prefix): array for name, array in state.items()}) == net


def test_a_function_that_is_called_like_a_layer() -> None:
    with pytest.raises(nw.NetError) as caught:
        nw.relu()
    assert caught.value.mend[0] == "nw.relu without a call, as a part of a net"
    with pytest.raises(nw.NetError) as caught:
        nw.softmax(dim=-1)
    assert str(caught.value) == (
        "Softmax takes no 'dim'\n"
        "  where:    Softmax\n"
        "  expected: values for its ports, input\n"
        "  got:      dim=-1\n"
        "  mend:     nw.softmax without a call, as a part of a net"
    )
