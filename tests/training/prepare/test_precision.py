"""The precision follows from the processor, the work of a step, and what the outputs and targets are."""

import pytest
import torch

import netwright as nw
from netwright.errors import TrainingError
from netwright.training.prepare.choices import Chooser
from netwright.training.prepare.precision import is_coarse, precision_of

CPU = torch.device("cpu")
CLASSES, NUMBERS = nw.Category([0, 1]), nw.Number()
UNITS = "the processor has units for bf16; weights and losses stay float32"
TOO_FEW = "bf16 has about 3 digits, too few for outputs that are numbers"
FINE = torch.linspace(0, 1, 4000)
COARSE = torch.randint(256, (8, 500), generator=torch.Generator().manual_seed(0)) / 255


@pytest.mark.parametrize(
    ("units", "work", "decoders", "target", "value", "why"),
    [
        (True, [10**7], [CLASSES], FINE, "bf16", UNITS),
        (False, [10**7], [CLASSES], FINE, "float32", "the processor has no units for bf16"),
        (True, [10**6], [CLASSES], FINE, "float32", "the products are small: 1,000,000 multiply-adds each"),
        (True, [10**6] * 30, [CLASSES], FINE, "float32", "the products are small: 1,000,000 multiply-adds each"),
        (True, [10**7, 10**4], [CLASSES], FINE, "bf16", UNITS),
        (True, [], [CLASSES], FINE, "float32", "the products are small: 0 multiply-adds each"),
        (True, [10**7], [NUMBERS], FINE, "float32", TOO_FEW),
        (True, [10**7], [CLASSES, NUMBERS], FINE, "float32", TOO_FEW),
        (True, [10**7], [NUMBERS], COARSE, "bf16",
         f"{UNITS}; the targets have at most 256 different values"),
        (True, [10**7], [], FINE, "bf16", UNITS),
    ],
)  # fmt: skip
def test_the_choice(monkeypatch, units, work, decoders, target, value, why) -> None:
    monkeypatch.setattr("netwright.training.prepare.precision.has_bf16", lambda device: units)
    choose = Chooser(())
    precision_of(choose, None, CPU, work, decoders, lambda: [target])
    assert (choose.made[0].value, choose.made[0].why) == (value, why)


def test_few_values_are_known_only_where_they_repeat() -> None:
    assert is_coarse(COARSE)
    assert is_coarse(torch.tensor([1.0, 2.0] * 4))
    assert not is_coarse(torch.tensor([1.0, 2.0, 3.0, 4.0] * 3))  # twelve numbers may be any
    assert not is_coarse(FINE)
    assert is_coarse(torch.arange(5000))  # indices
    assert not is_coarse(torch.arange(257).repeat(9).float())


def test_an_autoencoder_of_pictures_is_trained_in_bf16(monkeypatch) -> None:
    monkeypatch.setattr("netwright.training.prepare.precision.has_bf16", lambda device: True)
    x = COARSE.repeat(8, 1)[:, :400].numpy()
    net = nw.Chain(128, nw.relu, nw.Linear(), input=nw.Array(400), output=nw.Array(400))
    for data, precision in ((x, "bf16"), (x * torch.rand(64, 400).numpy(), "float32")):
        run = nw.train(net, (x, data), epochs=1, batch_size=64, progress=False)
        assert {choice.name: choice.value for choice in run.choices}["precision"] == precision


def test_float64_is_refused_on_a_device_that_has_none() -> None:
    with pytest.raises(TrainingError) as caught:
        precision_of(Chooser(()), "float64", torch.device("mps"), [10], [], list)
    assert str(caught.value) == (
        'this device has no float64\n  where:    precision\n  got:      mps\n  mend:     device="cpu"'
    )
