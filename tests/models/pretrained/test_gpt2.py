"""GPT-2's family: what transformers computes from the same folder, its greedy texts, and the published count."""

from pathlib import Path

import pytest
import torch

import netwright as nw
from models.pretrained.published import ACTS, SEEDS, drawn, saved, tokens
from netwright.errors import FileError
from netwright.models.pretrained import gpt2
from netwright.models.pretrained.weights import Config

transformers = pytest.importorskip("transformers")


def test_equal_to_theirs(tmp_path: Path) -> None:
    config = transformers.GPT2Config(vocab_size=50, n_positions=20, n_embd=16, n_layer=2, n_head=4)
    theirs = transformers.GPT2LMHeadModel(config)
    net = nw.pretrained(saved(theirs, tmp_path))
    for example in tokens(7, 12):
        expected = theirs(example[None]).logits[0].softmax(-1)
        torch.testing.assert_close(net(example), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_drawn_over_the_fields(seed: int, tmp_path: Path) -> None:
    fields = drawn(
        seed, n_embd=[8, 16], n_layer=[1, 2, 3], n_head=[1, 2, 4], n_inner=[None, 8, 24], n_positions=[12, 20],
        activation_function=ACTS, layer_norm_epsilon=[1e-5, 1e-2], vocab_size=[50, 64],
        scale_attn_weights=[True, False], tie_word_embeddings=[True, False],
        reorder_and_upcast_attn=[True, False], attn_pdrop=[0.0, 0.5],
        bos_token_id=[None, 49], eos_token_id=[None, 49],
    )  # fmt: skip
    config = transformers.GPT2Config(**fields)
    head = bool(seed % 2)
    theirs = (transformers.GPT2LMHeadModel if head else transformers.GPT2Model)(config)
    net = nw.pretrained(saved(theirs, tmp_path))
    for example in tokens(4, 12):
        said = theirs(example[None])
        expected = said.logits[0].softmax(-1) if head else said.last_hidden_state[0]
        torch.testing.assert_close(net(example), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("field", ["scale_attn_by_inverse_layer_idx", "add_cross_attention", "is_encoder_decoder"])
def test_what_no_net_of_ours_does(field: str) -> None:
    plain = {"n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 8, "vocab_size": 50, field: True}
    with pytest.raises(FileError) as caught:
        gpt2.gpt2_net(Config(plain, "config.json"), nw.Array("n <50>"))
    assert str(caught.value) == (
        f"no net follows from {field!r} in this configuration\n"
        "  where:    config.json\n"
        "  expected: False\n"
        "  got:      True"
    )


def test_the_published_count() -> None:
    config = Config({"n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024, "vocab_size": 50257}, "here")
    net = gpt2.gpt2_net(config, nw.Array("n <50257>"))
    assert nw.summary(net).parameters == 124_439_808
    assert {*gpt2.gpt2_table(config)} == {*net.plan.arrays}
