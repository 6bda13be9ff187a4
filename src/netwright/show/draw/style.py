"""The looks of a drawing: colours for each kind of part, on a light page and on a dark one, and sizes of letters."""

from typing import Literal

from netwright.net.leaf import Family

BOLD, PLAIN, TITLE = 7.9, 6.3, 7.3  # widths of a character of a name, of a small text and of a frame's name, in pixels

COLOURS: dict[Family | Literal["port"], tuple[str, str, str, str]] = {
    "conv": ("#dbe8fd", "#2f6bd0", "#17305c", "#6ea2f5"),
    "linear": ("#e6defb", "#6b46c1", "#33265c", "#a98bf0"),
    "sequence": ("#fbdfe9", "#b83268", "#4a1a30", "#ee7fae"),
    "norm": ("#d6f2ee", "#168a7c", "#113f3a", "#4fc4b4"),
    "pool": ("#def3dc", "#3b8f36", "#1d4220", "#78c673"),
    "shape": ("#eceff4", "#76829a", "#2b3240", "#8a96ac"),
    "pointwise": ("#fdebd0", "#c2760c", "#4d3410", "#eeab4c"),
    "loss": ("#fbdcd9", "#c0392b", "#4d1d18", "#f0897e"),
    "code": ("#f3ead2", "#8a6d1f", "#3b3216", "#d8b75a"),
    "other": ("#f6f7f9", "#5d6778", "#1d2330", "#a3aec0"),
    "port": ("#ffffff", "#1d2433", "#131824", "#e8ecf4"),
}
"""The colours of each family of leaves: box and border on a light page, box and border on a dark one."""

MARKS = ("#d1495b", "#2f6bd0", "#3b8f36", "#c2760c", "#6b46c1", "#168a7c", "#b83268", "#5d6778")
"""The colours of what is shared: each group of parts, or each weight, has the next one."""


def _families(first: int) -> str:
    """The colours as CSS variables: those of the light page begin at 0, those of the dark one at 2."""
    return ";".join(f"--{name}:{one[first]};--{name}-e:{one[first + 1]}" for name, one in COLOURS.items())


_LIGHT = f"--ink:#1d2433;--soft:#5d6778;--line:#8d97a8;--group:#8d97a81c;--paper:#fff;{_families(0)}"
_DARK = f"--ink:#e8ecf4;--soft:#a3aec0;--line:#76829a;--group:#a3aec016;--paper:#131824;{_families(2)}"

STYLE = (
    f".nw-net{{{_LIGHT};font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',sans-serif}}"
    f"@media (prefers-color-scheme:dark){{.nw-net{{{_DARK}}}}}"
    f"[data-theme=light] .nw-net,[data-jp-theme-light=true] .nw-net{{{_LIGHT}}}"
    f"[data-theme=dark] .nw-net,[data-jp-theme-light=false] .nw-net{{{_DARK}}}"
    + """
.nw-net .edge{fill:none;stroke:var(--line);stroke-width:1.5}.nw-net .tip{fill:var(--line)}
.nw-net .loop{stroke-dasharray:5 3}
.nw-net .size{font-size:10.5px;fill:var(--soft)}
.nw-net .name{font-size:13px;font-weight:600;fill:var(--ink);text-anchor:middle}
.nw-net .what{font-size:10.5px;fill:var(--soft);text-anchor:middle}
.nw-net .head{font-size:12px;font-weight:600;fill:var(--soft)}
.nw-net .mark{font-size:10px;font-weight:700;fill:#fff;text-anchor:middle}
.nw-net .group{fill:var(--group);stroke:var(--line);stroke-dasharray:4 4}
.nw-net .paper{fill:var(--paper)}
.nw-net .box{stroke-width:1.5}
"""
    + "".join(f".nw-net .{name}{{fill:var(--{name});stroke:var(--{name}-e)}}" for name in COLOURS)
)
"""The style of every drawing.

The colours follow the page's theme (`data-theme` of a page, `data-jp-theme-light` of JupyterLab) where there is one,
else what the reader's system prefers.
"""
