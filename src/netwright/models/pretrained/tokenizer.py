"""Compares tokenizer_config.json with tokenizer.json, which is the one that is used: they must agree."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from netwright.codecs.text.subwords import Subwords
from netwright.errors import DataError, FileError, shortened
from netwright.models.pretrained import harmless
from netwright.models.pretrained.files import json_of
from netwright.models.pretrained.weights import Config

SAID = "tokenizer_config.json"
LOWER = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}
"""What the one calls fields of the other's normalizer."""


def check_said(folder: Path, codec: Subwords) -> None:
    """Refuse a tokenizer_config.json that asks for other tokens than tokenizer.json gives.

    Raises: FileError.
    """
    path = folder / SAID
    if not path.exists():
        return
    said, plain = Config(json_of(path), str(path)), cast(Mapping[str, Any], json.loads(str(codec.tokenizer)))
    normalizer = _step(plain, "normalizer", "BertNormalizer")
    for theirs, ours in LOWER.items():
        does = normalizer.get(ours)
        _agree(said, theirs, normalizer.get("lowercase") if does is None else does)  # accents are removed where case is
    _agree(said, "add_prefix_space", _prefixed(plain))
    pieces = cut_options(codec)
    _agree(said, "add_bos_token", _name(said, "bos_token") in pieces[:1])
    _agree(said, "add_eos_token", _name(said, "eos_token") in pieces[-1:])
    said.refuse("split_special_tokens", False)
    _check_added(said, codec)
    said.finish(harmless.harmless_names(harmless.TOKENIZER))


def _agree(said: Config, name: str, does: Any) -> None:
    """Refuse a field that differs from what the tokenizer does; a tokenizer without such a step does not do it."""
    said.refuse(name, bool(does))


def cut_options(codec: Subwords) -> list[Any]:
    """The pieces of a short text, with those that are put around it; none where it has none.

    Raises: NetError for a tokenizer that cannot be read, which else the first text would show.
    """
    try:
        return [codec.elements[index] for index in codec.encode("a").tolist()]
    except DataError:
        return []


def _prefixed(plain: Mapping[str, Any]) -> bool:
    """Whether a space is put in front of a text, in one of three ways."""
    space = _step(plain, "pre_tokenizer", "Metaspace")
    return bool(
        _step(plain, "pre_tokenizer", "ByteLevel").get("add_prefix_space")
        or _step(plain, "normalizer", "Prepend")
        or (space and space.get("prepend_scheme", "always") != "never")
    )


def _step(plain: Mapping[str, Any], name: str, kind: str) -> Mapping[str, Any]:
    """The first step of a kind, alone or in a sequence; nothing where there is none."""
    step: Any = plain.get(name) or {}
    steps: list[Any] = step.get("normalizers") or step.get("pretokenizers") or [step]
    return next((one for one in steps if one.get("type") == kind), {})


def _name(said: Config, name: str) -> str:
    """The text of a special piece, which is given as a text or as a mapping with its content."""
    value = said.plain.get(name)
    value = cast(Mapping[str, Any], value).get("content") if isinstance(value, Mapping) else value
    return value if isinstance(value, str) else ""


def _check_added(said: Config, codec: Subwords) -> None:
    """Refuse pieces that tokenizer.json does not have."""
    for index, piece in said.mapping("added_tokens_decoder").items():
        content = cast(Mapping[str, Any], piece).get("content") if isinstance(piece, Mapping) else piece
        place = int(index) if index.isascii() and index.isdigit() and len(index) < 10 else -1
        if not 0 <= place < codec.size or codec.elements[place] != content:
            raise FileError(
                what="a piece that is added is not one of tokenizer.json",
                where=said.where,
                expected=f"piece {place} as it is there" if 0 <= place < codec.size else f"0 to {codec.size - 1}",
                got=shortened(repr(content), 80),
            )
