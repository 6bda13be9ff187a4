"""The blocks of docs/sound.md that fetch published nets run, which is too long for every run of the tests."""

import re
from pathlib import Path

import numpy as np
import pytest

PAGE = Path(__file__).parents[1] / "docs" / "sound.md"


@pytest.mark.slow  # 155 MB
def test_published_nets_hear_a_file(tmp_path, monkeypatch, capsys) -> None:
    soundfile = pytest.importorskip("soundfile")
    monkeypatch.chdir(tmp_path)
    soundfile.write("voice.wav", np.sin(2 * np.pi * 220 * np.arange(22050) / 22050) / 2, 22050)
    names: dict[str, object] = {}
    for code in re.findall(r"```py\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        exec(code, names)
    assert len(capsys.readouterr().out.splitlines()) >= 4
