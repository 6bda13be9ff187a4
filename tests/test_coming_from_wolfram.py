"""The tables of docs/coming-from-wolfram.md: whole, and every expression on our side is run."""

import re
from pathlib import Path
from typing import Any

import pytest

from blocks import run_file

PAGE = Path(__file__).parents[1] / "docs" / "coming-from-wolfram.md"
LAYERS = 51  # on Wolfram's guide page of layers, without its operators
OLDER = {
    "ConstantArrayLayer", "ConstantPlusLayer", "ConstantTimesLayer", "InstanceNormalizationLayer",
    "SequenceAttentionLayer",
}  # fmt: skip
NO_CODE = {"learning_rate=", "seed=", "device=", "precision=", "torch.onnx.export", '"part.port"', "x[i]"}


def rows() -> list[tuple[str, str]]:
    """The cells of all rows."""
    lines = PAGE.read_text("utf-8").splitlines()
    cells = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in lines
        if line.startswith(("| `", "| an ", "| the "))
    ]
    assert all(len(row) == 2 for row in cells)
    return [(theirs, ours) for theirs, ours in cells]


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    return run_file(PAGE)


def test_the_tables_are_whole() -> None:
    theirs = [name for cell, _ in rows() for name in re.findall(r"`(\w+)", cell)]
    layers = {name for name in theirs if name.endswith("Layer")}
    assert layers >= OLDER and len(layers - OLDER) == LAYERS
    operators = {name for name in theirs if name.endswith("Operator")}
    assert len(operators) == 7
    functions = {
        "NetChain", "NetGraph", "NetTrain", "NetModel", "NetReplacePart", "NetExtract", "NetMeasurements", "NetTake",
        "NetDrop", "NetAppend", "NetPrepend", "NetInsert", "NetDelete", "NetReplace", "NetRename", "NetJoin",
        "NetFlatten", "NetUnfold", "NetInitialize", "NetPort", "NetPortGradient", "NetArray", "NetSharedArray",
        "NetInsertSharedArrays", "NetExternalObject", "NetStateObject", "NetTrainResultsObject", "NetEvaluationMode",
    }  # fmt: skip
    assert functions <= {*theirs}
    assert len({cell for cell, _ in rows()}) == len(rows())


def test_every_encoder_and_decoder_has_a_row() -> None:
    cells = {name: kind for cell, _ in rows() for name, kind in re.findall(r'^`"(\w+)"`, ((?:en|de)coder.*)$', cell)}
    encoders = {name for name, kind in cells.items() if "encoder" in kind}
    decoders = {name for name, kind in cells.items() if "decoder" in kind}
    assert encoders == {
        "Audio", "AudioMelSpectrogram", "AudioMFCC", "AudioSpectrogram", "AudioSTFT", "Boolean", "Characters", "Class",
        "FeatureExtractor", "Function", "Image", "Image3D", "SubwordTokens", "Tokens", "UTF8", "VideoFrames",
    }  # fmt: skip
    assert decoders == {
        "Boolean", "Characters", "Class", "CTCBeamSearch", "Function", "Image", "Image3D", "SubwordTokens", "Tokens",
    }  # fmt: skip
    assert len(encoders) == 16 and len(decoders) == 9


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_ours_runs(
    row: tuple[str, str], names: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _, ours = row
    code = [text for text in re.findall(r"`([^`]+)`", ours) if text not in NO_CODE]
    assert code or ours[0] == "–" or "nettrain.md" in ours or ours == "`seed=`"
    for text in code:
        assert eval(text, dict(names)) is not Ellipsis
