"""The builder of the book: what it keeps, what it refuses, and that a fault names its place."""

import sys
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).parents[1] / "book"


@pytest.fixture
def build(monkeypatch):
    monkeypatch.syspath_prepend(BOOK)
    monkeypatch.setenv("NETWRIGHT_QUICK", "1")
    import build

    yield build
    for name in ("build", "render"):
        del sys.modules[name]


@pytest.fixture
def book(tmp_path):
    folder = tmp_path / "book"
    folder.mkdir()
    (tmp_path / "library").mkdir()
    return folder


FIRST = """# First *page*

What it says, with $x^2$.

## A part

```python
x = 6 * 7
print(x)
x
```

| a | b |
|---|---|
| 1 | 2 |

```python tags=["hide-input"]
from IPython.display import HTML, Markdown
Markdown(f"**{x}**")
```
"""


def test_a_book_is_built_and_kept(build, book, tmp_path, capsys):
    (book / "00-first.md").write_text(FIRST)
    (book / "01-second.md").write_text("# Second\n\nWords.\n\n```python\n'<b>' + chr(10)\n```\n")
    (book / "README.md").write_text("no page")
    assert build.build(book, tmp_path / "library") == []
    first, second, index = ((book / "site" / f"{n}.html").read_text() for n in ("00-first", "01-second", "index"))
    assert "<title>First page · The Netwright book</title>" in first
    assert '<h2 id="a-part">A part</h2>' in first and '<a href="#a-part">A part</a>' in first
    assert '<pre class="out">42</pre>' in first and "<strong>42</strong>" in first and "<msup>" in first
    assert '<div class="scroll"><table>' in first and "<details><summary>Code</summary>" in first
    assert '<a class="after" href="01-second.html">' in first and '<a class="before" href="00-first.html">' in second
    assert "&#x27;&lt;b&gt;\\n&#x27;" in second
    assert 'href="00-first.html#a-part"' in index and "What it says, with" in index
    assert "Quick form" in first and "http" not in first.replace("http://www.w3.org", "")
    notebook = nbformat.read(book / "site" / "00-first.ipynb", as_version=4)
    assert next(cell for cell in notebook.cells if cell.cell_type == "code").outputs[0].text == "42\n"

    (book / "01-second.md").write_text("# Second, changed\n\nWords.\n")
    before = {file: file.read_bytes() for file in (book / ".cache").iterdir()}
    capsys.readouterr()
    assert build.build(book, tmp_path / "library") == []
    done = [line.split(maxsplit=1)[1] for line in capsys.readouterr().out.splitlines()[:2]]
    assert done[0] == "unchanged" and done[1].startswith("ran in ")
    kept = sorted(file.name[:8] for file in (book / ".cache").iterdir())
    assert kept == ["00-first", "01-secon"]
    assert all(file.read_bytes() == content for file, content in before.items() if file.name.startswith("00"))


def test_a_notebook_says_what_it_needs_and_brings_its_modules(build, book, tmp_path):
    (book / "helper.py").write_text("def f():\n    return 42\n")
    (book / "00-first.md").write_text("# First\n\nWords.\n\n```python\nfrom helper import f\n\nf()\n```\n")
    assert build.build(book, tmp_path / "library") == []
    notebook = nbformat.read(book / "site" / "00-first.ipynb", as_version=4)
    title, needs, module, code = notebook.cells
    assert title.source.startswith("# First") and 'pip install ".[book]"' in needs.source
    assert module.source == "%%writefile helper.py\ndef f():\n    return 42\n"
    assert code.source == "from helper import f\n\nf()" and code.outputs[0].data["text/plain"] == "42"
    assert "writefile" not in (book / "site" / "00-first.html").read_text()


def test_what_a_page_depends_on(build, book, tmp_path, monkeypatch):
    page, module = book / "00-first.md", tmp_path / "library" / "net.py"
    (book / "other.py").write_text("")
    page.write_text("# One\n\n```python\nfrom helper import f\n```\n")
    keys = [build.key(page, tmp_path / "library")]
    (book / "other.py").write_text("# of another page\n")
    assert build.key(page, tmp_path / "library") == keys[0]
    for file in (book / "helper.py", page, module, book / "matplotlibrc"):
        file.write_text("# changed\n")
        keys.append(build.key(page, tmp_path / "library"))
    monkeypatch.setenv("NETWRIGHT_QUICK", "")
    keys.append(build.key(page, tmp_path / "library"))
    assert len(set(keys)) == len(keys)


