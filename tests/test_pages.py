"""Every page of the book runs in its quick form, and its executed form in the repository is that of the page."""

import ast
import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from blocks import blocks, run_file

BOOK = Path(__file__).parents[1] / "book"
PAGES = sorted(BOOK.glob("[0-9][0-9]-*.md"))
(ROWS,) = (page for page in PAGES if page.stem.endswith("-the-chapter-row-by-row"))
EXECUTED = sorted((BOOK / "executed").glob("*"))
BUILDER = {"build", "outputs", "pages"}
MEGABYTES = 15  # what all executed pages together may add to a checkout


def test_pages_are_numbered_from_zero_without_a_gap():
    assert [int(page.name[:2]) for page in PAGES] == list(range(len(PAGES)))


def test_a_line_of_a_box_that_is_shown_fits_the_column():
    boxes = [
        (page, box)
        for page in PAGES
        for box in re.findall(r"^```(?:python|text) *\n(.*?)^```", page.read_text(), re.M | re.S)
    ]
    assert [(page.name, line) for page, box in boxes for line in box.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page != ROWS], ids=lambda page: page.stem)
def test_a_page_says_what_it_needs_has_three_exercises_and_ends_with_its_sources(page):
    text = page.read_text()
    assert text.split("\n\n")[2].startswith("**You need:** ")
    assert re.findall(r"^## (.+)$", text, re.M)[-1] == "Sources"
    exercises = text.split("\n## Exercises\n")[1].split("\n## ")[0]
    assert re.findall(r"^\*\*(\d+)\.\*\* ", exercises, re.M) == ["1", "2", "3"]
    assert exercises.count("<details><summary>Solution</summary>\n\n") == exercises.count("\n\n</details>") == 3


def test_the_extra_book_has_what_the_pages_import():
    codes = [block.code for page in PAGES for block in blocks(page.read_text())]
    codes += [module.read_text() for module in BOOK.glob("*.py") if module.stem not in BUILDER]
    nodes = [node for code in codes for node in ast.walk(ast.parse(code))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    used = {name.split(".")[0] for name in names} - sys.stdlib_module_names - {file.stem for file in BOOK.glob("*.py")}
    project = tomllib.loads((BOOK.parent / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    listed = [
        project["name"],
        *project["dependencies"],
        *extras["book"],
        *extras["plot"],
        *extras["image"],
        *extras["text"],
    ]
    packages = {re.match(r"[\w-]+", requirement)[0] for requirement in listed}
    assert {{"IPython": "ipykernel", "sklearn": "scikit-learn"}.get(name, name) for name in used} <= packages, (
        "a reader who installs `.[book]` could not run these pages"
    )


ROW = re.compile(r"\| (11\.\d+|\d+(?:[–-]\d+)?(?:, \d+(?:[–-]\d+)?)*) \|")


def rows_of(line):
    """The rows of the chapter that a line of a table is about, `178–179` as both."""
    found = ROW.match(line)
    if found is None or found[1].startswith("11."):
        return [found[1]] if found else []
    ends = [re.split("[–-]", part) for part in found[1].split(", ")]
    return [str(row) for end in ends for row in range(int(end[0]), int(end[-1]) + 1)]


def test_the_list_of_rows_names_the_page_of_every_row_that_a_page_shows():
    said = {row: line.split("|")[-2] for line in ROWS.read_text().splitlines() for row in rows_of(line)}
    assert [row for row in said if "." not in row] == [str(row) for row in range(1, 275)]
    for page in {*PAGES[1:]} - {ROWS}:
        for line in page.read_text().splitlines():
            for row in rows_of(line):
                assert f"[{int(page.name[:2])}]({page.stem}.md)" in said[row], f"row {row} is shown on {page.name}"


@pytest.fixture
def staleness(monkeypatch):
    monkeypatch.syspath_prepend(BOOK)
    monkeypatch.delenv("NETWRIGHT_QUICK", raising=False)
    from pages import LIBRARY, staleness

    yield lambda page: staleness(page, LIBRARY)
    del sys.modules["pages"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_executed_page_is_not_stale(page, staleness):
    why = staleness(page)
    if why == "has no executed form":
        pytest.skip(f"{page.name} {why}: make book")  # test_every_page_has_its_executed_form fails
    assert why is None or why.startswith("only the library"), "make book"


def test_every_executed_page_has_its_page():
    assert {file.stem for file in EXECUTED} <= {page.stem for page in PAGES}, "the executed form of no page: remove it"


@pytest.mark.slow
def test_every_page_has_its_executed_form():
    missing = {page.stem for page in PAGES} - {file.stem for file in EXECUTED}
    assert missing == set(), "make book"


def test_executed_pages_are_small_and_need_no_script():
    assert sum(file.stat().st_size for file in EXECUTED) <= MEGABYTES * 1e6
    for file in EXECUTED:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        kinds = {mime for cell in cells for output in cell.get("outputs", []) for mime in output.get("data", {})}
        assert kinds <= {"text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml", "image/png"}
        assert not any("<script" in json.dumps(cell.get("outputs", [])) for cell in cells), file.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page, monkeypatch, tmp_path):
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("agg")

    def draw():
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()  # a figure that cannot be drawn must fail here, not in `make book`
        plt.close("all")

    monkeypatch.setenv("NETWRIGHT_QUICK", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(plt, "show", draw)
    monkeypatch.syspath_prepend(BOOK)  # where a page's own modules are
    monkeypatch.chdir(tmp_path)
    with matplotlib.rc_context(fname=BOOK / "matplotlibrc"):
        run_file(page, show=True)
        assert not plt.get_fignums(), "a page shows each of its figures: end the cell with plt.show()"
