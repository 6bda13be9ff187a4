"""Whisper: an encoder-decoder transformer that writes down what is said in a recording, from a CTranslate2 file."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from netwright.codecs.sound.spectrum import Mel
from netwright.codecs.text.subwords import Subwords
from netwright.errors import FileError
from netwright.layers.conv import Conv
from netwright.layers.embedding import Embedding
from netwright.layers.join import Add
from netwright.layers.linear import Linear
from netwright.layers.norm import LayerNorm
from netwright.layers.pointwise import gelu, softmax
from netwright.layers.position import Positions
from netwright.layers.reshape import Slice
from netwright.layers.wrap import Repeat, Residual
from netwright.models.pretrained.files import json_of
from netwright.models.pretrained.weights import From, filled_arrays
from netwright.models.sound.ct2 import ct2_arrays
from netwright.models.transformer import MEMORY, cross_attention, self_attention
from netwright.net.chain import Chain
from netwright.net.graph import Graph
from netwright.net.part import Net, Shared
from netwright.value import Value

SECONDS, RATE, WINDOW, HOP, BANDS = 30, 16000, 400, 160, 80
FRAMES = SECONDS * RATE // HOP
START, END = "<|startoftranscript|>", "<|endoftext|>"
UNREAD = (
    r".*/(activation|alibi|alignment_heads|alignment_layer|num_heads|pre_norm|scale_embeddings)",
    r".*/start_from_zero_embedding",
)
"""What is in the file and no array of the net: settings, which are those of every Whisper."""


class WhisperSizes(Value):
    """The sizes of one of the Whispers; those of tiny.en by default."""

    width: int = 384
    heads: int = 6
    blocks: int = 4
    pieces: int = 51864
    positions: int = 448


def whisper_net(tokens: Any, sizes: WhisperSizes) -> Graph:
    """The net without its arrays: a sound and the text so far in, the probabilities of every next piece out.

    A sound is 30 seconds of a mel spectrogram, as log₁₀ of the power, at most 8 below its largest value, plus 4 and
    divided by 4: that is decibels with `top_db=80`, plus 40 and divided by 40.
    """
    width = sizes.width
    encoder = Chain(
        frames=Slice((0, FRAMES), axis=0),
        conv1=Conv(width, 3, padding=1),
        gelu1=gelu,
        conv2=Conv(width, 3, stride=2, padding=1),
        gelu2=gelu,
        positions=Positions(FRAMES // 2),
        blocks=Repeat(sizes.blocks, _encoder_block(sizes)),
        norm=LayerNorm(),
    )
    return Graph(
        encoder=(encoder, "sound"),
        words=(Shared("words", Embedding(width)), "text"),
        positions=(Positions(sizes.positions), "words"),
        blocks=(Repeat(sizes.blocks, _decoder_block(sizes)), "positions", "encoder"),
        norm=(LayerNorm(), "blocks"),
        head=(Shared("words", Linear(bias=False)), "norm"),
        softmax=(softmax, "head"),
        input={
            "sound": Mel(
                RATE, BANDS, seconds=SECONDS, window=WINDOW, hop=HOP, edges="reflect", mean=-40.0, deviation=40.0
            ),
            "text": tokens,
        },
    )


def _encoder_block(sizes: WhisperSizes) -> Chain:
    return Chain(
        attention=Residual([LayerNorm(), self_attention(sizes.width, sizes.heads)]),
        feed_forward=_feed_forward(sizes.width),
    )


def _decoder_block(sizes: WhisperSizes) -> Graph:
    return Graph(
        attention=(Residual([LayerNorm(), self_attention(sizes.width, sizes.heads, causal=True)]), "input"),
        norm=(LayerNorm(), "attention"),
        cross=(cross_attention(sizes.width, sizes.heads), "norm", "memory"),
        add=(Add(), "attention", "cross"),
        feed_forward=(_feed_forward(sizes.width), "add"),
        input=MEMORY,
    )


def _feed_forward(width: int) -> Residual:
    return Residual([LayerNorm(), Linear(4 * width), gelu, Linear(width)])


def whisper_table(sizes: WhisperSizes) -> dict[str, From]:
    """The table of its arrays: which array of the file each comes from."""
    found = {
        **_arrays("encoder/conv1", "encoder/conv1"),
        **_arrays("encoder/conv2", "encoder/conv2"),
        "encoder/positions/positions": From("encoder/position_encodings/encodings"),
        **_norm("encoder/norm", "encoder/layer_norm"),
        "@words/weight": From("decoder/embeddings/weight"),
        "positions/positions": From("decoder/position_encodings/encodings"),
        **_norm("norm", "decoder/layer_norm"),
    }
    for i in range(sizes.blocks):
        for ours, theirs in (("encoder/blocks", "encoder"), ("blocks", "decoder")):
            own, other = f"{ours}/{i + 1}", f"{theirs}/layer_{i}"
            attention = f"{own}/attention/body"
            found |= _norm(f"{attention}/layernorm1", f"{other}/self_attention/layer_norm")
            found |= _split(f"{attention}/graph1", f"{other}/self_attention/linear_0", "query key value", sizes.width)
            found |= _arrays(f"{attention}/graph1/projection", f"{other}/self_attention/linear_1")
            found |= _norm(f"{own}/feed_forward/body/layernorm1", f"{other}/ffn/layer_norm")
            found |= _arrays(f"{own}/feed_forward/body/linear1", f"{other}/ffn/linear_0")
            found |= _arrays(f"{own}/feed_forward/body/linear2", f"{other}/ffn/linear_1")
        own, other = f"blocks/{i + 1}", f"decoder/layer_{i}/attention"
        found |= _norm(f"{own}/norm", f"{other}/layer_norm")
        found |= _arrays(f"{own}/cross/query", f"{other}/linear_0")
        found |= _split(f"{own}/cross", f"{other}/linear_1", "key value", sizes.width)
        found |= _arrays(f"{own}/cross/projection", f"{other}/linear_2")
    return found


def read_whisper(folder: Path) -> Net:
    """The net with the weights of `model.bin`, and the text codecs of `tokenizer.json`.

    Raises: FileError for files that hold no such model.
    """
    sizes = WhisperSizes()
    path = folder / "model.bin"
    encoder, decoder = _codecs(folder / "tokenizer.json", sizes)
    net = whisper_net(encoder, sizes)
    return filled_arrays(net, ct2_arrays(path), whisper_table(sizes), UNREAD, str(path)).with_output(decoder)


def _codecs(path: Path, sizes: WhisperSizes) -> tuple[Subwords, Subwords]:
    """The text codecs: a text begins with the pieces that ask for a transcript, and ends with another one.

    The tokenizer puts all of them around a text. Here the first and the last are marks of the codecs, so that the net
    can be fed the one and give the other.
    """
    plain = json_of(path)
    processor = cast(dict[str, Any], plain.get("post_processor") or {})
    steps = cast(list[dict[str, Any]], processor.get("single") or [])
    names = [cast(dict[str, Any], step.get("SpecialToken") or {}).get("id") for step in steps]
    if names[:1] != [START] or names[-1:] != [END]:
        raise FileError(
            what="this is no tokenizer of a Whisper", where=str(path), expected=f"texts between {START} and {END}"
        )
    text = json.dumps({**plain, "post_processor": {**processor, "single": steps[1:-1]}})
    encoder = Subwords(text, special=True, padded=sizes.pieces, mark_start=START)
    return encoder, replace(encoder, mark_start=False, mark_end=END)


def _arrays(path: str, name: str) -> dict[str, From]:
    return {f"{path}/{array}": From(f"{name}/{array}") for array in ("weight", "bias")}


def _norm(path: str, name: str) -> dict[str, From]:
    return {f"{path}/weight": From(f"{name}/gamma"), f"{path}/bias": From(f"{name}/beta")}


def _split(path: str, name: str, parts: str, width: int) -> dict[str, From]:
    """Layers whose arrays the file keeps as one, one below the other."""
    found: dict[str, From] = {}
    for place, part in enumerate(parts.split()):
        rows = slice(place * width, (place + 1) * width)

        def taken(tensor: Tensor, rows: slice = rows) -> Tensor:
            return tensor[rows]

        for array in ("weight", "bias"):
            found[f"{path}/{part}/{array}"] = From(f"{name}/{array}", taken)
    return found
