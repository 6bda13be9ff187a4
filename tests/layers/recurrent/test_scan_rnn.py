"""The plain recurrent kernel: torch's values and gradients in every precision, padding that changes nothing."""

import pytest
import torch

from layers.recurrent.cases import PADDINGS, TOLERANCE, asked, case, close, grads, hold_alone, hold_to_torch
from netwright.layers.recurrent import scan_rnn


def kernel(x, states, arrays, length):
    return scan_rnn.rnn(x, states[0], arrays, length, "tanh")


def relu(x, states, arrays, length):
    return scan_rnn.rnn(x, states[0], arrays, length, "relu")


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("sizes", [(3, 7, 4, 5), (1, 7, 4, 5), (3, 1, 4, 5), (4, 40, 6, 16)])
def test_torch_s_values_and_gradients(sizes, dtype) -> None:
    hold_to_torch(kernel, "tanh", dtype, sizes)


@pytest.mark.parametrize("padding", PADDINGS)
def test_an_example_alone_is_an_example_padded(padding) -> None:
    hold_alone(kernel, "tanh", padding)


@pytest.mark.parametrize("sizes", [(3, 7, 4, 5), (4, 40, 6, 16)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])  # bf16 falls on other sides of the kink
def test_relu_too(dtype, sizes) -> None:
    hold_to_torch(relu, "relu", dtype, sizes)


@pytest.mark.parametrize("padding", PADDINGS)
def test_relu_alone_is_relu_padded(padding) -> None:
    hold_alone(relu, "relu", padding)


def test_relu_does_not_grow_behind_the_end() -> None:
    arrays = [torch.full(shape, 4.0).requires_grad_() for shape in ((2, 1), (2, 2), (2,), (2,))]
    y, last = relu(torch.ones(1, 200, 1), [torch.zeros(1, 2)], arrays, torch.tensor([3]))
    assert y.isfinite().all()
    assert all(one.isfinite().all() for one in torch.autograd.grad(last.sum(), arrays))


def test_a_gradient_asked_for_alone_is_the_same() -> None:
    known = case("tanh", torch.float64)
    for i in range(len(known.gradients)):
        given = [known.x, *known.states, *known.arrays]
        given[i] = given[i].clone().requires_grad_()
        outputs = list(kernel(given[0], given[1:2], given[2:], None))
        close(grads(outputs, known.sums, [given[i]]), [known.gradients[i]], 1e-10)


def test_a_state_alone_gives_gradients() -> None:
    known = case("tanh", torch.float64)
    for lengths in (None, torch.tensor([7, 7, 7])):
        for i in range(1, 2):
            given = asked([known.x, *known.states, *known.arrays], torch.float64)
            output = kernel(given[0], given[1:2], given[2:], lengths)[i]
            whole = [torch.zeros_like(one) for one in known.sums]
            whole[i] = known.sums[i]
            every = asked([known.x, *known.states, *known.arrays], torch.float64)
            expected = grads(list(kernel(every[0], every[1:2], every[2:], None)), whole, every)
            close(grads([output], [known.sums[i]], given), expected, 1e-10)


def test_an_empty_example_ends_where_it_began() -> None:
    known = case("tanh", torch.float64)
    given = asked([known.x, *known.states, *known.arrays], torch.float64)
    ends = kernel(given[0], given[1:2], given[2:], torch.tensor([0, 7, 0]))[1:]
    for end, state in zip(ends, known.states, strict=True):
        assert torch.equal(end[[0, 2]], state[[0, 2]])
    got = grads(list(ends), known.sums[1:], given)
    close([one[[0, 2]] for one in got[1:2]], [one[[0, 2]] for one in known.sums[1:]], 1e-10)
    assert not got[0][[0, 2]].any()


def test_a_graph_that_is_kept_gives_the_same_twice() -> None:
    known = case("tanh", torch.float64)
    given = asked([known.x, *known.states, *known.arrays], torch.float64)
    y = kernel(given[0], given[1:2], given[2:], None)[0]
    first = torch.autograd.grad((y * known.sums[0]).sum(), given, retain_graph=True)
    second = torch.autograd.grad((y * known.sums[0]).sum(), given)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_no_gradient_the_same_values() -> None:
    known = case("tanh", torch.float32, (4, 40, 6, 16))
    given = [value.float() for value in (known.x, *known.states, *known.arrays)]
    close(list(kernel(given[0], given[1:2], given[2:], None)), known.outputs, TOLERANCE[torch.float32])


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_an_empty_batch(dtype) -> None:
    known = case("tanh", dtype)
    given = asked([known.x[:0].repeat(1, 3, 1), *(state[:0] for state in known.states), *known.arrays], dtype)
    outputs = list(kernel(given[0], given[1:2], given[2:], None))
    assert [tuple(output.shape) for output in outputs] == [(0, 21, 5)] + [(0, 5)] * 1
    assert not any(one.any() for one in grads(outputs, outputs, given))
