"""The gallery and the guide of pictures: what their code draws when the site is built, and figures of the book."""

import ast
import contextlib
import io
import re
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from notebooks import named
from themed import themed

HERE = Path(__file__).resolve().parent
SHOWN = 2  # figures of each page
LARGEST = 80_000  # characters of a figure


def gallery(tree: Path) -> str:
    """The page of the gallery; figures are taken from the pages of the book in the tree of sources."""
    lines = [drawn((HERE / "gallery.md").read_text(encoding="utf-8")), "## Figures of the book"]
    for page in sorted((tree / "book").glob("[0-9][0-9]-*.ipynb")):
        notebook = nbformat.read(page, as_version=4)
        found = figures_of(notebook)[:SHOWN]
        if found:
            title = notebook.cells[0].source.partition("\n")[0].removeprefix("# ")
            lines.append(f"### [{int(page.name[:2])}. {title}](book/{page.name})")
            lines.append(raw(f'<div class="nw-gallery">{"".join(linked_to(page.stem, one) for one in found)}</div>'))
    return "\n\n".join(lines) + "\n"


def drawn(text: str) -> str:
    """Markdown in which the value of the last line of each box stands below the box."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    return re.sub(
        r"^```python\n(.*?)^```$", lambda box: f"{box[0]}\n\n{value_of(box[1], namespace)}", text, flags=re.M | re.S
    )


def value_of(code: str, namespace: dict[str, Any]) -> str:
    """Run a box and give its last value as HTML."""
    tree = ast.parse(code)
    last = tree.body.pop()
    if not isinstance(last, ast.Expr):
        raise ValueError(f"a box of the gallery ends with the value that it shows, not with {ast.unparse(last)!r}")
    exec(compile(tree, "gallery.md", "exec"), namespace)
    value = eval(compile(ast.Expression(last.value), "gallery.md", "eval"), namespace)
    return answering(value)


def answering(value: Any) -> str:
    """What a notebook shows for a value, for a page."""
    return raw(f'<div class="nw-rich">{themed(value._repr_html_())}</div>')


def with_figures(text: str) -> str:
    """A guide with the drawings and figures that its boxes make, below each box."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # a guide also shows how files are written
        return re.sub(
            r"^```python\n(.*?)^```$",
            lambda box: f"{box[0]}\n\n{figures_in(box[1], namespace)}",
            text,
            flags=re.M | re.S,
        )


def figures_in(code: str, namespace: dict[str, Any]) -> str:
    """Run a box and give the drawings and figures among its values as HTML."""
    found: list[str] = []
    for statement in ast.parse(code).body:
        with contextlib.redirect_stdout(io.StringIO()):  # the guide has what it prints
            if not isinstance(statement, ast.Expr):
                exec(compile(ast.Module([statement], []), "guide", "exec"), namespace)
                continue
            value = eval(compile(ast.Expression(statement.value), "guide", "eval"), namespace)
        if hasattr(value, "savefig"):
            made_by = ast.unparse(statement)
            drawing = named(themed(svg_of(value, made_by)), f"The figure of {made_by}")
            found.append(raw(f'<figure><div class="nw-figure">{drawing}</div></figure>'))
        elif hasattr(value, "_repr_html_"):
            found.append(answering(value))
    return "\n\n".join(found)


def svg_of(figure: Any, name: str) -> str:
    """A figure of matplotlib as SVG, with letters as text, and with anchors that no other figure of the page has."""
    import matplotlib

    written = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(written, format="svg", bbox_inches="tight", metadata={"Date": None})
    return written.getvalue().partition("?>")[2].partition('dtd">')[2]


def figures_of(notebook: nbformat.NotebookNode) -> list[str]:
    """The figures of a page that are small enough for the gallery."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    texts = ["".join(output.data.get("text/html", "")) for output in outputs]
    return [text for text in texts if text.startswith("<figure") and len(text) < LARGEST]


def linked_to(stem: str, text: str) -> str:
    """A figure whose anchor is on another page."""
    text = re.sub(r'<figure id="[\w-]+">', "<figure>", text)
    return text.replace('href="#', f'href="book/{stem}.html#').replace('src="../', 'src="')


def raw(text: str) -> str:
    """HTML as it is, in Markdown: a line without words would end it."""
    return "```{raw} html\n" + re.sub(r"\n\s*\n", "\n", text) + "\n```"
