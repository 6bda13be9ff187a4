"""Recordings of the page about sound: each word and letter is listed once, and ends are cut where nothing is heard."""

import re
import string
import sys
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "book"))

from recordings import GAME_LETTERS, LETTERS, RATE, SENTENCES, WORDS, spoken


def rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


def test_the_tables_name_121_words_and_three_times_the_letters():
    texts = Counter(text for _, text, _ in rows(WORDS))
    assert (texts.total(), len(texts)) == (121, 120)
    assert Counter(text for _, text, _ in [*rows(LETTERS), *rows(GAME_LETTERS)]) == dict.fromkeys(
        string.ascii_lowercase, 3
    )
    assert sum(len(text.split()) for text, _ in SENTENCES.values()) == 71
    digests = [row[2] for table in (WORDS, LETTERS, GAME_LETTERS) for row in rows(table)]
    digests += [digest for _, digest in SENTENCES.values()]
    assert len(digests) == 204 and all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)


def test_a_sound_is_cut_to_what_is_heard_and_its_loudest_sample_is_1():
    tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(4000) / RATE)
    quiet = np.zeros(2000)
    one = spoken("somebody", "word", (np.concatenate([quiet, tone, quiet]), RATE))
    assert (one.speaker, one.text) == ("somebody", "word")
    assert abs(len(one.wave) - 4000) < 50
    assert np.abs(one.wave).max() == 1
