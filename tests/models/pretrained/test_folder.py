"""Folders that are read, and those that are not: each fault is said with its place."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import netwright as nw
from netwright.errors import FileError
from netwright.models.pretrained import gpt2
from netwright.models.pretrained.folder import WHOLE, tensors_of
from netwright.models.pretrained.weights import Config

PLAIN = {"model_type": "gpt2", "n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 6, "vocab_size": 260}


def tensors() -> dict[str, torch.Tensor]:
    sizes = {
        "wte.weight": (260, 8), "wpe.weight": (6, 8), "ln_f.weight": (8,), "ln_f.bias": (8,),
        **{f"h.0.ln_{i}.{array}": (8,) for i in (1, 2) for array in ("weight", "bias")},
        "h.0.attn.c_attn.weight": (8, 24), "h.0.attn.c_attn.bias": (24,),
        "h.0.attn.c_proj.weight": (8, 8), "h.0.attn.c_proj.bias": (8,),
        "h.0.mlp.c_fc.weight": (8, 32), "h.0.mlp.c_fc.bias": (32,),
        "h.0.mlp.c_proj.weight": (32, 8), "h.0.mlp.c_proj.bias": (8,),
    }  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(size, generator=generator) for name, size in sizes.items()}


def folder(at: Path, plain=PLAIN, weights=None, tokenizer: bool = False) -> Path:
    (at / "config.json").write_text(json.dumps(plain))
    save_file(tensors() if weights is None else weights, at / "model.safetensors")
    if tokenizer:
        learned = nw.Subwords(pieces=260).fit(["low lower lowest", "low low"])
        (at / "tokenizer.json").write_text(str(learned.tokenizer))
    return at


def refusal(at: Path) -> str:
    with pytest.raises(FileError) as caught:
        nw.pretrained(at)
    return str(caught.value)


def test_with_a_tokenizer_it_speaks(tmp_path: Path) -> None:
    net = nw.pretrained(folder(tmp_path, tokenizer=True))
    said = nw.generate(net, "low", max_elements=4)
    assert said.value.startswith("low")
    assert len(said.log_probabilities) == 4


def test_weights_in_several_files(tmp_path: Path) -> None:
    whole = nw.pretrained(folder(tmp_path))
    (tmp_path / "model.safetensors").unlink()
    names = sorted(tensors())
    parts = {"one.safetensors": names[:5], "two.safetensors": names[5:]}
    for file, held in parts.items():
        save_file({name: tensors()[name] for name in held}, tmp_path / file)
    index = {"weight_map": {name: file for file, held in parts.items() for name in held}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert nw.pretrained(tmp_path) == whole


def test_no_model(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        "this folder is no model\n"
        f"  where:    {tmp_path}\n"
        "  expected: a folder with config.json, model.safetensors and tokenizer.json\n"
        "  got:      an empty folder"
    )


def test_an_unknown_family(tmp_path: Path) -> None:
    assert refusal(folder(tmp_path, {**PLAIN, "model_type": "mamba"})) == (
        "no net follows from 'model_type' in this configuration\n"
        f"  where:    {tmp_path / 'config.json'}\n"
        "  expected: one of bert, gpt2, llama, vit\n"
        "  got:      'mamba'"
    )


def test_weights_that_do_not_fit_are_listed(tmp_path: Path) -> None:
    weights = tensors()
    weights["extra.weight"] = weights.pop("wpe.weight")
    weights["ln_f.bias"] = torch.zeros(9)
    assert refusal(folder(tmp_path, weights=weights)) == (
        "the weights are not those of the net that the configuration describes\n"
        f"  where:    {tmp_path}\n"
        f"  expected: {len(gpt2.gpt2_table(Config(PLAIN, '')))} arrays\n"
        "  got:      1 not there: wpe.weight; 1 without a place: extra.weight; 1 of another size: "
        "ln_f.bias (9,) for norm/bias (8,)"
    )


def test_a_tokenizer_of_another_vocabulary(tmp_path: Path) -> None:
    plain = {**PLAIN, "vocab_size": 259}
    assert refusal(folder(tmp_path, plain, tokenizer=True)) == (
        "the tokenizer has more pieces than the net has room for\n"
        f"  where:    {tmp_path / 'tokenizer.json'}\n"
        "  expected: at most 259 pieces, as config.json says\n"
        "  got:      260 pieces"
    )


def test_a_padded_vocabulary(tmp_path: Path) -> None:
    weights = {**tensors(), "wte.weight": torch.randn(320, 8)}
    net = nw.pretrained(folder(tmp_path, {**PLAIN, "vocab_size": 320}, weights, tokenizer=True))
    assert net("low", nw.raw).shape[1:] == (320,)
    assert nw.generate(net, "low", max_elements=3).value.startswith("low")


def test_the_end_of_a_text(tmp_path: Path) -> None:
    at = folder(tmp_path, tokenizer=True)
    free = nw.generate(nw.pretrained(at), "low", max_elements=4)
    (first,) = {int(nw.pretrained(at)("low", nw.raw)[-1].argmax())}
    for place, said in (
        ("config.json", {**PLAIN, "eos_token_id": first}),
        ("generation_config.json", {"eos_token_id": [first, 5]}),
    ):
        (at / place).write_text(json.dumps(said))
        made = nw.generate(nw.pretrained(at), "low", max_elements=4)
        assert (made.value, made.ended, len(made.log_probabilities)) == ("low", "end", 1)
        assert made.log_probabilities[0] == free.log_probabilities[0]
        (at / place).write_text(json.dumps(PLAIN))
    (at / "generation_config.json").write_text(json.dumps({"temperature": 0.6, "repetition_penalty": 1.3}))
    assert refusal(at) == (
        "no net follows from 'repetition_penalty' in this configuration\n"
        f"  where:    {at / 'generation_config.json'}\n"
        "  expected: 1 or 1.0\n"
        "  got:      1.3"
    )


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("config.json", {"sliding_window": 4}),
        ("config.json", {"quantization_config": {"bits": 4}}),
        ("generation_config.json", {"watermarking_config": {"bias": 2.5}}),
        ("tokenizer_config.json", {"normalizer_class": "Own"}),
    ],
)
def test_a_field_that_is_not_known_is_refused_by_name(file: str, said: dict, tmp_path: Path) -> None:
    at = folder(tmp_path, tokenizer=True)
    (at / file).write_text(json.dumps({**(PLAIN if file == "config.json" else {}), **said}))
    ((name, value),) = said.items()
    assert refusal(at) == (
        "this says what no net of ours does, or what is not known to be harmless\n"
        f"  where:    {at / file}\n"
        f"  got:      {name}: {'a dict' if isinstance(value, dict) else value}"
    )


HOSTILE = {
    "config.json": [
        "[" * 100_000, '{"a":' * 100_000, "\ud800", '{"model_type": ["bert"]}', '{"model_type": {}}', "{}", "null",
        *(json.dumps({**PLAIN, **change}) for change in (
            {"n_layer": 10**9}, {"n_embd": "8"}, {"n_embd": 2**40}, {"n_head": 3}, {"n_positions": [6]},
            {"vocab_size": 10**12}, {"activation_function": []}, {"layer_norm_epsilon": float("inf")},
            {"architectures": 5, "n_embd": True}, {"eos_token_id": "x"}, {"eos_token_id": [10**10]},
            {"a\x1b[2J\x00\ud800": 1}, {"n_inner": 10**400},
        )),
        json.dumps(PLAIN).replace("260", "9" * 5000),
    ],
    "model.safetensors.index.json": [
        "[" * 100_000, "{}", '{"weight_map": []}',  '{"weight_map": {"a": 5}}',
        '{"weight_map": {"a": "/dev/zero"}}', '{"weight_map": {"a": "\\ud800"}}', '{"weight_map": {"a": "a\\u0000"}}',
        '{"weight_map": {"a": ".."}}', '{"weight_map": {"a": "none.safetensors"}}',
        '{"weight_map": {"a": "' + "a" * 5000 + '"}}', '{"weight_map": {"a": "../x.safetensors"}}',
    ],
    "generation_config.json": ["[" * 100_000, "[]", '{"eos_token_id": {}}', '{"eos_token_id": -1}'],
    "tokenizer_config.json": ["[" * 100_000, '{"added_tokens_decoder": 5}', '{"added_tokens_decoder": {"9": 5}}'],
    "tokenizer.json": ["[" * 100_000, "{}", '{"model": {"vocab": {"a": 0}}, "normalizer": {"type": "Magic"}}', "\x00"],
}  # fmt: skip


@pytest.mark.parametrize(("file", "number"), [(file, i) for file, texts in HOSTILE.items() for i in range(len(texts))])
def test_what_was_made_to_harm_gives_an_error_of_ours(file: str, number: int, tmp_path: Path) -> None:
    at = folder(tmp_path, tokenizer=True)
    (at / file).write_text(HOSTILE[file][number], errors="surrogatepass")
    text = refusal(at)
    assert len(text) < 2500
    assert text.isprintable() or "\n" in text
    assert not {"\x1b", "\x00"} & {*text}
    text.encode()


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json", "generation_config.json"])
def test_what_is_no_file_is_not_opened(file: str, tmp_path: Path) -> None:
    at = folder(tmp_path, tokenizer=True)
    (at / file).unlink(missing_ok=True)
    os.mkfifo(at / file)
    assert refusal(at) == f"this is not a file\n  where:    {at / file}\n  got:      a device or a pipe"


def test_a_prompt_longer_than_the_positions(tmp_path: Path) -> None:
    net = nw.pretrained(folder(tmp_path, tokenizer=True))
    with pytest.raises(nw.DataError, match="more elements than there are positions"):
        nw.generate(net, "low low low low low low low", max_elements=2)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    at = folder(tmp_path)
    (at / "model.safetensors").write_bytes(b"nothing")
    assert refusal(at).startswith(f"these weights cannot be read\n  where:    {at / 'model.safetensors'}")
    (at / "config.json").write_text("[]")
    assert refusal(at) == f"this file is no JSON object\n  where:    {at / 'config.json'}\n  got:      list"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name")
def test_a_pipe_in_the_place_of_weights(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / WHOLE)
    with pytest.raises(FileError) as caught:
        tensors_of(tmp_path)
    path = tmp_path / WHOLE
    assert str(caught.value) == f"this is not a file\n  where:    {path}\n  got:      a device or a pipe"
