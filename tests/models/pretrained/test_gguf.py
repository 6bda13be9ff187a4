"""GGUF files: a small one that is written here gives what the family gives from a folder; SmolLM2 speaks."""

from pathlib import Path

import numpy as np
import pytest
import torch

import netwright as nw
from models.pretrained.published import SIZES, saved
from netwright.errors import FileError

gguf = pytest.importorskip("gguf")
transformers = pytest.importorskip("transformers")
FRANCE = "The capital of France is"


def sides(weight: np.ndarray, heads: int) -> np.ndarray:
    """Partners of a turn side by side, as the files have them."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def written(model, tokenizer: nw.Subwords, path: Path, family: str = "llama", split: str = "gpt-2") -> Path:
    import json

    plain = json.loads(str(tokenizer.tokenizer))["model"]
    config, writer = model.config, gguf.GGUFWriter(path, family)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split)
    writer.add_token_list(sorted(plain["vocab"], key=plain["vocab"].get))
    writer.add_token_merges([" ".join(merge) for merge in plain["merges"]])
    names = {
        "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "q_proj": "attn_q", "k_proj": "attn_k",
        "v_proj": "attn_v", "o_proj": "attn_output", "gate_proj": "ffn_gate", "up_proj": "ffn_up",
        "down_proj": "ffn_down",
    }  # fmt: skip
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, parameter in model.named_parameters():
        array, pieces = parameter.detach().numpy(), name.split(".")
        if "layers" in pieces:
            array = sides(array, heads[pieces[-2]]) if pieces[-2] in heads else array
            writer.add_tensor(f"blk.{pieces[2]}.{names[pieces[-2]]}.weight", array)
        else:
            outside = {"embed_tokens": "token_embd", "norm": "output_norm", "lm_head": "output"}
            writer.add_tensor(f"{outside[pieces[-2]]}.weight", array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def llama(tokenizer: nw.Subwords, tied: bool):
    config = transformers.LlamaConfig(
        vocab_size=tokenizer.size, num_key_value_heads=2, tie_word_embeddings=tied, **SIZES
    )
    return transformers.LlamaForCausalLM(config)


@pytest.mark.parametrize("tied", [True, False])
def test_the_same_net_as_from_a_folder(tied: bool, tmp_path: Path) -> None:
    tokenizer = nw.Subwords(pieces=260).fit(["low lower lowest", "low low"])
    model = llama(tokenizer, tied)
    folder = saved(model, tmp_path / "folder")
    (folder / "tokenizer.json").write_text(str(tokenizer.tokenizer))
    one, other = nw.model(folder), nw.model(written(model, tokenizer, tmp_path / "net.gguf"))
    assert one.bare() == other.bare()
    text = "the lowest"
    assert one.inputs["input"].encode(text).tolist() == other.inputs["input"].encode(text).tolist()
    torch.testing.assert_close(one(text, nw.raw), other(text, nw.raw), rtol=0, atol=1e-6)


def test_what_it_refuses(tmp_path: Path) -> None:
    tokenizer = nw.Subwords(pieces=260).fit(["low lower lowest", "low low"])
    model = llama(tokenizer, True)
    for options, text in (
        ({"split": "other"}, "no tokenizer follows from what this file says"),
        ({"family": "gemma"}, "no net of ours is of this family"),
    ):
        path = written(model, tokenizer, tmp_path / f"{text[:6]}.gguf", **options)
        with pytest.raises(FileError, match=text):
            nw.model(path)
    (tmp_path / "no.gguf").write_bytes(b"nothing at all")
    with pytest.raises(FileError, match="this file cannot be read as GGUF"):
        nw.model(tmp_path / "no.gguf")


@pytest.mark.slow  # 93 MB
def test_smollm2_knows_a_capital() -> None:
    net = nw.model("smollm2-135m-instruct")
    assert nw.summary(net).parameters == 134_515_008
    assert nw.generate(net, FRANCE, most=1).value == f"{FRANCE} Paris"
    pieces = [str(piece) for piece in nw.stream(net, FRANCE, most=6)]
    assert "".join(pieces) == nw.generate(net, FRANCE, most=6).value.removeprefix(FRANCE)


@pytest.mark.slow
def test_its_step_net_is_the_full_run() -> None:
    net = nw.model("smollm2-135m-instruct")
    tokens = net.inputs["input"].encode("Mars is called the Red Planet since its dust is red.")
    full = net("Mars is called the Red Planet since its dust is red.", nw.raw).log()
    now, found = nw.Stateful(net), []
    for piece in ("Mars is called", " the", " Red Planet since", " its dust is red."):
        said, now = now(piece, nw.raw)
        found.append(said.log())
    assert len(tokens) == sum(map(len, found))
    torch.testing.assert_close(torch.cat(found), full, rtol=0, atol=2e-3)
