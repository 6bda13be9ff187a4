"""Tokenizers that were made to harm are refused before they are run; those of published nets are not."""

import base64
import json

import pytest

from netwright.codecs.text.growth import refusal
from netwright.codecs.text.subwords import Subwords
from netwright.errors import DataError, NetError

pytest.importorskip("tokenizers")

BPE = {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}


def replace(old: str, new: str) -> dict:
    return {"type": "Replace", "pattern": {"String": old}, "content": new}


def charsmap(size: int, forms: bytes) -> dict:
    table = size.to_bytes(4, "little") + forms
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(table).decode()}


def sequence(name: str, *steps: dict) -> dict:
    return {"type": "Sequence", name: [*steps]}


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        (
            {"normalizer": sequence("normalizers", *[replace("a", "a" * 10)] * 8)},
            "its normalizer makes a text up to 1e+08 times longer",
        ),
        (
            {"normalizer": sequence("normalizers", *[replace("a", "aa")] * 40)},
            "its normalizer makes a text up to 1.1e+12 times longer",
        ),
        (
            {"decoder": {**replace("", "b" * 300), "pattern": {"Regex": ""}}},
            "its decoder makes a text up to 301 times longer",
        ),
        (
            {"pre_tokenizer": sequence("pretokenizers", *[{"type": "ByteLevel"}] * 5)},
            "its pre_tokenizer makes a text up to 1024 times longer",
        ),
        (
            {"normalizer": charsmap(0xFFFFFFFF, b"")},
            "its normalizer is of no known form: a table of characters that is larger than its file",
        ),
        (
            {"normalizer": charsmap(4, b"1234" + b"a" * 65 + b"\0")},
            "its normalizer is of no known form: a table of characters with a form of 65 bytes",
        ),
        ({"normalizer": {"type": "Magic"}}, "its normalizer is of no known form: 'Magic'"),
        ({"model": {**BPE, "dropout": 0.5}}, "it cuts a text differently each time: dropout 0.5"),
    ],
)
def test_what_is_not_run(plain: dict, why: str) -> None:
    assert refusal(plain) == why
    with pytest.raises(NetError) as caught:
        Subwords(json.dumps({"model": BPE, **plain}))
    assert str(caught.value) == f"this tokenizer is not run\n  got:      {why}"


@pytest.mark.parametrize(
    "plain",
    [
        {"normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"}},
        {"normalizer": sequence("normalizers", {"type": "Prepend", "prepend": "▁"}, replace(" ", "▁"))},
        {"normalizer": sequence("normalizers", charsmap(4, b"1234a\0bc\0"), {"type": "Strip"})},
        {"pre_tokenizer": sequence("pretokenizers", {"type": "Digits"}, {"type": "ByteLevel"})},
        {"normalizer": None, "decoder": sequence("decoders", replace("▁", " "), {"type": "Fuse"})},
    ],
)
def test_what_is_run(plain: dict) -> None:
    assert refusal(plain) == ""


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        ({"model": {"type": "WordLevel", "vocab": {"b": 0}, "unk_token": "[UNK]"}}, "aaa"),
        ({"model": {"type": "Unigram", "vocab": [["b", 0.0]], "unk_id": None}}, "aaa"),
        ({"model": BPE, "pre_tokenizer": {"type": "FixedLength", "length": 0}}, "aaa"),
        ({"model": BPE, "normalizer": charsmap(4, b"\0\0\0\0")}, "aaa"),
        (
            {
                "model": BPE,
                "pre_tokenizer": {
                    "type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False,
                },
            },
            "a" * 40 + "b!",
        ),
    ],
)  # fmt: skip
def test_where_the_package_fails_the_error_is_ours(plain: dict, text: str) -> None:
    codec = Subwords(json.dumps(plain))
    for ask in (codec.encode, codec.offsets, lambda text: codec.encode_all([text, text])):
        with pytest.raises(DataError) as caught:
            ask(text)
        assert caught.value.what.startswith("the package tokenizers cannot cut th")
        assert caught.value.got
