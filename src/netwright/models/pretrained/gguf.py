"""Reads a net of the Llama family from a GGUF file: its numbers, its tokenizer, its quantized weights as float32."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from netwright.codecs.text.subwords import Subwords
from netwright.errors import FileError, missing_extra
from netwright.models.pretrained import llama
from netwright.models.pretrained.weights import Config, filled
from netwright.net.part import Net

NUMBERS = {
    "hidden_size": "llama.embedding_length",
    "num_hidden_layers": "llama.block_count",
    "num_attention_heads": "llama.attention.head_count",
    "num_key_value_heads": "llama.attention.head_count_kv",
    "intermediate_size": "llama.feed_forward_length",
    "rms_norm_eps": "llama.attention.layer_norm_rms_epsilon",
    "rope_theta": "llama.rope.freq_base",
}
"""What the family's configuration calls the entries of such a file."""

OUTSIDE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
INSIDE = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
"""What the family's published weights call its tensors, outside the blocks and in them."""

DIGITS = {"type": "Digits", "individual_digits": True}
PIECES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
SPLITS = {"gpt-2": [PIECES], "smollm": [DIGITS, PIECES]}
"""How a text is cut before its pieces are found, by the name such a file has for it."""
CONTROL = 3  # the kind of a piece that is no text


def read(path: Path) -> Net:
    """The net of a file, with its weights and the codecs of its tokenizer.

    Raises: FileError for a file that is none, another family or tokenizer; MissingExtraError without `gguf`.
    """
    gguf, where = _package(), str(path)
    try:
        reader = gguf.GGUFReader(path)
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise FileError(what="this file cannot be read as GGUF", where=where, got=f"{error}") from None
    said: dict[str, Callable[[], Any]] = {name: field.contents for name, field in reader.fields.items()}

    def entry(name: str) -> Any:
        return said[name]() if name in said else None

    family = entry("general.architecture")
    if family != "llama":
        raise FileError(what="no net of ours is of this family", where=where, expected="'llama'", got=repr(family))
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    numbers = {ours: _plain(entry(theirs)) for ours, theirs in NUMBERS.items()}
    tied = "output.weight" not in tensors
    tokens = _tokenizer(entry, where)
    config = Config({**numbers, "vocab_size": tokens.size, "tie_word_embeddings": tied}, where)
    heads = {"q_proj": config.whole("num_attention_heads"), "k_proj": config.whole("num_key_value_heads")}
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        array = torch.tensor(gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=torch.float32, device="cpu")
        known = _name(name)
        count = heads.get(known.split(".")[-2], 0)
        found[known] = _halves(array, count) if count else array
    net = llama.net(config, tokens).with_output(tokens)
    return filled(net, found, llama.table(config), llama.unread(config), where)


def _plain(value: Any) -> Any:
    """A number as it was written before it became a float32: 1e-05, not 9.999999747378752e-06."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _name(name: str) -> str:
    """A tensor's name as the family publishes it; as it is where there is none."""
    first, *rest = name.split(".")
    if first == "blk" and len(rest) == 3 and rest[1] in INSIDE:
        return f"model.layers.{rest[0]}.{INSIDE[rest[1]]}.{rest[2]}"
    return ".".join([OUTSIDE[first], *rest]) if first in OUTSIDE else name


def _halves(weight: Tensor, heads: int) -> Tensor:
    """Partners of a turn lie side by side in such a file, and half a head apart in `Rotary`."""
    return weight.unflatten(0, (heads, -1, 2)).transpose(1, 2).flatten(0, 2)  # (heads, d / 2, 2, in) -> (out, in)


def _tokenizer(entry: Callable[[str], Any], where: str) -> Subwords:
    """The codec of the tokenizer in a file, byte-pair encoding of bytes."""
    kind, split = entry("tokenizer.ggml.model"), entry("tokenizer.ggml.pre")
    if kind != "gpt2" or split not in SPLITS:
        raise FileError(
            what="no tokenizer follows from what this file says",
            where=where,
            expected=f"byte-pair encoding, cut as one of {', '.join(SPLITS)}",
            got=f"{kind}, {split}",
        )
    pieces: list[str] = entry("tokenizer.ggml.tokens")
    kinds: list[int] = entry("tokenizer.ggml.token_type") or [1] * len(pieces)
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    plain: Mapping[str, Any] = {
        "version": "1.0",
        "added_tokens": [
            {"id": i, "content": piece, **special}
            for i, (piece, kind) in enumerate(zip(pieces, kinds, strict=True))
            if kind == CONTROL
        ],
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": SPLITS[split]},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "vocab": {piece: i for i, piece in enumerate(pieces)},
            "merges": [merge.split(" ", 1) for merge in entry("tokenizer.ggml.merges")],
        },
    }
    return Subwords(json.dumps(plain, ensure_ascii=False))


def _package() -> Any:
    """The package, which is loaded when it is needed."""
    try:
        import gguf
    except ImportError:
        missing_extra("gguf", "gguf", "a GGUF file")
    return gguf
