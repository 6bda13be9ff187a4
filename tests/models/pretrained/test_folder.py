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
        nw.model(at)
    return str(caught.value)


def test_with_a_tokenizer_it_speaks(tmp_path: Path) -> None:
    net = nw.model(folder(tmp_path, tokenizer=True))
    said = nw.generate(net, "low", most=4)
    assert said.value.startswith("low")
    assert len(said.log_probabilities) == 4


def test_weights_in_several_files(tmp_path: Path) -> None:
    whole = nw.model(folder(tmp_path))
    (tmp_path / "model.safetensors").unlink()
    names = sorted(tensors())
    parts = {"one.safetensors": names[:5], "two.safetensors": names[5:]}
    for file, held in parts.items():
        save_file({name: tensors()[name] for name in held}, tmp_path / file)
    index = {"weight_map": {name: file for file, held in parts.items() for name in held}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert nw.model(tmp_path) == whole


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
        f"  expected: {len(gpt2.table(Config(PLAIN, '')))} arrays\n"
        "  got:      1 not there: wpe.weight; 1 without a place: extra.weight; 1 of another size: "
        "ln_f.bias (9,) for norm/bias (8,)"
    )


def test_a_tokenizer_of_another_vocabulary(tmp_path: Path) -> None:
    plain = {**PLAIN, "vocab_size": 300}
    assert refusal(folder(tmp_path, plain, tokenizer=True)) == (
        "the tokenizer has another vocabulary than the net\n"
        f"  where:    {tmp_path / 'tokenizer.json'}\n"
        "  expected: 300 pieces, as config.json says\n"
        "  got:      260 pieces"
    )


def test_a_prompt_longer_than_the_positions(tmp_path: Path) -> None:
    net = nw.model(folder(tmp_path, tokenizer=True))
    with pytest.raises(nw.DataError, match="more elements than there are positions"):
        nw.generate(net, "low low low low low low low", most=2)


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
