"""Reads a net from a folder as Hugging Face publishes them: config.json, safetensors, tokenizer.json."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from safetensors import SafetensorError, safe_open
from torch import Tensor

from netwright.codecs.array import Array
from netwright.codecs.category import Category
from netwright.codecs.codec import Codec
from netwright.codecs.image import Image
from netwright.codecs.text.subwords import Subwords
from netwright.errors import FileError
from netwright.net.part import Net
from netwright.pretrained import bert, gpt2, llama, vit
from netwright.pretrained.weights import Config, filled

CONFIG, INDEX, WHOLE = "config.json", "model.safetensors.index.json", "model.safetensors"
TOKENIZER, PIXELS = "tokenizer.json", "preprocessor_config.json"
FAMILIES = ("bert", "gpt2", "llama", "vit")


def read(folder: Path) -> Net:
    """The net of a folder, with its weights and, where it has a tokenizer, its codecs.

    Raises: FileError for a folder that is no model, a family that is not known, weights that do not fit, a tokenizer
        of another vocabulary.
    """
    where = str(folder)
    if not (folder / CONFIG).is_file():
        raise FileError(
            what="this folder is no model" if folder.is_dir() else "there is no such folder",
            where=where,
            expected=f"a folder with {CONFIG}, {WHOLE} and {TOKENIZER}",
            got=", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "an empty folder"
            if folder.is_dir()
            else "",
        )
    config = Config(_json(folder / CONFIG), str(folder / CONFIG))
    family = config.plain.get("model_type")
    tensors = tensors_of(folder)
    if family == "bert":
        prefix = _prefix(tensors, "bert.", "embeddings.word_embeddings.weight")
        tokens = _tokens(folder, config, special=True)
        return filled(bert.net(config, tokens), tensors, bert.table(config, prefix), bert.UNREAD, where)
    if family == "gpt2":
        prefix = _prefix(tensors, "transformer.", "wte.weight")
        net = _speaking(gpt2.net(config, _tokens(folder, config)))
        return filled(net, tensors, gpt2.table(config, prefix), gpt2.UNREAD, where)
    if family == "llama":
        prefix = _prefix(tensors, "model.", "embed_tokens.weight")
        net = _speaking(llama.net(config, _tokens(folder, config)))
        return filled(net, tensors, llama.table(config, prefix), llama.unread(config), where)
    if family == "vit":
        prefix = _prefix(tensors, "vit.", "embeddings.cls_token")
        labels = _labels(config) if "classifier.weight" in tensors else []
        net = vit.net(config, _image(folder, config), len(labels))
        net = net.with_output(Category(labels)) if labels else net
        return filled(net, tensors, vit.table(config, prefix, len(labels)), vit.UNREAD, where)
    raise FileError(
        what="no net of ours is of this family",
        where=config.where,
        expected=f"model_type {', '.join(map(repr, FAMILIES))}",
        got=repr(family),
    )


def tensors_of(folder: Path) -> dict[str, Tensor]:
    """All tensors of the safetensors files of a folder, by name."""
    index = folder / INDEX
    files = sorted({*_json(index).get("weight_map", {}).values()}) if index.is_file() else [WHOLE]
    found: dict[str, Tensor] = {}
    for name in files:
        path = folder / name
        try:
            with safe_open(path, framework="pt") as file:
                found |= {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # it is no mapping
        except (OSError, SafetensorError) as error:
            raise FileError(what="these weights cannot be read", where=str(path), got=f"{error}") from None
    return found


def _prefix(tensors: Mapping[str, Tensor], prefix: str, first: str) -> str:
    """What stands in front of the names: a net for a task has the plain one inside."""
    return prefix if prefix + first in tensors else ""


def _tokens(folder: Path, config: Config, special: bool = False) -> Codec:
    """The tokenizer, or tokens by their numbers where there is none."""
    count = config.whole("vocab_size")
    if not (folder / TOKENIZER).is_file():
        return Array(f"n <{count}>")
    codec = Subwords(folder / TOKENIZER, special=special)
    if codec.size != count:
        raise FileError(
            what="the tokenizer has another vocabulary than the net",
            where=str(folder / TOKENIZER),
            expected=f"{count} pieces, as {CONFIG} says",
            got=f"{codec.size} pieces",
        )
    return codec


def _speaking(net: Net) -> Net:
    """A net that says what comes next, with the decoder that goes with its encoder."""
    (tokens,) = net.inputs.values()
    return net.with_output(tokens) if isinstance(tokens, Subwords) else net


def _labels(config: Config) -> list[Any]:
    named = config.plain.get("id2label")
    if not isinstance(named, Mapping) or not named:
        raise FileError(what="the configuration does not name the classes", where=config.where, expected="id2label")
    return [label for _, label in sorted(((int(key), label) for key, label in named.items()))]


def _image(folder: Path, config: Config) -> Codec:
    """Pictures as the net was trained on them."""
    size = config.whole("image_size")
    said = _json(folder / PIXELS) if (folder / PIXELS).is_file() else {}
    mean, deviation = (tuple(said.get(name) or (0.5,) * 3) for name in ("image_mean", "image_std"))
    return Image(size, size, "rgb" if config.whole("num_channels", 3) == 3 else "gray", mean=mean, deviation=deviation)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileError(what="this file cannot be read", where=str(path), got=f"{error}") from None
    if not isinstance(found, dict):
        raise FileError(what="this file is no JSON object", where=str(path), got=type(found).__name__)
    return cast(dict[str, Any], found)
