"""What is done for every element of an axis: alone, padded and uncut it is the same, and equal to torch's loops."""

from collections.abc import Mapping, Sequence

import pytest
import torch
from torch import Tensor

import netwright as nw

N, M, D = 5, 4, 3


def core(out: int = 2) -> nw.Net:
    return nw.Graph(
        join=(nw.Concatenate(), "input", "state"), linear=(nw.Linear(out), "join"), tanh=(nw.tanh, "linear"),
        input={"input": None, "state": None},
    )  # fmt: skip


class Norm(nw.Container):
    """Batch norm between two layers: its statistics see rows."""

    def flow(self, call, x):
        return call("out", nw.Linear(2), call("norm", nw.BatchNorm(), call("in", nw.Linear(4), x)))

    def children(self):
        return {}


SENTENCES = {
    "mean": nw.Map([nw.Linear(4), nw.tanh, nw.Mean(0)], input=nw.Array(f"n m[n] {D}")),
    "map in map": nw.Map(nw.Map([nw.Linear(4), nw.tanh]), input=nw.Array(f"n m[n] {D}")),
    "fold in map": nw.Map(nw.Chain(nw.Fold(core())), input=nw.Array(f"n m[n] {D}")),
    "fold of a GRU cell in map": nw.Map(nw.Chain(nw.Fold(nw.GRUCell(2))), input=nw.Array(f"n m[n] {D}")),
    "fold over map": nw.Chain(
        nw.Map([nw.Linear(4), nw.tanh, nw.Mean(0)]), nw.Fold(core()), input=nw.Array(f"n m[n] {D}")
    ),
    "log": nw.Map([nw.Linear(4), nw.square, nw.log, nw.Max(0)], input=nw.Array(f"n m[n] {D}")),
}
SEQUENCES = {
    "map": nw.Map([nw.Linear(4), nw.tanh], input=("n", D)),
    "fold": nw.Fold(core(), input={"input": ("n", D)}),
    "fold with work before and after": nw.Chain(
        nw.Fold(
            nw.Graph(
                wide=(nw.Linear(6), "input"), join=(nw.Concatenate(), "wide", "state"), linear=(nw.Linear(2), "join"),
                next=(nw.tanh, "linear"), head=(nw.Linear(5), "next"), sin=(nw.sin, "head"),
                input={"input": None, "state": None}, outputs={"output": "sin", "next": "next"},
            ),
            carry={"next": "state"},
        ),
        input=("n", D),
    ),
    "fold of a GRU cell": nw.Fold(nw.GRUCell(2), input={"input": ("n", D)}),
    "fold of an LSTM cell": nw.Fold(nw.LSTMCell(2), input={"input": ("n", D)}),
    "fold of an RNN cell": nw.Fold(nw.RNNCell(2, activation="relu"), input={"input": ("n", D)}),
    "dropout": nw.Chain(nw.Map([nw.Linear(4), nw.Dropout(0.3)]), nw.Fold(core()), nw.Dropout(0.3), input=("n", D)),
}  # fmt: skip


def double(net: nw.Net) -> nw.Net:
    return nw.initialize(net, seed=1).to(dtype=torch.float64)


def gradients(
    net: nw.Net, x: Tensor, lengths: Mapping[str, Tensor] | None, cut: Sequence[Tensor], weights: Sequence[Tensor]
) -> tuple[Tensor, dict[str, Tensor], Tensor]:
    """The first output, and the gradients of a weighted sum over what is real in it."""
    arrays = {path: a.clone().requires_grad_() for path, a in net.arrays.items()}
    x = x.clone().requires_grad_()
    result = nw.apply(net, arrays, {net.input_names[0]: x}, lengths=lengths, training=True)
    y = result[net.output_names[0]] if isinstance(result, dict) else result
    total = sum((row[tuple(map(slice, w.shape))] * w).sum() for row, w in zip(y, weights, strict=True))
    total.backward()
    return y.detach(), {path: a.grad for path, a in arrays.items()}, x.grad


