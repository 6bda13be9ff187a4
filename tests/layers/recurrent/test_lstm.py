"""The LSTM leaf and its cell: torch's answers whichever kernel is chosen, states from chunk to chunk, padding."""

from math import inf

import pytest
import torch

import netwright as nw
from layers.recurrent.cases import LENGTHS, PADDINGS, TOLERANCE, asked, case, close, grads, hold_alone, hold_to_torch
from netwright.layers.fold import Fold
from netwright.layers.recurrent.arrays import NAMES
from netwright.layers.recurrent.lstm import LSTM, LSTMCell

STATES = ("hidden", "cell")
WANTED = {"wanted": frozenset(["output", *STATES])}


def kernel(x, states, arrays, length):
    lengths = {} if length is None else {"n": length}
    return LSTM(5).forward(dict(zip(NAMES, arrays, strict=True)), x, *states, lengths=lengths, **WANTED)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("sizes", [(3, 7, 4, 5), (1, 7, 4, 5), (3, 1, 4, 5), (4, 40, 6, 16)])
def test_torch_s_values_and_gradients(sizes, dtype) -> None:
    hold_to_torch(kernel, "LSTM", dtype, sizes)


@pytest.mark.parametrize("padding", PADDINGS)
def test_an_example_alone_is_an_example_padded(padding) -> None:
    hold_alone(kernel, "LSTM", padding)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("chunks", [(1,) * 7, (2, 4, 1), (7,)])
def test_chunk_by_chunk_is_the_whole(chunks, dtype) -> None:
    known = case("LSTM", dtype)
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
            new = LSTMCell(5).forward(dict(zip(NAMES, arrays, strict=True)), one, *states)
            states = new if isinstance(new, tuple) else (new,)
            outputs.append(states[0])
        return torch.stack(outputs, 1), *states

    hold_to_torch(steps, "LSTM", dtype)


def test_states_start_at_zero() -> None:
    known = case("LSTM", torch.float64)
    zeros = [torch.zeros_like(state) for state in known.states]
    nothing = [None] * len(zeros)
    close(list(kernel(known.x, nothing, known.arrays, None)), list(kernel(known.x, zeros, known.arrays, None)), 1e-12)


def test_sizes_and_reach() -> None:
    net = nw.Chain(LSTM(5), input="n 3")
    assert str(net.plan.outputs) == "{'output': (n, 5), 'hidden': (5,), 'cell': (5,)}"
    assert {name: spec.known for name, spec in net.plan.arrays.items()} == {
        "lstm1/weight_ih": (4 * 5, 3),
        "lstm1/weight_hh": (4 * 5, 5),
        "lstm1/bias_ih": (4 * 5,),
        "lstm1/bias_hh": (4 * 5,),
    }
    assert LSTM(5).reach(True) == {"input": (-inf, 0)}


def test_initial_values_are_torch_s() -> None:
    arrays = nw.initialize(nw.Chain(LSTM(16), input="n 3")).arrays
    for array in arrays.values():
        assert 0.15 < array.abs().max() <= 0.25  # 1 / √16
        assert array.min() < 0 < array.max()


def test_in_a_net_with_lengths() -> None:
    net = nw.initialize(nw.Chain(LSTM(5), input="n 4"))
    x, arrays = case("LSTM", torch.float32).x.float(), net.arrays
    padded = x.clone()
    for i, length in enumerate(LENGTHS.tolist()):
        padded[i, length:] = 1e4
    got = nw.apply(net, arrays, padded, lengths={"n": LENGTHS})
    for i, length in enumerate(LENGTHS.tolist()):
        alone = nw.apply(net, arrays, x[i : i + 1, :length])
        for name in STATES:
            close([got[name][i : i + 1]], [alone[name]], 1e-6)


def test_a_fold_of_the_cell_is_the_leaf() -> None:
    leaf, fold = (nw.initialize(net) for net in (nw.Chain(LSTM(5), input="n 4"), Fold(LSTMCell(5), input="n 4")))
    arrays = leaf.arrays
    own = {path: arrays["lstm1/" + path.rpartition("/")[2]] for path in fold.arrays}
    x = case("LSTM", torch.float32).x.float()
    expected, got = nw.apply(leaf, arrays, x), nw.apply(fold, own, x)
    close([got[name] for name in STATES], [expected[name] for name in STATES], 1e-6)
    assert LSTMCell(5).folded() == LSTM(5)


@pytest.mark.parametrize("padding", PADDINGS)
def test_the_cell_unwanted_changes_nothing_else(padding) -> None:
    known = case("LSTM", torch.float64)
    x = known.x.masked_fill(torch.arange(7)[:, None] >= LENGTHS[:, None, None], padding)
    given = asked([x, *known.states, *known.arrays], torch.float64)
    w = dict(zip(NAMES, given[3:], strict=True))
    results = []
    for wanted in (["output", "hidden", "cell"], ["output", "hidden"]):
        y, hidden, cell = LSTM(5).forward(w, *given[:3], lengths={"n": LENGTHS}, wanted=frozenset(wanted))
        assert (cell is None) == ("cell" not in wanted)
        results.append([hidden, *grads([hidden], [known.sums[1]], given)])
        y = y.masked_fill(torch.arange(7)[:, None] >= LENGTHS[:, None, None], 0)
        results[-1].append(y)
    close(results[1], results[0], 1e-10)


@pytest.mark.parametrize("learning", [True, False])
def test_wide_states_in_bf16(learning) -> None:
    if learning:
        hold_to_torch(kernel, "LSTM", torch.bfloat16, (2, 18, 4, 512))
        return
    known = case("LSTM", torch.bfloat16, (2, 18, 4, 512))
    x, *given = [value.bfloat16() for value in (known.x, *known.states, *known.arrays)]
    close(list(kernel(x, given[:2], given[2:], None)), known.outputs, 2e-2)
