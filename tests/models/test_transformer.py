"""Blocks of transformers: torch's own with the same arrays, and only those that say so are causal."""

from typing import Any

import pytest
import torch
from torch import nn

import netwright as nw
from messages import message

BLOCKS = {
    "encoder": nw.encoder_block(16, 4, dropout=0),
    "decoder": nw.decoder_block(16, 4, memory=False, dropout=0),
    "llama": nw.llama_block(16, 4, groups=2, inner=24),
}


def started(net: Any) -> Any:
    return nw.initialize(net, seed=0).to(dtype=torch.float64)


def packed(w: dict[str, torch.Tensor], path: str, suffix: str) -> torch.Tensor:
    return torch.cat([w[f"{path}/{name}/{suffix}"] for name in ("query", "key", "value")])


def torch_attention(w: dict[str, torch.Tensor], path: str, to: str) -> dict[str, torch.Tensor]:
    return {
        f"{to}.in_proj_weight": packed(w, path, "weight"),
        f"{to}.in_proj_bias": packed(w, path, "bias"),
        f"{to}.out_proj.weight": w[f"{path}/projection/weight"],
        f"{to}.out_proj.bias": w[f"{path}/projection/bias"],
    }


def both(w: dict[str, torch.Tensor], path: str, to: str) -> dict[str, torch.Tensor]:
    return {f"{to}.{name}": w[f"{path}/{name}"] for name in ("weight", "bias")}


def feed_forward(w: dict[str, torch.Tensor], norm: str) -> dict[str, torch.Tensor]:
    at = "feed_forward/body"
    return both(w, f"{at}/layernorm1", norm) | both(w, f"{at}/linear1", "linear1") | both(w, f"{at}/linear2", "linear2")


def test_the_encoder_s_is_torch_s():
    net = started(nw.Chain(nw.encoder_block(16, 4, inner=20, dropout=0), input=("n", 16)))
    w = {path.removeprefix("chain1/"): array for path, array in net.arrays.items()}
    theirs = nn.TransformerEncoderLayer(16, 4, 20, 0.0, "gelu", batch_first=True, norm_first=True).double()
    theirs.load_state_dict(
        torch_attention(w, "attention/body/graph1", "self_attn")
        | both(w, "attention/body/layernorm1", "norm1")
        | feed_forward(w, "norm2")
    )
    x = torch.randn(3, 5, 16, dtype=torch.float64)
    torch.testing.assert_close(nw.apply(net, {}, x), theirs(x), rtol=0, atol=1e-10)


def test_the_decoder_s_is_torch_s():
    net = started(
        nw.decoder_block(16, 4, memory=True, inner=20, dropout=0).with_input({"input": ("m", 16), "memory": ("n", 16)})
    )
    w = dict(net.arrays)
    theirs = nn.TransformerDecoderLayer(16, 4, 20, 0.0, "gelu", batch_first=True, norm_first=True).double()
    theirs.load_state_dict(
        torch_attention(w, "attention/body/graph1", "self_attn")
        | both(w, "attention/body/layernorm1", "norm1")
        | torch_attention(w, "cross", "multihead_attn")
        | both(w, "norm", "norm2")
        | feed_forward(w, "norm3")
    )
    x, memory = torch.randn(3, 5, 16, dtype=torch.float64), torch.randn(3, 7, 16, dtype=torch.float64)
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64)
    expected = theirs(x, memory, tgt_mask=mask, tgt_is_causal=True)
    torch.testing.assert_close(nw.apply(net, {}, {"input": x, "memory": memory}), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", BLOCKS)
def test_which_are_causal(name: str):
    net = nw.Chain(nw.Embedding(16), BLOCKS[name], nw.Linear(), nw.softmax, input=nw.Characters("abc"))
    texts = ["abcabc", "cabba", "bbbca"] * 4
    if name == "encoder":
        with pytest.raises(nw.TrainingError, match="attention"):
            nw.train(net, texts, objective=nw.NextElement(), epochs=1, progress=False)
    else:
        run = nw.train(net, texts, objective=nw.NextElement(), epochs=1, progress=False)
        assert nw.generate(run.net, "a", max_elements=5).value.startswith("a")


def test_a_gated_unit():
    net = started(nw.Chain(nw.gated(8, nw.silu), input=3))
    x = torch.randn(4, 3, dtype=torch.float64)
    gate, value = (net.arrays[f"graph1/{name}/weight"] for name in ("gate/linear1", "value"))
    torch.testing.assert_close(nw.apply(net, {}, x), torch.nn.functional.silu(x @ gate.T) * (x @ value.T))


def test_a_llama_s_block_shares_keys():
    net = nw.Chain(nw.llama_block(16, 4, groups=2, inner=24), input=("n", 16))
    assert net.plan.arrays["chain1/attention/body/graph1/key/weight"].known == (8, 16)


def test_arguments_that_others_name_so() -> None:
    assert message(lambda: nw.self_attention(num_heads=8)) == (  # pyright: ignore[reportCallIssue]
        "self_attention takes no 'num_heads'\n"
        "  where:    self_attention\n"
        "  expected: self_attention(width, heads, groups=…, causal=…, rotary=…, bias=…)\n"
        "  got:      num_heads=8\n"
        "  mend:     nw.self_attention(heads=…)"
    )
