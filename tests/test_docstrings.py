"""Every example in a docstring of the framework runs and gives what it says."""

import doctest
import importlib
import io
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"


def modules_with_examples() -> list[str]:
    names: list[str] = []
    for file in sorted(SOURCE.glob("netwright/**/*.py")):
        if ">>> " in file.read_text(encoding="utf-8"):
            parts = file.relative_to(SOURCE).with_suffix("").parts
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


@pytest.mark.parametrize("name", modules_with_examples())
def test_docstrings(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # an example may save a file
    monkeypatch.setenv("COLUMNS", "100")
    module = importlib.import_module(name)
    examples = doctest.DocTestFinder(exclude_empty=True).find(module, name)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    report = io.StringIO()
    for example in examples:
        example.globs["__name__"] = "docstring"  # a class that an example defines is none of the framework's
        runner.run(example, out=report.write)
    assert runner.failures == 0, report.getvalue()
    assert runner.tries > 0, f"{name} has a >>> that doctest does not find"
