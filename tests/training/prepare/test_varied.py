"""Training varies as the encoders say, the same however the data is read; validation and use never vary."""

from typing import Any

import pytest
import torch
from torch.utils.data import Dataset

import netwright as nw
from messages import message
from netwright.training.prepare.options import Options
from netwright.training.prepare.prepare import prepare

PIXELS = torch.randint(0, 256, (40, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LABELS = [i % 3 for i in range(40)]
VARY = (nw.Shift(2), nw.Rotate(20), nw.Zoom(0.2), nw.GaussianNoise(0.1))
OPTIONS: dict[str, Any] = {
    "epochs": 2, "batch_size": 8, "threads": 1, "seed": 5, "progress": False, "precision": "float64",
}  # fmt: skip


def net(vary: tuple[Any, ...] = VARY) -> nw.Net:
    body = (nw.Conv(3, 3), nw.relu, nw.Flatten(), nw.Linear(), nw.softmax)
    return nw.Chain(*body, input=nw.Image(8, 8, "gray", vary=vary), output=nw.Category(range(3)))


class Read(Dataset[Any]):
    """The same examples, read one by one."""

    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> Any:
        return PIXELS[index], LABELS[index]


def test_however_the_data_is_read_it_varies_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    run = nw.train(net(), (PIXELS, LABELS), **OPTIONS)
    assert run.losses != nw.train(net(()), (PIXELS, LABELS), **OPTIONS).losses
    floats = nw.train(net(), (PIXELS / 255, LABELS), **OPTIONS)
    assert floats.losses == pytest.approx(run.losses, abs=1e-5)
    for data, more in (((PIXELS, LABELS), {}), (Read(), {}), (Read(), {"workers": 1}), (Read(), {"workers": 2})):
        assert nw.train(net(), data, **OPTIONS, **more).losses == run.losses
    pieces = nw.train(net(), (PIXELS, LABELS), **OPTIONS, accumulate=4)
    assert pieces.losses == pytest.approx(run.losses, abs=1e-9)
    monkeypatch.setattr("netwright.training.feeds.feed.BLOCK", 1)  # each batch is gathered by itself
    assert nw.train(net(), (PIXELS, LABELS), **OPTIONS).losses == run.losses
    monkeypatch.setattr("netwright.training.feeds.feed.free_memory", lambda device: 100)  # nothing is kept encoded
    assert nw.train(net(), (PIXELS, LABELS), **OPTIONS).losses == run.losses


def test_a_stream_varies(monkeypatch: pytest.MonkeyPatch) -> None:
    def rows() -> Any:
        return zip(PIXELS, LABELS, strict=True)

    runs = [nw.train(net(vary), rows, **OPTIONS, **more) for vary in (VARY, VARY, ()) for more in ({}, {"keep": True})]
    assert runs[0].losses == runs[2].losses != runs[4].losses
    assert runs[1].losses == runs[3].losses != runs[5].losses


@pytest.mark.parametrize("data", [(PIXELS, LABELS), Read(), lambda: zip(PIXELS, LABELS, strict=True)])
def test_validation_and_use_never_vary(data: Any) -> None:
    filled = {name: OPTIONS.get(name) for name in Options.__dataclass_fields__}
    options = Options(**{**filled, "validation": data, "choices": (), "keep": False})
    varied, still = (prepare(net(vary), (PIXELS, LABELS), options) for vary in (VARY, ()))
    assert varied.validate is not None and still.validate is not None
    assert varied.validate() == still.validate()
    assert torch.equal(varied.feed.first(9).inputs["input"], still.feed.first(9).inputs["input"])
    trained = nw.initialize(net(), seed=1)
    alike = trained.with_input(nw.Image(8, 8, "gray"))
    assert trained(list(PIXELS), nw.raw).tolist() == alike(list(PIXELS), nw.raw).tolist()


def test_it_is_said_as_a_choice() -> None:
    said = [str(choice) for choice in nw.train(net(), (PIXELS, LABELS), **OPTIONS).choices if "vari" in choice.name]
    assert said == [
        "variation: Shift(pixels=2), Rotate(degrees=20), Zoom(share=0.2), GaussianNoise(deviation=0.1) "
        "(given with the encoder; it varies training alone)"
    ]
    x, y = nw.Input("left", nw.Image(8, 8, "gray", vary=(nw.Flip(),))), nw.Input("right", nw.Image(8, 8, "gray"))
    both = nw.Graph({"output": nw.Linear(1)(nw.Flatten()(nw.Add()(x, y)))}).with_output(nw.Number(0, 1))
    data = [{"left": PIXELS[i], "right": PIXELS[i], "target": LABELS[i]} for i in range(40)]
    said = [str(choice) for choice in nw.train(both, data, **OPTIONS).choices if "vari" in choice.name]
    assert said == ["variation of left: Flip(axis='horizontal') (given with the encoder; it varies training alone)"]


def test_a_decoder_that_varies_is_refused() -> None:
    picture = nw.Image(8, 8, "gray", vary=(nw.Flip(),))
    body = nw.Chain(nw.Conv(1, 3, padding="same"), input=picture, output=picture)
    assert message(lambda: nw.train(body, (PIXELS, PIXELS), **OPTIONS)) == (
        "the targets of a net do not vary, only its inputs\n  where:    output 'output'\n"
        "  got:      Image(8, 8, 'gray', vary=(Flip(axis='horizontal'),))\n"
        "  mend:     leave vary=… out of the decoder"
    )
    nw.train(body.with_output(nw.Image(8, 8, "gray")), (PIXELS, PIXELS), **OPTIONS)
