"""Makes our drawings and tables follow the theme switch of the site, which may differ from the reader's system."""

import re
from collections.abc import Iterator

COLOURS = {
    "#1f2328": "ink",
    "#d0d7de": "line",
    "#fefefe": "paper",
}  # those of the book's figures, as site.css names them
PAINT = re.compile(rf"\b(stroke|fill)(: ?)({'|'.join(COLOURS)})\b")
DARK_QUERY = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)\s*\{")


def themed(markup: str) -> str:
    """HTML or SVG whose rules for a dark system hold in the dark theme, and not in the light one.

    The colours of the book's figures become variables. A rule of site.css could not do this: it does not reach the
    marks of a curve, which an SVG defines once and repeats.

    Furo sets `data-theme` of the body to `light`, `dark` or `auto`."""
    markup = re.sub(
        r"(<style[^>]*>)(.*?)(</style>)", lambda style: style[1] + switched(style[2]) + style[3], markup, flags=re.S
    )
    return PAINT.sub(lambda paint: f"{paint[1]}{paint[2]}var(--nw-{COLOURS[paint[3]]})", markup)


def switched(css: str) -> str:
    """Style rules in which those for a dark system are there twice: for the theme `auto`, and for the theme `dark`."""
    found = DARK_QUERY.search(css)
    if found is None:
        return css
    end = closing(css, found.end())
    rules = list(split_rules(css[found.end() : end]))
    auto = "".join(f"{within('body:not([data-theme=light])', names)}{{{body}}}" for names, body in rules)
    dark = "".join(f"{within('body[data-theme=dark]', names)}{{{body}}}" for names, body in rules)
    return f"{css[: found.start()]}{found.group()}{auto}}}{dark}{switched(css[end + 1 :])}"


def closing(css: str, start: int) -> int:
    """Where the brace closes that was opened before `start`."""
    depth = 1
    for place in range(start, len(css)):
        depth += {"{": 1, "}": -1}.get(css[place], 0)
        if depth == 0:
            return place
    raise ValueError(f"a brace is not closed: {css[start : start + 40]!r}")


def split_rules(css: str) -> Iterator[tuple[str, str]]:
    """The rules of a text of CSS, as selectors and body."""
    for rule in re.finditer(r"([^{}]+)\{([^{}]*)\}", css):
        yield rule[1].strip(), rule[2]


def within(theme: str, selectors: str) -> str:
    """Selectors that hold below a theme only; the root of a page is the body of the site."""
    each = (selector.strip() for selector in selectors.split(","))
    return ",".join(theme if selector == ":root" else f"{theme} {selector}" for selector in each)
