"""The tasks of bench.recipe: small runs of the kinds that people bring, on real data where a set of it is at hand."""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine, make_friedman1

import netwright as nw
from netwright.data.datasets import Dataset

Parts = tuple[Any, Any]  # what trains, what validates
GRAY = {"input": nw.Image(28, 28, "gray"), "output": nw.Category(range(10))}
MONTHS = list(calendar.month_name)[1:]


@dataclass(frozen=True)
class Task:
    """A net, its data, and how many passes it makes.

    Fields:
        name: what it stands for.
        net: makes the net.
        data: makes what trains and what validates.
        epochs: passes over what trains, so that every cell of a grid sees as many examples.
        follows: whether it predicts what comes next in each sequence.
        held_out: whether no rule was looked for with it; it only tests them.
        seeds: from how many it is trained to be judged; more where few examples make the loss a matter of luck. A third
            of so many, others, search the grid.
        version: raised when the task changes, so that no result of the former task is used.
    """

    name: str
    net: Callable[[], nw.Net]
    data: Callable[[], Parts]
    epochs: int
    follows: bool = False
    held_out: bool = False
    seeds: int = 3
    version: int = 1


def lenet() -> nw.Net:
    """A small LeNet."""
    return nw.Chain(
        nw.Conv(8, 5), nw.relu, nw.MaxPool(2), nw.Conv(16, 5), nw.relu, nw.MaxPool(2),
        nw.Flatten(), nw.Linear(64), nw.relu, nw.Linear(), nw.softmax, **GRAY,
    )  # fmt: skip


def layers(*widths: int) -> list[Any]:
    """Linear layers with ReLU."""
    return [part for width in widths for part in (nw.Linear(width), nw.relu)]


def perceptron(*widths: int, output: Any = None) -> nw.Net:
    """Layers over a picture."""
    ports = GRAY if output is None else {**GRAY, "output": output}
    end = () if isinstance(output, nw.Boolean) else (nw.Linear(), nw.softmax)
    return nw.Chain(nw.Flatten(), *layers(*widths), *(end or (nw.Linear(1), nw.sigmoid)), **ports)


def table(inputs: int, *middle: Any, output: Any) -> nw.Net:
    """Layers over columns of numbers."""
    end = (nw.Linear(),) if isinstance(output, nw.Number) else (nw.Linear(), nw.softmax)
    return nw.Chain(*middle, *end, input=nw.Vector(inputs), output=output)


def residual_net() -> nw.Net:
    """Two residual blocks with batch norm over pictures of half the size."""

    def block(channels: int, stride: int) -> nw.Net:
        def conv(by: int) -> tuple[nw.Net, nw.Net]:
            return nw.Conv(channels, 3, padding=1, bias=False, stride=by), nw.BatchNorm()

        changes = stride > 1
        shortcut = [nw.Conv(channels, 1, stride=stride, bias=False), nw.BatchNorm()] if changes else None
        return nw.Chain(nw.Residual([*conv(stride), nw.relu, *conv(1)], shortcut), nw.relu)

    return nw.Chain(
        nw.AvgPool(2), nw.Conv(8, 3, padding="same", bias=False), nw.BatchNorm(), nw.relu,
        block(8, 1), block(16, 2), nw.GlobalAvgPool(), nw.Linear(), nw.softmax, **GRAY,
    )  # fmt: skip


def dated() -> nw.Net:
    """A date in words to the number of its day."""
    return nw.Chain(nw.Embedding(16), nw.GRU(48), nw.Last(), nw.Linear(), input=nw.Characters(), output=nw.Number())


def normed_net() -> nw.Net:
    """Convolutions with batch norm and dropout."""
    return nw.Chain(
        nw.AvgPool(2), nw.Conv(12, 3, bias=False), nw.BatchNorm(), nw.relu, nw.MaxPool(2), nw.Flatten(),
        nw.Dropout(0.3), nw.Linear(64), nw.relu, nw.Dropout(0.5), nw.Linear(), nw.softmax, **GRAY,
    )  # fmt: skip


def vision_transformer() -> nw.Net:
    """Two blocks over 16 pieces of a picture."""
    block = nw.encoder_block(32, heads=4, dropout=0)
    return nw.Chain(
        nw.Conv(32, 7, stride=7), nw.Reshape(-1, 32), nw.Positions(16), block, block,
        nw.LayerNorm(), nw.Mean(0), nw.Linear(), nw.softmax, **GRAY,
    )  # fmt: skip


