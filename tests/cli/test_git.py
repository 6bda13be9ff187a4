"""Git compares and joins nets as the docs tell it to: their lines are run in a new repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import netwright as nw

PAGE = (Path(__file__).parents[2] / "docs" / "changes.md").read_text(encoding="utf-8")
BASE = nw.initialize(nw.Chain(nw.Linear(3), nw.Dropout(0.5), nw.Linear(2), input=4))

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


class Repository:
    """A folder under git in which the lines of the docs were run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tools, package = folder.parent / "tools", Path(nw.__file__).parents[1]
        tools.mkdir()
        command = tools / "netwright"
        start = "import sys; from netwright.cli import main; sys.exit(main())"
        command.write_text(f"#!/bin/sh\nPYTHONPATH='{package}' exec '{sys.executable}' -c '{start}' \"$@\"\n")
        command.chmod(0o755)
        names = [f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            **dict.fromkeys(names, "nobody@nowhere"),
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        folder.mkdir()
        self.run("git init -q -b main .")
        (folder / ".gitattributes").write_text(block("gitattributes"))
        self.run(block("bash"))

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run shell commands in the repository."""
        return subprocess.run(
            command, shell=True, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def commit(self, net: nw.Net) -> None:
        """Commit a net as the file."""
        nw.save(net, self.folder / "a.net")
        done = self.run("git add -A && git commit -qm edit")
        assert done.returncode == 0, done.stderr


def block(language: str) -> str:
    """The block of the docs in this language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_git_compares_and_joins_nets(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "work")
    mine, theirs = BASE.rename("linear1", "dense"), BASE.replace("dropout1", nw.Dropout(0.2))
    repository.commit(BASE)
    assert repository.run("git checkout -qb other").returncode == 0
    repository.commit(theirs)
    compared = repository.run("git diff main other")
    assert compared.stdout == "a.net\noption    dropout1.rate  0.5 -> 0.2\nkept      4 arrays\n", compared.stderr
    assert "+edit         replace dropout1 by Dropout(0.2)" in repository.run("git show").stdout
    repository.run("git checkout -q main")
    repository.commit(mine)
    joined = repository.run("git merge -q --no-edit other")
    assert joined.returncode == 0, joined.stdout + joined.stderr
    assert nw.load(repository.folder / "a.net") == nw.merge(BASE, mine, theirs)


def test_a_conflict_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "work")
    mine = BASE.replace("dropout1", nw.Dropout(0.1))
    repository.commit(BASE)
    repository.run("git checkout -qb other")
    repository.commit(BASE.replace("dropout1", nw.Dropout(0.2)))
    repository.run("git checkout -q main")
    repository.commit(mine)
    joined = repository.run("git merge -q --no-edit other")
    assert joined.returncode == 1
    assert "dropout1.rate: 0.1 in mine, 0.2 in theirs, 0.5 in base" in joined.stdout + joined.stderr
    assert repository.run("git status --porcelain").stdout == "UU a.net\n"
    assert nw.load(repository.folder / "a.net") == mine
