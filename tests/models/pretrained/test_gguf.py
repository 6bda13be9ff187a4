"""GGUF files: a small one that is written here gives what the family gives from a folder; SmolLM2 speaks."""

import os
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


def written(
    model, tokenizer: nw.Subwords, path: Path, family: str = "llama", split: str = "gpt-2", said: dict | None = None
) -> Path:
    """A file as their package writes it, with more fields: (how it writes them, the value) by name."""
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
    for name, (kind, value) in (said or {}).items():
        writer.kv_data[0].pop(name, None)
        getattr(writer, f"add_{kind}")(name, value)
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
    one, other = nw.pretrained(folder), nw.pretrained(written(model, tokenizer, tmp_path / "net.gguf"))
    assert one.bare() == other.bare()
    text = "the lowest"
    assert one.inputs["input"].encode(text).tolist() == other.inputs["input"].encode(text).tolist()
    torch.testing.assert_close(one(text, nw.raw), other(text, nw.raw), rtol=0, atol=1e-6)


def test_what_it_refuses(tmp_path: Path) -> None:
    tokenizer = nw.Subwords(pieces=260).fit(["low lower lowest", "low low"])
    model = llama(tokenizer, True)
    for options, text in (
        ({"split": "other"}, "no tokenizer follows from what this file says"),
        ({"family": "gemma"}, "no net follows from 'general.architecture' in this configuration"),
    ):
        path = written(model, tokenizer, tmp_path / f"{text[:6]}.gguf", **options)
        with pytest.raises(FileError, match=text):
            nw.pretrained(path)
    (tmp_path / "no.gguf").write_bytes(b"nothing at all")
    with pytest.raises(FileError, match="this file cannot be read as GGUF"):
        nw.pretrained(tmp_path / "no.gguf")


def with_bos(folder: Path) -> None:
    import json

    plain = json.loads((folder / "tokenizer.json").read_text())
    plain["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "low", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {"low": {"id": "low", "ids": [plain["model"]["vocab"]["low"]], "tokens": ["low"]}},
    }
    (folder / "tokenizer.json").write_text(json.dumps(plain))


def test_start_and_end_and_scaled_angles(tmp_path: Path) -> None:
    tokenizer = nw.Subwords(pieces=260).fit(["low lower lowest", "low low"])
    model = llama(tokenizer, False)
    model.config.rope_parameters = {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}
    model.config.eos_token_id = model.generation_config.eos_token_id = 5
    folder = saved(model, tmp_path / "folder")
    (folder / "tokenizer.json").write_text(str(tokenizer.tokenizer))
    with_bos(folder)
    said = {
        "tokenizer.ggml.add_bos_token": ("bool", True),
        "tokenizer.ggml.bos_token_id": ("uint32", tokenizer.elements.index("low")),
        "tokenizer.ggml.eos_token_id": ("uint32", 5),
        "llama.rope.scaling.type": ("string", "linear"),
        "llama.rope.scaling.factor": ("float32", 4.0),
        "llama.rope.dimension_count": ("uint32", 4),
        "llama.context_length": ("uint32", 2048),
        "general.license": ("string", "none"),
    }
    one, other = nw.pretrained(folder), nw.pretrained(written(model, tokenizer, tmp_path / "net.gguf", said=said))
    assert one.bare() == other.bare()
    codec = other.inputs["input"]
    assert codec.ends == {5}
    assert codec.encode("the lowest").tolist() == one.inputs["input"].encode("the lowest").tolist()
    assert codec.encode("the lowest")[0] == tokenizer.elements.index("low")
    torch.testing.assert_close(one("the lowest", nw.raw), other("the lowest", nw.raw), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"llama.block_count": ("uint32", 100_000)}, "expected: 100000 blocks"),
        ({"llama.attention.head_count": ("uint32", 3)}, "do not divide into heads"),
        ({"llama.attention.head_count": ("string", "4")}, "a whole number of 1 to 2147483647"),
        ({"llama.expert_count": ("uint32", 8)}, "no net follows from 'llama.expert_count'"),
        ({"llama.rope.scaling.type": ("string", "yarn")}, "one of default, linear, llama3"),
        ({"llama.rope.dimension_count": ("uint32", 2)}, "no net follows from 'llama.rope.dimension_count'"),
        ({"llama.rope.freq_base": ("float32", float("inf"))}, "a number above 0"),
        ({"llama.attention.sliding_window": ("uint32", 5)}, "llama.attention.sliding_window: 5"),
        ({"tokenizer.ggml.tokens": ("array", [1, 2])}, "a list of texts"),
        ({"tokenizer.ggml.merges": ("array", ["a"])}, "the package tokenizers cannot read this tokenizer"),
        ({"tokenizer.ggml.token_type": ("array", [1, 1])}, "260 pieces, none of which stands twice"),
        ({"tokenizer.ggml.add_bos_token": ("bool", True)}, "the file does not say which"),
        ({"tokenizer.ggml.add_space_prefix": ("bool", True)}, "no net follows from 'tokenizer.ggml.add_space_prefix'"),
        ({"tokenizer.ggml.eos_token_id": ("uint32", 999)}, "there is no piece of this index to end a text"),
    ],
)
def test_a_field_that_no_net_of_ours_has(said: dict, text: str, tmp_path: Path) -> None:
    tokenizer = nw.Subwords(pieces=260).fit(["low lower lowest", "low low"])
    with pytest.raises(FileError) as caught:
        nw.pretrained(written(llama(tokenizer, True), tokenizer, tmp_path / "net.gguf", said=said))
    assert text in str(caught.value)


