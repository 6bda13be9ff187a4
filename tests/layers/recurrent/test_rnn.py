"""The RNN leaf and its cell: torch's answers whichever kernel is chosen, states from chunk to chunk, padding."""

from math import inf

import pytest
import torch

import netwright as nw
from layers.recurrent.cases import LENGTHS, PADDINGS, TOLERANCE, case, close, hold_alone, hold_to_torch
from netwright.layers.fold import Fold
from netwright.layers.recurrent.arrays import NAMES
from netwright.layers.recurrent.rnn import RNN, RNNCell

STATES = ("hidden",)


def kernel(x, states, arrays, length):
    lengths = {} if length is None else {"n": length}
    return RNN(5).forward(dict(zip(NAMES, arrays, strict=True)), x, *states, lengths=lengths)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("sizes", [(3, 7, 4, 5), (1, 7, 4, 5), (3, 1, 4, 5), (4, 40, 6, 16)])
def test_torch_s_values_and_gradients(sizes, dtype) -> None:
    hold_to_torch(kernel, "tanh", dtype, sizes)


@pytest.mark.parametrize("padding", PADDINGS)
def test_an_example_alone_is_an_example_padded(padding) -> None:
    hold_alone(kernel, "tanh", padding)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("chunks", [(1,) * 7, (2, 4, 1), (7,)])
def test_chunk_by_chunk_is_the_whole(chunks, dtype) -> None:
    known = case("tanh", dtype)
    x, *given = [value.to(dtype) for value in (known.x, *known.states, *known.arrays)]
    states, arrays = given[: len(STATES)], given[len(STATES) :]
    outputs = []
    for chunk in x.split(chunks, 1):
        y, *states = kernel(chunk, states, arrays, None)
        outputs.append(y)
    close([torch.cat(outputs, 1), *states], known.outputs, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_cell_over_the_steps_is_the_leaf(dtype) -> None:
    def steps(x, states, arrays, length):
        outputs = []
        for one in x.unbind(1):
            new = RNNCell(5).forward(dict(zip(NAMES, arrays, strict=True)), one, *states)
            states = new if isinstance(new, tuple) else (new,)
            outputs.append(states[0])
        return torch.stack(outputs, 1), *states

    hold_to_torch(steps, "tanh", dtype)


def test_states_start_at_zero() -> None:
    known = case("tanh", torch.float64)
    zeros = [torch.zeros_like(state) for state in known.states]
    nothing = [None] * len(zeros)
    close(list(kernel(known.x, nothing, known.arrays, None)), list(kernel(known.x, zeros, known.arrays, None)), 1e-12)


def test_sizes_and_reach() -> None:
    net = nw.Chain(RNN(5), input="n 3")
    assert str(net.plan.outputs) == "{'output': (n, 5), 'hidden': (5,)}"
    assert {name: spec.known for name, spec in net.plan.arrays.items()} == {
        "rnn1/weight_ih": (5, 3),
        "rnn1/weight_hh": (5, 5),
        "rnn1/bias_ih": (5,),
        "rnn1/bias_hh": (5,),
    }
    assert RNN(5).reach(True) == {"input": (-inf, 0)}


def test_initial_values_are_torch_s() -> None:
    arrays = nw.initialize(nw.Chain(RNN(16), input="n 3")).arrays
    for array in arrays.values():
        assert 0.15 < array.abs().max() <= 0.25  # 1 / √16
        assert array.min() < 0 < array.max()


def test_in_a_net_with_lengths() -> None:
    net = nw.initialize(nw.Chain(RNN(5), input="n 4"))
    x, arrays = case("tanh", torch.float32).x.float(), net.arrays
    padded = x.clone()
    for i, length in enumerate(LENGTHS.tolist()):
        padded[i, length:] = 1e4
    got = nw.apply(net, arrays, padded, lengths={"n": LENGTHS})
    for i, length in enumerate(LENGTHS.tolist()):
        alone = nw.apply(net, arrays, x[i : i + 1, :length])
        for name in STATES:
            close([got[name][i : i + 1]], [alone[name]], 1e-6)


def test_a_fold_of_the_cell_is_the_leaf() -> None:
    leaf, fold = (nw.initialize(net) for net in (nw.Chain(RNN(5), input="n 4"), Fold(RNNCell(5), input="n 4")))
    arrays = leaf.arrays
    own = {path: arrays["rnn1/" + path.rpartition("/")[2]] for path in fold.arrays}
    x = case("tanh", torch.float32).x.float()
    expected, got = nw.apply(leaf, arrays, x), nw.apply(fold, own, x)
    close([got[name] for name in STATES], [expected[name] for name in STATES], 1e-6)
    assert RNNCell(5).folded() == RNN(5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])  # bf16 falls on other sides of the kink
def test_relu_too(dtype) -> None:
    hold_to_torch(relu, "relu", dtype)


@pytest.mark.parametrize("padding", PADDINGS)
def test_relu_alone_is_relu_padded(padding) -> None:
    hold_alone(relu, "relu", padding)


def relu(x, states, arrays, length):
    lengths = {} if length is None else {"n": length}
    leaf = RNN(5, activation="relu")
    return leaf.forward(dict(zip(NAMES, arrays, strict=True)), x, *states, lengths=lengths)


def test_the_cell_of_relu() -> None:
    assert RNNCell(5, activation="relu").folded() == RNN(5, activation="relu")
    known = case("relu", torch.float64, (3, 1, 4, 5))
    w = dict(zip(NAMES, known.arrays, strict=True))
    hidden = RNNCell(5, activation="relu").forward(w, known.x[:, 0], known.states[0])
    close([hidden], known.outputs[1:], 1e-10)
