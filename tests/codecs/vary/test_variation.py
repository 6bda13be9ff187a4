"""A variation is a value that prints itself and stands in a table for files; an encoder takes nothing else."""

import itertools
import json
from dataclasses import fields
from typing import Any

import pytest
import torch

import netwright as nw
from messages import message
from netwright.codecs.vary.variation import VARIATIONS, PixelVariation, Random, Variation, check_range
from netwright.file.structure import Reader, described_value
from netwright.net.run.noise import Noise
from netwright.training.variation import noise_of_port

SAMPLES: list[Variation] = [
    nw.Shift(2), nw.Rotate(10), nw.Zoom(0.1), nw.Flip("vertical"), nw.Crop(5, 4), nw.Brightness(0.2), nw.Contrast(0.2),
    nw.Saturation(0.2), nw.Hue(0.1), nw.GaussianNoise(0.1), nw.Erase(0.3),
]  # fmt: skip


def test_every_variation_is_in_the_table_and_public() -> None:
    assert {type(one).__name__ for one in SAMPLES} == {name for name in VARIATIONS if hasattr(nw, name)}
    assert all(getattr(nw, type(one).__name__) is VARIATIONS[type(one).__name__] for one in SAMPLES)


@pytest.mark.parametrize("one", SAMPLES, ids=repr)
def test_a_variation_is_a_value(one: Variation) -> None:
    again: Any = eval(repr(one), dict(VARIATIONS))
    assert again == one and hash(again) == hash(one)
    encoder = nw.Image(8, 8, vary=[one])
    assert encoder.vary == (one,) and eval(repr(encoder), {"Image": nw.Image, **VARIATIONS}) == encoder
    assert encoder != nw.Image(8, 8) and encoder.variation == repr(one)
    assert Reader().codec(json.loads(json.dumps(described_value(encoder, "input"))), "input") == encoder
    assert all(field.name in repr(one) for field in fields(one))  # pyright: ignore[reportArgumentType]


def test_one_of_one_s_own_is_a_class_with_one_method(tmp_path: Any) -> None:
    class Negative(PixelVariation):
        """Every second picture is a negative."""

        def pixels(self, light: torch.Tensor, random: Random) -> torch.Tensor:
            return torch.where(random((len(light), 1)).view(-1, 1, 1, 1) < 0.5, 1 - light, light)

    encoder = nw.Image(4, 4, "gray", vary=(Negative(),))
    found = encoder.varied(torch.zeros(9, 4, 4, 1, dtype=torch.uint8), noise_of_port(Noise(0, 0, torch.arange(9)), "a"))
    assert {*found.flatten(1).mean(1).tolist()} == {0, 1}
    net = nw.initialize(nw.Chain(nw.Flatten(), nw.Linear(2), input=encoder))
    nw.save(net, tmp_path / "a.net")
    assert nw.load(tmp_path / "a.net") == net
    del VARIATIONS["Negative"]


def test_a_file_with_a_variation_that_cannot_be_is_refused() -> None:
    plain = described_value(nw.Image(8, 8, vary=(nw.Crop(5, 4),)), "input")
    plain["fields"]["vary"][0]["fields"]["height"] = 9
    assert message(lambda: Reader().codec(plain, "input")).startswith(
        "Image cannot be what the file says: the piece is larger than the picture\n"
    )
    plain["fields"]["vary"][0] = {"record": "Twist", "fields": {}}
    assert message(lambda: Reader().codec(plain, "input")).startswith("there is no record of the name 'Twist'\n")


def test_what_is_no_variation_is_refused() -> None:
    known = ", ".join(f"nw.{name}" for name in VARIATIONS)
    assert message(lambda: nw.Image(4, 4, vary=("flip",))) == (  # pyright: ignore[reportArgumentType]
        f"this is not a variation\n  where:    vary\n  expected: some of {known}\n  got:      'flip'"
    )
    assert message(lambda: nw.Image(4, 4, vary=(nw.Flip,))).endswith("got:      " + repr(nw.Flip))  # pyright: ignore[reportArgumentType]
    assert message(lambda: nw.Image(4, 4, vary=nw.Flip())).startswith(  # pyright: ignore[reportArgumentType]
        "vary of Image cannot be this\n  where:    Image\n  expected: a list\n"
    )
    assert message(lambda: check_range(nw.Zoom(0.1), float("nan"), 1, "the share")) == (
        "the share is above 0 and at most 1\n  where:    Zoom\n  got:      nan"
    )


def test_codecs_are_equal_where_their_code_is_so_that_equal_nets_have_one_digest_and_hash() -> None:
    whole, real, other = (nw.Image(4, 4, vary=(nw.Flip(), nw.Rotate(degrees))) for degrees in (10, 10.0, 11))
    assert whole == nw.Image(4, 4, vary=(nw.Flip(), nw.Rotate(10)))
    assert whole.code() != real.code() and whole != real != other
    nets = [nw.Chain(nw.Flatten(), nw.Linear(2), input=codec) for codec in (whole, real, whole)]
    for left, right in itertools.product(nets, nets):
        same = left == right
        assert same == (nw.digest(left) == nw.digest(right)) == (hash(left) == hash(right))
    assert nets[0] == nets[2] != nets[1]
