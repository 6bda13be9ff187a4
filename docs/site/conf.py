"""How Sphinx builds the site: its theme, its extensions, and that nothing comes from another machine."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))


def variables(*, brand: str, ink: str, line: str, paper: str, wash: str) -> dict[str, str]:
    """The colours of a theme as CSS variables: those of Furo, and ours, which site.css uses."""
    ours = {"nw-ink": ink, "nw-line": line, "nw-paper": paper, "nw-wash": wash}
    return {"color-brand-primary": brand, "color-brand-content": brand, "color-brand-visited": brand, **ours}


project = "Netwright"
author = "the Netwright authors"
extensions = ["myst_nb", "sphinx_copybutton", "sphinx_design", "sphinx.ext.viewcode", "extensions"]
exclude_patterns = ["notebooks", "_static", "_extra"]
html_theme = "furo"
html_title = "Netwright"
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_last_updated_fmt = None
html_search_language = "en"
html_math_renderer = "mathml"
html_theme_options = {
    "light_css_variables": variables(brand="#2257a8", ink="#1f2328", line="#d0d7de", paper="#ffffff", wash="#f5f7f9"),
    "dark_css_variables": variables(brand="#7fb2f5", ink="#dfe4ea", line="#3a424b", paper="#131416", wash="#1c2026"),
    "navigation_with_keys": True,
}
pygments_style = "friendly"
pygments_dark_style = "monokai"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "strikethrough"]
myst_heading_anchors = 3
myst_dmath_allow_digits = False
myst_dmath_double_inline = True
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
nb_code_prompt_show = "Code"
nb_code_prompt_hide = "Code"
nb_merge_streams = True
suppress_warnings = ["misc.highlighting_failure"]  # a box in a language that Pygments does not colour

add_module_names = False
toc_object_entries_show_parents = "hide"
viewcode_follow_imported_members = True
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_selector = "div:not(.output) > div.highlight > pre"
