"""Reads a net from a folder as Hugging Face publishes them: config.json, safetensors, tokenizer.json."""

import json
from collections.abc import Callable, Collection, Mapping
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
from netwright.models.pretrained import bert, gpt2, llama, vit
from netwright.models.pretrained.weights import Config, From, filled
from netwright.net.part import Net
from netwright.regular import opened
from netwright.value import Value

CONFIG, INDEX, WHOLE = "config.json", "model.safetensors.index.json", "model.safetensors"
TOKENIZER, PIXELS = "tokenizer.json", "preprocessor_config.json"


class Published(Value):
    """A folder, what its configuration says, and its tensors by name."""

    folder: Path
    config: Config
    tensors: Mapping[str, Tensor]

    def prefix(self, prefix: str, first: str) -> str:
        """What stands in front of the names: a net for a task has the plain one inside."""
        return prefix if prefix + first in self.tensors else ""

    def tokens(self, special: bool = False) -> Codec:
        """The tokenizer, or tokens by their numbers where there is none."""
        count = self.config.whole("vocab_size")
        if not (self.folder / TOKENIZER).is_file():
            return Array(f"n <{count}>")
        codec = Subwords(self.folder / TOKENIZER, special=special)
        if codec.size != count:
            raise FileError(
                what="the tokenizer has another vocabulary than the net",
                where=str(self.folder / TOKENIZER),
                expected=f"{count} pieces, as {CONFIG} says",
                got=f"{codec.size} pieces",
            )
        return codec

    def filled(self, net: Net, table: Mapping[str, From], unread: Collection[str]) -> Net:
        """The net with the tensors that the table finds."""
        return filled(net, self.tensors, table, unread, str(self.folder))


def read(folder: Path) -> Net:
    """The net of a folder, with its weights and, where it has a tokenizer, its codecs.

    Raises: FileError for a folder that is no model, a family that is not known, weights that do not fit, a tokenizer
        of another vocabulary.
    """
    if not (folder / CONFIG).is_file():
        raise FileError(
            what="this folder is no model" if folder.is_dir() else "there is no such folder",
            where=str(folder),
            expected=f"a folder with {CONFIG}, {WHOLE} and {TOKENIZER}",
            got=", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "an empty folder"
            if folder.is_dir()
            else "",
        )
    config = Config(_json(folder / CONFIG), str(folder / CONFIG))
    family = config.choice("model_type", FAMILIES)
    return family(Published(folder, config, tensors_of(folder)))


def _bert(found: Published) -> Net:
    table = bert.table(found.config, found.prefix("bert.", "embeddings.word_embeddings.weight"))
    return found.filled(bert.net(found.config, found.tokens(special=True)), table, bert.UNREAD)


def _gpt2(found: Published) -> Net:
    table = gpt2.table(found.config, found.prefix("transformer.", "wte.weight"))
    return found.filled(_speaking(gpt2.net(found.config, found.tokens())), table, gpt2.UNREAD)


def _llama(found: Published) -> Net:
    net = _speaking(llama.net(found.config, found.tokens()))
    return found.filled(net, llama.table(found.config), llama.unread(found.config))


def _vit(found: Published) -> Net:
    labels = _labels(found.config) if "classifier.weight" in found.tensors else []
    net = vit.net(found.config, _image(found), len(labels))
    table = vit.table(found.config, found.prefix("vit.", "embeddings.cls_token"), len(labels))
    return found.filled(net.with_output(Category(labels)) if labels else net, table, vit.UNREAD)


FAMILIES: Mapping[str, Callable[[Published], Net]] = {"bert": _bert, "gpt2": _gpt2, "llama": _llama, "vit": _vit}
"""The families, by the name that their configurations have for them."""


def tensors_of(folder: Path) -> dict[str, Tensor]:
    """All tensors of the safetensors files of a folder, by name."""
    index = folder / INDEX
    files = sorted({*_json(index).get("weight_map", {}).values()}) if index.is_file() else [WHOLE]
    found: dict[str, Tensor] = {}
    for name in files:
        path = folder / name
        try:
            opened(path).close()  # refuses a pipe, which safe_open would wait for
            with safe_open(path, framework="pt") as file:
                found |= {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # it is no mapping
        except FileError:
            raise
        except (OSError, SafetensorError) as error:
            raise FileError(what="these weights cannot be read", where=str(path), got=f"{error}") from None
    return found


def _speaking(net: Net) -> Net:
    """A net that says what comes next, with the decoder that goes with its encoder."""
    (tokens,) = net.inputs.values()
    return net.with_output(tokens) if isinstance(tokens, Subwords) else net


def _labels(config: Config) -> list[Any]:
    named = config.plain.get("id2label")
    if not isinstance(named, Mapping) or not named:
        raise FileError(what="the configuration does not name the classes", where=config.where, expected="id2label")
    return [label for _, label in sorted(((int(key), label) for key, label in named.items()))]


def _image(found: Published) -> Codec:
    """Pictures as the net was trained on them."""
    size, pixels = found.config.whole("image_size"), found.folder / PIXELS
    said = _json(pixels) if pixels.is_file() else {}
    mean, deviation = (tuple(said.get(name) or (0.5,) * 3) for name in ("image_mean", "image_std"))
    return Image(size, size, mean=mean, deviation=deviation)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileError(what="this file cannot be read", where=str(path), got=f"{error}") from None
    if not isinstance(found, dict):
        raise FileError(what="this file is no JSON object", where=str(path), got=type(found).__name__)
    return cast(dict[str, Any], found)
