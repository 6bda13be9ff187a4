"""What pages 7 and 14 share, so that both tell the same figures: the sentences, two nets, and errors over articles.

Both pages train the two nets of `SETTINGS` on the same sentences with the same seeds, those of `SEEDS`, so both get the
same nets and the same errors. The figures of the chapter are in `CHAPTER`.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import netwright as nw
from netwright.data.datasets import Split
from netwright.data.texts import ARTICLES, articles
from netwright.measure.estimate import Estimate, Shares, student

TOPICS = ["arts", "life", "matter", "people", "places", "politics", "space"]

CHAPTER = {"always the same topic": 0.40, "LSTM": 0.28, "classic methods": 0.22, "features of BERT": 0.10}
"""The chapter's errors on its validation pages. Its data are other data, so only the order can be compared."""


@dataclass(frozen=True)
class Sentences:
    """Sentences with their topics in three parts; `title` is the article of each sentence."""

    train: Split
    validation: Split
    test: Split
    title: Mapping[str, str]

    @property
    def parts(self) -> dict[str, Split]:
        return {"training": self.train, "validation": self.validation, "test": self.test}


def sentences(*, quick: bool) -> Sentences:
    """The sentences of Wikipedia with their articles; `quick`: made-up ones of the same form, without a download."""
    if quick:
        return _made_up()
    data = nw.dataset("wikipedia-sentences")
    assert data.validation is not None
    # the data set gives topics only; which article a sentence is from is read from the same file
    dump = Path(data.source.split(",")[0]) / ARTICLES
    title = {sentence: name for name, found in articles(dump).items() for sentence in found}
    return Sentences(data.train, data.validation, data.test, title)


def _made_up() -> Sentences:
    draw = random.Random(1)
    common = ["the", "a", "of", "in", "and", "was", "its", "that", "with", "for", "by", "it"]
    title: dict[str, str] = {}
    parts: list[Split] = []
    for part, count in (("training", 280), ("validation", 140), ("test", 140)):
        topics = [TOPICS[i * len(TOPICS) // count] for i in range(count)]
        inputs: list[str] = []
        for i, topic in enumerate(topics):
            own = [f"{topic}{draw.randrange(12)}" for _ in range(3)]
            words = own + draw.choices(common, k=draw.randrange(4, 40)) + [f"{part[:2]}{i}"]
            draw.shuffle(words)
            inputs.append(" ".join(words).capitalize() + ".")
            title[inputs[-1]] = f"{part} {i // 10}"
        parts.append(Split(inputs, topics))
    return Sentences(*parts, title)


def word_net(*middle: Any, known: Sequence[str], seed: int = 1) -> nw.Chain:
    """A net from a text to a topic that knows the words of the texts `known`; its word vectors begin small.

    Dropout of 95% multiplies what it leaves by 20, so the first values are ten times smaller than usual."""
    words = nw.Words(unknown=True, lower=True).fit(known)
    parts = (nw.Embedding(100), *middle, nw.Linear(), nw.softmax)
    net = nw.initialize(nw.Chain(*parts, input=words, output=nw.Category(TOPICS)), seed=seed)
    return net.with_arrays({"embedding1/weight": 0.1 * net.arrays["embedding1/weight"]})


STEADY: dict[str, Any] = {"optimizer": nw.AdamW(weight_decay=0.5), "learning_rate": 1e-2, "epochs": 6}

SETTINGS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "LSTM": ((nw.Dropout(0.95), nw.LSTM(100), nw.Last()), {"learning_rate": 3e-3, "epochs": 30}),
    "bag of words": ((nw.Dropout(0.8), nw.Mean(0)), STEADY),
}
"""The chapter's net and the best net of page 7: the parts behind the word vectors, and how they are trained."""

SEEDS = {"LSTM": (1,), "bag of words": (1, 2, 3)}
"""The seeds with which both pages train each net; the error of several nets is the mean of their errors."""


def trained(name: str, train: Any, validation: Any, *, quick: bool, seed: int = 1) -> Any:
    """A run of one net of `SETTINGS`; its words are those of the training sentences."""
    middle, how = SETTINGS[name]
    inputs = train.inputs if isinstance(train, Split) else train[0]
    epochs = 2 if quick else how["epochs"]
    net = word_net(*middle, known=inputs, seed=seed)
    return nw.train(
        net, train, validation=validation, batch_size=128, seed=seed, progress=False, **{**how, "epochs": epochs}
    )


def mistakes(nets: Sequence[Any], part: Split) -> np.ndarray:
    """For each example, the share of these nets that answer it wrongly: (n,)."""
    answers = [net(list(part.inputs)) for net in nets]
    return np.mean([[a != b for a, b in zip(one, part.targets, strict=True)] for one in answers], axis=0)


def by_article(wrong: np.ndarray, titles: Sequence[str]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Articles in the order of the alphabet, mistakes in each, and sentences asked: both (articles, 1)."""
    asked = Counter(titles)
    found: Counter[str] = Counter()
    for title, one in zip(titles, wrong, strict=True):
        found[title] += one
    names = sorted(asked)
    return names, *(np.array([[count[name]] for name in names], dtype=float) for count in (found, asked))


def error_over_articles(wrong: np.ndarray, titles: Sequence[str]) -> Estimate:
    """The share of mistakes; its 95% interval is for other articles, not for other sentences of the same ones."""
    _, found, asked = by_article(wrong, titles)
    shares = Shares(1)
    shares.add(found, asked)
    return shares.proportion("error", 0)


def difference(one: np.ndarray, other: np.ndarray, titles: Sequence[str]) -> tuple[float, float, float]:
    """How much larger the first error is, in points, and the ends of its 95% interval, Student's over articles.

    The pages make the words from it with `verdicts.verdict`."""
    _, apart, asked = by_article(one - other, titles)
    n, mean = len(asked), float(apart.sum() / asked.sum())
    off = apart - mean * asked
    half = student(n - 1) * float(np.sqrt(n / (n - 1) * (off**2).sum()) / asked.sum())
    return 100 * mean, 100 * (mean - half), 100 * (mean + half)
