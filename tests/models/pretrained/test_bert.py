"""BERT's family: what transformers computes from the same folder, padded or not, and the published counts."""

from pathlib import Path

import pytest
import torch

import netwright as nw
from models.pretrained.published import ACTS, SEEDS, SIZES, drawn, saved, tokens
from netwright.errors import FileError
from netwright.models.pretrained import bert
from netwright.models.pretrained.weights import Config

transformers = pytest.importorskip("transformers")


@pytest.mark.parametrize("task", ["BertModel", "BertForMaskedLM"])
def test_equal_to_theirs(task: str, tmp_path: Path) -> None:
    config = transformers.BertConfig(vocab_size=50, max_position_embeddings=20, **SIZES)
    theirs = getattr(transformers, task)(config) if task != "BertModel" else transformers.BertModel(config)
    if task != "BertModel":
        theirs.bert.pooler = transformers.BertModel(config).pooler
    net = nw.pretrained(saved(theirs, tmp_path))
    plain = theirs if task == "BertModel" else theirs.bert
    examples = tokens(7, 12)
    found = net(examples)
    for row, example in enumerate(examples):
        expected = plain(example[None])
        torch.testing.assert_close(found["output"][row], expected.last_hidden_state[0], rtol=0, atol=1e-5)
        if task == "BertModel":
            torch.testing.assert_close(found["pooled"][row], expected.pooler_output[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_drawn_over_the_fields(seed: int, tmp_path: Path) -> None:
    fields = drawn(
        seed, hidden_size=[8, 16, 24], num_hidden_layers=[1, 2, 3], num_attention_heads=[1, 2, 4],
        intermediate_size=[8, 24], hidden_act=ACTS, layer_norm_eps=[1e-12, 1e-5, 1e-2], vocab_size=[50, 64],
        max_position_embeddings=[12, 20], type_vocab_size=[1, 2, 3], pad_token_id=[0, 3, None],
        hidden_dropout_prob=[0.0, 0.5], tie_word_embeddings=[True, False], chunk_size_feed_forward=[0, 4],
    )  # fmt: skip
    pooled = bool(seed % 2)
    theirs = transformers.BertModel(transformers.BertConfig(**fields), add_pooling_layer=pooled)
    net = nw.pretrained(saved(theirs, tmp_path))
    assert net.output_names == (("output", "pooled") if pooled else ("output",))
    for row, example in enumerate(tokens(4, 12)):
        kinds = tokens(len(example), below=fields["type_vocab_size"])[0]
        expected = theirs(example[None], token_type_ids=kinds[None] if row else None)
        found = net({"input": example, "segment": kinds} if row else example)
        output = found["output"] if pooled else found
        torch.testing.assert_close(output, expected.last_hidden_state[0], rtol=0, atol=1e-5)
        if pooled:
            torch.testing.assert_close(found["pooled"], expected.pooler_output[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("is_decoder", True, "False"),
        ("add_cross_attention", True, "False"),
        ("position_embedding_type", "relative_key", "'absolute'"),
        ("hidden_act", ["gelu"], "one of " + ", ".join(ACTS)),
    ],
)
def test_what_no_net_of_ours_does(field: str, value: object, expected: str) -> None:
    sizes = {**SIZES, "vocab_size": 50, "max_position_embeddings": 8}
    with pytest.raises(FileError) as caught:
        bert.bert_net(Config({**sizes, field: value}, "config.json"), nw.Array("n <50>"))
    assert str(caught.value) == (
        f"no net follows from {field!r} in this configuration\n"
        "  where:    config.json\n"
        f"  expected: {expected}\n"
        f"  got:      {'a list' if isinstance(value, list) else repr(value)}"
    )


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
    assert nw.summary(bert.bert_net(config, nw.Array("n <30522>"))).parameters == parameters
    assert len(bert.bert_table(config)) == len(bert.bert_net(config, nw.Array("n <30522>")).plan.arrays)
