"""Outputs of a page as they are kept: small, the same for the same page, and shown without a script."""

import base64
import io
import re

from nbformat import NotebookNode
from PIL import Image

WIDGET = "application/vnd.jupyter.widget-view+json"
LARGE = 100_000  # characters: an SVG below this is kept although a PNG may be smaller, because it follows the theme
COLOURS = 256  # of a palette: one byte for a pixel in place of four
NARROW = re.compile(r'<div class="nw-narrow">(<svg.*?</svg>)\s*</div>', re.S)
LINK = re.compile(r"(\]\(\d\d-[a-z0-9-]+)\.md\b")


def kept(notebook: NotebookNode) -> NotebookNode:
    """The executed notebook as it is written to the repository: links lead to notebooks, outputs are settled."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(r"\1.ipynb", cell.source)
        else:
            cell.outputs = [output for output in map(settled, cell.outputs) if output is not None]
    return notebook


def settled(output: NotebookNode) -> NotebookNode | None:
    """One output without what needs a script, a figure in the better of its two forms; None if nothing is left.

    How data or weights were fetched is of the machine, and says nothing about the page."""
    if output.output_type == "stream" and output.name == "stderr" and output.text.startswith("fetching "):
        return None
    if output.output_type not in ("display_data", "execute_result"):
        return output
    data = output.data
    if WIDGET in data:
        for mime in (WIDGET, "text/plain"):
            data.pop(mime, None)
    if "<script" in data.get("text/html", "") and "image/svg+xml" in data:
        answering = data.pop("text/html")  # a drawing that answers: its picture stays, and the one for a phone
        narrow = NARROW.search(answering)
        if narrow is not None and narrow[1].strip() != data["image/svg+xml"].strip():
            output.metadata["narrow"] = slim(narrow[1])
    if "image/png" in data:
        data["image/png"] = small(data["image/png"])
    if "image/svg+xml" in data:
        data["image/svg+xml"] = slim(data["image/svg+xml"])
        png = data.pop("image/png", None)
        if png is not None and len(data["image/svg+xml"]) > max(LARGE, len(png)):
            del data["image/svg+xml"]
            data["image/png"] = png
    if "text/markdown" in data:
        data["text/markdown"] = LINK.sub(r"\1.ipynb", data["text/markdown"])
    return output if data else None


def small(png: str) -> str:
    """A picture in base64 with a palette of its own colours, where this makes it smaller."""
    picture = Image.open(io.BytesIO(base64.b64decode(png)))
    if picture.mode == "P":
        return png
    solid = "A" not in picture.getbands() or picture.getchannel("A").getextrema() == (255, 255)
    few = picture.convert("RGB").quantize(COLOURS) if solid else picture.quantize(COLOURS, Image.Quantize.FASTOCTREE)
    file = io.BytesIO()
    few.save(file, "PNG", optimize=True)
    return min(png, base64.b64encode(file.getvalue()).decode(), key=len)


def slim(svg: str) -> str:
    """A drawing without prologue, date and comments, its coordinates rounded to a hundredth of a point.

    Pictures in it have a palette each."""
    svg = re.sub(r"(?<=data:image/png;base64,)[^\"]+", lambda png: small(png.group()), svg)
    svg = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r"(?<=\sd=\")[^\"]+", lambda path: rounded(path.group()), svg)
    svg = re.sub(r"(?<=\s(?:x|y)=\")[-\d.]+(?=\")", lambda number: rounded(number.group()), svg)
    return re.sub(r"\n\s*", "\n", svg).strip() + "\n"


def rounded(numbers: str) -> str:
    """A text in which every decimal number has at most two places."""
    return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number.group()):.2f}".rstrip("0").rstrip("."), numbers)