def test_files_that_were_made_to_harm(tmp_path: Path) -> None:
    tokenizer = nw.Subwords(pieces=260).fit(["low lower lowest", "low low"])
    whole = written(llama(tokenizer, True), tokenizer, tmp_path / "net.gguf").read_bytes()
    changes = [
        whole[:100], whole[:5000], whole[:-100], whole.replace(b"token_embd.weight", b"token_embd_weight"),
        whole.replace(b"general.architecture", b"general.\xff\xfe\xfditecture"), whole[:8] + b"\xff" * 16 + whole[24:],
        whole.replace(b"output_norm.weight", b"blk.0.attn_q.weigh"), whole.replace(b"gpt-2", b"\xff\xff\xff\xff\xff"),
    ]  # fmt: skip
    for number, change in enumerate(changes):
        path = tmp_path / f"{number}.gguf"
        path.write_bytes(change)
        with pytest.raises(FileError):
            nw.pretrained(path)
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(FileError, match="this is not a file"):
        nw.pretrained(tmp_path / "pipe.gguf")


def test_tensors_of_whole_numbers(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "net.gguf", "llama")
    writer.add_block_count(1)
    writer.add_tensor("blk.0.attn_norm.weight", np.zeros(8, np.int32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(FileError, match="no tokenizer follows from what this file says"):
        nw.pretrained(tmp_path / "net.gguf")


@pytest.mark.slow  # 93 MB
def test_smollm2_knows_a_capital() -> None:
    net = nw.pretrained("smollm2-135m-instruct")
    assert nw.summary(net).parameters == 134_515_008
    assert nw.generate(net, FRANCE, max_elements=1).value == f"{FRANCE} Paris"
    pieces = [str(piece) for piece in nw.stream(net, FRANCE, max_elements=6)]
    assert "".join(pieces) == nw.generate(net, FRANCE, max_elements=6).value.removeprefix(FRANCE)


@pytest.mark.slow
def test_its_step_net_is_the_full_run() -> None:
    net = nw.pretrained("smollm2-135m-instruct")
    tokens = net.inputs["input"].encode("Mars is called the Red Planet since its dust is red.")
    full = net("Mars is called the Red Planet since its dust is red.", nw.raw).log()
    now, found = nw.Stateful(net), []
    for piece in ("Mars is called", " the", " Red Planet since", " its dust is red."):
        said, now = now(piece, nw.raw)
        found.append(said.log())
    assert len(tokens) == sum(map(len, found))
    torch.testing.assert_close(torch.cat(found), full, rtol=0, atol=2e-3)
