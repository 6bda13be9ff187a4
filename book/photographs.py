"""Photographs that pages show to nets with published weights: some of those that scikit-image ships."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import cbook
from numpy.typing import NDArray

from netwright.fetch import Package, fetch

FILES = {
    "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "motorcycle_left.png": "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
    "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
}


def photographs() -> dict[str, NDArray[Any]]:
    """The photographs of a cat, coffee, a motorcycle and a rocket, uint8 (height, width, 3); fetched once, 14 MB."""
    wheel = Package(
        "pip",
        "scikit-image",
        "0.26.0",
        "skimage/data/",
        digest="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
        wheel="manylinux_2_28_x86_64",
    )
    folder = fetch("photographs/scikit-image", [wheel], FILES)
    read = [plt.imread(folder / file) for file in FILES]
    read = [photo if photo.dtype == np.uint8 else (photo * 255).round().astype(np.uint8) for photo in read]
    return dict(zip(("cat", "coffee", "motorcycle", "rocket"), read, strict=True))


def officer() -> NDArray[Any]:
    """A photograph that matplotlib ships, for the quick form of a page: Grace Hopper."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        return plt.imread(file, format="jpg")
