"""What pages 7 and 14 share: the made-up sentences keep articles apart, and errors over articles are right."""

import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def figures(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "book")
    import topic_figures

    yield topic_figures
    del sys.modules["topic_figures"]


def test_no_article_of_the_made_up_sentences_is_in_two_parts(figures):
    data = figures.sentences(quick=True)
    read = [{data.title[s] for s in part.inputs} for part in data.parts.values()]
    assert [len(part) for part in data.parts.values()] == [280, 140, 140]
    assert not read[0] & read[1] and not read[1] & read[2] and not read[0] & read[2]
    assert all(set(part.targets) == set(figures.TOPICS) for part in data.parts.values())


def test_both_nets_are_the_same_wherever_they_are_trained(figures):
    data = figures.sentences(quick=True)
    part = (list(data.train.inputs), list(data.train.targets))
    runs = [figures.trained("bag of words", train, data.validation, quick=True) for train in (data.train, part)]
    assert runs[0].net == runs[1].net


def test_errors_are_added_up_over_articles(figures):
    titles, wrong = ["b", "a", "b", "b"], np.array([1, 0.5, 0, 1])
    names, found, asked = figures.by_article(wrong, titles)
    assert names == ["a", "b"] and found.tolist() == [[0.5], [2]] and asked.tolist() == [[1], [3]]
    error = figures.error_over_articles(wrong, titles)
    assert error.value == 2.5 / 4 and error.n == 2 and error.low < error.value < error.high


def test_a_difference_has_an_interval_over_articles(figures):
    titles = [name for name in "abcdefgh" for _ in range(10)]
    one, other = np.tile([1.0] * 5 + [0.0] * 5, 8), np.tile([1.0] * 2 + [0.0] * 8, 8)
    one[0] = 0
    points, low, high = figures.difference(one, other, titles)
    assert points == pytest.approx(100 * 23 / 80) and 0 < low < points < high
    assert figures.difference(other, one, titles) == pytest.approx((-points, -high, -low))
    assert figures.difference(one, one, titles) == (0, 0, 0)


def test_the_list_of_rows_tells_the_same_figures_of_the_chapter(figures):
    (rows,) = (Path(__file__).parents[1] / "book").glob("*-the-chapter-row-by-row.md")
    lines = {number: line for line in rows.read_text().splitlines() if (number := line[2:5]) in ("171", "175")}
    for name, error in figures.CHAPTER.items():
        assert f" {error:.0%}" in lines["175" if "BERT" in name else "171"], name
