"""Llama's family: what transformers computes from the same folder, tied or not, and the published counts."""

from pathlib import Path

import pytest
import torch

import netwright as nw
from models.pretrained.published import ACTS, SEEDS, SIZES, drawn, saved, tokens
from netwright.errors import FileError
from netwright.models.pretrained import llama
from netwright.models.pretrained.weights import Config

transformers = pytest.importorskip("transformers")


@pytest.mark.parametrize("tied", [True, False])
def test_equal_to_theirs(tied: bool, tmp_path: Path) -> None:
    config = transformers.LlamaConfig(
        vocab_size=50, num_key_value_heads=2, tie_word_embeddings=tied, rms_norm_eps=1e-5, **SIZES
    )
    theirs = transformers.LlamaForCausalLM(config)
    net = nw.pretrained(saved(theirs, tmp_path))
    for example in tokens(7, 12):
        expected = theirs(example[None]).logits[0].softmax(-1)
        torch.testing.assert_close(net(example), expected, rtol=0, atol=1e-5)


LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}


@pytest.mark.parametrize("seed", SEEDS)
def test_drawn_over_the_fields(seed: int, tmp_path: Path) -> None:
    ropes = [
        None,
        {"rope_type": "linear", "factor": 4.0, "rope_theta": 500.0},
        {**LLAMA3, "rope_theta": 10000.0, "original_max_position_embeddings": 32},
        {**LLAMA3, "rope_theta": 100.0, "factor": 2.0, "high_freq_factor": 2.0},
    ]
    fields = drawn(
        seed, hidden_size=[8, 16], num_hidden_layers=[1, 2, 3], num_attention_heads=[2, 4], head_dim=[None, 4, 8],
        num_key_value_heads=[None, 1, 2], intermediate_size=[8, 24], hidden_act=ACTS, rms_norm_eps=[1e-6, 1e-2],
        vocab_size=[50, 64], attention_bias=[True, False], mlp_bias=[True, False], tie_word_embeddings=[True, False],
        max_position_embeddings=[20, 64], pretraining_tp=[1, 2], attention_dropout=[0.0, 0.5], bos_token_id=[None, 1],
        eos_token_id=[None, 2, [2, 3]], rope_parameters=ropes,
    )  # fmt: skip
    config = transformers.LlamaConfig(**fields)
    head = bool(seed % 3)
    theirs = (transformers.LlamaForCausalLM if head else transformers.LlamaModel)(config)
    net = nw.pretrained(saved(theirs, tmp_path))
    for example in tokens(4, 40):
        said = theirs(example[None])
        expected = said.logits[0].softmax(-1) if head else said.last_hidden_state[0]
        torch.testing.assert_close(net(example), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("plain", "parameters"),
    [
        (
            {
                "hidden_size": 576, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
                "intermediate_size": 1536, "vocab_size": 49152, "tie_word_embeddings": True,
            },
            134_515_008,  # SmolLM2
        ),
        (
            {
                "hidden_size": 2048, "num_hidden_layers": 22, "num_attention_heads": 32, "num_key_value_heads": 4,
                "intermediate_size": 5632, "vocab_size": 32000,
            },
            1_100_048_384,  # TinyLlama
        ),
    ],
)  # fmt: skip
def test_the_published_counts(plain: dict[str, int], parameters: int) -> None:
    config = Config(plain, "here")
    net = llama.llama_net(config, nw.Array(f"n <{plain['vocab_size']}>"))
    assert nw.summary(net).parameters == parameters
    assert {*llama.llama_table(config)} == {*net.plan.arrays}


@pytest.mark.parametrize(
    ("rope", "name", "expected", "got"),
    [
        ({"rope_type": "yarn", "factor": 8.0}, "rope_type", "one of default, linear, llama3", "'yarn'"),
        ({"type": "dynamic", "factor": 8.0}, "type", "one of default, linear, llama3", "'dynamic'"),
        ({"rope_theta": float("inf")}, "rope_theta", "a number above 0", "inf"),
        ({"rope_type": "linear"}, "factor", "to be said", "nothing"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor", "1 or 1.0", "0.5"),
    ],
)
def test_angles_of_another_kind_are_refused(rope: dict, name: str, expected: str, got: str) -> None:
    plain = {**SIZES, "vocab_size": 50, "rope_scaling": rope}
    with pytest.raises(FileError) as caught:
        llama.llama_net(Config(plain, "config.json"), nw.Array("n <50>"))
    assert str(caught.value) == (
        f"no net follows from {name!r} in this configuration\n"
        "  where:    config.json, rope_scaling\n"
        f"  expected: {expected}\n"
        f"  got:      {got}"
    )