@pytest.mark.parametrize("fill", ["last", 1e4, -1e4])
@pytest.mark.parametrize("name", SEQUENCES)
def test_a_sequence_alone_is_as_it_is_padded(name: str, fill: float | str) -> None:
    net = double(SEQUENCES[name])
    torch.manual_seed(0)
    rows = [torch.rand(n, D, dtype=torch.float64) + 0.1 for n in (2, N, 1)]
    lengths = torch.tensor([len(row) for row in rows])
    padded = torch.stack([fill_up(row, N, fill) for row in rows])
    compare(net, rows, padded, {"n": lengths})


@pytest.mark.parametrize("fill", ["last", 1e4])
@pytest.mark.parametrize("name", SENTENCES)
def test_a_document_alone_is_as_it_is_padded(name: str, fill: float | str) -> None:
    net = double(SENTENCES[name])
    torch.manual_seed(0)
    documents = [[torch.rand(m, D, dtype=torch.float64) + 0.1 for m in sizes] for sizes in ((2, M, 1), (3,), (1, 1))]
    most = max(map(len, documents))
    inner = torch.tensor([[len(s) for s in d] + [len(d[-1])] * (most - len(d)) for d in documents])
    padded = torch.stack([fill_up(torch.stack([fill_up(s, M, fill) for s in d]), most, fill) for d in documents])
    for document, row, lengths in zip(documents, padded, inner, strict=True):
        n, m = len(document), int(lengths[: len(document)].max())
        alone = nw.apply(net, {}, row[:n, :m].unsqueeze(0), lengths={"m": lengths[:n].unsqueeze(0)})
        together = nw.apply(net, {}, padded, lengths={"n": torch.tensor([len(d) for d in documents]), "m": inner})
        alone, together = (first(net, y) for y in (alone, together))
        mine = together[next(i for i, d in enumerate(documents) if d is document)]
        if name in ("map in map", "fold in map", "fold of a GRU cell in map"):  # every sentence ends by itself
            for i, sentence in enumerate(document):
                torch.testing.assert_close(mine[i, : len(sentence)], alone[0, i, : len(sentence)], rtol=0, atol=1e-12)
        else:
            torch.testing.assert_close(mine[:n], alone[0], rtol=0, atol=1e-12)


def first(net: nw.Net, y: object) -> Tensor:
    return y[net.output_names[0]] if isinstance(y, dict) else y


def fill_up(row: Tensor, size: int, fill: float | str) -> Tensor:
    rest = row[-1:] if fill == "last" else torch.full_like(row[-1:], float(fill))
    return torch.cat([row, rest.expand(size - len(row), *row.shape[1:])])


def compare(net: nw.Net, rows: Sequence[Tensor], padded: Tensor, lengths: Mapping[str, Tensor]) -> None:
    shapes = [first(net, nw.apply(net, {}, {net.input_names[0]: row[None]}))[0].shape for row in rows]
    weights = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    y, grads, dx = gradients(net, padded, lengths, rows, weights)
    assert not any(g.isnan().any() for g in grads.values())
    summed = {path: torch.zeros_like(g) for path, g in grads.items()}
    for i, (row, w) in enumerate(zip(rows, weights, strict=True)):
        alone, own, dx_own = one(net, row, w, i, len(rows))
        torch.testing.assert_close(y[i][tuple(map(slice, alone.shape))], alone, rtol=0, atol=1e-10)
        torch.testing.assert_close(dx[i, : len(row)], dx_own, rtol=0, atol=1e-10)
        for path in summed:
            summed[path] += own[path]
    for path in summed:
        torch.testing.assert_close(grads[path], summed[path], rtol=1e-10, atol=1e-10)


def one(net: nw.Net, row: Tensor, w: Tensor, i: int, count: int) -> tuple[Tensor, dict[str, Tensor], Tensor]:
    """An example alone, drawing the noise of its own number."""
    batch = row.expand(count, *row.shape)
    zero = [torch.zeros_like(w)] * count
    zero[i] = w
    y, grads, dx = gradients(net, batch, None, [row] * count, zero)
    return y[i], grads, dx[i]


