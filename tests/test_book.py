"""The builder of the book: what it runs, what it keeps, what it refuses, and that a fault names its place."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).parents[1] / "book"


@pytest.fixture
def build(monkeypatch):
    monkeypatch.syspath_prepend(BOOK)
    monkeypatch.delenv("NETWRIGHT_QUICK", raising=False)
    import build

    yield build
    for name in ("build", "pages", "outputs"):
        del sys.modules[name]


@pytest.fixture
def book(tmp_path):
    folder = tmp_path / "book"
    folder.mkdir()
    (folder / "matplotlibrc").write_text("figure.dpi: 100\n")
    (tmp_path / "library").mkdir()
    return folder


@pytest.fixture
def make(build, book, tmp_path, capsys):
    """Run the builder on the book; give its status, what it did with each page, and what it wrote to stderr."""

    def made(*arguments):
        capsys.readouterr()
        status = build.main(list(arguments), book, tmp_path / "library")
        out, err = capsys.readouterr()
        return status, dict(line.split(maxsplit=1) for line in out.splitlines()), err

    return made


def notebook(book, stem, folder="executed"):
    return nbformat.read(book / folder / f"{stem}.ipynb", as_version=4)


def page(code, title="First", prose="Words."):
    return f"# {title}\n\n{prose}\n\n```python\n{code}\n```\n"


FIRST = """# First *page*

