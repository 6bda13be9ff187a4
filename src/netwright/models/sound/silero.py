"""Silero VAD: a small net that says for every 32 milliseconds of a sound whether somebody speaks."""

from pathlib import Path
from typing import Any

from torch import Tensor

from netwright.codecs.category import Boolean
from netwright.codecs.each import Each
from netwright.codecs.sound.frames import Frames
from netwright.layers.conv import Conv
from netwright.layers.fold import Map
from netwright.layers.join import Add, Concatenate
from netwright.layers.linear import Linear
from netwright.layers.pointwise import Elementwise, relu, sigmoid, square
from netwright.layers.recurrent.lstm import LSTM
from netwright.layers.reshape import Flatten, Reshape, Slice
from netwright.layers.sequence import Delay, Reverse
from netwright.models.pretrained.weights import From, filled_arrays, linear_entries
from netwright.models.sound.onnx_file import onnx_arrays
from netwright.net.chain import Chain
from netwright.net.graph import Graph
from netwright.net.part import Net

RATE = 16000
PIECE, CONTEXT = 512, 64  # samples of a piece, and of the one before that it sees
WIDE = PIECE + CONTEXT
FREQUENCIES = 129  # of the Fourier transform, whose waves are weights
CONVS = ((128, 1), (64, 2), (64, 2), (128, 1))  # channels and strides


def silero_net() -> Graph:
    """The net without its arrays: pieces of 512 samples in, for every piece the probability of speech out."""
    convs: dict[str, Any] = {
        f"conv{number}": Chain(conv=Conv(out, 3, stride=step, padding=1), relu=relu)
        for number, (out, step) in enumerate(CONVS, 1)
    }
    return Graph(
        before=([Delay(), Slice((PIECE - CONTEXT, None))], "input"),
        pieces=(Concatenate(), "before", "input"),
        features=(Map(Chain(spectrum=_spectrum(), **convs, flatten=Flatten())), "pieces"),
        lstm=(LSTM(128), "features"),
        relu=(relu, "lstm.output"),
        linear=(Linear(1), "relu"),
        sigmoid=(sigmoid, "linear"),
        outputs={"output": "sigmoid"},
        input=Frames(RATE, window=PIECE, hop=PIECE, edges="fill"),
        output=Each(Boolean()),
    )


def _spectrum() -> Graph:
    """The magnitudes of four windows of a piece, whose end is mirrored."""
    return Graph(
        end=([Slice((WIDE - CONTEXT - 1, WIDE - 1)), Reverse()], "input"),
        mirrored=(Concatenate(), "input", "end"),
        waves=([Reshape(WIDE + CONTEXT, 1), Conv(2 * FREQUENCIES, 256, stride=128, bias=False)], "mirrored"),
        real=([Slice((0, FREQUENCIES)), square], "waves"),
        imaginary=([Slice((FREQUENCIES, None)), square], "waves"),
        power=(Add(), "real", "imaginary"),
        magnitude=(Elementwise("sqrt"), "power"),
        input=WIDE,
    )


def silero_table() -> dict[str, From]:
    """The table of its arrays: which array of the file each comes from."""
    found = {"features/body/spectrum/waves/conv1/weight": From("model.stft.forward_basis_buffer")}
    for number in range(1, len(CONVS) + 1):
        found |= linear_entries(f"features/body/conv{number}/conv", f"model.encoder.{number - 1}.reparam_conv")
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        found[f"lstm/{name}"] = From(f"model.decoder.rnn.{name}")
    last = "model.decoder.decoder.2"
    return found | {"linear/weight": From(f"{last}.weight", _matrix), "linear/bias": From(f"{last}.bias")}


def read_silero(path: Path) -> Net:
    """The net with the weights of Silero's ONNX file for 16 kHz.

    Raises: FileError for a file that holds no such weights.
    """
    return filled_arrays(silero_net(), onnx_arrays(path), silero_table(), (), str(path))


def _matrix(tensor: Tensor) -> Tensor:
    """A kernel of one position as a matrix."""
    return tensor.squeeze(-1)  # (out, in, 1) -> (out, in)
