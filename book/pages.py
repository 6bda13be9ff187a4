"""What a page of the book is: a notebook to run, what its outputs depend on, and an executed form that may be stale."""

import hashlib
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

BOOK = Path(__file__).resolve().parent
LIBRARY = BOOK.parent / "src" / "netwright"
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
QUICK_SWITCH = 'import os\n\nos.environ.setdefault("NETWRIGHT_QUICK", "1")  # "0": the whole form'


class PageError(Exception):
    """A page that breaks the form of a page, so that nothing of it runs: the message names the page and the line."""


def is_quick() -> bool:
    """Whether the quick form is built: less data and fewer epochs, so that its numbers are not results."""
    return os.environ.get("NETWRIGHT_QUICK") == "1"


def sources(book: Path) -> list[Path]:
    """The pages in their order: files named by two digits, as in `01-from-neurons-to-networks.md`."""
    return sorted(book.glob("[0-9][0-9]-*.md"))


def modules(page: Path) -> list[Path]:
    """The modules of the book's folder that a page imports."""
    text = page.read_text(encoding="utf-8")
    return [
        file for file in sorted(page.parent.glob("*.py")) if re.search(rf"^(from|import) {file.stem}\b", text, re.M)
    ]


def executed_form(page: Path) -> Path:
    """Where the executed page is kept. The quick form has a folder of its own, which is not in the repository."""
    return page.parent / ("executed-quick" if is_quick() else "executed") / f"{page.stem}.ipynb"


def place(page: Path, offset: int) -> str:
    """A place in a page, as `book/01-page.md:120`, so that a terminal makes it a link."""
    return f"{page.parent.name}/{page.name}:{page.read_text(encoding='utf-8').count(chr(10), 0, offset) + 1}"


def read(page: Path) -> NotebookNode:
    """The page as a notebook that was not run. Raises PageError where it breaks the form of a page.

    A region of words that is tagged `whole` says what the whole form shows: the quick form leaves it out."""
    text = page.read_text(encoding="utf-8")
    if not re.match(r"# \S.*\n\n[^\W_]", text):
        raise PageError(f"{place(page, 0)}: a page opens with `# Its title` and a paragraph that says what it shows")
    for fence in re.finditer(r"^```+ *(?!python\b|text$)\S+$", text, re.M):  # jupytext makes ```sh a cell that runs
        problem = f"a box is ```python (it runs) or ```text (it is shown), not {fence.group()}"
        raise PageError(f"{place(page, fence.start())}: {problem}")
    notebook = jupytext.read(page)
    if is_quick():
        notebook.cells = [cell for cell in notebook.cells if "whole" not in cell.metadata.get("tags", [])]
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # jupytext draws ids at random; the same page must give the same file
    notebook.metadata = NotebookNode(KERNEL)
    return notebook


def digest(texts: list[str]) -> str:
    """Several texts as one short digest."""
    whole = hashlib.sha256()
    for text in texts:
        whole.update(f"{len(text)}\n{text}".encode())
    return whole.hexdigest()[:16]


def digests(page: Path, library: Path) -> dict[str, str]:
    """What an executed page is made from.

    `page`: its text, the modules of the book that it imports, the look of the figures. `code`: the same without its
    prose, on which no output depends. `library`: the framework, and the versions of what computes and draws."""
    around = [file.read_text(encoding="utf-8") for file in (*modules(page), page.parent / "matplotlibrc")]
    code = [cell.source for cell in read(page).cells if cell.cell_type == "code"]
    versions = [f"{name} {version(name)}" for name in ("torch", "numpy", "matplotlib")]
    files = sorted(library.rglob("*.py"))
    names = [file.relative_to(library).as_posix() for file in files]
    framework = [file.read_text(encoding="utf-8") for file in files]
    return {
        "page": digest([page.read_text(encoding="utf-8"), *around]),
        "code": digest([*code, *around]),
        "library": digest([platform.python_version(), *versions, *names, *framework]),
    }


def staleness(page: Path, library: Path) -> str | None:
    """Why the executed form of a page is not what a run of today would give, in words; None where it is."""
    form = executed_form(page)
    if not form.exists():
        return "has no executed form"
    made = nbformat.read(form, as_version=4).metadata.netwright
    try:
        now = digests(page, library)
    except PageError:
        return "cannot be read"
    if made["code"] != now["code"]:
        return "its code has changed since it was run"
    if made["page"] != now["page"]:
        return "its prose has changed since it was run"
    return "only the library has changed since it was run" if made["library"] != now["library"] else None


def alone(notebook: NotebookNode, page: Path) -> NotebookNode:
    """The notebook as one that runs in an empty folder, in the quick form: it says so, and brings what it imports."""
    words = (
        'To run this notebook, install Netwright with its extra `book`: `pip install ".[book]"` in a checkout of the '
        "project. It runs in an empty folder: the boxes below write the other files of the book that it uses.\n\n"
        "The first box chooses the **quick form**, with less data and fewer epochs, which takes seconds or minutes. "
        "Its numbers are not results. Change `1` to `0`, or set the environment variable `NETWRIGHT_QUICK` to `0`, for "
        "the whole form, which can take an hour. The prose is about the whole form."
    )
    opening = [nbformat.v4.new_markdown_cell(words, id="needs"), nbformat.v4.new_code_cell(QUICK_SWITCH, id="quick")]
    for file in (*modules(page), page.parent / "matplotlibrc"):
        code = f"%%writefile {file.name}\n{file.read_text(encoding='utf-8')}"
        opening.append(nbformat.v4.new_code_cell(code, id=f"file-{file.stem}"))
    for cell in opening:
        cell.metadata["tags"] = ["opening"]
    return NotebookNode({**notebook, "cells": [*notebook.cells[:1], *opening, *notebook.cells[1:]]})


def without_opening(notebook: NotebookNode) -> NotebookNode:
    """The notebook without the cells that `alone` put into it."""
    cells = [cell for cell in notebook.cells if "opening" not in cell.metadata.get("tags", [])]
    return NotebookNode({**notebook, "cells": cells})
