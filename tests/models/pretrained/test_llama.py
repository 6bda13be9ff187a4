"""Llama's family: what transformers computes from the same folder, tied or not, and the published counts."""

from pathlib import Path

import pytest
import torch

import netwright as nw
from models.pretrained.published import SIZES, saved, tokens
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
    net = nw.model(saved(theirs, tmp_path))
    for example in tokens(7, 12):
        expected = theirs(example[None]).logits[0].softmax(-1)
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
    net = llama.net(config, nw.Array(f"n <{plain['vocab_size']}>"))
    assert nw.summary(net).parameters == parameters
    assert {*llama.table(config)} == {*net.plan.arrays}


def test_angles_of_another_kind_are_refused() -> None:
    plain = {
        "hidden_size": 16, "num_attention_heads": 4, "rope_scaling": {"rope_type": "llama3", "factor": 8.0},
    }  # fmt: skip
    with pytest.raises(FileError) as caught:
        llama.net(Config({**plain, "num_hidden_layers": 1, "intermediate_size": 8}, "config.json"), None)
    assert str(caught.value) == (
        "no net follows from 'rope_type' in this configuration\n"
        "  where:    config.json\n"
        "  expected: 'default'\n"
        "  got:      'llama3'"
    )
