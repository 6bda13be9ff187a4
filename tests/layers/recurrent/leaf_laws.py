"""What holds for every recurrent leaf and its cell, as a class of tests: subclass it and say which leaf it is."""

from math import inf

import pytest
import torch

import netwright as nw
from layers.recurrent.cases import LENGTHS, PADDINGS, TOLERANCE, case, close, hold_alone, hold_to_torch
from netwright.layers.fold import Fold
from netwright.layers.recurrent.arrays import NAMES


class LeafLaws:
    """Torch's answers whichever kernel is chosen, states from chunk to chunk, padding; `kind` names torch's case."""

    kind: str
    name: str  # of the leaf in a chain
    leaf: type[nw.Leaf]
    cell: type[nw.Leaf]
    gates: int
    states: tuple[str, ...] = ("hidden",)
    more = {}  # keyword arguments that the leaf must be given

    def kernel(self, x, states, arrays, length):
        lengths = {} if length is None else {"n": length}
        return self.leaf(5).forward(dict(zip(NAMES, arrays, strict=True)), x, *states, lengths=lengths, **self.more)

    @pytest.mark.parametrize("dtype", TOLERANCE)
    @pytest.mark.parametrize("sizes", [(3, 7, 4, 5), (1, 7, 4, 5), (3, 1, 4, 5), (4, 40, 6, 16)])
    def test_torch_s_values_and_gradients(self, sizes, dtype) -> None:
        hold_to_torch(self.kernel, self.kind, dtype, sizes)

    @pytest.mark.parametrize("padding", PADDINGS)
    def test_an_example_alone_is_an_example_padded(self, padding) -> None:
        hold_alone(self.kernel, self.kind, padding)

    @pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
    @pytest.mark.parametrize("chunks", [(1,) * 7, (2, 4, 1), (7,)])
    def test_chunk_by_chunk_is_the_whole(self, chunks, dtype) -> None:
        known = case(self.kind, dtype)
        x, *given = [value.to(dtype) for value in (known.x, *known.states, *known.arrays)]
        states, arrays = given[: len(self.states)], given[len(self.states) :]
        outputs = []
        for chunk in x.split(chunks, 1):
            y, *states = self.kernel(chunk, states, arrays, None)
            outputs.append(y)
        close([torch.cat(outputs, 1), *states], known.outputs, TOLERANCE[dtype])

    @pytest.mark.parametrize("dtype", TOLERANCE)
    def test_a_cell_over_the_steps_is_the_leaf(self, dtype) -> None:
        def steps(x, states, arrays, length):
            outputs = []
            for one in x.unbind(1):
                new = self.cell(5).forward(dict(zip(NAMES, arrays, strict=True)), one, *states)
                states = new if isinstance(new, tuple) else (new,)
                outputs.append(states[0])
            return torch.stack(outputs, 1), *states

        hold_to_torch(steps, self.kind, dtype)

    def test_states_start_at_zero(self) -> None:
        known = case(self.kind, torch.float64)
        zeros = [torch.zeros_like(state) for state in known.states]
        nothing = [None] * len(zeros)
        close(
            list(self.kernel(known.x, nothing, known.arrays, None)),
            list(self.kernel(known.x, zeros, known.arrays, None)),
            1e-12,
        )

    def test_sizes_and_reach(self) -> None:
        net = nw.Chain(self.leaf(5), input="n 3")
        ends = "".join(f", {state!r}: (5,)" for state in self.states)
        assert str(net.plan.outputs) == f"{{'output': (n, 5){ends}}}"
        assert {name: spec.known for name, spec in net.plan.arrays.items()} == {
            f"{self.name}/weight_ih": (self.gates * 5, 3),
            f"{self.name}/weight_hh": (self.gates * 5, 5),
            f"{self.name}/bias_ih": (self.gates * 5,),
            f"{self.name}/bias_hh": (self.gates * 5,),
        }
        assert self.leaf(5).reach(True) == {"input": (-inf, 0)}

    def test_initial_values_are_torch_s(self) -> None:
        arrays = nw.initialize(nw.Chain(self.leaf(16), input="n 3")).arrays
        for array in arrays.values():
            assert 0.15 < array.abs().max() <= 0.25  # 1 / √16
            assert array.min() < 0 < array.max()

    def test_in_a_net_with_lengths(self) -> None:
        net = nw.initialize(nw.Chain(self.leaf(5), input="n 4"))
        x, arrays = case(self.kind, torch.float32).x.float(), net.arrays
        padded = x.clone()
        for i, length in enumerate(LENGTHS.tolist()):
            padded[i, length:] = 1e4
        got = nw.apply(net, arrays, padded, lengths={"n": LENGTHS})
        for i, length in enumerate(LENGTHS.tolist()):
            alone = nw.apply(net, arrays, x[i : i + 1, :length])
            for name in self.states:
                close([got[name][i : i + 1]], [alone[name]], 1e-6)

    def test_a_fold_of_the_cell_is_the_leaf(self) -> None:
        leaf, fold = (
            nw.initialize(net) for net in (nw.Chain(self.leaf(5), input="n 4"), Fold(self.cell(5), input="n 4"))
        )
        arrays = leaf.arrays
        own = {path: arrays[f"{self.name}/" + path.rpartition("/")[2]] for path in fold.arrays}
        x = case(self.kind, torch.float32).x.float()
        expected, got = nw.apply(leaf, arrays, x), nw.apply(fold, own, x)
        close([got[name] for name in self.states], [expected[name] for name in self.states], 1e-6)
        assert self.cell(5).over_sequence() == self.leaf(5)
