"""Makes the book: runs every page in a kernel, keeps what was run, and writes the static site."""

import hashlib
import os
import platform
import re
import shutil
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from render import Page, plain, render_index, render_page

BOOK = Path(__file__).resolve().parent
LIBRARY = BOOK.parent / "src" / "netwright"
CELL_SECONDS = 3600  # no cell of the book needs an hour: one that does hangs
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


class OwnKernel(AsyncKernelManager):
    """This environment's own kernel: a user's kernel of the same name may be another Python."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]), **settings)


class PageError(Exception):
    """A page that breaks the form of a page, so that nothing of it runs: the message names the page and the line."""


def sources(book: Path) -> list[Path]:
    """The pages in their order: files named by two digits, as in `01-from-neurons-to-networks.md`."""
    return sorted(book.glob("[0-9][0-9]-*.md"))


def modules(page: Path) -> list[Path]:
    """The modules of the book's folder that a page imports."""
    text = page.read_text(encoding="utf-8")
    return [
        file for file in sorted(page.parent.glob("*.py")) if re.search(rf"^(from|import) {file.stem}\b", text, re.M)
    ]


def key(page: Path, library: Path) -> str:
    """What the outputs of a page depend on, as one digest: page, its modules, framework, builder, versions, form."""
    digest = hashlib.sha256()
    files = [page, *modules(page), page.parent / "matplotlibrc", Path(__file__), *sorted(library.rglob("*.py"))]
    for file in files:
        content = file.read_bytes() if file.exists() else b""
        digest.update(f"{file.name} {len(content)}\n".encode() + content)
    versions = [f"{name} {version(name)}" for name in ("torch", "numpy", "matplotlib", "ipykernel")]
    digest.update("\n".join([platform.python_version(), *versions, os.environ.get("NETWRIGHT_QUICK", "")]).encode())
    return digest.hexdigest()[:16]


def is_quick() -> bool:
    """Whether the quick form is built: less data and fewer epochs, so that its numbers are not results."""
    return os.environ.get("NETWRIGHT_QUICK") == "1"


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
    notebook.metadata.update(KERNEL)
    return notebook


def place(page: Path, offset: int) -> str:
    """A place in a page, as `book/01-page.md:120`, so that a terminal makes it a link."""
    return f"{page.parent.name}/{page.name}:{page.read_text(encoding='utf-8').count(chr(10), 0, offset) + 1}"


def place_of(page: Path, cell: NotebookNode) -> str:
    """Where the code of a cell begins."""
    return place(page, page.read_text(encoding="utf-8").index(cell.source))


def execute(page: Path) -> tuple[NotebookNode, str | None]:
    """Run a page from its first cell to its last; return it with the fault that ended the run, if one did.

    A page that fails keeps the outputs it has: what took an hour is not lost to a fault at the end."""
    notebook = read(page)
    client = NotebookClient(
        notebook,
        kernel_manager_class=OwnKernel,
        timeout=CELL_SECONDS,
        coalesce_streams=True,
        resources={"metadata": {"path": str(page.parent)}},
        extra_arguments=["--InlineBackend.figure_formats={'svg'}", "--IPKernelApp.log_level=ERROR"],
    )
    try:
        client.execute()
    except CellExecutionError as error:
        failed = next(cell for cell in notebook.cells if any(o.output_type == "error" for o in cell.get("outputs", [])))
        return notebook, f"{place_of(page, failed)}: this cell failed\n{plain(str(error))}"
    except (CellTimeoutError, DeadKernelError) as error:
        return notebook, f"{place(page, 0)}: {plain(str(error))}"
    return notebook, None


def executed(source: Path, library: Path, cache: Path) -> tuple[Page, str]:
    """The page with its outputs, run only when something it depends on has changed; and what was done, in words."""
    kept = cache / f"{source.stem}-{key(source, library)}.ipynb"
    if kept.exists():
        return Page(source.stem, nbformat.read(kept, as_version=4)), "unchanged"
    start = time.perf_counter()
    try:
        notebook, fault = execute(source)
    except PageError as error:
        notebook, fault = empty(source), str(error)
    done = f"in {time.perf_counter() - start:.1f} s"
    if fault is not None:
        return Page(source.stem, notebook, fault), f"failed {done}"
    keep(notebook, kept)
    return Page(source.stem, notebook), f"ran {done}"


def empty(page: Path) -> NotebookNode:
    """What stands in the site for a page that cannot be read: its name."""
    words = page.stem[3:].replace("-", " ").capitalize()
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(f"# {words}\n\nNothing of this page has run.")]
    )


def keep(notebook: NotebookNode, kept: Path) -> None:
    """Keep a page that has run to its end, in place of what was kept of it before."""
    cache, stem = kept.parent, kept.name[: -len("-0123456789abcdef.ipynb")]
    cache.mkdir(parents=True, exist_ok=True)
    for old in cache.glob(f"{stem}-{'[0-9a-f]' * 16}.ipynb"):
        old.unlink()
    partial = kept.with_suffix(".part")
    nbformat.write(notebook, partial)
    partial.replace(kept)


def alone(notebook: NotebookNode, needed: list[Path]) -> NotebookNode:
    """The notebook as one that runs in an empty folder: it says what to install, and writes the modules it imports."""
    words = 'This notebook needs Netwright with its extra `book`: `pip install ".[book]"` in a checkout of the project.'
    if needed:
        words += " The boxes below write the modules of the book that it imports."
    opening = [nbformat.v4.new_markdown_cell(words, id="needs")]
    for number, module in enumerate(needed):
        code = f"%%writefile {module.name}\n{module.read_text(encoding='utf-8')}"
        opening.append(nbformat.v4.new_code_cell(code, id=f"module-{number}"))
    return NotebookNode({**notebook, "cells": [*notebook.cells[:1], *opening, *notebook.cells[1:]]})


def write_site(site: Path, pages: list[Page]) -> None:
    """Write every page, its notebook and the index; an older site stays until the new one is whole."""
    fresh = site.with_name(site.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    quick = is_quick()
    for number, page in enumerate(pages):
        before = pages[number - 1] if number else None
        after = pages[number + 1] if number + 1 < len(pages) else None
        (fresh / f"{page.stem}.html").write_text(render_page(page, before, after, quick=quick), encoding="utf-8")
        notebook = alone(page.notebook, modules(site.parent / f"{page.stem}.md"))
        jupytext.write(notebook, fresh / f"{page.stem}.ipynb", fmt="ipynb")
    (fresh / "index.html").write_text(render_index(pages, quick=quick), encoding="utf-8")
    shutil.rmtree(site, ignore_errors=True)
    fresh.rename(site)


def build(book: Path = BOOK, library: Path = LIBRARY) -> list[str]:
    """Build the site of a book folder; return the faults, each of which the site shows in the place of its page."""
    pages: list[Page] = []
    for source in sources(book):
        page, done = executed(source, library, book / ".cache")
        pages.append(page)
        print(f"{source.stem:<40} {done}", flush=True)
    write_site(book / "site", pages)
    print(f"{book / 'site' / 'index.html'}")
    return [page.fault for page in pages if page.fault is not None]


def main() -> int:
    faults = build()
    for fault in faults:
        print(f"\n{fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    # Rich and our own tables take the width of the terminal: a book has one width.
    os.environ.update(COLUMNS="80", JUPYTER_COLUMNS="80")
    sys.exit(main())
