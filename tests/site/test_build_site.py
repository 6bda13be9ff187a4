"""The site: what is gathered for it, and that every link on it leads to something."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]


def test_public_names_become_links_in_prose_only(site):
    text = "# `nw.Conv`\n`nw.Conv` and [`nw.Conv`](a.md)\n```python\n`nw.Conv`\n```\n`nw.Conv`\n"
    link = "{py:obj}`nw.Conv <netwright.Conv>`"
    assert site("build_site").with_links(text, frozenset({"Conv"})) == (
        f"# `nw.Conv`\n{link} and [`nw.Conv`](a.md)\n```python\n`nw.Conv`\n```\n{link}\n"
    )


def test_an_output_box_is_a_box_of_its_own_kind(site):
    assert (
        site("build_site").with_outputs("```output\n:1\n```\n") == "```{code-block} text\n:class: output\n\n:1\n```\n"
    )


def test_every_document_is_in_the_contents_of_the_site(site):
    build_site = site("build_site")
    text = (ROOT / "docs" / "site" / "index.md").read_text()
    new = ROOT / "docs" / "new.md"
    contents = build_site.first_page(text, [*build_site.documents(), new]).splitlines()
    assert [line for line in contents if line in ("docs/new", "docs/training", "OTHER DOCUMENTS")] == [
        "docs/new",
        "docs/training",
    ]
    for file in build_site.documents():
        name = file.relative_to(ROOT).with_suffix("").as_posix()
        listed = [line for line in contents if line == name or line.endswith(f"<{name}>")]
        assert len(listed) == (name != "book/README"), name


def test_the_gallery_shows_the_last_value_of_each_box(site):
    gallery = site("gallery")
    code = "import netwright as nw\nnw.summary(nw.Chain(3, input=2))\n"
    text = gallery.drawn(f"```python\n{code}```\n\nwords\n")
    assert text.startswith(f'```python\n{code}```\n\n```{{raw}} html\n<div class="nw-rich">')
    assert "Linear(3)" in text and text.endswith("\n```\n\nwords\n")
    with pytest.raises(ValueError, match="a box of the gallery ends with the value that it shows, not with 'x = 1'"):
        gallery.drawn("```python\nx = 1\n```\n")


def test_a_guide_shows_the_figures_that_its_boxes_make(site):
    code = "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\naxes.set_title('a curve')\nfigure\n"
    text = site("gallery").with_figures(f"```python\n{code}```\n\nwords\n")
    assert text.startswith(f"```python\n{code}```\n\n```{{raw}} html\n<figure>") and text.endswith("\n```\n\nwords\n")
    assert text.count("<svg") == 1 and 'aria-label="The figure of figure"' in text and ">a curve</text>" in text


def test_a_guide_shows_drawings_and_leaves_no_files(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "import netwright as nw\nnet = nw.Chain(2, input=3)\nnw.draw(net).save('net.svg')\nnw.draw(net)\n"
    text = site("gallery").with_figures(f"```python\n{code}```\n")
    assert text.count('<div class="nw-rich"><div class="nw-drawing">') == 1 and list(tmp_path.iterdir()) == []


class Links(HTMLParser):
    """What a page links, what it loads, the places in it that can be linked, and pictures without a description."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loaded, self.places, self.undescribed = [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.places |= {values[name] for name in ("id", "name") if values.get(name)}
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if tag == "link" and values.get("rel") in ("stylesheet", "icon"):
            self.loaded.append(values["href"])
        if tag in ("script", "img", "source", "iframe") and values.get("src"):
            self.loaded.append(values["src"])
        if tag == "img" and not values.get("alt"):
            self.undescribed.append(values.get("src"))


@pytest.mark.slow
def test_every_link_of_the_site_leads_to_something_and_nothing_comes_from_elsewhere(tmp_path):
    command = [sys.executable, str(ROOT / "docs" / "site" / "build_site.py"), str(tmp_path / "site")]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    pages = {file: Links(file.read_text("utf-8")) for file in (tmp_path / "site").rglob("*.html")}
    assert len(pages) > 60
    dead, elsewhere = [], set()
    for file, page in pages.items():
        assert [one for one in page.loaded if re.match(r"(https?:)?//", one)] == [], file
        assert page.undescribed == [], file
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                elsewhere.add(link)  # another machine, which is not asked
                continue
            path, _, anchor = link.partition("#")
            target = (file.parent / unquote(path)).resolve() if path else file
            found = target.exists() and (not anchor or target not in pages or unquote(anchor) in pages[target].places)
            dead += [] if found else [f"{file.relative_to(tmp_path)}: {link}"]
    assert dead == []
    assert [link for link in elsewhere if not link.startswith("https://")] == []
