"""BN-Inception is what the chapter counts: 232 layers of 7 kinds, with the sizes of the paper's table."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.models.inception import SIZE, bn_inception

KIND = {"MaxPool": "pool", "AvgPool": "pool", "GlobalAvgPool": "pool"}

# from the paper's table: 1×1, 3×3 reduced, 3×3, double reduced, double, pooled and projected
TABLE = {
    "3a": (64, 64, 64, 64, 96, 32),
    "3b": (64, 64, 96, 64, 96, 64),
    "3c": (0, 128, 160, 64, 96, 0),
    "4a": (224, 64, 96, 96, 128, 128),
    "4b": (192, 96, 128, 96, 128, 128),
    "4c": (160, 128, 160, 128, 160, 96),
    "4d": (96, 128, 192, 160, 192, 96),
    "4e": (0, 128, 192, 192, 256, 0),
    "5a": (352, 192, 320, 160, 224, 128),
    "5b": (352, 192, 320, 192, 224, 128),
}


@pytest.fixture(scope="module")
def net() -> nw.Chain:
    return bn_inception(range(1000))


def test_it_has_232_layers_of_7_kinds(net: nw.Chain):
    counts: dict[str, int] = {}
    for kind, count in nw.summary(net).kinds.items():
        counts[KIND.get(kind, kind)] = counts.get(KIND.get(kind, kind), 0) + count
    assert counts == {
        "Conv": 69,
        "BatchNorm": 69,
        "relu": 69,
        "pool": 13,
        "Concatenate": 10,
        "Linear": 1,
        "softmax": 1,
    }
    assert sum(counts.values()) == 232


def test_every_stage_has_the_size_of_the_table(net: nw.Chain):
    sizes = {row.path: row.sizes for row in nw.summary(net).rows}
    assert sizes["stem/chain1"] == "(112, 112, 64)"
    assert sizes["stem/maxpool1"] == "(56, 56, 64)"
    assert sizes["stem/chain3"] == "(56, 56, 192)"
    assert sizes["stem"] == "(28, 28, 192)"
    blocks = {name: sizes[f"inception{name}"] for name in TABLE}
    assert blocks == {
        "3a": "(28, 28, 256)",
        "3b": "(28, 28, 320)",
        "3c": "(14, 14, 576)",
        **dict.fromkeys(("4a", "4b", "4c", "4d"), "(14, 14, 576)"),
        **dict.fromkeys(("4e", "5a", "5b"), "(7, 7, 1024)"),
    }
    assert sizes["mean"] == "(1024,)"
    assert sizes["softmax"] == "(1000,)"


def test_its_parameters_are_those_that_the_table_makes(net: nw.Chain):
    convolutions = [(3, 64, 7), (64, 64, 1), (64, 192, 3)]
    channels = 192
    for one, three_reduced, three, double_reduced, double, projected in TABLE.values():
        convolutions += [(channels, three_reduced, 1), (three_reduced, three, 3)]
        convolutions += [(channels, double_reduced, 1), (double_reduced, double, 3), (double, double, 3)]
        if one:
            convolutions += [(channels, one, 1), (channels, projected, 1)]
        channels = one + three + double + (projected or channels)
    with_norms = sum(a * b * kernel**2 + 2 * b for a, b, kernel in convolutions)
    assert len(convolutions) == 69
    assert with_norms == 10_169_984
    assert nw.summary(net).parameters == with_norms + 1025 * 1000 == 11_194_984


def test_another_number_of_classes_changes_the_last_layer_alone():
    held = nw.initialize(bn_inception(["a", "b", "c"]))
    pets = held.with_output(nw.Category(["cat", "dog"]))
    change = nw.diff(held, pets)
    assert change.of("reset") == ("linear/weight", "linear/bias")
    assert len(change.of("kept")) == 69 * 5
    assert nw.initialize(pets, seed=1)["linear"].arrays["weight"].shape == (2, 1024)


def test_it_answers_a_picture():
    torch.manual_seed(0)
    held = nw.initialize(bn_inception(["cat", "dog"]))
    picture = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    shown = held(picture, nw.probabilities)
    assert list(shown) == ["cat", "dog"]
    assert sum(shown.values()) == pytest.approx(1)
    assert held(picture, at="inception5b").shape == (7, 7, 1024)
