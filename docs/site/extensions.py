"""What Sphinx lacks here: formulas without a script, a search that ranks sections, wide tables as cards on a phone."""

from typing import Any

import cards
from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.errors import PycodeError
from sphinx.pycode import ModuleAnalyzer

PUBLIC_MODULES = ("inits", "plot")  # of the package, by the names that users write


def inline_formula(self: Any, node: nodes.Element) -> None:
    """A formula in a line, as MathML, which every browser draws by itself."""
    self.body.append(f'<span class="math">{convert(node.astext(), display="inline")}</span>')
    raise nodes.SkipNode


def formula_block(self: Any, node: nodes.Element) -> None:
    """A formula of its own, in a box that scrolls where it is wider than the page."""
    self.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def load_search(app: Sphinx, page: str, *_: Any) -> None:
    """Load what ranks the sections on the page of the search, after the scripts of Sphinx, which are loaded last."""
    if page == "search":
        app.add_js_file("sections.js", priority=900)
        app.add_js_file("search.js", priority=901, defer="defer")


def mark_wide_tables(app: Sphinx, document: nodes.document, page: str) -> None:
    cards.mark(document)


def source_with_tags(app: Sphinx, module: str) -> tuple[str, dict[str, tuple[str, int, int]]] | None:
    """The source of a module with the lines of its functions, also under the names that they have in `nw.plot`."""
    try:
        analyzer = ModuleAnalyzer.for_module(module)
        analyzer.find_tags()
    except PycodeError:
        return None
    below = {f"{room}.{name}": tag for room in PUBLIC_MODULES for name, tag in analyzer.tags.items()}
    return analyzer.code, {**analyzer.tags, **below}


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", (inline_formula, None), (formula_block, None))
    app.connect("viewcode-find-source", source_with_tags)
    app.connect("html-page-context", load_search)
    app.connect("doctree-resolved", mark_wide_tables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
