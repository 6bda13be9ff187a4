"""A batch varies in a step as its encoders say: keyed by seed, step, port and example; the rest of it stays."""

import torch

import netwright as nw
from netwright.net.run.noise import Noise
from netwright.training.batch import Batch
from netwright.training.variation import BatchVariation, noise_of_port

ENCODER = nw.Image(5, 4, "gray", mean=0.5, deviation=0.25, vary=(nw.Shift(1), nw.Brightness(0.5)))
PIXELS = torch.randint(0, 256, (6, 5, 4, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def batch(ids: torch.Tensor, pixels: torch.Tensor = PIXELS) -> Batch:
    return Batch({"left": pixels, "right": pixels, "target": ids * 2}, ids, ids / 3, {"n": 3})


def test_each_port_varies_and_is_prepared_and_the_rest_stays() -> None:
    ids = torch.tensor([4, 8, 15, 16, 23, 42])
    given = batch(ids)
    found = BatchVariation({"left": ENCODER, "right": ENCODER}, seed=7)(given, 3)
    for port in ("left", "right"):
        expected = ENCODER.prepare(ENCODER.varied(PIXELS, noise_of_port(Noise(7, 3, ids), port)))
        assert torch.equal(found.inputs[port], expected)
    assert not torch.equal(found.inputs["left"], found.inputs["right"])
    assert found.inputs["target"] is given.inputs["target"] and found.weights is given.weights
    assert found.examples is ids and found.lengths == {"n": 3}
    assert given.inputs["left"] is PIXELS
    assert BatchVariation({}, 7)(given, 3) is given


def test_the_order_of_a_batch_changes_nothing_and_seed_and_step_change_all() -> None:
    ids = torch.arange(6)
    varied = BatchVariation({"left": ENCODER}, seed=7)
    found = varied(batch(ids), 3).inputs["left"]
    torch.testing.assert_close(varied(batch(ids.flip(0), PIXELS.flip(0)), 3).inputs["left"].flip(0), found)
    assert torch.equal(varied(batch(ids), 3).inputs["left"], found)
    for other in (varied(batch(ids), 4), BatchVariation({"left": ENCODER}, 8)(batch(ids), 3)):
        assert not torch.equal(other.inputs["left"], found)