def test_a_page_that_fails_keeps_its_outputs_and_the_site_shows_the_fault(build, book, tmp_path):
    (book / "site").mkdir()
    (book / "site" / "index.html").write_text("old")
    (book / "00-good.md").write_text("# Good\n\nWords.\n\n```python\n1\n```\n")
    bad_page = "# Bad\n\nWords.\n\n```python\nx = 0\nprint('an hour of work')\n```\n\nwords\n\n```python\n1 / x\n```\n"
    (book / "01-bad.md").write_text(bad_page + "\n```python\nprint('never')\n```\n")
    (book / "02-shell.md").write_text("# Shell\n\nWords.\n\n```sh\nls\n```\n")
    broken = "class B:\n    def _repr_html_(self):\n        raise RuntimeError('no picture')\n\n\nB()\n"
    (book / "03-unseen.md").write_text(f"# Unseen\n\nWords.\n\n```python\n{broken}```\n")
    bad, shell, unseen = build.build(book, tmp_path / "library")
    assert bad.startswith("book/01-bad.md:13: this cell failed\n") and "ZeroDivisionError: division by zero" in bad
    assert shell == "book/02-shell.md:5: a box is ```python (it runs) or ```text (it is shown), not ```sh"
    assert unseen.startswith("book/03-unseen.md:6: this cell failed\n")
    assert "RuntimeError: no picture" in unseen and "\x1b" not in bad + unseen

    site = {file.stem: file.read_text() for file in (book / "site").glob("*.html")}
    assert sorted(site) == ["00-good", "01-bad", "02-shell", "03-unseen", "index"]
    assert '<pre class="out">an hour of work</pre>' in site["01-bad"] and '<pre class="out">never' not in site["01-bad"]
    alert = site["01-bad"].split('role="alert"')[1].split("</section>")[0]
    assert "This page did not run to its end." in alert and "ZeroDivisionError: division by zero" in alert
    assert '<pre class="out failed">' in site["01-bad"], "the cell that failed shows its traceback"
    assert "not ```sh" in site["02-shell"] and "<title>Shell" in site["02-shell"]
    assert 'role="alert"' not in site["00-good"]
    assert site["index"].count("This page did not run to its end.") == 3
    assert [file.name[:7] for file in (book / ".cache").iterdir()] == ["00-good"], "a page that failed runs again"


def test_the_exit_status_says_whether_every_page_ran(build, book, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(build.build, "__defaults__", (book, tmp_path / "library"))
    (book / "00-good.md").write_text("# Good\n\nWords.\n\n```python\n1\n```\n")
    assert build.main() == 0
    (book / "01-bad.md").write_text("# Bad\n\nWords.\n\n```python\nraise ValueError('no data')\n```\n")
    assert build.main() == 1
    assert "book/01-bad.md:6: this cell failed" in capsys.readouterr().err


def test_what_the_whole_form_alone_shows_is_not_said_in_the_quick_form(build, book, tmp_path, monkeypatch):
    result = '<!-- #region tags=["whole"] -->\nThe net wins.\n<!-- #endregion -->\n'
    (book / "00-result.md").write_text(f"# Result\n\nWords.\n\n```python\n1\n```\n\n{result}\nAlways said.\n")
    for quick in (True, False):
        monkeypatch.setenv("NETWRIGHT_QUICK", "1" if quick else "")
        assert build.build(book, tmp_path / "library") == []
        page = (book / "site" / "00-result.html").read_text()
        assert ("The net wins." in page) is not quick and "Always said." in page and "region" not in page


def test_a_page_opens_with_its_title_and_a_paragraph(build, book, tmp_path):
    (book / "00-bare.md").write_text("# Bare\n\n```python\n1\n```\n")
    assert build.build(book, tmp_path / "library") == [
        "book/00-bare.md:1: a page opens with `# Its title` and a paragraph that says what it shows"
    ]
