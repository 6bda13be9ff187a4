"""Stores pairs of texts with the word errors and character errors that jiwer gives."""

import jiwer
import numpy as np
from tools import store

WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "and",
    "saw",
    "another,",
    "larger",
    "cat;",
    "ok?",
    "no",
    "—",
    "zwölf",
    "Boxkämpfer",
]


def changed(random: np.random.Generator, words: list[str]) -> list[str]:
    """The words with some left out, some changed and some put in."""
    found: list[str] = []
    for word in words:
        chance = random.random()
        if chance < 0.1:
            continue
        found.append(word[::-1] if chance < 0.2 else word)
        if chance > 0.9:
            found.append(str(random.choice(WORDS)))
    return found


def main() -> None:
    random = np.random.default_rng(3)
    targets = [" ".join(random.choice(WORDS, random.integers(1, 12))) for _ in range(30)]
    answers = [" ".join(changed(random, text.split())) for text in targets]
    answers[3], answers[4] = "", f"  {targets[4]} "
    wer = [jiwer.wer(right, said) for right, said in zip(targets, answers, strict=True)]
    cer = [jiwer.cer(right, said) for right, said in zip(targets, answers, strict=True)]
    store(
        "texts",
        ["jiwer"],
        targets=np.array(targets),
        answers=np.array(answers),
        wer_each=np.array(wer),
        cer_each=np.array(cer),
        wer=jiwer.wer(targets, answers),
        cer=jiwer.cer(targets, answers),
    )


main()
