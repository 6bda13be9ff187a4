"""Gathers the sections of the built site with their words, so that the search can rank them."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import snowballstemmer
from bs4 import BeautifulSoup, Tag

WORD = re.compile(r"[^\W_]+")
UNREAD = re.compile(r"<(svg|style|script|math)\b.*?</\1>", re.S)  # drawings take most of the time to parse
ARTICLE = re.compile(r"<article\b.*</article>", re.S)
IN_HEADING, IN_TITLE = 8, 3  # how often a word counts that is in the heading of a section, in the title of its page
WEIGHTS = {
    "index": 0.3,
    "README": 0.6,
    "CHANGELOG": 0.3,
    "CONTRIBUTING": 0.5,
    "bench/": 0.6,
    "book/19-": 0.4,
    "book/index": 0.5,
    "docs/design": 0.8,
}
"""Pages that name everything, and explain little of it, come after others that have the same words."""
LEFT_OUT = ("_modules/", "genindex", "py-modindex", "search")


def sections(page: Tag) -> Iterator[tuple[str, str, str]]:
    """Every section of a page and every entry of the reference: anchor, heading, and the text that is its own."""
    for entry in page.select("section > dl.py"):
        signature = entry.select_one("dt.sig")
        if isinstance(signature, Tag) and signature.get("id"):
            yield str(signature["id"]), name_of(signature), entry.get_text(" ")
        entry.extract()
    for section in reversed(page.select("section[id]")):  # the inner ones first: what is left is a section's own
        heading = section.find(["h1", "h2", "h3", "h4"])
        title = heading.get_text().rstrip("¶#") if isinstance(heading, Tag) else ""
        anchor = "" if isinstance(heading, Tag) and heading.name == "h1" else str(section["id"])
        yield anchor, title, section.get_text(" ")
        section.extract()


def name_of(signature: Tag) -> str:
    """A public name as its entry shows it."""
    return "nw." + str(signature["id"]).removeprefix("netwright.")


def index(site: Path) -> dict[str, Any]:
    """The pages, the sections, and for every word the numbers of the sections that have it, with counts."""
    stemmer = snowballstemmer.stemmer("english")
    pages: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    words: dict[str, tuple[list[int], list[int]]] = {}

    def stems(text: str) -> list[str]:
        return stemmer.stemWords(WORD.findall(text.lower()))

    for file in sorted(site.rglob("*.html")):
        name = file.relative_to(site).with_suffix("").as_posix()
        if name.startswith(LEFT_OUT):
            continue
        text = ARTICLE.search(UNREAD.sub("", file.read_text(encoding="utf-8")))
        if text is None:
            continue
        article = BeautifulSoup(text[0], "html.parser")
        for unread in article.select(".headerlink, .viewcode-link, .nw-label"):
            unread.extract()
        own = list(sections(article))
        title = next((heading for anchor, heading, _ in own if not anchor), name)
        weight = next((weight for start, weight in WEIGHTS.items() if name.startswith(start)), 1)
        pages.append({"name": name, "title": title, "weight": weight})
        for anchor, heading, text in own:
            counts = Counter(stems(text))
            length = counts.total()
            counts.update(dict.fromkeys(stems(heading), IN_HEADING))
            counts.update(dict.fromkeys(stems(title), IN_TITLE))
            for stem, count in counts.items():
                numbers, times = words.setdefault(stem, ([], []))
                numbers.append(len(found))
                times.append(count)
            found.append({"page": len(pages) - 1, "heading": heading, "anchor": anchor, "length": length})
    mean = sum(section["length"] for section in found) / max(1, len(found))
    return {"pages": pages, "sections": found, "words": words, "length": round(mean)}


def write_index(site: Path) -> None:
    """Write the sections of a site as a script, which a page on a disk can load too."""
    text = json.dumps(index(site), ensure_ascii=False, separators=(",", ":"))
    (site / "_static" / "sections.js").write_text(f"const SECTIONS = {text};\n", encoding="utf-8")
