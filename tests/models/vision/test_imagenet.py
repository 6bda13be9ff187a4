"""The labels of ImageNet are 1,000 different texts, in the order of its nets."""

import json
from pathlib import Path

import pytest

from netwright.errors import FileError
from netwright.models.vision.imagenet import imagenet_labels, labels_in


def test_the_labels_are_a_thousand_different_ones() -> None:
    labels = imagenet_labels()
    assert len(set(labels)) == 1000
    assert [labels[i] for i in (0, 134, 285, 517, 999)] == [
        "tench, Tinca tinca",
        "crane, bird",
        "Egyptian cat",
        "crane, machine",
        "toilet tissue, toilet paper, bathroom tissue",
    ]


def test_a_list_with_a_gap_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({str(i): "cat" for i in range(999)}))
    with pytest.raises(FileError) as caught:
        labels_in(path)
    assert str(caught.value) == (
        f"this file is no list of labels\n  where:    {path}\n  expected: 1000 labels by number"
    )
