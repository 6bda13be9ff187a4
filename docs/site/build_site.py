"""Builds the static site: gathers book, docs, reference and reports in one tree of sources, and gives it to Sphinx."""

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "book")]

from docstrings import linked  # noqa: E402
from gallery import gallery, with_figures  # noqa: E402
from notebooks import shown, split_title  # noqa: E402
from outputs import kept  # noqa: E402
from pages import alone, executed_form, read, sources  # noqa: E402
from reference import pages as reference_pages  # noqa: E402
from reference import public_names  # noqa: E402
from search import write_index  # noqa: E402

TEXTS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/*.md", "bench/*.md", "book/README.md")
"""The documents of the repository that are pages of the site, at the place that they have in the repository."""

DRAWN = ("docs/drawing.md", "docs/pictures.md")
"""Those whose code makes figures, which are small enough to be made for the site."""

PAGE_LINK = re.compile(r"(\]\([./a-z]*\d\d-[a-z0-9-]+)\.md\b")
"""A link to a page of the book, which is a notebook on the site."""


def documents() -> list[Path]:
    return [file for pattern in TEXTS for file in sorted(ROOT.glob(pattern))]


def gather(tree: Path) -> None:
    """Write all sources of the site into an empty folder."""
    names = frozenset(name.name for name in public_names())
    used: dict[str, tuple[str, str]] = {}
    for page in sources(ROOT / "book"):
        notebook = shown(page, tree / "_extra" / "figures")
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = with_links(cell.source, names)
        title = split_title(notebook.cells[0].source)[0].removeprefix("# ")
        used[f"book/{page.stem}.ipynb"] = f"{int(page.name[:2])} {title}", "\n".join(c.source for c in notebook.cells)
        put(tree / "book" / f"{page.stem}.ipynb", nbformat.writes(notebook))
        form = executed_form(page)
        alone_text = form.read_text("utf-8") if form.exists() else nbformat.writes(alone(kept(read(page)), page))
        put(tree / "notebooks" / f"{page.stem}.ipynb", alone_text)
    for file in documents():
        text = file.read_text(encoding="utf-8")
        place = file.relative_to(ROOT)
        title = split_title(text)[0].removeprefix("# ")
        used[place.as_posix()] = title, text
        text = with_figures(text) if place.as_posix() in DRAWN else text
        put(tree / place, with_links(with_outputs(PAGE_LINK.sub(r"\1.ipynb", text)), names))
    for picture in ROOT.glob("docs/*.png"):
        shutil.copy(picture, tree / picture.relative_to(ROOT))
    for name, text in reference_pages(used):
        put(tree / "reference" / name, text)
    put(tree / "book" / "index.md", contents(tree))
    put(tree / "gallery.md", gallery(tree))
    put(tree / "index.md", first_page((HERE / "index.md").read_text(encoding="utf-8"), documents()))
    (tree / "_extra").mkdir(exist_ok=True)
    for name in ("site.css", "search.js"):
        put(tree / "_static" / name, (HERE / name).read_text(encoding="utf-8"))
    put(tree / "_static" / "sections.js", "")  # its place: the built pages are read for it


def first_page(text: str, found: list[Path]) -> str:
    """The first page, whose contents also have the documents that it does not name, such as new ones."""
    listed = set(re.findall(r"^(?:.*<)?([\w/-]+)>?$", text, re.M)) | {"book/README"}  # the book has its own contents
    names = [file.relative_to(ROOT).with_suffix("").as_posix() for file in found]
    others = [f"{name}\n" for name in names if name not in listed]
    return text.replace("OTHER DOCUMENTS\n", "".join(others))


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def outside_fences(text: str) -> Iterator[tuple[bool, str]]:
    """The lines of a Markdown text, each with whether it is prose, and not in a box of code."""
    fence = ""
    for line in text.split("\n"):
        mark = re.match(r" *(`{3,}|~{3,})", line)
        if fence:
            yield False, line
            fence = "" if mark and line.strip() == fence else fence
        else:
            yield mark is None, line
            fence = mark[1] if mark else ""


def with_links(text: str, names: frozenset[str]) -> str:
    """Markdown in which a public name in code leads to its entry in the reference; not in headings and links."""
    lines = (
        re.sub(r"(?<!\[)`nw\.[^`]+`(?!\])", lambda code: linked(code.group(), names), line)
        if is_prose and not line.startswith("#")
        else line
        for is_prose, line in outside_fences(text)
    )
    return "\n".join(lines)


def with_outputs(text: str) -> str:
    """Markdown in which an `output` box is shown as the output of the box above it."""
    return re.sub(r"^```output\n", "```{code-block} text\n:class: output\n\n", text, flags=re.M)


def contents(tree: Path) -> str:
    """The first page of the book: every page with its number, its first paragraph and its sections."""
    lines = [(HERE / "book.md").read_text(encoding="utf-8").rstrip()]
    toctree: list[str] = []
    for page in sources(ROOT / "book"):
        notebook = nbformat.read(tree / "book" / f"{page.stem}.ipynb", as_version=4)
        title, rest = split_title(notebook.cells[0].source)
        rest = re.sub(r"^:::.*?^:::\n", "", rest, flags=re.M | re.S).strip()
        lead = rest.split("\n\n")[0]
        lines.append(f"## [{int(page.name[:2])}. {title.removeprefix('# ')}]({page.stem}.ipynb)\n\n{lead}")
        toctree.append(f"{int(page.name[:2])}. {title.removeprefix('# ')} <{page.stem}>")
    listed = "\n".join([*toctree, "README"])
    return "\n\n".join([*lines, f"```{{toctree}}\n:hidden:\n\n{listed}\n```"]) + "\n"


def build(site: Path) -> int:
    """Build the site into a folder; an older site stays until the new one is whole. Returns the status of Sphinx."""
    from sphinx.cmd.build import main as sphinx

    with tempfile.TemporaryDirectory() as folder:
        tree, fresh = Path(folder) / "sources", Path(folder) / "site"
        gather(tree)
        told = ["--jobs", "2", "--quiet", "--fail-on-warning", "--keep-going"]
        told += ["-D", f"html_static_path={tree / '_static'}", "-D", f"html_extra_path={tree / '_extra'}"]
        status = sphinx(["--builder", "html", "--conf-dir", str(HERE), *told, str(tree), str(fresh)])
        if not (fresh / "index.html").exists():
            return status or 1
        write_index(fresh)
        for left in (".buildinfo", ".doctrees", "objects.inv"):
            path = fresh / left
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(fresh, site)
    print(site / "index.html")
    return status


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the static site of the book, the docs and the reference.")
    parser.add_argument("site", nargs="?", type=Path, default=ROOT / "site", help="the folder to write, site/")
    return build(parser.parse_args().site)


if __name__ == "__main__":
    sys.exit(main())
