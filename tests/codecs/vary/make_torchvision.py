"""Makes torchvision.json: what torchvision makes of a small picture, as bytes and as floats.

Torchvision does not import beside the torch of the project's environment, so it runs in one of its own:

    python -m venv /tmp/oracle && /tmp/oracle/bin/pip install torch numpy torchvision --no-deps
    /tmp/oracle/bin/python tests/codecs/vary/make_torchvision.py

Its compiled operators may be missing there, which none of these functions needs: the two that its import asks for are
declared below.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

OPERATORS = torch.library.Library("torchvision", "DEF")
for operator in ("nms", "qnms"):
    OPERATORS.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision  # noqa: E402  # after its operators
from torchvision.transforms import InterpolationMode, v2  # noqa: E402
from torchvision.transforms.v2 import functional as F  # noqa: E402

HEIGHT, WIDTH = 7, 9
BILINEAR = InterpolationMode.BILINEAR
STILL: dict[str, Any] = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}


def affine(picture: Tensor, **changed: Any) -> Tensor:
    return F.affine(picture, **(STILL | changed), interpolation=BILINEAR)


def resized_crop(picture: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    return F.resized_crop(picture, top, left, height, width, [HEIGHT, WIDTH], antialias=True)


def erase(picture: Tensor, i: int, j: int, h: int, w: int) -> Tensor:
    return F.erase(picture, i, j, h, w, torch.zeros(1, 1, 1, dtype=picture.dtype))


CASES: list[tuple[str, Callable[..., Tensor], dict[str, Any]]] = [
    ("shift", affine, {"translate": [2, -1]}),
    ("rotate", lambda picture, angle: F.rotate(picture, angle, BILINEAR), {"angle": 13.7}),
    ("rotate", lambda picture, angle: F.rotate(picture, angle, BILINEAR), {"angle": -77.0}),
    ("zoom", affine, {"scale": 1.17}),
    ("zoom", affine, {"scale": 0.8}),
    ("zoom, rotate, shift", affine, {"scale": 0.9, "angle": 21.0, "translate": [-1, 2]}),
    ("flip", F.horizontal_flip, {}),
    ("flip vertical", F.vertical_flip, {}),
    ("crop", resized_crop, {"top": 1, "left": 3, "height": 5, "width": 4}),
    ("brightness", F.adjust_brightness, {"brightness_factor": 0.6}),
    ("brightness", F.adjust_brightness, {"brightness_factor": 1.7}),
    ("contrast", F.adjust_contrast, {"contrast_factor": 0.6}),
    ("contrast", F.adjust_contrast, {"contrast_factor": 1.7}),
    ("saturation", F.adjust_saturation, {"saturation_factor": 0.4}),
    ("saturation", F.adjust_saturation, {"saturation_factor": 1.9}),
    ("hue", F.adjust_hue, {"hue_factor": 0.31}),
    ("hue", F.adjust_hue, {"hue_factor": -0.2}),
    ("erase", erase, {"i": 2, "j": 4, "h": 3, "w": 5}),
]
GRAY = ("shift", "rotate", "crop", "brightness", "contrast", "erase")


def plain(picture: Tensor) -> Any:
    """(c, h, w) as nested lists of (h, w, c), floats with seven digits."""
    last = picture.permute(1, 2, 0)
    return (
        last.tolist()
        if picture.dtype == torch.uint8
        else [[[round(v, 7) for v in p] for p in row] for row in last.tolist()]
    )


def case(name: str, function: Callable[..., Tensor], given: dict[str, Any], pixels: Tensor) -> dict[str, Any]:
    found = {"bytes": plain(function(pixels, **given)), "floats": plain(function(pixels.float() / 255, **given))}
    return {"name": name, "channels": len(pixels), "given": given, **found}


def noise(pixels: Tensor) -> dict[str, Any]:
    """Torchvision draws the noise itself: it is drawn once more with the same seed, and kept."""
    torch.manual_seed(0)
    normal = torch.randn_like(pixels.float())
    torch.manual_seed(0)
    found = F.gaussian_noise(pixels.float() / 255, mean=0.0, sigma=0.2, clip=True)
    return {"normal": plain(normal), "sigma": 0.2, "floats": plain(found)}


def mixed() -> dict[str, Any]:
    """Three vectors of numbers and their labels, mixed; the share is given, which torchvision would draw."""
    pictures = torch.rand(3, 1, 2, 4, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([2, 0, 1])
    given = {"lam": 0.3, "labels": labels, "batch_size": 3}
    mixup = v2.MixUp(num_classes=3)
    found, target = (mixup.transform(one, given) for one in (pictures, labels))
    lists = {"pictures": pictures, "labels": labels, "found": found, "target": target}
    return {"share": 0.3, **{name: one.tolist() for name, one in lists.items()}}


def main() -> None:
    pixels = torch.randint(0, 256, (3, HEIGHT, WIDTH), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    pixels[:, 0, 0] = 128  # a pixel without colour
    cases = [case(*one, pixels) for one in CASES] + [case(*one, pixels[:1]) for one in CASES if one[0] in GRAY]
    made = {
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__},
        "picture": plain(pixels),
        "cases": cases,
        "noise": noise(pixels),
        "mixup": mixed(),
    }
    text = json.dumps(made, separators=(",", ":")).replace('{"name"', '\n{"name"')
    Path(__file__).with_name("torchvision.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
