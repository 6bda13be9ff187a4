"""BERT's family: what transformers computes from the same folder, padded or not, and the published counts."""

from pathlib import Path

import pytest
import torch

import netwright as nw
from models.pretrained.published import SIZES, saved, tokens
from netwright.models.pretrained import bert
from netwright.models.pretrained.weights import Config

transformers = pytest.importorskip("transformers")


@pytest.mark.parametrize("task", ["BertModel", "BertForMaskedLM"])
def test_equal_to_theirs(task: str, tmp_path: Path) -> None:
    config = transformers.BertConfig(vocab_size=50, max_position_embeddings=20, **SIZES)
    theirs = getattr(transformers, task)(config) if task != "BertModel" else transformers.BertModel(config)
    if task != "BertModel":
        theirs.bert.pooler = transformers.BertModel(config).pooler
    net = nw.model(saved(theirs, tmp_path))
    plain = theirs if task == "BertModel" else theirs.bert
    examples = tokens(7, 12)
    found = net(examples)
    for row, example in enumerate(examples):
        expected = plain(example[None])
        torch.testing.assert_close(found["output"][row], expected.last_hidden_state[0], rtol=0, atol=1e-5)
        if task == "BertModel":
            torch.testing.assert_close(found["pooled"][row], expected.pooler_output[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("sizes", "parameters"),
    [
        ({}, 109_482_240),  # base, uncased
        (
            {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096},
            335_141_888,
        ),
    ],
)
def test_the_published_counts(sizes: dict[str, int], parameters: int) -> None:
    plain = {
        "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072,
        "max_position_embeddings": 512, "vocab_size": 30522, **sizes,
    }  # fmt: skip
    config = Config(plain, "here")
    assert nw.summary(bert.net(config, nw.Array("n <30522>"))).parameters == parameters
    assert len(bert.table(config)) == len(bert.net(config, nw.Array("n <30522>")).plan.arrays)
