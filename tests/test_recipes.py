"""Each of docs/recipes.md is short and stands alone; that they run is tested with all docs, but one fetches."""

import ast
import builtins
import re
from pathlib import Path

import numpy as np
import pytest

import netwright as nw

PAGE = Path(__file__).parents[1] / "docs" / "recipes.md"
MOST = 10  # lines
FETCHES, LISTENS = "Fine-tune a published net", "Speech to text with a published net"
CODE = re.compile(r"^```(?:python|py)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def recipes() -> dict[str, str]:
    """The first block of each section, by its title."""
    found: dict[str, str] = {}
    for section in PAGE.read_text("utf-8").split("\n## ")[1:]:
        code = CODE.search(section)
        assert code, section.splitlines()[0]
        found[section.splitlines()[0]] = code[1]
    return found


@pytest.mark.parametrize("title", recipes())
def test_a_recipe_is_short_and_stands_alone(title: str) -> None:
    code = recipes()[title]
    assert "import netwright as nw\n" in code
    assert len([line for line in code.splitlines() if line.strip()]) <= MOST
    names = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)]
    known = {name.id for name in names if isinstance(name.ctx, ast.Store)} | {*vars(builtins)}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            known.add(node.name)
        if isinstance(node, ast.arg):
            known.add(node.arg)
        if isinstance(node, ast.Import | ast.ImportFrom):
            known |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    assert {name.id for name in names} <= known


def test_a_published_net_is_tuned(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        nw.pretrained("all-minilm-l6-v2")
    except nw.FileError as error:
        pytest.skip(error.what)
    exec(compile(recipes()[FETCHES], str(PAGE), "exec"), {})
    assert capsys.readouterr().out == "['+', '-']\n"


@pytest.mark.slow  # 71 MB
def test_a_published_net_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile = pytest.importorskip("soundfile")
    monkeypatch.chdir(tmp_path)
    soundfile.write("voice.wav", np.zeros(16000), 16000)
    exec(compile(recipes()[LISTENS], str(PAGE), "exec"), {})
    assert capsys.readouterr().out.endswith("\n")
