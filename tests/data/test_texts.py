"""What the readers of text make of small pages, plays and tables, and that no page or play is in two parts."""

import bz2
import contextlib
import html
import json
import sqlite3
from pathlib import Path

import pytest

from netwright.data import texts

GOOD = "A sentence that is long enough to be kept here."


def dump(folder: Path, **pages: str) -> Path:
    file = folder / texts.ARTICLES
    whole = "".join(
        f"<page><title>{title}</title><revision><text xml:space='preserve'>{html.escape(text)}</text></revision></page>"
        for title, text in pages.items()
    )
    file.write_bytes(bz2.compress(f"<mediawiki>{whole}</mediawiki>".encode()))
    return file


@pytest.mark.parametrize(
    ("wikitext", "sentences"),
    [
        (f"{GOOD} {GOOD[:-1]}!", [GOOD, GOOD[:-1] + "!"]),
        (f"{GOOD}\n\n{GOOD}", [GOOD]),
        ("'''Alaska''' is a [[U.S. state|state]] of the ''[[Union]]''.", ["Alaska is a state of the Union."]),
        ("It is by Philip K. Dick in the U.S. Army of old.", ["It is by Philip K. Dick in the U.S. Army of old."]),
        (
            'He asked for the road to the city. "It is not far from here," said the other man.',
            ["He asked for the road to the city.", '"It is not far from here," said the other man.'],
        ),
        (
            "The hill is {{convert|30|to|40|km|mi|abbr=on}} from {{convert|5|m}} of water.",
            ["The hill is 30 to 40 km from 5 m of water."],
        ),
        (
            'The moon is less than<ref name="a">{{cite|x}} [[b]]</ref> 16&nbsp;hours away.<ref name="a" />',
            ["The moon is less than 16 hours away."],
        ),
        (f"It is a < b in all of the cases that were seen. {GOOD} So a > b.", [GOOD]),
        ("The word {{lang|fr|fromage}} is French for cheese.", ["The word fromage is French for cheese."]),
        ("The energy is <math>E = mc^2</math> in all the cases known.", []),
        ("The name ({{IPAc-en|a}}) is that of a very old city there.", []),
        ("The picture [[File:a.jpg|thumb|of a [[cat]] that sleeps]] is good enough.", ["The picture is good enough."]),
        ("* A list has items that are no sentences of a paragraph.", []),
        ("A line that breaks off before it has come to its end", []),
        ("and a line that begins in the middle of what it says.", []),
        ("Too short for it.", []),
        ("Far too long " + "a " * 150 + "b.", []),
    ],
)
def test_sentences(wikitext: str, sentences: list[str], tmp_path: Path) -> None:
    padded = [sentence for sentence in sentences if len(sentence) > 30]
    assert texts.articles(dump(tmp_path, A=wikitext)) == {"A": padded}


def test_a_sentence_is_in_one_article(tmp_path: Path) -> None:
    assert texts.articles(dump(tmp_path, A=f"{GOOD}\n\n{GOOD}", B=GOOD)) == {"A": [GOOD], "B": []}


def test_redirections_are_no_articles(tmp_path: Path) -> None:
    assert list(texts.articles(dump(tmp_path, A="#REDIRECT [[B]]", B=GOOD))) == ["B"]


def test_an_article_is_in_one_part(tmp_path: Path) -> None:
    titles = [title for topic in texts.TOPICS.values() for title in topic]
    assert len(titles) == len(set(titles)) == 50
    pages = {title: f"A sentence long enough speaks of {title}." for title in titles}
    dump(tmp_path, **pages, Apollo=GOOD)
    three = texts.read_wikipedia(tmp_path)
    assert [len(part[0]) for part in three] == [29, 11, 10]
    assert sorted(sentence for part in three for sentence in part[0]) == sorted(pages.values())
    for sentences, topics in three:
        assert set(topics) == set(texts.TOPICS)
        for sentence, topic in zip(sentences, topics, strict=True):
            assert sentence[33:-1] in texts.TOPICS[topic]
    assert [sentence[33:-1] for sentence in three[2][0][:3]] == ["Alaska", "Angola", "Atlantic Ocean"]


PLAY = r"""# As You Wait

## ACT I

### SCENE I. A wood.

_Enter ROSE, and
others_

**ROSE**
_\[Aside]_
Who's there? _Exit_
I go, & c.'\--

_Enter a dog_

Good dog.

1\. A flourish of trumpets.

**First Lord**
_A song_

**Second Lord**
Hark—[Within] hark.

*Exeunt*
"""


def test_plays(tmp_path: Path) -> None:
    for number, file in enumerate(texts.PLAYS):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(PLAY.replace("Wait", str(number)).replace("\n", "  \n"), encoding="utf-8")
    three = texts.read_shakespeare(tmp_path)
    assert [len(part[0]) for part in three] == [26, 6, 6]
    assert sorted(title for part in three for title in part[1]) == sorted(f"As You {n}" for n in range(38))
    roman = [n for n, file in enumerate(texts.PLAYS) if file.startswith("roman/")]
    assert three[2][1][3] == f"As You {roman[-1]}"
    assert three[1][1][3] == f"As You {roman[-2]}"
    spoken = "ROSE:\nWho's there?\nI go, &c.'--\nGood dog.\n\nSecond Lord:\nHark-- hark."
    assert {text for part in three for text in part[0]} == {spoken}


def test_pokemon(tmp_path: Path) -> None:
    rows = [{"term": f"p{n}", "dex_no": n, "classification": f"Kind {n} Pokémon"} for n in (1, 9, 10, 19, 20)]
    rows += [{"term": "p9x", "dex_no": 9, "classification": "X"}, {"term": "none", "dex_no": 2, "classification": None}]
    names = [{"term": row["term"], "english": str(row["term"]).upper()} for row in rows]
    types = [{"term": "p1", "first": "GRASS", "second": "POISON"}, {"term": "p9", "first": "ICE", "second": None}]
    for file, table in zip(texts.POKEMON, (rows, names, types), strict=True):
        (tmp_path / file).write_text(json.dumps(table), encoding="utf-8")
    train, validation, test = texts.read_pokemon(tmp_path)
    assert train == (["P1"], [{"genus": "Kind 1 Pokémon", "types": ("grass", "poison")}])
    assert validation[0] == ["P9", "P19", "P9X"]
    assert [answer["types"] for answer in validation[1]] == [("ice",), (), ()]
    assert test[0] == ["P10", "P20"]


def test_verses(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / texts.BIBLES)) as base:
        base.execute("CREATE TABLE bible (bbName TEXT, bNumber INT, cNumber INT, vNumber INT, vText TEXT)")
        rows = [
            (edition, book, 1, n, f" {edition} {book}.{n}") for edition in "3lk" for book in (1, 6, 43) for n in (2, 1)
        ]
        base.executemany("INSERT INTO bible VALUES (?, ?, ?, ?, ?)", [*rows, ("3", 44, 1, 1, "alone")])
        base.commit()
    train, validation, test = texts.read_bible(tmp_path)
    assert train == (["3 1.1", "3 1.2"], ["l 1.1", "l 1.2"])
    assert validation[0] == ["3 6.1", "3 6.2"] and test[1] == ["l 43.1", "l 43.2"]
