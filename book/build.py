"""Makes the executed pages of the book: runs each page that has changed in a kernel, and writes it with its outputs."""

import argparse
import asyncio
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from outputs import kept
from pages import (
    BOOK,
    LIBRARY,
    PageError,
    alone,
    digests,
    executed_form,
    place,
    read,
    sources,
    staleness,
    without_opening,
)

CELL_SECONDS = 3600  # no cell of the book needs an hour: one that does hangs


class OwnKernel(AsyncKernelManager):
    """This environment's own kernel: a user's kernel of the same name may be another Python."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]), **settings)


def plain(text: str) -> str:
    """The text without the escape codes that colour a terminal."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


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
        record_timing=False,  # the same page must give the same file
        resources={"metadata": {"path": str(page.parent)}},
        extra_arguments=["--InlineBackend.figure_formats={'svg','png'}", "--IPKernelApp.log_level=ERROR"],
    )
    try:
        run(client)
    except CellExecutionError as error:
        failed = next(cell for cell in notebook.cells if any(o.output_type == "error" for o in cell.get("outputs", [])))
        return notebook, f"{place_of(page, failed)}: this cell failed\n{plain(str(error))}"
    except (CellTimeoutError, DeadKernelError) as error:
        return notebook, f"{place(page, 0)}: {plain(str(error))}"
    return notebook, None


def run(client: NotebookClient) -> None:
    """Run a notebook; an interrupt or a request to end passes through and takes the kernel with it.

    nbclient in the main thread answers these signals itself: it ends the kernel, and the build would go on."""
    faults: list[Exception] = []

    def work() -> None:
        try:
            asyncio.run(client.async_execute())
        except Exception as error:
            faults.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        worker.join()
    except BaseException:
        end_kernel(client)
        worker.join(timeout=20)
        raise
    if faults:
        raise faults[0]


def end_kernel(client: NotebookClient) -> None:
    """Kill a notebook's kernel and the processes that it has started."""
    group = getattr(getattr(client.km, "provisioner", None), "pgid", None)
    if group is not None:
        os.killpg(group, signal.SIGKILL)


def renewed(page: Path, library: Path) -> NotebookNode | None:
    """The page with the outputs that it has, where only its prose has changed since its run; else None."""
    form = executed_form(page)
    if not form.exists():
        return None
    old, fresh = without_opening(nbformat.read(form, as_version=4)), read(page)
    made, now = old.metadata.netwright, digests(page, library)
    if made["code"] != now["code"] or made["page"] == now["page"]:
        return None
    codes = [[cell for cell in notebook.cells if cell.cell_type == "code"] for notebook in (fresh, old)]
    for cell, before in zip(*codes, strict=True):
        cell.outputs, cell.execution_count = before.outputs, before.execution_count
    fresh.metadata["netwright"] = {**now, "library": made["library"]}
    return fresh


def make(page: Path, library: Path, *, run_again: bool) -> tuple[str, str | None]:
    """Bring the executed form of a page up to date; return what was done, in words, and the fault, if one ended it.

    Only a page that ran to its end is written as executed. What a page showed before its fault is kept beside."""
    start = time.perf_counter()
    try:
        notebook = None if run_again else renewed(page, library)
        if notebook is not None:
            write(notebook, page, executed_form(page))
            return "prose renewed", None
        made_from = digests(page, library)  # before the run: a change during it makes the page stale
        notebook, fault = execute(page)
    except PageError as error:
        return "failed", str(error)
    took = f"in {time.perf_counter() - start:.1f} s"
    if fault is not None:
        beside = page.parent / ".failed" / f"{page.stem}.ipynb"
        write(notebook, page, beside)
        return f"failed {took}", f"{fault}\nIts outputs before the error: {beside}"
    notebook.metadata["netwright"] = made_from
    write(notebook, page, executed_form(page))
    (page.parent / ".failed" / f"{page.stem}.ipynb").unlink(missing_ok=True)
    return f"ran {took}", None


def write(notebook: NotebookNode, page: Path, file: Path) -> None:
    """Write a notebook as one that runs alone, in place of an older one only when it is whole."""
    notebook.metadata.pop("language_info", None)  # the version of Python here, which no reader needs
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".part")
    nbformat.write(alone(kept(notebook), page), partial)
    partial.replace(file)


def chosen(pages: list[Path], numbers: list[str]) -> list[Path]:
    """The pages of these numbers. Raises ValueError for a number that no page has."""
    by_number = {page.name[:2]: page for page in pages}
    for number in numbers:
        if number not in by_number:
            raise ValueError(f"there is no page {number!r}; the pages are {pages[0].name[:2]} to {pages[-1].name[:2]}")
    return [by_number[number] for number in sorted(set(numbers))]


def arguments(book: Path) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="build.py", description=f"Run the pages of the book that have changed, and write {book.name}/executed/."
    )
    parser.add_argument("pages", nargs="*", metavar="NN", help="run these pages, changed or not: 03 05")
    parser.add_argument("--all", action="store_true", help="run every page that the library has changed under, too")
    parser.add_argument("--stale", action="store_true", help="run nothing: list the pages that are not up to date")
    return parser


def main(given: list[str] | None = None, book: Path = BOOK, library: Path = LIBRARY) -> int:
    """The command line. The status is 1 where a page failed, and for `--stale` where a page is not up to date."""
    parser = arguments(book)
    options = parser.parse_args(given)
    try:
        named = chosen(sources(book), options.pages)
    except ValueError as error:
        parser.error(str(error))
    reasons = {page: staleness(page, library) for page in named or sources(book)}
    if options.stale:
        for page in filter(reasons.get, reasons):
            print(f"{page.stem:<40} {reasons[page]}")
        return 1 if any(reasons.values()) else 0
    faults: list[str] = []
    for page, reason in reasons.items():
        if not (named or reason) or (not named and not options.all and reason.startswith("only the library")):
            print(f"{page.stem:<40} {reason or 'unchanged'}", flush=True)
            continue
        done, fault = make(page, library, run_again=bool(named))
        faults += [fault] if fault is not None else []
        print(f"{page.stem:<40} {done}", flush=True)
    for fault in faults:
        print(f"\n{fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    # Rich and our own tables take the width of the terminal: a book has one width.
    os.environ.update(COLUMNS="80", JUPYTER_COLUMNS="80")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
