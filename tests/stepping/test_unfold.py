"""Step nets, derived: fed in pieces they give what the net gives at once, and what looks ahead is refused."""

import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import netwright
import netwright as nw
from netwright.errors import NetError

D = 3


def core(out: int) -> nw.Net:
    return nw.Graph(
        join=(nw.Concatenate(), "input", "state"), linear=(nw.Linear(out), "join"), tanh=(nw.tanh, "linear"),
        input={"input": None, "state": None},
    )  # fmt: skip


PARTS: tuple[Callable[[random.Random], nw.Net], ...] = (
    lambda r: nw.GRU(r.randint(1, 5)),
    lambda r: nw.LSTM(r.randint(1, 5)),
    lambda r: nw.RNN(r.randint(1, 5)),
    lambda r: nw.Fold(core(r.randint(1, 4))),
    lambda r: nw.Fold(nw.GRUCell(r.randint(1, 4))),
    lambda r: nw.Map([nw.Linear(r.randint(1, 5)), nw.tanh]),
    lambda r: nw.Conv(r.randint(1, 4), (r.randint(1, 4),), padding="causal", dilation=r.randint(1, 2)),
    lambda r: nw.Delay(r.randint(1, 3)),
    lambda r: nw.Positions(40),
    lambda r: nw.SinePositions(),
    lambda r: nw.LayerNorm(),
    lambda r: nw.Chain(nw.Linear(3), nw.Residual([nw.GRU(4), nw.Linear(3)])),
    lambda r: nw.Chain(nw.Linear(3), nw.Repeat(2, nw.Shared("turn", nw.GRU(3)))),
    lambda r: nw.Chain(nw.Dropout(0.5), nw.softmax),
    lambda r: nw.Chain(
        nw.Linear(8), nw.self_attention(8, r.choice([1, 2, 4]), causal=True, rotary=r.choice([None, 100.0]))
    ),
    lambda r: nw.Chain(nw.Linear(8), nw.decoder_block(8, 2, memory=False)),
    lambda r: nw.Chain(nw.Linear(8), nw.llama_block(8, 4, groups=r.choice([1, 2, 4]), inner=5)),
)


def random_net(seed: int) -> nw.Net:
    r = random.Random(seed)
    chosen = [r.choice(PARTS)(r) for _ in range(r.randint(1, 5))]
    return nw.Chain(*chosen, nw.Linear(2), input=("n", D))


def pieces(step: nw.Net, x: Tensor, sizes: tuple[int, ...]) -> Tensor:
    state: dict[str, Tensor] = {}
    found: list[Tensor] = []
    for piece in x.split(list(sizes), 1):
        result = nw.apply(step, {}, {"input": piece, **state})
        result = result if isinstance(result, dict) else {"output": result}
        state = {name: result[name] for name in step.optional_names}
        found.append(result["output"])
    return torch.cat(found, 1)


@pytest.mark.parametrize("seed", range(50))
def test_step_is_full(seed: int) -> None:
    net = nw.initialize(random_net(seed), seed=seed).to(dtype=torch.float64)
    step = nw.unfold(net)
    torch.manual_seed(seed)
    x = torch.randn(2, 12, D, dtype=torch.float64)
    whole = nw.apply(net, {}, x)
    for sizes in ((1,) * 12, (5, 1, 1, 5), (12,)):
        torch.testing.assert_close(pieces(step, x, sizes), whole, rtol=0, atol=1e-10)


def test_the_step_net_is_a_net() -> None:
    net = nw.initialize(nw.Chain(nw.Embedding(4), nw.GRU(5), nw.Delay(), nw.Linear(9), input=nw.Array("n <9>")))
    step = nw.unfold(net)
    assert step.arrays.keys() == net.arrays.keys()
    names = {"netwright": netwright, **vars(nw)}  # parts that users do not write have their full name
    assert eval(repr(step), names).with_arrays(step.arrays) == step
    assert nw.summary(step)


def test_the_core_of_a_fold_comes_back() -> None:
    fold = nw.initialize(nw.Fold(core(2), input={"input": ("n", 3)}))
    step = nw.unfold(fold)
    assert (step.input_names, step.output_names) == (("input", "state"), ("output", "state"))
    assert step["body"] == fold["body"]


@pytest.mark.parametrize(
    ("net", "where", "leaf"),
    [
        (nw.Chain(nw.Conv(3, (3,), padding="same"), input=("n", D)), "conv1", "Conv(3, (3,), padding='same')"),
        (nw.Chain(nw.GRU(2), nw.Bidirectional(nw.GRU(3)), input=("n", D)), "bidirectional1/turn", "Reverse()"),
        (nw.Chain(nw.Conv(3, (2,), stride=2), input=("n", D)), "conv1", "Conv(3, (2,), stride=2)"),
        (nw.Chain(nw.Mean(0), input=("n", D)), "mean1", "Mean(0)"),
    ],
)
def test_what_looks_ahead_is_refused(net: nw.Net, where: str, leaf: str) -> None:
    with pytest.raises(NetError) as caught:
        nw.unfold(net)
    assert str(caught.value) == (
        "a net steps along n only if no part looks ahead or changes how many elements there are\n"
        f"  where:    {where}\n"
        f"  got:      {leaf}\n"
        "  mend:     a part that sees what came before only, such as nw.Conv(…, padding='causal'), nw.GRU, nw.Delay"
    )


def test_not_inside_a_map_along_another_axis() -> None:
    net = nw.Map(nw.Chain(nw.GRU(2)), input=nw.Array("n m[n] 3"))
    with pytest.raises(NetError) as caught:
        nw.unfold(net, "m")
    assert "another axis" in str(caught.value)
    assert nw.unfold(net, "n").input_names == ("input",)


def test_a_net_without_lengths() -> None:
    with pytest.raises(NetError) as caught:
        nw.unfold(nw.Chain(3, input=4))
    assert str(caught.value) == (
        "a net is unfolded along one size that varies at its inputs\n"
        "  where:    unfold\n"
        "  expected: a size with a name: input=('n', 3), or a codec of sequences\n"
        "  got:      None"
    )


@pytest.mark.parametrize(
    "part",
    [nw.Conv(4, (1, 3), padding=(0, 1)), nw.Conv(4, (1, 3), stride=(1, 2)), nw.AvgPool((1, 2)), nw.Pad((0, 0), (2, 1))],
)
def test_a_window_over_another_axis_steps_as_it_is(part: nw.Net) -> None:
    net = nw.initialize(nw.Chain(part, nw.Map([nw.Flatten(), nw.Linear(2)]), input=("n", 6, 3)))
    x = torch.randn(5, 6, 3)
    step = nw.unfold(net)
    pieces = [step(nw.batch(piece[None]))[0] for piece in x.split(1)]
    torch.testing.assert_close(torch.cat(pieces), net(x))


def test_a_slice_of_features_steps_whatever_features_it_cuts():
    net = nw.initialize(nw.Chain(nw.Linear(6), nw.Slice((2, 4)), nw.Slice((-1, None)), input=("n", 3)))
    step, x = nw.unfold(net), torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(torch.cat([step(x[:2]), step(x[2:])]), net(x))
    with pytest.raises(nw.NetError):
        nw.unfold(nw.Chain(nw.Slice((2, None), axis=-2), input=("n", 3)))