What it says. The [second](01-second.md#part) is another page.

```python
x = 6 * 7
print(x)
x
```

```python tags=["hide-input"]
from IPython.display import Markdown
Markdown(f"**{x}** is on [a page](01-second.md).")
```
"""


def test_a_page_is_run_and_written_with_its_outputs(book, make):
    (book / "00-first.md").write_text(FIRST)
    (book / "01-second.md").write_text(page("'b'", "Second"))
    (book / "README.md").write_text("no page")
    status, done, _ = make()
    assert status == 0 and all(text.startswith("ran in ") for text in done.values())
    assert sorted(file.name for file in (book / "executed").iterdir()) == ["00-first.ipynb", "01-second.ipynb"]
    title, *_, code, folded = notebook(book, "00-first").cells
    assert title.source.startswith("# First *page*") and "[second](01-second.ipynb#part)" in title.source
    assert [o.get("text") or o.data["text/plain"] for o in code.outputs] == ["42\n", "42"]
    assert folded.outputs[0].data["text/markdown"] == "**42** is on [a page](01-second.ipynb)."
    assert folded.metadata.tags == ["hide-input"]

    again = (book / "executed" / "00-first.ipynb").read_bytes()
    make("00")
    assert (book / "executed" / "00-first.ipynb").read_bytes() == again, "the same page gives the same file"


def test_only_what_has_changed_is_run_again(book, make, tmp_path):
    (book / "00-first.md").write_text(page("1"))
    (book / "01-second.md").write_text(page("2"))
    make()
    (book / "01-second.md").write_text(page("3"))
    assert make("--stale") == (1, {"01-second": "its code has changed since it was run"}, "")
    _, done, _ = make()
    assert done["00-first"] == "unchanged" and done["01-second"].startswith("ran in ")
    assert make("--stale") == (0, {}, "")
    (tmp_path / "library" / "net.py").write_text("")
    assert make()[1] == dict.fromkeys(["00-first", "01-second"], "only the library has changed since it was run")
    _, done, _ = make("--all")
    assert all(text.startswith("ran in ") for text in done.values())
    _, done, _ = make("01")
    assert list(done) == ["01-second"] and done["01-second"].startswith("ran in ")


def test_a_change_of_the_prose_alone_keeps_the_outputs(book, make, tmp_path):
    once = "open('runs', 'a').write('run')\nprint(6 * 7)"
    (book / "00-first.md").write_text(page(once))
    make()
    library = notebook(book, "00-first").metadata.netwright.library
    (tmp_path / "library" / "net.py").write_text("")
    (book / "00-first.md").write_text(page(once, prose="Other words."))
    assert make("--stale")[1] == {"00-first": "its prose has changed since it was run"}
    assert make() == (0, {"00-first": "prose renewed"}, "")
    title, *_, code = notebook(book, "00-first").cells
    assert "Other words." in title.source and code.outputs[0].text == "42\n" and code.execution_count == 1
    assert (book / "runs").read_text() == "run"
    assert notebook(book, "00-first").metadata.netwright.library == library, "the outputs are of the older library"
    assert make("--stale")[1] == {"00-first": "only the library has changed since it was run"}


def test_what_a_page_depends_on(build, book, tmp_path):
    from pages import digests

    first, library = book / "00-first.md", tmp_path / "library"
    (book / "other.py").write_text("")
    first.write_text(page("from helper import f"))
    (book / "helper.py").write_text("def f():\n    return 42\n")
    before = digests(first, library)
    (book / "other.py").write_text("# of another page\n")
    assert digests(first, library) == before

    def changed(file, text):
        nonlocal before
        file.write_text(text)
        after = digests(first, library)
        names = [name for name in after if after[name] != before[name]]
        before = after
        return names

    assert changed(book / "helper.py", "# changed\n") == ["page", "code"]
    assert changed(book / "matplotlibrc", "# changed\n") == ["page", "code"]
    assert changed(first, page("from helper import f", prose="Others.")) == ["page"]
    assert changed(first, page("from helper import f, g", prose="Others.")) == ["page", "code"]
    assert changed(library / "net.py", "") == ["library"]


def test_a_notebook_runs_alone_in_an_empty_folder(book, make, tmp_path, monkeypatch):
    (book / "helper.py").write_text("def f():\n    return 42\n")
    (book / "00-first.md").write_text(page("import os\nfrom helper import f\n\nf(), os.environ['NETWRIGHT_QUICK']"))
    monkeypatch.setenv("NETWRIGHT_QUICK", "0")
    make()
    title, needs, _, module, look, code = notebook(book, "00-first").cells
    assert title.source.startswith("# First")
    assert 'pip install ".[book]"' in needs.source and "**quick form**" in needs.source
    assert module.source == "%%writefile helper.py\ndef f():\n    return 42\n"
    assert look.source == "%%writefile matplotlibrc\nfigure.dpi: 100\n"
    assert code.outputs[0].data["text/plain"] == "(42, '0')"
    folder = tmp_path / "empty"
    folder.mkdir()
    for told, form in ((None, "1"), ("0", "0")):
        assert run_alone(book / "executed" / "00-first.ipynb", folder, told)[-1].outputs[0].data["text/plain"] == (
            f"(42, '{form}')"
        )
    assert sorted(file.name for file in folder.iterdir()) == ["helper.py", "matplotlibrc"]


def run_alone(file, folder, quick):
    """Run a notebook as a reader does who has downloaded it into an empty folder."""
    import asyncio

    from build import NotebookClient, OwnKernel

    copied = nbformat.read(file, as_version=4)
    environment = {name: value for name, value in os.environ.items() if name != "NETWRIGHT_QUICK"}
    environment |= {} if quick is None else {"NETWRIGHT_QUICK": quick}
    client = NotebookClient(copied, kernel_manager_class=OwnKernel, resources={"metadata": {"path": str(folder)}})
    asyncio.run(client.async_execute(env=environment))
    return copied.cells


def test_the_smallest_page_of_the_book_runs_alone_in_an_empty_folder(build, tmp_path):
    from outputs import kept
    from pages import alone, read

    smallest = min(build.sources(BOOK), key=lambda file: file.stat().st_size)
    nbformat.write(alone(kept(read(smallest)), smallest), tmp_path / "page.ipynb")
    folder = tmp_path / "empty"
    folder.mkdir()
    cells = run_alone(tmp_path / "page.ipynb", folder, None)
    printed = "".join(o.text for cell in cells if cell.cell_type == "code" for o in cell.outputs if "text" in o)
    assert "quick form" in printed


def test_a_page_that_fails_keeps_what_it_has_and_is_not_written_as_executed(book, make):
    (book / "00-good.md").write_text(page("1"))
    (book / "01-bad.md").write_text(page("print('old')"))
    make()
    old = (book / "executed" / "01-bad.ipynb").read_bytes()
    bad_page = "# Bad\n\nWords.\n\n```python\nx = 0\nprint('an hour of work')\n```\n\nwords\n\n```python\n1 / x\n```\n"
    (book / "01-bad.md").write_text(bad_page + "\n```python\nprint('never')\n```\n")
    (book / "02-shell.md").write_text("# Shell\n\nWords.\n\n```sh\nls\n```\n")
    (book / "03-bare.md").write_text("# Bare\n\n```python\n1\n```\n")
    broken = "class B:\n    def _repr_html_(self):\n        raise RuntimeError('no picture')\n\n\nB()"
    (book / "04-unseen.md").write_text(page(broken))
    status, done, err = make()
    assert status == 1 and [text.split()[0] for text in done.values()] == ["unchanged", *["failed"] * 4]
    bad, shell, bare, unseen = err.split("\nbook/")[1:]
    assert bad.startswith("01-bad.md:13: this cell failed\n") and "ZeroDivisionError: division by zero" in bad
    assert bad.rstrip().endswith(f"Its outputs before the error: {book / '.failed' / '01-bad.ipynb'}")
    assert shell.strip() == "02-shell.md:5: a box is ```python (it runs) or ```text (it is shown), not ```sh"
    assert bare.strip() == "03-bare.md:1: a page opens with `# Its title` and a paragraph that says what it shows"
    assert unseen.startswith("04-unseen.md:6: this cell failed\n") and "RuntimeError: no picture" in unseen
    assert "\x1b" not in err

    assert (book / "executed" / "01-bad.ipynb").read_bytes() == old
    assert sorted(file.stem for file in (book / "executed").iterdir()) == ["00-good", "01-bad"]
    *_, first, _, failed, never = notebook(book, "01-bad", ".failed").cells
    assert first.outputs[0].text == "an hour of work\n" and failed.outputs[0].ename == "ZeroDivisionError"
    assert never.outputs == []
    (book / "01-bad.md").write_text(page("2"))
    make("01")
    assert not (book / ".failed" / "01-bad.ipynb").exists()


def test_the_quick_form_is_kept_apart_and_does_not_say_what_the_whole_form_shows(book, make, monkeypatch):
    result = '<!-- #region tags=["whole"] -->\nThe net wins.\n<!-- #endregion -->\n'
    (book / "00-result.md").write_text(page("1") + f"\n{result}\nAlways said.\n")
    for quick in (False, True):
        monkeypatch.setenv("NETWRIGHT_QUICK", "1" if quick else "")
        assert make()[0] == 0
        text = json.dumps(notebook(book, "00-result", "executed-quick" if quick else "executed"))
        assert ("The net wins." in text) is not quick and "Always said." in text and "region" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["7"], "there is no page '7'; the pages are 00 to 01"),
        (["00", "02"], "there is no page '02'; the pages are 00 to 01"),
        (["--quick"], "unrecognized arguments: --quick"),
    ],
)
def test_an_argument_that_says_nothing_is_refused(book, make, capsys, arguments, message):
    (book / "00-first.md").write_text(page("1"))
    (book / "01-second.md").write_text(page("2"))
    with pytest.raises(SystemExit, match="2"):
        make(*arguments)
    assert capsys.readouterr().err.endswith(f"build.py: error: {message}\n")
    assert not (book / "executed").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_build_that_is_told_to_end_takes_its_kernel_along(book, told):
    started = book / "started"
    code = f"import os, pathlib, time\npathlib.Path({str(started)!r}).write_text(str(os.getpid()))\ntime.sleep(600)"
    (book / "00-long.md").write_text(page(code))
    (book / "01-next.md").write_text(page("1"))
    script = (
        f"import runpy, sys; sys.path.insert(0, {str(BOOK)!r}); import pages; from pathlib import Path\n"
        f"pages.BOOK = Path({str(book)!r}); sys.argv = ['build.py', '00', '01']\n"
        f"runpy.run_path({str(BOOK / 'build.py')!r}, run_name='__main__')"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while not (started.exists() and started.read_text()):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(told)
        assert process.wait(timeout=60) != 0
    finally:
        process.kill()
    kernel = int(started.read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(kernel, 0)
    assert not (book / "executed").exists(), "no page is written, and the next one is not begun"