def autoencoder() -> nw.Net:
    """A picture's 196 numbers through 16."""
    return nw.Chain(*layers(64, 16, 64), nw.Linear(), input=nw.Vector(196), output=nw.Vector(196))


def classifier(*middle: Any) -> nw.Net:
    """Words to a topic."""
    return nw.Chain(
        nw.Embedding(48), *middle, nw.Linear(), nw.softmax, input=nw.Words(unknown=True), output=nw.Category()
    )


def speller(*middle: Any, width: int = 32) -> nw.Net:
    """Characters to the next."""
    return nw.Chain(nw.Embedding(width), *middle, nw.Linear(), nw.softmax, input=nw.Characters(unknown=True))


def gpt() -> nw.Net:
    """Two causal blocks."""
    block = nw.decoder_block(48, heads=4, memory=False, dropout=0)
    return speller(nw.SinePositions(), block, block, nw.LayerNorm(), width=48)


def translator() -> nw.Net:
    """The state after a date's words starts the writer of its digits; the net ends in its loss."""
    x, y = nw.Input("x", nw.Characters()), nw.Input("y", nw.Characters(mark_start=True, length="m"))
    read = nw.GRU(96)(nw.Embedding(32)(x))
    written = nw.GRU(96)(nw.Embedding(32)(nw.DropLast()(y)), hidden=read["hidden"])
    return nw.Graph(nw.CrossEntropy()(nw.softmax(nw.Linear(12)(written["output"])), nw.DropFirst()(y)))


@cache
def known(name: str) -> Dataset:
    """A data set of Netwright's."""
    return nw.dataset(name)


def pictures(name: str, count: int, held: int = 2000) -> Parts:
    """So many pictures of the training part, validated by the first of the test part."""
    data = known(name)
    return tuple(
        (np.asarray(p.inputs[:n]), np.asarray(p.targets[:n])) for p, n in ((data.train, count), (data.test, held))
    )


def noisy(count: int) -> Parts:
    """Digits of which three in ten have a random label, in both parts."""
    draw = np.random.default_rng(0)

    def changed(part: Any) -> Any:
        labels = part[1].copy()
        wrong = draw.random(len(labels)) < 0.3
        labels[wrong] = draw.integers(0, 10, wrong.sum())
        return part[0], labels

    train, held = pictures("mnist", count)
    return changed(train), changed(held)


