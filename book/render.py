"""Turns an executed notebook into a page of the book: one HTML file that needs no other file and no script."""

import html
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

HERE = Path(__file__).resolve().parent
TEMPLATES = Environment(loader=FileSystemLoader(HERE), undefined=StrictUndefined, autoescape=True, trim_blocks=True)
RICHEST_FIRST = ("text/html", "image/svg+xml", "text/markdown", "text/latex", "image/png", "image/jpeg", "text/plain")
WIDGET = "application/vnd.jupyter.widget-view+json"


def slug(title: str) -> str:
    """A heading as the name of its anchor."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def plain(text: str) -> str:
    """The text without the escape codes that colour a terminal."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def coloured(code: str, language: str) -> str:
    """Code as HTML spans; a language that Pygments does not know stays as it is."""
    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        return html.escape(code)
    return highlight(code.rstrip("\n"), lexer, HtmlFormatter(nowrap=True))


def formula(latex: str, options: dict[str, Any]) -> str:
    """A formula as MathML, which every browser draws by itself."""
    return convert(latex, display="block" if options["display_mode"] else "inline")


def markdown() -> MarkdownIt:
    """CommonMark with tables and $formulas$; tables scroll by themselves, headings are anchors."""
    parser = MarkdownIt("commonmark", {"typographer": True, "highlight": lambda code, name, _: coloured(code, name)})
    parser.enable(["table", "strikethrough", "smartquotes", "replacements"])
    parser.use(dollarmath_plugin, renderer=formula, allow_digits=False, double_inline=True)
    parser.add_render_rule("table_open", lambda *_: '<div class="scroll"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    parser.add_render_rule("heading_open", heading_open)
    return parser


def heading_open(_self: Any, tokens: list[Token], index: int, *_: Any) -> str:
    """A heading that can be linked to."""
    return f'<{tokens[index].tag} id="{slug(words(tokens[index + 1]))}">'


def words(inline: Token) -> str:
    """The text of a heading or paragraph without its markup."""
    return "".join(child.content if child.type != "softbreak" else " " for child in inline.children or [])


MARKDOWN = markdown()


@dataclass(frozen=True)
class Page:
    """One executed page: its name without an ending, its notebook, and the fault that ended its run, if one did."""

    stem: str
    notebook: NotebookNode
    fault: str | None = None

    @cached_property
    def tokens(self) -> list[Token]:
        texts = [cell.source for cell in self.notebook.cells if cell.cell_type == "markdown"]
        return MARKDOWN.parse("\n\n".join(texts))

    def following(self, opening: str, tag: str) -> list[Token]:
        """The inline tokens that follow each opening token of a kind, as the texts of all second headings."""
        pairs = zip(self.tokens, self.tokens[1:], strict=False)
        return [inline for token, inline in pairs if token.type == opening and token.tag == tag]

    @property
    def title(self) -> str:
        """The first heading of the page."""
        return words(self.following("heading_open", "h1")[0])

    @property
    def number(self) -> int:
        return int(self.stem[:2])

    @property
    def lead(self) -> str:
        """The first paragraph as HTML: what the index says about the page."""
        return MARKDOWN.renderer.render([self.following("paragraph_open", "p")[0]], MARKDOWN.options, {})

    @property
    def sections(self) -> list[tuple[str, str]]:
        """Anchor and text of every second heading."""
        return [(slug(words(inline)), words(inline)) for inline in self.following("heading_open", "h2")]


def render_output(output: NotebookNode) -> str:
    """One output of a cell as HTML, in the richest form it has; a live widget without a still picture shows nothing."""
    if output.output_type == "stream":
        kind = "out err" if output.name == "stderr" else "out"
        return f'<pre class="{kind}">{html.escape(plain(output.text).rstrip())}</pre>'
    if output.output_type == "error":
        traceback = "\n".join(output.traceback)
        return f'<pre class="out failed">{html.escape(plain(traceback))}</pre>'
    data = output.data
    mime = next(
        (mime for mime in RICHEST_FIRST if mime in data and not (mime == "text/plain" and WIDGET in data)), None
    )
    if mime is None:
        return ""
    content = data[mime]
    if mime == "text/plain":
        return f'<pre class="out">{html.escape(plain(content))}</pre>'
    if mime == "text/html":
        return f'<div class="out rich scroll">{content}</div>'
    if mime == "image/svg+xml":
        drawing = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>", "", content, flags=re.S)
        return f'<figure class="out drawing">{drawing.strip()}</figure>'
    if mime in ("text/markdown", "text/latex"):
        return f'<div class="out words">{MARKDOWN.render(content)}</div>'
    return f'<figure class="out picture"><img alt="" src="data:{mime};base64,{content.strip()}"></figure>'


def render_cell(cell: NotebookNode) -> str:
    """A cell as HTML: words as they are, code above its outputs; code tagged `hide-input` is folded."""
    if cell.cell_type == "markdown":
        return MARKDOWN.render(cell.source)
    code = f'<pre class="code"><code>{coloured(cell.source, "python")}</code></pre>'
    if "hide-input" in cell.metadata.get("tags", []):
        code = f"<details><summary>Code</summary>{code}</details>"
    outputs = "\n".join(filter(None, (render_output(output) for output in cell.outputs)))
    return f'<div class="cell">\n{code}\n{outputs}\n</div>'


def render_page(page: Page, before: Page | None, after: Page | None, *, quick: bool) -> str:
    """The whole HTML of a page, between the page before and the page after it."""
    body = "\n".join(render_cell(cell) for cell in page.notebook.cells)
    facts = {"page": page, "body": body, "before": before, "after": after, "quick": quick}
    return TEMPLATES.get_template("page.html").render(css=(HERE / "book.css").read_text(encoding="utf-8"), **facts)


def render_index(pages: list[Page], *, quick: bool) -> str:
    """The first page of the book: its contents."""
    css = (HERE / "book.css").read_text(encoding="utf-8")
    return TEMPLATES.get_template("index.html").render(css=css, pages=pages, quick=quick)
