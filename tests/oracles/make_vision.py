"""What nets for pictures of torch give with weights computed from their names, and the gradients of one step."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from formula import digest_of, formula_array, formula_pictures, formula_state, sum_and_length
from tools import let_torchvision_import, store

let_torchvision_import()

from torch import nn  # noqa: E402
from torchvision import models  # noqa: E402
from torchvision.ops import StochasticDepth  # noqa: E402

CLASSES = 10


def names_of(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """The names and shapes of a state dict, without the counts of batches."""
    return {name: tuple(array.shape) for name, array in model.state_dict().items() if array.ndim}


def in_rows(y: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
    """All outputs of each example in one row."""
    return torch.cat([part.flatten(1) for part in (y if isinstance(y, tuple) else (y,))], 1)


def facts(model: nn.Module, count: int, size: int) -> dict[str, Any]:
    """Outputs in use, then of one training step the gradients of Σ output · numbers, and the running statistics."""
    for part in model.modules():
        if isinstance(part, nn.Dropout | StochasticDepth):
            part.p = 0.0
    names = names_of(model)
    arrays = {name: torch.from_numpy(array) for name, array in formula_state(names).items()}
    model.double().load_state_dict(arrays, strict=False)
    x = torch.from_numpy(formula_pictures(count, size))
    with torch.no_grad():
        logits = in_rows(model.eval()(x))
    y = in_rows(model.train()(x))
    (y * torch.from_numpy(formula_array("slopes", y.shape))).sum().backward()
    gradients = [sum_and_length(name, array.grad.numpy()) for name, array in model.named_parameters()]
    running = {name: array.numpy() for name, array in model.named_buffers() if array.ndim}
    return {
        "names": np.array("\n".join(f"{name} {' '.join(map(str, shape))}" for name, shape in names.items())),
        "learned": np.array([name for name, _ in model.named_parameters()]),
        "size": np.array([count, size]),
        "logits": logits.numpy(),
        "gradients": np.array(gradients),
        "running_names": np.array(list(running)),
        "running": np.array([sum_and_length(name, array) for name, array in running.items()]),
    }


def keep(name: str, made: Callable[[], nn.Module], count: int, size: int) -> None:
    """Store the facts of one net."""
    store(name, ["torch", "torchvision"], **facts(made(), count, size))


def keep_digests(name: str, makers: Iterable[tuple[str, Callable[[], nn.Module]]]) -> None:
    """Store of each net its parameters and a digest of the names and shapes of its whole state dict."""
    rows: list[tuple[str, str, str]] = []
    for key, made in makers:
        with torch.device("meta"):
            model = made()
        parameters = sum(array.numel() for array in model.parameters())
        sizes = {name: math.prod(shape) for name, shape in names_of(model).items()}
        rows.append((key, str(parameters), digest_of(sizes)))
    store(name, ["torch", "torchvision"], rows=np.array(rows))


class UNet(nn.Module):
    """The U-Net of Pytorch-UNet, written anew with its names: four halvings, transposed convolutions."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.inc = _Pair(3, width)
        for i in range(4):
            below, above = width * 2 ** (i + 1), width * 2**i
            self.add_module(f"down{i + 1}", _Down(above, below))
            self.add_module(f"up{4 - i}", _Up(below, above))
        self.outc = nn.ModuleDict({"conv": nn.Conv2d(width, classes, 1)})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The scores of the classes, for every pixel."""
        seen = [self.inc(x)]
        for i in range(4):
            seen.append(self.get_submodule(f"down{i + 1}")(seen[-1]))
        y = seen.pop()
        for i in range(4):
            y = self.get_submodule(f"up{i + 1}")(y, seen.pop())
        return self.outc["conv"](y)


class _Pair(nn.Module):
    def __init__(self, given: int, out: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in (given, out):
            layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        self.double_conv = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.double_conv(x)


class _Down(nn.Module):
    def __init__(self, given: int, out: int) -> None:
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), _Pair(given, out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.maxpool_conv(x)


class _Up(nn.Module):
    def __init__(self, given: int, out: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(given, out, 2, stride=2)
        self.conv = _Pair(given, out)

    def forward(self, x: torch.Tensor, beside: torch.Tensor) -> torch.Tensor:
        return self.conv(torch.cat([beside, self.up(x)], 1))


def small(name: str) -> Callable[[], nn.Module]:
    """What makes one of torchvision's nets with few classes."""
    return lambda: getattr(models, name)(num_classes=CLASSES)


if __name__ == "__main__":
    keep_digests("resnet", [(str(n), getattr(models, f"resnet{n}")) for n in (18, 34, 50, 101, 152)])
    keep_digests("efficientnet", [(f"b{i}", getattr(models, f"efficientnet_b{i}")) for i in range(8)])
    keep_digests("mobilenet_v3", [(kind, getattr(models, f"mobilenet_v3_{kind}")) for kind in ("large", "small")])
    keep_digests("convnext", [("tiny", models.convnext_tiny)])
    keep_digests("squeezenet", [("1.1", models.squeezenet1_1)])
    keep_digests("unet", [("64", lambda: UNet(64, 2))])
    keep("unet8", lambda: UNet(8, 2), 2, 32)
    for name in ("resnet18", "resnet50", "efficientnet_b0", "mobilenet_v3_large", "mobilenet_v3_small"):
        keep(name, small(name), 4, 40)
    keep("convnext_tiny", small("convnext_tiny"), 1, 64)
    for size in (48, 51):
        keep(f"squeezenet1_1_{size}", small("squeezenet1_1"), 2, size)
