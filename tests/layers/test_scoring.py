"""Attention by a net: with scores of products it is `Attention`; additive and bilinear ones; opened like any part."""

import torch

import netwright as nw

QUERY, KEY = nw.Input("query"), nw.Input("key")


def started(net: nw.Net) -> nw.Net:
    return nw.initialize(net, seed=0).to(dtype=torch.float64)


def test_products_make_it_dot_attention():
    d = 4
    score = nw.Graph(nw.Sum(-1)(QUERY * KEY) * 0.5)
    by_net = nw.ScoredAttention(score, input={"query": ("m", d), "key": ("n", d), "value": ("n", 3)})
    layer = nw.Attention().with_input({"query": ("m", d), "key": ("n", d), "value": ("n", 3)})
    torch.manual_seed(0)
    x = {
        "query": torch.randn(2, 5, d).double(), "key": torch.randn(2, 7, d).double(),
        "value": torch.randn(2, 7, 3).double(),
    }  # fmt: skip
    lengths = {"m": torch.tensor([5, 3]), "n": torch.tensor([4, 7])}
    one, other = (nw.apply(net, {}, x, lengths=lengths) for net in (by_net, layer))
    torch.testing.assert_close(one["output"][0], other["output"][0], rtol=0, atol=1e-12)
    torch.testing.assert_close(one["output"][1, :3], other["output"][1, :3], rtol=0, atol=1e-12)
    torch.testing.assert_close(one["scores"][0, :, :4], other["scores"][0, 0, :, :4], rtol=0, atol=1e-12)


def test_additive_and_bilinear():
    x, memory = nw.Input("x", ("m", 4)), nw.Input("memory", ("n", 3))
    additive = nw.ScoredAttention(nw.Graph(nw.Slice(0)(nw.Linear(1, bias=False)(nw.tanh(QUERY + KEY)))))
    net = started(nw.Graph(additive(nw.Linear(6, bias=False)(x), nw.Linear(6, bias=False)(memory), memory)["output"]))
    q, k = torch.randn(2, 5, 4).double(), torch.randn(2, 7, 3).double()
    w = net.arrays
    hidden = (q @ w["linear1/weight"].T)[:, :, None] + (k @ w["linear2/weight"].T)[:, None]
    scores = (hidden.tanh() @ w["scoredattention1/score/linear1/weight"].T)[..., 0]
    torch.testing.assert_close(nw.apply(net, {}, {"x": q, "memory": k}), scores.softmax(-1) @ k)

    bilinear = nw.ScoredAttention(nw.Graph(nw.Sum(-1)(QUERY * KEY)))
    net = started(nw.Graph(bilinear(nw.Linear(3, bias=False)(x), memory, memory)["output"]))
    scores = q @ net.arrays["linear1/weight"].T @ k.mT
    torch.testing.assert_close(nw.apply(net, {}, {"x": q, "memory": k}), scores.softmax(-1) @ k)


def test_it_is_opened_and_written_like_any_part():
    net = nw.ScoredAttention(nw.Graph(nw.Slice(0)(nw.Linear(1)(nw.tanh(QUERY + KEY)))))
    assert eval(repr(net), dict(vars(nw))) == net
    assert net.replace("score/tanh1", nw.relu)["score/tanh1"] == nw.relu
    assert [path for path in net.paths if "/" not in path] == ["pair", "score", "weigh"]
