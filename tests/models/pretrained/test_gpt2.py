"""GPT-2's family: what transformers computes from the same folder, its greedy texts, and the published count."""

from pathlib import Path

import pytest
import torch

import netwright as nw
from models.pretrained.published import saved, tokens
from netwright.models.pretrained import gpt2
from netwright.models.pretrained.weights import Config

transformers = pytest.importorskip("transformers")


def test_equal_to_theirs(tmp_path: Path) -> None:
    config = transformers.GPT2Config(vocab_size=50, n_positions=20, n_embd=16, n_layer=2, n_head=4)
    theirs = transformers.GPT2LMHeadModel(config)
    net = nw.model(saved(theirs, tmp_path))
    for example in tokens(7, 12):
        expected = theirs(example[None]).logits[0].softmax(-1)
        torch.testing.assert_close(net(example), expected, rtol=0, atol=1e-5)


def test_the_published_count() -> None:
    config = Config({"n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024, "vocab_size": 50257}, "here")
    net = gpt2.net(config, nw.Array("n <50257>"))
    assert nw.summary(net).parameters == 124_439_808
    assert {*gpt2.table(config)} == {*net.plan.arrays}
