"""Bounds how long a tokenizer.json can make a text, so that a malicious file is refused before it is run.

The package `tokenizers` follows such a file without limits: a few replacements in a row can make a text a thousand
million times longer, and a table of characters may claim more memory than there is, which ends the process.
"""

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from typing import Any, cast

MOST_GROWTH = 256  # times: compatibility forms (18) written as bytes (4) are 72
LONGEST_FORM = 64  # bytes that a table of characters may put for one; the longest of real tables has 33
INSIDE = ("normalizers", "pretokenizers", "processors", "decoders")  # where a Sequence keeps its steps


def refusal(plain: Mapping[str, Any]) -> str:
    """The reason why a tokenizer must not be run; the empty text if it may be run.

    Example:
        >>> refusal({"normalizer": {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 1000}})
        'its normalizer makes a text up to 1000 times longer'
        >>> refusal({"normalizer": {"type": "Lowercase"}})
        ''
    """
    model = plain.get("model")
    if isinstance(model, Mapping) and (dropout := cast(Mapping[str, Any], model).get("dropout")):
        return f"it cuts a text differently each time: dropout {str(dropout)[:20]}"
    for name, known in STEPS.items():
        step = plain.get(name)
        if step is None:
            continue
        try:
            times = _growth(step, known)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return f"its {name} is of no known form: {error}"[:200]
        if not times <= MOST_GROWTH:
            return f"its {name} makes a text up to {times:.4g} times longer"
    return ""


def _growth(step: Mapping[str, Any], known: Mapping[str, "float | Callable[[Mapping[str, Any]], float]"]) -> float:
    """By what factor a step, or a sequence of steps, makes a text longer at most."""
    kind = step["type"]
    if kind == "Sequence":
        steps = next(cast(list[Any], step[name]) for name in INSIDE if name in step)
        return math.prod(_growth(inner, known) for inner in steps)
    if kind not in known:
        raise ValueError(repr(kind)[:80])
    times = known[kind]
    return times if isinstance(times, int | float) else times(step)


def _replaced(step: Mapping[str, Any]) -> float:
    """A fixed text is replaced once for its length; a pattern may match the empty text at every position."""
    content, pattern = len(step["content"]), step["pattern"]
    if "String" in pattern:
        return max(1.0, content / max(1, len(pattern["String"])))
    return 1.0 + content


def _prepended(step: Mapping[str, Any]) -> float:
    return 1.0 + len(step["prepend"])


def _template(step: Mapping[str, Any]) -> float:
    """A template repeats the text as often as it names it."""
    return max(1.0, sum("Sequence" in piece for piece in step["single"]))


def _precompiled(step: Mapping[str, Any]) -> float:
    """A table of characters: the size of its index, the index, and the forms, each with a zero behind it."""
    try:
        table = base64.b64decode(step["precompiled_charsmap"] or "", validate=True)
    except binascii.Error:
        raise ValueError("a table of characters that is no base64") from None
    size = int.from_bytes(table[:4], "little")
    if not table or size % 4 or not 0 < size <= len(table) - 4:
        raise ValueError("a table of characters that is larger than its file")
    longest = max(map(len, table[4 + size :].split(b"\0")))
    if longest > LONGEST_FORM:
        raise ValueError(f"a table of characters with a form of {longest} bytes")
    return 18.0  # as the compatibility forms, which such a table writes down


STEPS: Mapping[str, Mapping[str, "float | Callable[[Mapping[str, Any]], float]"]] = {
    "normalizer": {
        "BertNormalizer": 4,
        "ByteLevel": 4,
        "Lowercase": 3,
        "NFC": 3,
        "NFD": 4,
        "NFKC": 18,
        "NFKD": 18,
        "Nmt": 1,
        "Strip": 1,
        "StripAccents": 1,
        "Replace": _replaced,
        "Prepend": _prepended,
        "Precompiled": _precompiled,
    },
    "pre_tokenizer": {
        "BertPreTokenizer": 1,
        "ByteLevel": 4,
        "CharDelimiterSplit": 1,
        "Digits": 1,
        "FixedLength": 1,
        "Metaspace": 2,
        "Punctuation": 1,
        "Split": 1,
        "UnicodeScripts": 1,
        "Whitespace": 1,
        "WhitespaceSplit": 1,
    },
    "post_processor": {
        "BertProcessing": 1,
        "ByteLevel": 1,
        "RobertaProcessing": 1,
        "TemplateProcessing": _template,
    },
    "decoder": {
        "BPEDecoder": 1,
        "ByteFallback": 1,
        "ByteLevel": 1,
        "CTC": 1,
        "Fuse": 1,
        "Metaspace": 1,
        "Strip": 1,
        "WordPiece": 1,
        "Replace": _replaced,
    },
}
"""The steps of a tokenizer, and how many times longer each makes a text at most, in characters."""
