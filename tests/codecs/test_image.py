"""Image: every form of a picture gives the same bytes, and what is no picture is said."""

import io
import os
import stat
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import EpsImagePlugin, ImageOps
from PIL import Image as pil

import netwright as nw
from messages import message
from netwright.codecs.image import Image
from netwright.codecs.pictures.pillow import FORMATS
from netwright.codecs.ragged import Ragged
from netwright.data.sources import PICTURES
from netwright.errors import MissingArraysError, MissingExtraError, NetError
from netwright.sizes.free import FREE

GRAY, COLOR = Image(6, 4, "gray"), Image(6, 4)


def picture(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(("codec", "shape"), [(GRAY, (6, 4)), (COLOR, (6, 4, 3))])
def test_every_form_gives_the_same_bytes(codec: Image, shape: tuple[int, ...], tmp_path: Path):
    pixels = picture(*shape)
    pil.fromarray(pixels).save(tmp_path / "a.png")
    expected = torch.from_numpy(pixels).reshape(6, 4, codec.channels)
    forms = [tmp_path / "a.png", str(tmp_path / "a.png"), pil.fromarray(pixels), pixels, torch.from_numpy(pixels)]
    for form in [*forms, pixels.reshape(6, 4, -1)]:
        encoded = codec.encode(form)
        assert encoded.dtype == torch.uint8
        assert torch.equal(encoded, expected)
    for form in (pixels / 255, (pixels / 255).astype(np.float32), torch.from_numpy(pixels) / 255):
        encoded = codec.encode(form)
        assert encoded.dtype == torch.float32
        assert torch.allclose(codec.prepare(encoded), codec.prepare(expected), atol=1e-6)
    assert torch.equal(codec.encode_all(forms), torch.stack([expected] * 5))


def test_channels_first_only_when_said():
    pixels = picture(3, 6, 4)
    codec = Image(6, 4, layout="chw")
    assert torch.equal(codec.encode(pixels), torch.from_numpy(pixels).permute(1, 2, 0))
    square = Image(5, 5, layout="chw")  # no shape tells the axes apart here
    assert torch.equal(square.encode_all(picture(2, 3, 5, 5))[1], square.encode(picture(2, 3, 5, 5)[1]))
    assert codec.decode(codec.prepare(codec.encode(pixels))).tolist() == pixels.tolist()
    assert (
        message(COLOR.encode, pixels)
        == """\
the array does not have the axes of a picture
  expected: (height, width, 3)
  got:      (3, 6, 4)
  mend:     layout="chw\""""
    )
    assert (
        message(codec.encode, picture(6, 4, 3))
        == """\
the array does not have the axes of a picture
  expected: (3, height, width)
  got:      (6, 4, 3)
  mend:     layout="hwc\""""
    )


def test_a_whole_array_shares_its_memory():
    for pixels in (picture(50, 6, 4), picture(50, 6, 4, 1), picture(50, 6, 4).astype(np.float32) / 255):
        encoded = GRAY.encode_all(pixels)
        assert encoded.shape == (50, 6, 4, 1)
        assert encoded.data_ptr() == pixels.__array_interface__["data"][0]
        assert torch.equal(encoded, torch.stack([GRAY.encode(one) for one in pixels]))


def test_prepare_is_the_formula():
    stored = COLOR.encode(picture(6, 4, 3))[None]
    codec = Image(6, 4, mean=(0.1, 0.2, 0.3), deviation=(0.5, 0.25, 2))
    expected = (stored.double() / 255 - torch.tensor([0.1, 0.2, 0.3])) / torch.tensor([0.5, 0.25, 2])
    prepared = codec.prepare(stored)
    assert prepared.dtype == torch.float32
    assert torch.allclose(prepared.double(), expected, atol=1e-6)
    before = stored.float() / 255
    kept = before.clone()
    assert torch.allclose(codec.prepare(before), prepared, atol=1e-6)
    assert torch.equal(before, kept)  # what is stored is not written to
    assert COLOR.prepare(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [0.0, 1.0]


@given(seed=st.integers(0, 2**32 - 1), layout=st.sampled_from(["hwc", "chw"]), color=st.sampled_from(["rgb", "gray"]))
def test_decode_is_the_inverse(seed: int, layout: str, color: str):
    codec = Image(6, 4, color, mean=0.3, deviation=0.2, layout=layout)
    shape = {"rgb": {"hwc": (6, 4, 3), "chw": (3, 6, 4)}[layout], "gray": (6, 4)}[color]
    pixels = picture(*shape, seed=seed)
    assert np.array_equal(codec.decode(codec.prepare(codec.encode(pixels))), pixels)


def test_decode_clips_what_is_outside():
    assert Image(1, 2, "gray").decode(torch.tensor([[[-3.0], [7.0]]])).tolist() == [[0, 255]]


def test_fit_takes_the_pixels_of_all_pictures():
    pixels = np.concatenate([picture(1500, 6, 4, 3) // np.array([1, 2, 4]), np.zeros((10, 6, 4, 3))]).astype(np.uint8)
    free = Image(6, 4, mean=FREE, deviation=FREE)
    codec = free.fit(pixels)
    light = pixels.reshape(-1, 3) / 255
    assert codec.mean == pytest.approx(light.mean(0), rel=1e-5)
    assert codec.deviation == pytest.approx(light.std(0), rel=1e-5)
    assert free.fit(list(pixels)) == codec
    assert free.fit([one / 255 for one in pixels]) == codec
    assert Image(6, 4, mean=FREE, deviation=2).fit(pixels) == Image(6, 4, mean=codec.mean, deviation=2)
    flat = Image(6, 4, "gray", mean=FREE, deviation=FREE).fit(np.full((3, 6, 4), 51, np.uint8))
    assert flat == Image(6, 4, "gray", mean=0.2, deviation=1.0)
    with pytest.raises(MissingArraysError, match="this Image has no mean yet"):
        free.prepare(torch.zeros(6, 4, 3))
    assert message(free.fit, []) == "there are no pictures to learn the mean and deviation from"


def test_bytes_and_floats_in_one_list_are_one_scale():
    pixels = picture(6, 4)
    both = GRAY.encode_all([pixels, pixels / 255])
    assert both.dtype == torch.float32
    assert torch.allclose(both[0], both[1], atol=1e-6)


def test_pictures_of_mixed_sizes_are_resized():
    large = np.kron(picture(6, 4), np.ones((3, 3), np.uint8))
    encoded = GRAY.encode_all([picture(6, 4), large, pil.fromarray(large), large / 255])
    assert encoded.shape == (4, 6, 4, 1)
    assert torch.allclose(encoded[1], encoded[3], atol=2 / 255)  # the same filter for bytes and floats
    for shape in ((6, 4), (3, 9), (50, 2)):
        assert GRAY.encode(np.full(shape, 77, np.uint8)).unique().tolist() == [77]
    expected = np.array(pil.fromarray(picture(9, 9, 3)).resize((4, 6), pil.Resampling.BILINEAR))
    assert COLOR.encode(picture(9, 9, 3)).tolist() == expected.tolist()
    assert GRAY.encode_all(picture(5, 9, 9)).shape == (5, 6, 4, 1)


@pytest.mark.parametrize("name", ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"])
def test_every_filter_is_that_of_pil(name: str):
    expected = np.array(pil.fromarray(picture(9, 9, 3)).resize((4, 6), pil.Resampling[name.upper()]))
    codec = Image(6, 4, filter=name)  # type: ignore[arg-type]
    assert codec.encode(picture(9, 9, 3)).tolist() == expected.tolist()
    assert codec.encode(pil.fromarray(picture(9, 9, 3))).tolist() == expected.tolist()
    edges = codec.encode(np.kron(np.eye(2), np.ones((9, 9)))[..., None].repeat(3, -1))
    assert 0 <= edges.min() <= edges.max() <= 1  # cubic filters overshoot


def test_files_and_pil_images_are_converted(tmp_path: Path):
    red = pil.new("RGB", (4, 6), (255, 0, 0))
    assert GRAY.encode(red).unique().tolist() == [76]  # ITU-R 601 luma, as PIL has it
    assert COLOR.encode(pil.new("L", (4, 6), 9)).unique().tolist() == [9]
    assert COLOR.encode(pil.new("RGBA", (4, 6), (1, 2, 3, 0)))[0, 0].tolist() == [1, 2, 3]
    palette = red.convert("P")
    palette.info["transparency"] = b"\\0"
    assert COLOR.encode(palette)[0, 0].tolist() == [255, 0, 0]
    deep = np.linspace(0, 65535, 24).reshape(6, 4).astype(np.uint16)
    pil.fromarray(deep).save(tmp_path / "deep.png")
    assert np.allclose(GRAY.encode(tmp_path / "deep.png")[..., 0], deep / 65535, atol=1e-6)
    assert COLOR.encode(tmp_path / "deep.png").shape == (6, 4, 3)
    turned, upright = io.BytesIO(), picture(4, 6, 3)
    exif = pil.Exif()
    exif[0x0112] = 6  # the camera was held sideways
    pil.fromarray(upright).save(turned, "PNG", exif=exif)
    assert COLOR.encode(pil.open(turned)).tolist() == np.rot90(upright, -1).tolist()


def test_what_is_no_file(tmp_path: Path):
    (tmp_path / "seven.png").write_bytes(b"no picture")
    assert (
        message(GRAY.encode_all, [picture(6, 4), tmp_path / "sevn.png"])
        == f"""\
there is no such file
  where:    row 1, {tmp_path}/sevn.png
  mend:     did you mean 'seven.png'?"""
    )
    assert (
        message(GRAY.encode, str(tmp_path / "none" / "seven.png"))
        == f"""\
there is no such file
  where:    {tmp_path}/none/seven.png"""
    )
    assert (
        message(GRAY.encode, tmp_path / "seven.png")
        == f"""\
this file cannot be read as a picture
  where:    {tmp_path}/seven.png
  expected: a file of BMP, GIF, JPEG, PNG, PPM, TIFF or WEBP, whole
  got:      no known picture format"""
    )
    os.mkfifo(tmp_path / "pipe.png")
    for path, got in ((tmp_path, "a folder"), (tmp_path / "pipe.png", "a device or a pipe")):
        assert (
            message(GRAY.encode, path)
            == f"""\
this is not a file
  where:    {path}
  expected: a picture's file
  got:      {got}"""
        )
    assert message(GRAY.encode, "a\0.png").startswith("no file can have this name\n  where:    a\\x00.png\n")
    assert message(GRAY.encode, "x" * 5000).startswith("this file cannot be read as a picture\n")
    pil.new("I", (4, 6)).save(tmp_path / "wide.tiff")
    assert f"where:    {tmp_path}/wide.tiff\n" in message(GRAY.encode, tmp_path / "wide.tiff")
    whole = io.BytesIO()
    pil.fromarray(picture(200, 200)).save(whole, "PNG")
    (tmp_path / "cut.png").write_bytes(whole.getvalue()[:5000])
    assert message(GRAY.encode, tmp_path / "cut.png").startswith("this file cannot be read as a picture")


def test_no_picture_starts_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Pillow hands PostScript to Ghostscript, whatever the file is called."""
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
    script = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 6\n%%EndComments\nshowpage\n%%EOF\n"
    (tmp_path / "eps.png").write_text(script)
    assert message(COLOR.encode, tmp_path / "eps.png").endswith("got:      no known picture format")
    with pil.open(tmp_path / "eps.png") as picture:
        assert message(COLOR.encode, picture).startswith("this PIL image is PostScript")
    assert not (tmp_path / "called").exists()
    assert {ending for ending, form in pil.registered_extensions().items() if form in FORMATS} >= PICTURES


def test_an_image_of_which_the_file_is_cut_off(tmp_path: Path) -> None:
    pil.new("RGB", (64, 64), (1, 2, 3)).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:90])
    with pil.open(tmp_path / "cut.png") as picture:
        assert message(COLOR.encode, picture).startswith("the pixels of this PIL image cannot be read")


def test_a_small_file_of_many_pixels_is_refused_before_it_takes_memory(tmp_path: Path):
    pil.new("L", (9000, 9000)).save(tmp_path / "dark.png")
    size = (tmp_path / "dark.png").stat().st_size
    most = int((160e6 + 10 * size) / 5)
    tracemalloc.start()
    assert (
        message(COLOR.encode, tmp_path / "dark.png")
        == f"""\
the picture has too many pixels for the size of its file
  where:    {tmp_path}/dark.png
  expected: at most {most:,} in a PNG file of {size:,} bytes
  got:      9000 x 9000, 81,000,000 pixels
  mend:     make it smaller before, or give it as an array"""
    )
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()
    assert GRAY.encode(tmp_path / "dark.png").unique().tolist() == [0]  # a byte a pixel, nothing to convert


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_pictures_are_resized_as_if_they_had_been_turned_first(orientation: int, tmp_path: Path):
    exif = pil.Exif()
    exif[0x0112] = orientation
    for shape, mode in (((31, 17, 3), "RGB"), ((31, 17), "L")):
        pil.fromarray(picture(*shape)).save(tmp_path / "turned.png", exif=exif)
        with pil.open(tmp_path / "turned.png") as turned:
            upright = ImageOps.exif_transpose(turned).convert(mode)
        expected = np.array(upright.resize((4, 6), pil.Resampling.BILINEAR)).reshape(6, 4, -1)
        codec = COLOR if mode == "RGB" else GRAY
        assert np.abs(codec.encode(tmp_path / "turned.png").numpy() - expected.astype(int)).max() <= 1


def test_bad_pixels():
    assert (
        message(GRAY.encode_all, np.full((2, 6, 4), 255.0))
        == """\
the pixels are outside 0..1
  where:    row 0
  expected: floats in 0..1, or bytes (uint8) in 0..255
  got:      floats in 255..255
  mend:     divide by 255
  or:       give them as uint8"""
    )
    assert (
        message(GRAY.encode, np.linspace(-1, 1, 24).reshape(6, 4))
        == """\
the pixels are outside 0..1
  expected: floats in 0..1, or bytes (uint8) in 0..255
  got:      floats in -1..1
  mend:     give the pixels as they were: Image(…, mean=FREE, deviation=FREE) standardizes them"""
    )
    pictures = np.zeros((3, 6, 4))
    pictures[1, 2, 3] = np.nan
    for rows in (pictures, list(pictures)):
        assert (
            message(GRAY.encode_all, rows)
            == """\
the picture holds NaN
  where:    row 1, pixel (2, 3, 0)
  mend:     leave it out, or fill in a value"""
        )
    assert (
        message(GRAY.encode, np.zeros((6, 4), np.int64))
        == """\
the pixels are neither bytes nor floats
  expected: uint8 in 0..255, uint16 in 0..65535, or floats in 0..1
  got:      an array of shape (6, 4) and type int64
  mend:     convert them to uint8 if they are in 0..255"""
    )
    assert (
        message(GRAY.encode, pil.new("I", (4, 6)))
        == """\
the range of this picture's pixels is not known
  got:      mode 'I', 32-bit integers
  mend:     give an array of floats in 0..1"""
    )


def test_bad_shapes():
    assert (
        message(GRAY.encode, picture(6, 4, 3))
        == """\
the array does not have the axes of a picture
  expected: (height, width, 1) or (height, width)
  got:      (6, 4, 3)
  mend:     color="rgb"
  or:       give a PIL image, which is converted"""
    )
    assert (
        message(COLOR.encode, picture(6, 4))
        == """\
the array does not have the axes of a picture
  expected: (height, width, 3)
  got:      (6, 4)
  mend:     color="gray"
  or:       give a PIL image, which is converted"""
    )
    assert (
        message(GRAY.encode, np.zeros((0, 4), np.uint8))
        == """\
the picture has no pixels
  got:      (0, 4, 1)"""
    )
    assert (
        message(GRAY.encode, [[0, 1], [2, 3]])
        == """\
this is not a picture
  expected: a path, the bytes of a file, a PIL image, a numpy array or a torch tensor
  got:      [[0, 1], [2, 3]] of type list"""
    )


def test_a_bad_picture_late_in_the_data_has_its_own_row():
    pixels = np.zeros((2000, 6, 4), np.float32)
    pixels[1700] = 2
    for rows in (pixels, list(pixels)):
        assert "where:    row 1700\n" in message(Image(6, 4, "gray", mean=FREE).fit, rows)


def test_options_out_of_range():
    assert (
        message(Image, 0, 4)
        == """\
the height in pixels is a whole number of at least 1
  where:    Image
  got:      0"""
    )
    assert (
        message(Image, 6, 4, "grey")
        == """\
unknown color
  expected: 'rgb' or 'gray' or 'bgr' or 'rgba'
  got:      'grey'"""
    )
    assert (
        message(lambda: Image(6, 4, filter="cubic"))  # type: ignore[arg-type]
        == """\
unknown filter
  expected: 'nearest' or 'lanczos' or 'bilinear' or 'bicubic' or 'box' or 'hamming'
  got:      'cubic'"""
    )
    with pytest.raises(NetError) as error:
        Image(6, 4, mean=(0.5, 0.5))
    assert (
        str(error.value)
        == """\
mean has another number of components
  expected: one number, or 3
  got:      2: (0.5, 0.5)"""
    )


def test_without_pillow(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert GRAY.encode(picture(6, 4)).shape == (6, 4, 1)  # arrays need no pillow
    with pytest.raises(MissingExtraError) as error:
        GRAY.encode("seven.png")
    assert (
        str(error.value)
        == """\
reading a picture from a file needs the package pillow, which is not installed
  mend:     pip install "netwright[image]\""""
    )


def test_only_pictures_are_suggested(tmp_path: Path):
    (tmp_path / "seven.txt").write_text("no picture")
    wrong = tmp_path / "seven.tif"
    assert message(GRAY.encode, wrong) == f"there is no such file\n  where:    {wrong}"


def test_pictures_of_any_size_are_kept_as_they_are():
    codec = Image("h", "w")
    assert codec.encoded == "h w 3"
    assert codec.encode(picture(5, 9, 3)).shape == (5, 9, 3)
    assert codec.encode(pil.fromarray(picture(5, 9, 3))).tolist() == picture(5, 9, 3).tolist()
    both = codec.encode_all([picture(5, 9, 3), picture(6, 4, 3) / 255])
    assert isinstance(both, Ragged)
    assert torch.allclose(both.row(1), torch.from_numpy(picture(6, 4, 3) / 255).float())
    assert codec.encode_all(picture(2, 5, 9, 3)).shape == (2, 5, 9, 3)
    fitted = Image("h", "w", mean=FREE).fit([picture(5, 9, 3), picture(6, 4, 3)])
    pixels = np.concatenate([picture(5, 9, 3).reshape(-1, 3), picture(6, 4, 3).reshape(-1, 3)]) / 255
    assert fitted.mean == pytest.approx(pixels.mean(0), rel=1e-5)
    assert codec.decode(codec.prepare(codec.encode(picture(5, 9, 3)))).tolist() == picture(5, 9, 3).tolist()


def test_a_net_takes_pictures_of_any_size_alone_as_in_a_batch():
    body = [nw.Conv(4, 3, padding="same"), nw.relu, nw.MaxPool(2), nw.Conv(3, 3)]
    pictures = [picture(9, 14, 3), picture(12, 8, 3), picture(9, 8, 3)]
    for head in ([nw.Mean((0, 1)), nw.Linear(2), nw.softmax], [nw.softmax]):
        net = nw.initialize(nw.Chain(*body, *head, input=Image("h", "w")), seed=0)
        together = net(pictures)
        for one, alone in zip(together, map(net, pictures), strict=True):
            assert torch.allclose(one, alone, atol=1e-6)


def test_a_net_that_needs_multiples_says_so():
    codec = Image("4*h", "4*w")
    net = nw.initialize(nw.Chain(nw.Conv(2, 3, padding="same"), nw.AvgPool(4), input=codec), seed=0)
    pictures = [picture(8, 12, 3), picture(4, 16, 3)]
    for one, alone in zip(net(pictures), map(net, pictures), strict=True):
        assert torch.allclose(one, alone, atol=1e-6)
    assert (
        message(codec.encode_all, [picture(8, 12, 3), picture(9, 12, 3)])
        == """\
the picture does not have a size that is taken
  where:    row 1
  expected: 4*h x 4*w
  got:      9 x 12
  mend:     cut its edges, or give the sizes in pixels, so that it is resized"""
    )


@pytest.mark.parametrize("how", ["crop", "letterbox"])
@pytest.mark.parametrize("orientation", [1, 2, 6, 7])
def test_crop_and_letterbox_are_those_of_pil(how: Any, orientation: int, tmp_path: Path):
    exif = pil.Exif()
    exif[0x0112] = orientation
    pil.fromarray(picture(31, 17, 3)).save(tmp_path / "turned.png", exif=exif)
    with pil.open(tmp_path / "turned.png") as turned:
        upright = ImageOps.exif_transpose(turned)
    expected = {"crop": ImageOps.fit, "letterbox": ImageOps.pad}[how](upright, (12, 20), pil.Resampling.BICUBIC)
    codec = Image(20, 12, resize=how, filter="bicubic")
    assert np.abs(codec.encode(tmp_path / "turned.png").numpy() - np.array(expected, int)).max() <= 1
    assert np.array_equal(codec.encode(np.array(upright)), expected)
    light = replace(codec, filter="bilinear").encode(np.array(upright) / 255)
    bytes_ = replace(codec, filter="bilinear").encode(np.array(upright))
    assert (light * 255 - bytes_).abs().max() < 2


def test_the_border_of_a_letterbox():
    codec = Image(4, 4, "gray", resize="letterbox", border=0.5)
    for white in (np.full((2, 4), 255, np.uint8), np.ones((2, 4)), pil.new("L", (4, 2), 255)):
        rows = codec.prepare(codec.encode(white))[:, 0, 0]
        assert rows.tolist() == pytest.approx([0.5, 1, 1, 0.5], abs=0.01)
    message_of = message(lambda: Image(4, 4, border=2))
    assert message_of == "the lightness of a border is in 0..1\n  where:    Image\n  got:      2"


def test_the_net_sees_blue_first_and_nobody_else_does():
    pixels, mean = picture(6, 4, 3), (0.1, 0.2, 0.3)
    codec = Image(6, 4, "bgr", mean=mean, deviation=1 / 255)
    seen = codec.prepare(codec.encode(pixels))
    assert torch.allclose(seen, torch.from_numpy(pixels[..., ::-1] - 255 * np.array(mean)).float(), atol=1e-4)
    assert np.array_equal(codec.decode(seen), pixels)
    assert np.array_equal(codec.encode(pil.fromarray(pixels)), pixels)
    fitted = Image(6, 4, "bgr", mean=FREE, deviation=FREE).fit([pixels])
    assert fitted.mean == pytest.approx((pixels[..., ::-1] / 255).mean((0, 1)), rel=1e-5)


def test_pictures_of_many_channels():
    codec = Image(6, 4, 5, mean=(0, 0, 0, 0, 0.5), resize="crop")
    pixels = picture(6, 4, 5)
    assert codec.encoded == "6 4 5"
    assert np.array_equal(codec.encode(pixels), pixels)
    assert codec.encode(picture(12, 9, 5)).shape == (6, 4, 5)
    assert np.array_equal(codec.decode(codec.prepare(codec.encode(pixels))), pixels)
    clear = pil.fromarray(picture(6, 4, 4))
    assert np.array_equal(Image(6, 4, "rgba").encode(clear), picture(6, 4, 4))
    assert np.array_equal(Image(3, 4, "rgba").encode(clear), Image(3, 4, "rgba").encode(picture(6, 4, 4)))
    assert (
        message(codec.encode, pil.new("RGB", (4, 6)))
        == """\
a picture of 5 channels comes as an array
  expected: an array (height, width, 5)
  got:      a picture in the colours 'RGB' of PIL"""
    )
    assert (
        message(COLOR.encode, pixels)
        == """\
the array does not have the axes of a picture
  expected: (height, width, 3)
  got:      (6, 4, 5)
  mend:     color=5
  or:       give a PIL image, which is converted"""
    )
    assert message(Image, 6, 4, 0).startswith("the number of channels is a whole number of at least 1")


def test_pictures_of_any_size_do_not_vary():
    assert (
        message(lambda: Image("h", "w", vary=(nw.Flip(),)))
        == """\
pictures of any size do not vary
  where:    Image
  expected: sizes in pixels
  got:      'h', 'w', vary=(Flip(axis='horizontal'),)
  mend:     leave vary=… out"""
    )
    vary = (nw.Contrast(0.5), nw.Flip())
    assert Image(6, 4, 5, vary=vary).varied(torch.rand(2, 6, 4, 5), lambda name: torch.rand).shape == (2, 6, 4, 5)
    assert "a picture of 5 channels has no hue that could vary" in message(lambda: Image(6, 4, 5, vary=(nw.Hue(0.1),)))


def test_every_new_field_is_in_the_file(tmp_path: Path):
    codecs = [Image("16*h", "16*w", 5), Image(6, 4, "bgr", resize="letterbox", border=0.5), Image(6, 4, resize="crop")]
    for codec in codecs:
        net = nw.Chain(nw.Conv(2, 3), input=codec)
        nw.save(net, tmp_path / "a.net")
        assert nw.load(tmp_path / "a.net").inputs["input"] == codec
        assert eval(repr(codec), {"Image": Image}) == codec
