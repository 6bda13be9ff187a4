"""Reads a net of the Llama family from a GGUF file: its numbers, its tokenizer, its quantized weights as float32."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from netwright.codecs.text.subwords import Subwords
from netwright.errors import DataError, FileError, NetError, SizeError, missing_extra
from netwright.models.pretrained import harmless
from netwright.models.pretrained.files import check_regular, shown_text
from netwright.models.pretrained.llama import llama_net, llama_table, llama_unread
from netwright.models.pretrained.tokenizer import cut_options
from netwright.models.pretrained.weights import Config, check_blocks, filled_arrays
from netwright.net.part import Net

NUMBERS = {
    "hidden_size": "llama.embedding_length",
    "num_hidden_layers": "llama.block_count",
    "num_attention_heads": "llama.attention.head_count",
    "num_key_value_heads": "llama.attention.head_count_kv",
    "intermediate_size": "llama.feed_forward_length",
    "rms_norm_eps": "llama.attention.layer_norm_rms_epsilon",
    "rope_theta": "llama.rope.freq_base",
    "head_dim": "llama.attention.key_length",
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
SPECIAL = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
PAIR = [{"Sequence": {"id": name, "type_id": 0}} for name in "AB"]  # a template needs this name; no text contains it
CONTROL = 3  # the kind of a piece that is no text


def read_gguf(path: Path) -> Net:
    """The net of a file, with its weights and the codecs of its tokenizer.

    Raises: FileError for a file that is not GGUF, another family or tokenizer, a field that is not known;
        MissingExtraError without `gguf`.
    """
    gguf, where = _package(), str(path)
    check_regular(path)
    try:
        reader = gguf.GGUFReader(path)
        fields = Config({name: _plain(field.contents()) for name, field in reader.fields.items()}, where)
        tensors = {tensor.name: tensor for tensor in reader.tensors}
    except (OSError, ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise FileError(what="this file cannot be read as GGUF", where=where, got=shown_text(f"{error}")) from None
    fields.choice("general.architecture", {"llama": "llama"})
    check_blocks(fields.whole(NUMBERS["num_hidden_layers"]), "blk.", tensors, where)
    try:
        return _built(gguf, fields, tensors)
    except (NetError, SizeError, DataError) as error:
        raise FileError(
            what="no net follows from this file", where=where, expected=error.expected, got=f"{error.what} {error.got}"
        ) from None


def _built(gguf: Any, fields: Config, tensors: Mapping[str, Any]) -> Net:
    """The net of what a file says and of its tensors."""
    tokens = _tokenizer(fields)
    config = _config(fields, tokens.size, "output.weight" not in tensors)
    fields.finish(
        {*harmless.harmless_names(harmless.GGUF), *filter(re.compile(harmless.ABOUT).fullmatch, fields.plain)}
    )
    heads = {"q_proj": config.whole("num_attention_heads"), "k_proj": config.whole("num_key_value_heads")}
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        known, array = _name(name), _array(gguf, tensor, fields.where)
        _, _, layer = known.removesuffix(".weight").rpartition(".")
        if layer in heads and (array.ndim != 2 or array.shape[0] % (2 * heads[layer])):
            raise FileError(
                what="the weights of this file do not divide into heads",
                where=f"{fields.where}, {shown_text(name)}",
                expected=f"two halves for each of {heads[layer]} heads",
                got=f"{tuple(array.shape)}",
            )
        found[known] = _halves(array, heads[layer]) if layer in heads else array
    net = llama_net(config, tokens).with_output(tokens)
    return filled_arrays(net, found, llama_table(config), llama_unread(config), fields.where)


def _config(fields: Config, pieces: int, tied: bool) -> Config:
    """The fields of the file under the names of the family's configuration."""
    plain = {ours: fields.mention(theirs) for ours, theirs in NUMBERS.items()}
    plain |= {"vocab_size": pieces, "tie_word_embeddings": tied}
    kind, factor = fields.mention("llama.rope.scaling.type"), fields.mention("llama.rope.scaling.factor")
    if kind in {None, "none"}:
        fields.refuse("llama.rope.scaling.factor", 0.0, 1.0)
    else:
        plain["rope_scaling"] = {"rope_type": kind, "factor": factor}
    config = Config(plain, fields.where)
    heads = config.whole("num_attention_heads")
    plain["num_key_value_heads"] = config.whole("num_key_value_heads", heads)
    width = config.whole("head_dim", max(1, config.whole("hidden_size") // heads))
    fields.refuse("llama.vocab_size", pieces)
    for name in ("llama.rope.dimension_count", "llama.attention.value_length"):
        fields.refuse(name, width)
    for name in ("llama.expert_count", "llama.expert_used_count"):
        fields.refuse(name, 0)
    fields.refuse("llama.rope.scaling.finetuned", False)
    return config


def _array(gguf: Any, tensor: Any, where: str) -> Tensor:
    """A tensor's numbers as float32."""
    try:
        return torch.tensor(gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=torch.float32, device="cpu")
    except (NotImplementedError, ValueError, TypeError, IndexError) as error:
        raise FileError(
            what="the numbers of this tensor cannot be read",
            where=f"{where}, {shown_text(tensor.name)}",
            got=f"{getattr(tensor.tensor_type, 'name', '')} {shown_text(str(error))}".strip(),
        ) from None


def _plain(value: Any) -> Any:
    """A number as it was written before it became a float32: 1e-05, not 9.999999747378752e-06."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _name(name: str) -> str:
    """A tensor's name as the family publishes it; as it is where there is none."""
    first, *rest = name.split(".")
    if not rest:
        return name
    if first == "blk" and len(rest) == 3 and rest[1] in INSIDE:
        return f"model.layers.{rest[0]}.{INSIDE[rest[1]]}.{rest[2]}"
    return ".".join([OUTSIDE[first], *rest]) if first in OUTSIDE else name


def _halves(weight: Tensor, heads: int) -> Tensor:
    """Reorder rows: the two features of a rotation are neighbours in such a file, and half a head apart in `Rotary`."""
    return weight.unflatten(0, (heads, -1, 2)).transpose(1, 2).flatten(0, 2)  # (heads, d / 2, 2, in) -> (out, in)


def _tokenizer(fields: Config) -> Subwords:
    """The codec of the tokenizer in a file, byte-pair encoding of bytes."""
    kind, split = fields.mention("tokenizer.ggml.model"), fields.mention("tokenizer.ggml.pre")
    if kind != "gpt2" or not isinstance(split, str) or split not in SPLITS:
        raise FileError(
            what="no tokenizer follows from what this file says",
            where=fields.where,
            expected=f"byte-pair encoding, cut as one of {', '.join(SPLITS)}",
            got=f"{shown_text(kind)}, {shown_text(split)}",
        )
    pieces, merges = fields.texts("tokenizer.ggml.tokens"), fields.texts("tokenizer.ggml.merges")
    kinds = fields.indices("tokenizer.ggml.token_type") or (1,) * len(pieces)
    if len(kinds) != len(pieces) or len({*pieces}) != len(pieces):
        raise FileError(
            what="the pieces of this file's tokenizer are not each one of a kind",
            where=fields.where,
            expected=f"a kind for each of {len(pieces)} pieces, none of which stands twice",
            got=f"{len(kinds)} kinds, {len({*pieces})} different pieces",
        )
    plain: Mapping[str, Any] = {
        "version": "1.0",
        "added_tokens": [
            {"id": i, "content": piece, **SPECIAL}
            for i, (piece, kind) in enumerate(zip(pieces, kinds, strict=True))
            if kind == CONTROL
        ],
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": SPLITS[split]},
        "post_processor": _frame(fields, pieces),
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "vocab": {piece: i for i, piece in enumerate(pieces)},
            "merges": [merge.split(" ", 1) for merge in merges],
        },
    }
    fields.refuse("tokenizer.ggml.add_space_prefix", False)
    ends = [i for name in ("eos", "eot", "eom") for i in fields.indices(f"tokenizer.ggml.{name}_token_id")]
    framed = plain["post_processor"] is not None
    codec = Subwords(json.dumps(plain), special=framed, ending=tuple(dict.fromkeys(ends)))
    cut_options(codec)
    return codec


def _frame(fields: Config, pieces: Sequence[str]) -> Mapping[str, Any] | None:
    """The post-processor that puts the file's special pieces around a text."""
    template: list[Any] = [{"Sequence": {"id": "A", "type_id": 0}}]
    used: dict[str, Any] = {}
    for name, place in (("bos", 0), ("eos", len(template) + 1)):
        index = fields.indices(f"tokenizer.ggml.{name}_token_id")
        if not fields.yes(f"tokenizer.ggml.add_{name}_token", False):
            continue
        if len(index) != 1 or index[0] >= len(pieces):
            raise FileError(
                what="a piece is put around every text, and the file does not say which",
                where=fields.where,
                expected=f"tokenizer.ggml.{name}_token_id of 0 to {len(pieces) - 1}",
                got=f"{index}",
            )
        piece = pieces[index[0]]
        template.insert(place, {"SpecialToken": {"id": piece, "type_id": 0}})
        used[piece] = {"id": piece, "ids": [index[0]], "tokens": [piece]}
    if not used:
        return None
    return {"type": "TemplateProcessing", "single": template, "pair": PAIR, "special_tokens": used}


def _package() -> Any:
    """The package, which is loaded when it is needed."""
    try:
        import gguf
    except ImportError:
        missing_extra("gguf", "gguf", "a GGUF file")
    return gguf
