"""The LSTM kernel: torch's values and gradients in every precision, padding that changes nothing."""

import pytest
import torch

from layers.recurrent.cases import PADDINGS, TOLERANCE, asked, case, close, grads, hold_alone, hold_to_torch
from netwright.layers.recurrent import scan_lstm


def kernel(x, states, arrays, length):
    return scan_lstm.lstm(x, *states, arrays, length)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("sizes", [(3, 7, 4, 5), (1, 7, 4, 5), (3, 1, 4, 5), (4, 40, 6, 16)])
def test_torch_s_values_and_gradients(sizes, dtype) -> None:
    hold_to_torch(kernel, "LSTM", dtype, sizes)


@pytest.mark.parametrize("padding", PADDINGS)
def test_an_example_alone_is_an_example_padded(padding) -> None:
    hold_alone(kernel, "LSTM", padding)


def test_pieces_of_several_steps(monkeypatch) -> None:
    monkeypatch.setattr("netwright.layers.recurrent.scan.PIECE", 3 * 4 * 16)  # 40 steps are 13 pieces of 3, and 1
    hold_to_torch(kernel, "LSTM", torch.float32, (4, 40, 6, 16))


def test_a_gradient_asked_for_alone_is_the_same() -> None:
    known = case("LSTM", torch.float64)
    for i in range(len(known.gradients)):
        given = [known.x, *known.states, *known.arrays]
        given[i] = given[i].clone().requires_grad_()
        outputs = list(kernel(given[0], given[1:3], given[3:], None))
        close(grads(outputs, known.sums, [given[i]]), [known.gradients[i]], 1e-10)


def test_a_state_alone_gives_gradients() -> None:
    known = case("LSTM", torch.float64)
    for lengths in (None, torch.tensor([7, 7, 7])):
        for i in range(1, 3):
            given = asked([known.x, *known.states, *known.arrays], torch.float64)
            output = kernel(given[0], given[1:3], given[3:], lengths)[i]
            whole = [torch.zeros_like(one) for one in known.sums]
            whole[i] = known.sums[i]
            every = asked([known.x, *known.states, *known.arrays], torch.float64)
            expected = grads(list(kernel(every[0], every[1:3], every[3:], None)), whole, every)
            close(grads([output], [known.sums[i]], given), expected, 1e-10)


def test_an_empty_example_ends_where_it_began() -> None:
    known = case("LSTM", torch.float64)
    given = asked([known.x, *known.states, *known.arrays], torch.float64)
    ends = kernel(given[0], given[1:3], given[3:], torch.tensor([0, 7, 0]))[1:]
    for end, state in zip(ends, known.states, strict=True):
        assert torch.equal(end[[0, 2]], state[[0, 2]])
    got = grads(list(ends), known.sums[1:], given)
    close([one[[0, 2]] for one in got[1:3]], [one[[0, 2]] for one in known.sums[1:]], 1e-10)
    assert not got[0][[0, 2]].any()


def test_a_graph_that_is_kept_gives_the_same_twice() -> None:
    known = case("LSTM", torch.float64)
    given = asked([known.x, *known.states, *known.arrays], torch.float64)
    y = kernel(given[0], given[1:3], given[3:], None)[0]
    first = torch.autograd.grad((y * known.sums[0]).sum(), given, retain_graph=True)
    second = torch.autograd.grad((y * known.sums[0]).sum(), given)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_no_gradient_the_same_values() -> None:
    known = case("LSTM", torch.float32, (4, 40, 6, 16))
    given = [value.float() for value in (known.x, *known.states, *known.arrays)]
    close(list(kernel(given[0], given[1:3], given[3:], None)), known.outputs, TOLERANCE[torch.float32])


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_an_empty_batch(dtype) -> None:
    known = case("LSTM", dtype)
    given = asked([known.x[:0].repeat(1, 3, 1), *(state[:0] for state in known.states), *known.arrays], dtype)
    outputs = list(kernel(given[0], given[1:3], given[3:], None))
    assert [tuple(output.shape) for output in outputs] == [(0, 21, 5)] + [(0, 5)] * 2
    assert not any(one.any() for one in grads(outputs, outputs, given))
