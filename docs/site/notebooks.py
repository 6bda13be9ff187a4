"""Turns an executed page of the book into the notebook that the site shows: figures with captions, in the page."""

import base64
import html
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from outputs import kept
from pages import executed_form, is_quick, read, without_opening
from themed import themed

NOT_RUN = (
    ":::{note}\nThis page was not run yet, so that its results are missing. `make book` runs it. The notebook has only "
    "the code.\n:::"
)
QUICK = (
    ":::{warning}\nQuick form: less data and fewer epochs than the book shows. The numbers of this page are not "
    "results.\n:::"
)


def shown(page: Path, pictures: Path) -> NotebookNode:
    """A page as the site shows it; its pictures are written into a folder.

    A page that has no executed form is shown from its source, and says so."""
    form = executed_form(page)
    notebook = without_opening(nbformat.read(form, as_version=4)) if form.exists() else kept(read(page))
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    figures = Figures(page.stem, pictures)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            figures.heading = next(reversed(re.findall(r"^#+ (.+)$", cell.source, re.M)), figures.heading)
            continue
        for output in cell.get("outputs", []):
            if "data" in output:
                figures.place(output, cell.metadata.get("caption"))
    title, rest = split_title(notebook.cells[0].source)
    note = (NOT_RUN,) if not form.exists() else (QUICK,) if is_quick() else ()
    download = f"{{download}}`Download this page as a notebook <../notebooks/{page.stem}.ipynb>`"
    notebook.cells[0].source = "\n\n".join([title, *note, rest, f"```{{div}} nw-download\n{download}\n```"])
    move_below_lead(notebook.cells[0])
    return notebook


def split_title(source: str) -> tuple[str, str]:
    """The heading of a page, and what follows it."""
    title, _, rest = source.partition("\n")
    return title, rest.strip()


def move_below_lead(cell: NotebookNode) -> None:
    """Put the link to the notebook below the first paragraph of the page, above its first section."""
    *above, download = cell.source.rsplit("\n\n```{div} nw-download", 1)
    head, mark, below = above[0].partition("\n## ")
    cell.source = f"{head.rstrip()}\n\n```{{div}} nw-download{download}" + (f"\n{mark}{below}" if mark else "")


class Figures:
    """The figures of one page: each gets a number, a caption, a description, and its place in the page."""

    def __init__(self, stem: str, pictures: Path) -> None:
        self.stem, self.pictures = stem, pictures
        self.heading, self.number = "", 0

    def place(self, output: NotebookNode, caption: str | None) -> None:
        """Replace a drawing or a picture of an output by HTML with a caption."""
        data = output.data
        if "image/svg+xml" in data and "text/html" not in data:
            drawing = themed(data.pop("image/svg+xml"))
            said = self.description(drawing, caption)
            forms = named(drawing, said)
            if "narrow" in output.metadata:
                narrow = named(themed(output.metadata["narrow"]), said)
                forms = f'<div class="nw-wide">{forms}</div><div class="nw-narrow">{narrow}</div>'
            data["text/html"] = self.figure(forms, caption)
        elif "image/png" in data and "text/html" not in data:
            content = base64.b64decode(data.pop("image/png"))
            file = self.pictures / f"{self.stem}-{self.number + 1}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            said = html.escape(self.description("", caption), quote=True)
            picture = f'<img src="../{self.pictures.name}/{file.name}" alt="{said}" loading="lazy">'
            data["text/html"] = self.figure(picture, caption)
        elif "text/html" in data:
            data["text/html"] = f'<div class="nw-rich">{themed(data["text/html"])}</div>'

    def figure(self, drawing: str, caption: str | None) -> str:
        self.number += 1
        name = f"figure-{self.number}"
        words = html.escape(plain(caption or self.heading))
        number = f'<a href="#{name}">Figure {int(self.stem[:2])}.{self.number}</a>'
        captioned = f"<figcaption>{number} {words}</figcaption>"
        return f'<figure id="{name}"><div class="nw-figure">{drawing}</div>{captioned}</figure>'

    def description(self, drawing: str, caption: str | None) -> str:
        """What a reader who cannot see the figure is told: its caption, or its section and the words in it."""
        seen = ", ".join(dict.fromkeys(drawn_words(drawing)))
        return caption or f"Figure: {plain(self.heading)}" + (f". Words in it: {seen}" if seen else "")


def drawn_words(drawing: str) -> Iterator[str]:
    """The words of an SVG, in their order, without the numbers of its axes; at most a few."""
    texts = (
        html.unescape(re.sub(r"<[^>]+>", "", text)).strip() for text in re.findall(r"<text\b.*?</text>", drawing, re.S)
    )
    words = [text for text in texts if re.search(r"[^\W\d_]{2}", text)]
    return iter(words[:12])


def plain(markdown: str) -> str:
    """A heading without its marks of code and of links."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "").replace("*", "").replace("$", "")


def named(drawing: str, description: str) -> str:
    """An SVG that says what it shows."""
    said = html.escape(description, quote=True)
    return re.sub(r"<svg\b", f'<svg role="img" aria-label="{said}"', drawing, count=1)
