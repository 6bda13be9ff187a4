"""A contact sheet has each picture as it is, and as the steps of a run make it."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as pil

import netwright as nw
from messages import message
from netwright.codecs.pictures.pixels import light_of
from netwright.net.run.noise import Noise
from netwright.show.contact_sheet import contact_sheet
from netwright.training.variation import noise_of_port

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 5, 7, 3), dtype=np.uint8)
ENCODER = nw.Image(5, 7, vary=(nw.Shift(2), nw.Flip(), nw.Brightness(0.3)))


def test_each_row_begins_with_the_picture_and_goes_on_as_a_run_does(tmp_path: Path) -> None:
    sheet = contact_sheet(ENCODER, PIXELS, times=4, seed=6, port="left")
    assert repr(sheet) == "ContactSheet(17 × 39 pixels)"
    for i in range(3):
        assert np.array_equal(sheet.pixels[6 * i : 6 * i + 5, :7], PIXELS[i])
    stored = torch.from_numpy(PIXELS)
    for step in range(4):
        seen = ENCODER.varied(stored, noise_of_port(Noise(6, step, torch.arange(3)), "left"))
        for i in range(3):
            part = sheet.pixels[6 * i : 6 * i + 5, 8 * (step + 1) : 8 * (step + 1) + 7]
            assert np.array_equal(part, (seen[i] * 255).round().byte().numpy())
    assert (sheet.pixels[5] == 128).all() and (sheet.pixels[:, 7] == 128).all()
    sheet.save(tmp_path / "sheet.png")
    assert np.array_equal(np.array(pil.open(io.BytesIO((tmp_path / "sheet.png").read_bytes()))), sheet.pixels)


def test_floats_and_gray_pictures_are_shown_too() -> None:
    gray = nw.Image(5, 7, "gray", mean=0.5, vary=(nw.Shift(1),))
    of_bytes = contact_sheet(gray, PIXELS[..., 0], times=2)
    of_floats = contact_sheet(gray, PIXELS[..., 0] / 255, times=2)
    assert of_bytes.pixels.shape == (17, 23, 1) and np.array_equal(of_bytes.pixels, of_floats.pixels)
    still = contact_sheet(nw.Image(5, 7, "gray"), PIXELS[..., 0], times=1)
    assert np.array_equal(still.pixels[:, :7], still.pixels[:, 8:])
    assert light_of(torch.tensor([255], dtype=torch.uint8)).tolist() == [1.0]


def test_a_run_shows_its_own_examples(tmp_path: Path) -> None:
    net = nw.Chain(nw.Flatten(), nw.Linear(2), nw.softmax, input=ENCODER, output=nw.Category(range(2)))
    options: dict[str, Any] = {"epochs": 1, "progress": False, "threads": 1}
    run = nw.train(net, (PIXELS, [0, 1, 0]), folder=tmp_path / "run", **options)
    assert [array.tolist() for array in run.varied["input"]] == PIXELS.tolist()
    sheet = contact_sheet(ENCODER, PIXELS)._repr_html_()
    title = "Pictures as they vary in training"
    page = nw.report(run, None, tmp_path / "a.html").read_text("utf-8")
    assert (
        sheet in page and title in page and "by Shift(pixels=2), Flip(axis=&#x27;horizontal&#x27;), Brightness" in page
    )
    assert sheet in (tmp_path / "run" / "report.html").read_text("utf-8")
    given = nw.report(run.net, None, tmp_path / "b.html", examples=[(PIXELS[1], 1)]).read_text("utf-8")
    assert contact_sheet(ENCODER, PIXELS[1:2])._repr_html_() in given
    assert title not in nw.report(run.net, None, tmp_path / "c.html").read_text("utf-8")
    still = nw.train(net.with_input(nw.Image(5, 7)), (PIXELS, [0, 1, 0]), **options)
    assert still.varied == {} and title not in nw.report(still, None, tmp_path / "d.html").read_text("utf-8")


def test_what_has_no_pictures_is_refused() -> None:
    assert message(lambda: contact_sheet(nw.Number(), [1])) == (
        "a contact sheet shows pictures\n  where:    contact_sheet\n"
        "  expected: an nw.Image, such as net.inputs['input']\n  got:      Number()"
    )
    assert message(lambda: contact_sheet(ENCODER, PIXELS, times=0)) == (
        "how often a picture is varied is a whole number of at least 1\n  where:    contact_sheet\n  got:      0"
    )
