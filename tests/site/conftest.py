"""The modules that build the site, which are found in docs/site and in book, for the time of a test."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "docs" / "site", ROOT / "book")


@pytest.fixture
def site(monkeypatch):
    """Give a module of the site by its name."""
    for folder in FOLDERS:
        monkeypatch.syspath_prepend(folder)
    monkeypatch.delenv("NETWRIGHT_QUICK", raising=False)
    before = set(sys.modules)
    yield import_module
    own = {file.stem for folder in FOLDERS for file in folder.glob("*.py")}
    for name in own & (set(sys.modules) - before):
        del sys.modules[name]
