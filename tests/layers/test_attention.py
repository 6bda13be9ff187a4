"""Attention: both kernels give the same, what may look nowhere gets nothing, and what it refuses."""

import copy

import pytest
import torch

import netwright as nw
from messages import message
from netwright.layers.attention import SHORT, SMALL, Attention, by_hand, fused, longer, weighed


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_the_kernels_agree(groups: int, causal: bool, masked: bool):
    torch.manual_seed(0)
    q = torch.randn(3, 4, 6, 5, dtype=torch.float64, requires_grad=True)
    k = torch.randn(3, groups, 6, 5, dtype=torch.float64, requires_grad=True)
    v = torch.randn(3, groups, 6, 7, dtype=torch.float64, requires_grad=True)
    allowed = (torch.rand(3, 1, 6, 6) < 0.5) | torch.eye(6, dtype=torch.bool) if masked and not causal else None
    dy = torch.randn(3, 4, 6, 7, dtype=torch.float64)
    found: list[list[torch.Tensor]] = []
    for kernel in (fused, weighed):
        y, scores = kernel(q, k, v, allowed, causal, None)
        found.append([y, *torch.autograd.grad(y, (q, k, v), dy)])
        if scores is not None:
            torch.testing.assert_close(scores.sum(-1), torch.ones(3, 4, 6, dtype=torch.float64))
            torch.testing.assert_close(scores @ v.repeat_interleave(4 // groups, 1), y)
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


@pytest.mark.parametrize("wanted", ["output", "scores"])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("masked", [False, True])
def test_one_query_is_asked_as_many_are(groups: int, masked: bool, wanted: str):
    attention = Attention(heads=4, groups=groups)
    query, key, value = torch.randn(3, 5, 8), torch.randn(3, 6, groups * 2), torch.randn(3, 6, groups * 3)
    mask = torch.rand(3, 5, 6) < 0.4 if masked else None
    lengths = None if masked else {"n": torch.tensor([6, 2, 1])}
    ask = {"wanted": {wanted}, **({} if lengths is None else {"lengths": lengths})}
    at = ("output", "scores").index(wanted)
    whole = attention.forward({}, query, key, value, mask, **ask)[at]
    for i in range(5):
        own = None if mask is None else mask[:, i : i + 1]
        one = attention.forward({}, query[:, i : i + 1], key, value, own, **ask)[at]
        torch.testing.assert_close(one, whole[:, i : i + 1] if wanted == "output" else whole[:, :, i : i + 1])


@pytest.mark.parametrize("wanted", ["output", "scores"])
def test_a_query_that_may_look_nowhere_gets_nothing(wanted: str):
    net = nw.Attention(2)
    x = torch.randn(2, 3, 4, requires_grad=True)
    mask = torch.tensor([[[1.0, 1, 0], [0, 0, 0], [1, 0, 1]]]).expand(2, 3, 3)
    y, scores = net.forward({}, x, x, x, mask, wanted={"output", wanted})
    y.sum().backward()
    assert not y[:, 1].any()
    assert y[:, 0].abs().min() > 0
    assert x.grad is not None and x.grad.isfinite().all()
    if wanted == "scores":
        assert scores is not None
        assert not scores[:, :, 1].any()
        assert not scores[:, :, 0, 2].any()


def test_scores_are_an_output():
    net = nw.Graph(nw.Attention(2, causal=True)(x := nw.Input("x", ("n", 4)), x, x)["scores"])
    scores = net(torch.randn(1, 5, 4))
    assert scores.shape == (1, 2, 5, 5)
    assert not scores.triu(1).any()
    assert str(net.plan.outputs["scores"]) == "(2, n, n)"


@pytest.mark.parametrize("n", [7, SHORT + 1])
def test_gradients_in_half_precision(n: int):
    torch.manual_seed(0)
    x = torch.randn(2, n, 8, requires_grad=True)
    exact, _ = nw.Attention(2, causal=True).forward({}, x, x, x)
    (wanted,) = torch.autograd.grad(exact, x, torch.ones_like(exact))
    half = x.detach().bfloat16().requires_grad_()
    y, _ = nw.Attention(2, causal=True).forward({}, half, half, half)
    (found,) = torch.autograd.grad(y, half, torch.ones_like(y))
    heads = half[:, None]  # (b, h, n, d)
    assert by_hand(heads, heads, heads) == (n <= SHORT)
    assert not by_hand(heads.float().detach(), heads.detach(), heads.detach())
    assert ((found.float() - wanted).norm() / wanted.norm()).item() < 0.02


def test_a_step_gives_its_scores_where_they_are_read():
    x = nw.Input("x", ("n", 4))
    attended = nw.Attention(2, causal=True)(x, x, x)
    step = nw.unfold(nw.Graph({"output": attended["output"], "scores": attended["scores"]}))
    found = nw.apply(step, {}, {"x": torch.randn(1, 3, 4)})
    assert found["scores"].shape == (1, 2, 3, 3)
    later = nw.apply(step, {}, {"x": torch.randn(1, 1, 4)} | {name: found[name] for name in step.optional_names})
    assert later["scores"].shape == (1, 2, 1, 4)
    torch.testing.assert_close(later["scores"].sum(-1), torch.ones(1, 2, 1))


def test_a_step_has_no_mask():
    leaf, x = Attention(causal=True), torch.zeros(1, 2, 3)
    assert message(lambda: leaf.step({}, None, x, x, x, torch.ones(1, 2, 2), None)) == (
        "a mask is for a whole sequence, not for pieces of one\n"
        "  where:    Attention\n"
        "  expected: no mask, since it has a number for each pair of positions, and a piece has only some\n"
        "  mend:     nw.Attention(causal=True) without a mask"
    )


def test_a_step_has_no_bias():
    leaf, x = Attention(causal=True), torch.zeros(1, 2, 3)
    assert message(lambda: leaf.step({}, None, x, x, x, None, torch.ones(1, 2, 2))) == (
        "a bias is for a whole sequence, not for pieces of one\n"
        "  where:    Attention\n"
        "  expected: no bias, since it has a number for each pair of positions, and a piece has only some\n"
        "  mend:     nw.Attention(causal=True) without a bias"
    )


@pytest.mark.parametrize("wanted", ["output", "scores"])
@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("padded", [False, True])
def test_a_bias_is_torchs_mask_of_numbers(padded: bool, groups: int, wanted: str):
    draw = torch.Generator().manual_seed(0)
    query, key, value, bias = (
        torch.randn(2, *sizes, generator=draw, dtype=torch.float64, requires_grad=True)
        for sizes in ((5, 8), (6, groups * 2), (6, groups * 3), (4, 5, 6))
    )
    lengths = {"lengths": {"n": torch.tensor([6, 4])}} if padded else {}
    y, scores = nw.Attention(4, groups).forward({}, query, key, value, bias=bias, wanted={"output", wanted}, **lengths)
    added = bias
    if padded:
        added = bias.masked_fill(torch.arange(6) >= torch.tensor([6, 4])[:, None, None, None], -torch.inf)
    q, k, v = (x.unflatten(-1, (c, -1)).movedim(2, 1) for x, c in ((query, 4), (key, groups), (value, groups)))
    k, v = (x.repeat_interleave(4 // groups, 1) for x in (k, v))
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=added).movedim(1, 2).flatten(2)
    torch.testing.assert_close(y, expected)
    for found, own in zip(
        torch.autograd.grad(y.sin().sum(), (query, bias), retain_graph=True),
        torch.autograd.grad(expected.sin().sum(), (query, bias)),
        strict=True,
    ):
        torch.testing.assert_close(found, own)
    if scores is not None:
        torch.testing.assert_close(scores, (q @ k.mT / 2**0.5 + added).softmax(-1))
    one, _ = nw.Attention(4, groups).forward({}, query[:, 2:3], key, value, bias=bias[..., 2:3, :], **lengths)
    torch.testing.assert_close(one, y[:, 2:3])


def test_a_causal_bias_shows_nothing_later():
    x = torch.randn(1, 5, 4, dtype=torch.float64)
    bias = torch.randn(1, 2, 5, 5, dtype=torch.float64)
    attention = nw.Attention(2, causal=True)
    y, _ = attention.forward({}, x, x, x, bias=bias)
    changed = torch.cat([x[:, :3], -x[:, 3:]], 1)
    z, _ = attention.forward({}, changed, changed, changed, bias=bias)
    torch.testing.assert_close(y[:, :3], z[:, :3])


def test_a_bias_is_for_each_head():
    x, bias = nw.Input("x", ("n", 6)), nw.Input("bias", (3, "n", "n"))
    assert nw.Graph(nw.Attention(3)(x, x, x, bias=bias)["output"]).input_names == ("x", "bias")
    text = message(lambda: nw.Graph(nw.Attention(2)(x, x, x, bias=bias)["output"]))
    assert text.splitlines()[:3] == [
        "the inputs of attention1 disagree in size",
        "  where:    bias -> attention1",
        "  expected: (2, n, n)   x -> attention1 is (n, 6)",
    ]


def test_what_it_refuses():
    assert message(lambda: Attention(0)) == (
        "the number of heads is a whole number of at least 1\n  where:    Attention\n  got:      0"
    )
    assert message(lambda: Attention(4, 3)) == (
        "every group of keys and values serves as many heads as every other\n"
        "  where:    Attention\n"
        "  expected: groups that divide 4 heads\n"
        "  got:      groups=3"
    )
    assert message(lambda: Attention(scale=0)) == (
        "the scale of scores is a number above 0\n  where:    Attention\n  got:      0"
    )


def test_heads_divide_the_features():
    x = nw.Input("x", ("n", 6))
    assert message(lambda: nw.Graph(nw.Attention(4)(x, x, x))).splitlines()[:5] == [
        "the inputs of attention1 disagree in size",
        "  where:    x -> attention1",
        "  expected: (m, 4*d)   x -> attention1 is (n, 6)",
        "  got:      (n, 6)     the n comes from the input x: Array('n 6')",
        "  mend:     input 'x': ('n', 8)                  (checked: 0 parameters)",
    ]


def test_sizes_follow_backwards():
    x, source = nw.Input("x", ("n", 8)), nw.Input("source", ("m", 6))
    net = nw.Graph(nw.Attention(2)(nw.Linear()(x), source, source))
    assert net.plan.arrays["linear1/weight"].known == (6, 8)
    assert str(net.plan.outputs["output"]) == "(n, 6)"


@pytest.mark.parametrize("width", [3, SMALL])
def test_what_is_kept_grows_in_place_and_stays_a_value(width: int):
    draw = torch.Generator().manual_seed(0)
    kept, one, other = (torch.rand(2, n, width, generator=draw) for n in (4, 1, 2))
    with torch.no_grad():
        first = longer(kept, one)
        assert torch.equal(first, torch.cat([kept, one], 1))
        second = longer(first, other)
        assert (second.data_ptr() == first.data_ptr()) == (width == SMALL)  # nothing was copied
        assert torch.equal(second, torch.cat([kept, one, other], 1))
        again = longer(first, one)  # another way on from the same place
        assert again.data_ptr() != first.data_ptr()
        assert torch.equal(again, torch.cat([kept, one, one], 1))
        assert torch.equal(second, torch.cat([kept, one, other], 1))
        assert torch.equal(first, torch.cat([kept, one], 1))
        copied = copy.deepcopy(second)
        for _ in range(7):
            second = longer(second, one)
        assert torch.equal(copied, torch.cat([kept, one, other], 1))
        assert torch.equal(second, torch.cat([kept, one, other, *[one] * 7], 1))
    with torch.inference_mode():
        third = longer(first, one)
    assert torch.equal(longer(third, one.requires_grad_()), torch.cat([kept, *[one] * 3], 1))
    with torch.no_grad():
        assert torch.equal(longer(third, one), torch.cat([kept, *[one] * 3], 1))