def rare(count: int) -> Parts:
    """Whether a piece of clothing is a shirt: one in fifty, the kind that is most often mistaken."""

    def thinned(part: Any) -> Any:
        shirt = part[1] == 6
        keep = ~shirt | (shirt.cumsum() <= (~shirt).sum() // 49)
        return part[0][keep], shirt[keep]

    train, held = pictures("fashion-mnist", count, 10_000)
    return thinned(train), tuple(column[:6000] for column in thinned(held))


def halves(inputs: np.ndarray, targets: np.ndarray, count: int | None = None) -> Parts:
    """A table in random order, so many rows of it to train, or half."""
    order = np.random.default_rng(0).permutation(len(targets))
    count = count or len(targets) // 2
    return tuple((inputs[rows], targets[rows]) for rows in (order[:count], order[count:]))


def wines() -> Parts:
    """Wines of three growers, 89 of them to train."""
    return halves(*load_wine(return_X_y=True))


def tumours() -> Parts:
    """Tumours, benign or not, 284 of them to train."""
    return halves(*load_breast_cancer(return_X_y=True))


def diabetes() -> Parts:
    """How far a disease has come, in units in which it is about a millionth."""
    inputs, targets = load_diabetes(return_X_y=True)
    return halves(inputs, targets / targets.max() * 1e-6, 300)


def friedman() -> Parts:
    """Friedman's first function, of inputs and with targets whose units differ by twelve powers of ten."""
    inputs, targets = make_friedman1(3000, noise=1.0, random_state=0)
    return halves(inputs * 10.0 ** np.linspace(-6, 6, inputs.shape[1]), targets * 1e6, 1500)


def small_pictures(count: int) -> Parts:
    """Digits of 14 × 14 numbers from 0 to 1, to be given back."""

    def shrunk(part: Any) -> Any:
        small = part[0].reshape(-1, 14, 2, 14, 2).mean((2, 4)).reshape(-1, 196).astype(np.float32) / 255
        return small, small

    train, held = pictures("mnist", count)
    return shrunk(train), shrunk(held)


def topics(count: int) -> Parts:
    """Sentences and the topics of their articles; half of each article's are held out, as they are of one article."""
    part = known("wikipedia-sentences").train
    order = np.random.default_rng(0).permutation(len(part))
    shown, held = order[:count], order[count : count + 1500]
    return tuple(([part.inputs[i] for i in rows], [part.targets[i] for i in rows]) for rows in (shown, held))


def sentences(count: int, longest: int = 80) -> Parts:
    """Short sentences of Wikipedia, each character to be predicted."""
    data = known("wikipedia-sentences")
    train, held = ([text for text in part.inputs if len(text) <= longest] for part in (data.train, data.validation))
    order = np.random.default_rng(0).permutation(len(train))[:count]
    return [train[i] for i in order], held[:200]


def names() -> Parts:
    """Names of Pokémon."""
    data = known("pokemon")
    return data.train.inputs, data.validation.inputs


def dates(count: int) -> Parts:
    """Dates in words and in digits."""
    draw = np.random.default_rng(0)
    found: set[tuple[str, str]] = set()
    while len(found) < count + 500:
        day, month, year = draw.integers(1, 29), draw.integers(0, 12), draw.integers(1800, 2030)
        found.add((f"{day} {MONTHS[month]} {year}", f"{year}-{month + 1:02d}-{day:02d}"))
    rows = sorted(found)
    rows = [rows[i] for i in draw.permutation(len(rows))]
    return tuple({"x": [x for x, _ in part], "y": [y for _, y in part]} for part in (rows[:count], rows[count:]))


def days(count: int) -> Parts:
    """Dates in words, and their days counted from the year 1."""
    return tuple((part["x"], [date.fromisoformat(y).toordinal() for y in part["y"]]) for part in dates(count))


TASKS = [
    Task("digits", lenet, lambda: pictures("mnist", 10_000), 2),
    Task("clothes", lambda: perceptron(256, 128), lambda: pictures("fashion-mnist", 12_000), 4),
    Task("small data", lenet, lambda: pictures("mnist", 600), 20, seeds=9),
    Task("tiny data", lambda: table(13, *layers(32, 32), output=nw.Category()), wines, 100, seeds=24),
    Task("noisy labels", lambda: perceptron(128, 64), lambda: noisy(8000), 6),
    Task("targets of 1e-6", lambda: table(10, *layers(64, 64), output=nw.Number()), diabetes, 40, seeds=9),
    Task("columns from 1e-6 to 1e6", lambda: table(10, *layers(64, 64), output=nw.Number()), friedman, 30),
    Task("imbalance 1:50", lambda: perceptron(128, 64, output=nw.Boolean()), lambda: rare(6000), 5),
    Task("sentences", lambda: classifier(nw.GRU(64), nw.Last()), lambda: topics(1500), 4),
    Task("characters, 1 epoch", lambda: speller(nw.GRU(128)), lambda: sentences(1000), 1, True),
    Task("characters, 2 epochs", lambda: speller(nw.GRU(128)), lambda: sentences(800), 2, True),
    Task("characters, 20 epochs", lambda: speller(nw.GRU(128)), lambda: sentences(120), 20, True),
    Task("sequence to sequence", translator, lambda: dates(2000), 4, seeds=12),
    Task("transformer", gpt, lambda: sentences(800), 6, True, seeds=2),
    Task("deep MLP", lambda: perceptron(*[64] * 12), lambda: pictures("fashion-mnist", 10_000), 5),
    Task("ResNet with batch norm", residual_net, lambda: pictures("fashion-mnist", 3000), 3),
    Task("vision transformer", vision_transformer, lambda: pictures("fashion-mnist", 4000), 4, seeds=2),
    Task("autoencoder", autoencoder, lambda: small_pictures(8000), 8, seeds=9),
    Task("sentences, bag of words", lambda: classifier(nw.Mean(0)), lambda: topics(2000), 6),
    Task("names, LSTM with dropout", lambda: speller(nw.LSTM(96), nw.Dropout(0.3)), names, 8, True, True),
    Task("batch norm and dropout", normed_net, lambda: pictures("fashion-mnist", 2000), 8, held_out=True),
    Task("wide MLP", lambda: perceptron(1024), lambda: pictures("mnist", 8000), 3, held_out=True),
    Task("a number from a text", dated, lambda: days(2000), 4, held_out=True),
    Task(
        "table with dropout",
        lambda: table(30, nw.Linear(64), nw.BatchNorm(), nw.relu, nw.Dropout(0.3), *layers(32), output=nw.Category()),
        tumours, 30, held_out=True, seeds=18,
    ),
]  # fmt: skip
