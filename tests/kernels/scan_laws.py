"""What holds for every written recurrent kernel, as a class of tests: subclass it and say which kernel it is."""

import pytest
import torch

from layers.recurrent.cases import PADDINGS, TOLERANCE, asked, case, close, grads, hold_alone, hold_to_torch


class ScanLaws:
    """Torch's values and gradients in every precision, padding that changes nothing; `kind` names torch's case."""

    kind: str
    count = 2  # the input and the states

    def kernel(self, x, states, arrays, length):
        raise NotImplementedError

    def run(self, given, length=None):
        """The outputs for the input, the states and the arrays in a row."""
        return list(self.kernel(given[0], given[1 : self.count], given[self.count :], length))

    @pytest.mark.parametrize("dtype", TOLERANCE)
    @pytest.mark.parametrize("sizes", [(3, 7, 4, 5), (1, 7, 4, 5), (3, 1, 4, 5), (4, 40, 6, 16)])
    def test_torch_s_values_and_gradients(self, sizes, dtype) -> None:
        hold_to_torch(self.kernel, self.kind, dtype, sizes)

    @pytest.mark.parametrize("padding", PADDINGS)
    def test_an_example_alone_is_an_example_padded(self, padding) -> None:
        hold_alone(self.kernel, self.kind, padding)

    def test_a_gradient_asked_for_alone_is_the_same(self) -> None:
        known = case(self.kind, torch.float64)
        for i in range(len(known.gradients)):
            given = [known.x, *known.states, *known.arrays]
            given[i] = given[i].clone().requires_grad_()
            outputs = self.run(given)
            close(grads(outputs, known.sums, [given[i]]), [known.gradients[i]], 1e-10)

    def test_a_state_alone_gives_gradients(self) -> None:
        known = case(self.kind, torch.float64)
        for lengths in (None, torch.tensor([7, 7, 7])):
            for i in range(1, self.count):
                given = asked([known.x, *known.states, *known.arrays], torch.float64)
                output = self.run(given, lengths)[i]
                whole = [torch.zeros_like(one) for one in known.sums]
                whole[i] = known.sums[i]
                every = asked([known.x, *known.states, *known.arrays], torch.float64)
                expected = grads(self.run(every), whole, every)
                close(grads([output], [known.sums[i]], given), expected, 1e-10)

    def test_an_empty_example_ends_where_it_began(self) -> None:
        known = case(self.kind, torch.float64)
        given = asked([known.x, *known.states, *known.arrays], torch.float64)
        ends = self.run(given, torch.tensor([0, 7, 0]))[1:]
        for end, state in zip(ends, known.states, strict=True):
            assert torch.equal(end[[0, 2]], state[[0, 2]])
        got = grads(list(ends), known.sums[1:], given)
        close([one[[0, 2]] for one in got[1 : self.count]], [one[[0, 2]] for one in known.sums[1:]], 1e-10)
        assert not got[0][[0, 2]].any()

    def test_a_graph_that_is_kept_gives_the_same_twice(self) -> None:
        known = case(self.kind, torch.float64)
        given = asked([known.x, *known.states, *known.arrays], torch.float64)
        y = self.run(given)[0]
        first = torch.autograd.grad((y * known.sums[0]).sum(), given, retain_graph=True)
        second = torch.autograd.grad((y * known.sums[0]).sum(), given)
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))

    def test_no_gradient_the_same_values(self) -> None:
        known = case(self.kind, torch.float32, (4, 40, 6, 16))
        given = [value.float() for value in (known.x, *known.states, *known.arrays)]
        close(
            self.run(given),
            known.outputs,
            TOLERANCE[torch.float32],
        )

    @pytest.mark.parametrize("dtype", TOLERANCE)
    def test_an_empty_batch(self, dtype) -> None:
        known = case(self.kind, dtype)
        given = asked([known.x[:0].repeat(1, 3, 1), *(state[:0] for state in known.states), *known.arrays], dtype)
        outputs = self.run(given)
        assert [tuple(output.shape) for output in outputs] == [(0, 21, 5)] + [(0, 5)] * (self.count - 1)
        assert not any(one.any() for one in grads(outputs, outputs, given))
