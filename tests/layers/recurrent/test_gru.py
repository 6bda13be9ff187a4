"""The GRU leaf and its cell: torch's answers whichever kernel is chosen, states from chunk to chunk, padding."""

from math import inf

import pytest
import torch

import netwright as nw
from layers.recurrent.cases import LENGTHS, PADDINGS, TOLERANCE, case, close, hold_alone, hold_to_torch
from netwright.layers.fold import Fold
from netwright.layers.recurrent.arrays import NAMES
from netwright.layers.recurrent.gru import GRU, GRUCell

STATES = ("hidden",)


def kernel(x, states, arrays, length):
    lengths = {} if length is None else {"n": length}
    return GRU(5).forward(dict(zip(NAMES, arrays, strict=True)), x, *states, lengths=lengths)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("sizes", [(3, 7, 4, 5), (1, 7, 4, 5), (3, 1, 4, 5), (4, 40, 6, 16)])
def test_torch_s_values_and_gradients(sizes, dtype) -> None:
    hold_to_torch(kernel, "GRU", dtype, sizes)


@pytest.mark.parametrize("padding", PADDINGS)
def test_an_example_alone_is_an_example_padded(padding) -> None:
    hold_alone(kernel, "GRU", padding)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("chunks", [(1,) * 7, (2, 4, 1), (7,)])
def test_chunk_by_chunk_is_the_whole(chunks, dtype) -> None:
    known = case("GRU", dtype)
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
            new = GRUCell(5).forward(dict(zip(NAMES, arrays, strict=True)), one, *states)
            states = new if isinstance(new, tuple) else (new,)
            outputs.append(states[0])
        return torch.stack(outputs, 1), *states

    hold_to_torch(steps, "GRU", dtype)


def test_states_start_at_zero() -> None:
    known = case("GRU", torch.float64)
    zeros = [torch.zeros_like(state) for state in known.states]
    nothing = [None] * len(zeros)
    close(list(kernel(known.x, nothing, known.arrays, None)), list(kernel(known.x, zeros, known.arrays, None)), 1e-12)


def test_sizes_and_reach() -> None:
    net = nw.Chain(GRU(5), input="n 3")
    assert str(net.plan.outputs) == "{'output': (n, 5), 'hidden': (5,)}"
    assert {name: spec.known for name, spec in net.plan.arrays.items()} == {
        "gru1/weight_ih": (3 * 5, 3),
        "gru1/weight_hh": (3 * 5, 5),
        "gru1/bias_ih": (3 * 5,),
        "gru1/bias_hh": (3 * 5,),
    }
    assert GRU(5).reach(True) == {"input": (-inf, 0)}


def test_initial_values_are_torch_s() -> None:
    arrays = nw.initialize(nw.Chain(GRU(16), input="n 3")).arrays
    for array in arrays.values():
        assert 0.15 < array.abs().max() <= 0.25  # 1 / √16
        assert array.min() < 0 < array.max()


def test_in_a_net_with_lengths() -> None:
    net = nw.initialize(nw.Chain(GRU(5), input="n 4"))
    x, arrays = case("GRU", torch.float32).x.float(), net.arrays
    padded = x.clone()
    for i, length in enumerate(LENGTHS.tolist()):
        padded[i, length:] = 1e4
    got = nw.apply(net, arrays, padded, lengths={"n": LENGTHS})
    for i, length in enumerate(LENGTHS.tolist()):
        alone = nw.apply(net, arrays, x[i : i + 1, :length])
        for name in STATES:
            close([got[name][i : i + 1]], [alone[name]], 1e-6)


def test_a_fold_of_the_cell_is_the_leaf() -> None:
    leaf, fold = (nw.initialize(net) for net in (nw.Chain(GRU(5), input="n 4"), Fold(GRUCell(5), input="n 4")))
    arrays = leaf.arrays
    own = {path: arrays["gru1/" + path.rpartition("/")[2]] for path in fold.arrays}
    x = case("GRU", torch.float32).x.float()
    expected, got = nw.apply(leaf, arrays, x), nw.apply(fold, own, x)
    close([got[name] for name in STATES], [expected[name] for name in STATES], 1e-6)
    assert GRUCell(5).folded() == GRU(5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_large_states(dtype) -> None:
    hold_to_torch(kernel, "GRU", dtype, (32, 9, 4, 128))
