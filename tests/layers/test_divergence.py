"""The divergence of Kullback and Leibler beyond the table: what it has to do with cross entropy and softmax."""

import torch

import netwright as nw


def test_divergence_is_cross_entropy_less_its_least() -> None:
    draw = torch.Generator().manual_seed(2)
    p, t = (torch.rand(3, 4, generator=draw, dtype=torch.float64).softmax(-1) for _ in range(2))
    least = -(t * t.log()).sum(-1)
    torch.testing.assert_close(
        nw.KLDivergence().forward({}, p, t), nw.CrossEntropy("probabilities").forward({}, p, t) - least
    )
    zero = torch.eye(4, dtype=torch.float64)[:3]
    torch.testing.assert_close(
        nw.KLDivergence().forward({}, p, zero), nw.CrossEntropy("probabilities").forward({}, p, zero)
    )


def test_divergence_is_merged_with_softmax() -> None:
    x, target = nw.Input("x", 2), nw.Input("target", 2)
    net = nw.Graph(nw.KLDivergence()(nw.softmax(x), target))
    assert float(net({"x": nw.batch([[400.0, 0.0]]), "target": nw.batch([[0.0, 1.0]])})) == 400.0
