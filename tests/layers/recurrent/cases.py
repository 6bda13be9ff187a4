"""What the tests of recurrent kernels share: torch's module with the same numbers, and gradients of a weighted sum."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

PADDINGS = (1e4, -1e4, 0.3)
LENGTHS = torch.tensor([3, 7, 1])
TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-5, torch.bfloat16: 2e-2}  # of the largest value


@dataclass
class Case:
    """Numbers that the type `dtype` has exactly, and torch's answers to them in float64."""

    dtype: torch.dtype
    x: Tensor
    states: list[Tensor]
    arrays: list[Tensor]
    outputs: list[Tensor]
    sums: list[Tensor]  # what each output is weighted with
    gradients: list[Tensor]  # of x, the states, the arrays


def case(kind: str, dtype: torch.dtype, sizes: tuple[int, int, int, int] = (3, 7, 4, 5)) -> Case:
    """A case of `"tanh"`, `"relu"`, `"GRU"` or `"LSTM"` with sizes (b, n, in, out)."""
    torch.manual_seed(sum(sizes))
    batch, steps, width, out = sizes
    options = {"batch_first": True, "dtype": torch.float64}
    plain = kind in ("tanh", "relu")
    module = nn.RNN(width, out, nonlinearity=kind, **options) if plain else getattr(nn, kind)(width, out, **options)
    with torch.no_grad():
        for array in module.parameters():
            array.copy_(array.to(dtype))
    x = drawn(dtype, batch, steps, width)
    states = [drawn(dtype, batch, out) for _ in range(2 if kind == "LSTM" else 1)]
    given = tuple(state[None] for state in states)
    y, last = module(x, given if kind == "LSTM" else given[0])
    outputs = [y, *(state[0] for state in (last if kind == "LSTM" else (last,)))]
    sums = [drawn(dtype, *output.shape).detach() for output in outputs]
    gradients = grads(outputs, sums, [x, *states, *module.parameters()])
    arrays = [array.detach() for array in module.parameters()]
    return Case(dtype, x.detach(), [s.detach() for s in states], arrays, outputs, sums, gradients)


def drawn(dtype: torch.dtype, *shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64).to(dtype).double().requires_grad_()


def asked(values: list[Tensor], dtype: torch.dtype) -> list[Tensor]:
    """Copies in a type, whose gradients are asked for."""
    return [value.detach().to(dtype).clone().requires_grad_() for value in values]


def grads(outputs: list[Tensor], sums: list[Tensor], of: list[Tensor]) -> list[Tensor]:
    total = sum((output * weight.to(output.dtype)).sum() for output, weight in zip(outputs, sums, strict=True))
    return list(torch.autograd.grad(total, of, materialize_grads=True))


def close(got: list[Tensor], expected: list[Tensor], tolerance: float) -> None:
    """Hold each against the largest of the expected values."""
    for one, other in zip(got, expected, strict=True):
        assert one.shape == other.shape
        error = (one.detach().double() - other.detach().double()).abs().max()
        assert error <= tolerance * other.detach().abs().max().clamp_min(1e-3), float(error)


def hold_to_torch(kernel, kind: str, dtype: torch.dtype, sizes: tuple[int, int, int, int] = (3, 7, 4, 5)) -> None:
    """`kernel(x, states, arrays, length)` gives torch's values and gradients."""
    known = case(kind, dtype, sizes)
    given = asked([known.x, *known.states, *known.arrays], dtype)
    count = 1 + len(known.states)
    outputs = list(kernel(given[0], given[1:count], given[count:], None))
    close(outputs, known.outputs, TOLERANCE[dtype])
    close(grads(outputs, known.sums, given), known.gradients, TOLERANCE[dtype])


def hold_alone(kernel, kind: str, padding: float) -> None:
    """In float64 a padded batch gives the states and gradients of every example alone."""
    known = case(kind, torch.float64)
    count = 1 + len(known.states)
    padded, weighted = known.x.clone(), known.sums[0].clone()
    for i, length in enumerate(LENGTHS.tolist()):
        padded[i, length:] = padding
        weighted[i, length:] = 0
    given = asked([padded, *known.states, *known.arrays], torch.float64)
    outputs = list(kernel(given[0], given[1:count], given[count:], LENGTHS))
    got = grads(outputs, [weighted, *known.sums[1:]], given)
    expected = [torch.zeros_like(value).detach() for value in given]
    for i, length in enumerate(LENGTHS.tolist()):
        own = asked([known.x[i : i + 1, :length], *(s[i : i + 1] for s in known.states), *known.arrays], torch.float64)
        alone = list(kernel(own[0], own[1:count], own[count:], None))
        close([outputs[0][i : i + 1, :length]], [alone[0]], 1e-10)
        close([output[i : i + 1] for output in outputs[1:]], alone[1:], 1e-10)
        sums = [weighted[i : i + 1, :length], *(s[i : i + 1] for s in known.sums[1:])]
        pieces = grads(alone, sums, own)
        expected[0][i, :length] += pieces[0][0]
        for j in range(1, count):
            expected[j][i] += pieces[j][0]
        for j in range(count, len(own)):
            expected[j] += pieces[j]
    close(got, expected, 1e-10)