def test_a_fold_of_the_core_is_torch_s_rnn() -> None:
    net = double(nw.Fold(core(), input={"input": ("n", D)}))
    rnn = torch.nn.RNN(D, 2, batch_first=True).double()
    w, b = net.arrays["body/linear/weight"], net.arrays["body/linear/bias"]
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(w[:, :D])
        rnn.weight_hh_l0.copy_(w[:, D:])
        rnn.bias_ih_l0.copy_(b)
        rnn.bias_hh_l0.zero_()
    x = torch.randn(2, N, D, dtype=torch.float64)
    y, last = rnn(x)
    ours = nw.apply(net, {}, {"input": x})
    torch.testing.assert_close(ours["output"], y, rtol=0, atol=1e-12)
    torch.testing.assert_close(ours["state"], last[0], rtol=0, atol=1e-12)
    start = torch.randn(2, 2, dtype=torch.float64)
    y, last = rnn(x, start[None])
    ours = nw.apply(net, {}, {"input": x, "state": start})
    torch.testing.assert_close(ours["output"], y, rtol=0, atol=1e-12)
    with_end = nw.apply(net, {}, {"input": x}, lengths={"n": torch.tensor([2, N])})
    torch.testing.assert_close(with_end["state"][0], nw.apply(net, {}, {"input": x[:1, :2]})["state"][0])


def test_inner_values_have_the_axis_in_front() -> None:
    net = nw.initialize(SEQUENCES["fold with work before and after"])
    x = torch.randn(N, D)
    found = net(x, at=["fold1/body/wide", "fold1/body/head"])
    assert {path: tuple(value.shape) for path, value in found.items()} == {
        "fold1/body/wide": (N, 6),
        "fold1/body/head": (N, 5),
    }
    lists = net([x, x[:2]], at="fold1/body/wide")
    assert [tuple(value.shape) for value in lists] == [(N, 6), (2, 6)]


@pytest.mark.parametrize("scale", [None, 2.0])
def test_a_state_that_remembers_the_element_alone(scale: float | None) -> None:
    def step(x: nw.Input, state: nw.Input) -> dict[str, nw.Input]:
        return {"output": x + state, "state": x if scale is None else x * scale}

    net = nw.Fold(nw.program(step, input={"x": D, "state": D}))
    x = torch.randn(2, N, D)
    before = torch.cat([torch.zeros(2, 1, D), x[:, :-1]], 1) * (scale or 1)
    found = nw.apply(net, {}, {"x": x}, lengths={"n": torch.tensor([2, N])})
    torch.testing.assert_close(found["output"][1], x[1] + before[1])
    torch.testing.assert_close(found["output"][0, :2], (x + before)[0, :2])
    torch.testing.assert_close(found["state"], torch.stack([x[0, 1], x[1, -1]]) * (scale or 1))


def steps_of(state: str) -> nw.Net:
    """A fold whose next state is no function of an element: a constant, an array, a value held whole, another state."""
    x, before, other = nw.Input("x", D), nw.Input("state", D), nw.Input("other", D)
    given = nw.Constant([float(i) for i in range(D)])()
    after = {
        "constant": given,
        "sum of constants": given + given,
        "learned": nw.Parameter(D)(),
        "whole": nw.Input("w", D),
        "itself": before,
        "another": other,
    }[state]
    out = {"output": x + before, "state": after}
    return nw.Fold(
        nw.Graph({**out, "other": before} if state == "another" else out), whole=("w",) if state == "whole" else ()
    )


@pytest.mark.parametrize("state", ["constant", "sum of constants", "learned", "whole", "itself", "another"])
def test_a_next_state_that_no_element_is_read_for(state: str) -> None:
    net = nw.initialize(steps_of(state), seed=2)
    x, start, w = torch.randn(2, N, D), torch.randn(2, D), torch.randn(2, D)
    numbers = torch.arange(float(D))
    same = {"constant": numbers, "sum of constants": 2 * numbers, "itself": start, "whole": w}
    if state == "learned":
        same["learned"] = net.arrays["body/parameter1/value"]
    given = {"x": x, "state": start, **({"w": w} if state == "whole" else {})}
    if state == "another":
        given["other"] = w
        states = torch.stack([start if t % 2 == 0 else w for t in range(N + 1)], 1)  # (2, n + 1, d)
    else:
        states = torch.stack([start, *[same[state].expand(2, D)] * N], 1)
    found = nw.apply(net, {}, given, lengths={"n": torch.tensor([2, N])})
    torch.testing.assert_close(found["output"][1], x[1] + states[1, :-1])
    torch.testing.assert_close(found["output"][0, :2], (x[0] + states[0, :-1])[:2])
    torch.testing.assert_close(found["state"], torch.stack([states[0, 2], states[1, N]]))
