"""Sick and healthy runs of other data than MNIST: clothes, small digits, numbers and sentences."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from sklearn.datasets import load_diabetes, load_digits
from tests.diagnosis import sick
from tests.diagnosis.sick import SETTINGS, Made, Task

import netwright as nw
from netwright.errors import TrainingError

Case: TypeAlias = Callable[[], Made]


@cache
def clothes() -> Task:
    train = nw.dataset("fashion-mnist").train
    return Task(np.asarray(train.inputs[:2000]), np.asarray(train.targets[:2000]))


@cache
def digits() -> Task:
    found = load_digits()
    return Task((found.images * 15.9).astype(np.uint8), found.target)


def patients() -> tuple[Any, Any]:
    found = load_diabetes()
    return found.data.astype(np.float32) * 20, found.target.tolist()


def waves() -> tuple[Any, Any]:
    xs = np.random.default_rng(0).uniform(-1, 1, (800, 2)).astype(np.float32)
    return xs, (np.sin(3 * xs[:, 0]) + xs[:, 1] ** 2).tolist()


def sentences(topics: int = 3, told: bool = True) -> tuple[Any, Any]:
    """Sentences of the words of their topics, or, if nothing is to tell the topics, of all words."""
    words = {
        0: "ship sea wind sail port wave",
        1: "bread oven salt flour cake dough",
        2: "score team goal ball field match",
    }
    common, draw = ["the", "a", "of", "on", "with", "near", "his", "her", "old", "new"], np.random.default_rng(0)
    every = " ".join(words.values()).split()
    texts: list[str] = []
    labels: list[str] = []
    for i in range(400):
        topic = i % topics
        own = draw.choice(words[topic].split() if told else every, 3)
        texts.append(" ".join(draw.permutation([*own, *draw.choice(common, 5)])))
        labels.append(f"topic {topic}")
    return texts, labels


def trained(net: nw.Net, data: Any, **settings: Any) -> Made:
    try:
        return nw.train(net, data, **{**SETTINGS, **settings}), data, None
    except TrainingError as error:
        return error.run, data, None


def of_numbers(*parts: Any, inputs: int) -> nw.Net:
    return nw.Chain(*parts, nw.Linear(), input=inputs, output=nw.Number())


def of_words() -> nw.Net:
    return nw.Chain(
        nw.Embedding(16), nw.GRU(16), nw.Last(), nw.Linear(), nw.softmax, input=nw.Words(), output=nw.Category()
    )


def patients_at_a_high_rate() -> Made:
    net = of_numbers(32, nw.relu, inputs=10)
    return trained(net, patients(), epochs=20, optimizer=nw.SGD(momentum=0.9), learning_rate=3.0)


def patients_shuffled() -> Made:
    inputs, targets = patients()
    shuffled = np.random.default_rng(0).permutation(targets).tolist()
    return trained(of_numbers(16, nw.relu, inputs=10), (inputs, shuffled), epochs=10)


def patients_by_heart() -> Made:
    net = of_numbers(256, nw.relu, 256, nw.relu, inputs=10)
    return trained(net, patients(), epochs=200, learning_rate=0.003)


def waves_at_a_low_rate() -> Made:
    return trained(of_numbers(32, nw.tanh, inputs=2), waves(), epochs=10, learning_rate=1e-5)


def sentences_at_a_high_rate() -> Made:
    return trained(of_words(), sentences(), epochs=6, learning_rate=3.0)


def sentences_without_topics() -> Made:
    return trained(of_words(), sentences(told=False), epochs=6)


def healthy_waves() -> Made:
    return trained(of_numbers(32, nw.tanh, inputs=2), waves(), epochs=60)


def healthy_sentences() -> Made:
    return trained(of_words(), sentences(), epochs=8)


def healthy_characters() -> Made:
    texts = sentences()[0]
    net = nw.Chain(nw.Embedding(16), nw.GRU(32), nw.Linear(), nw.softmax)
    return trained(net, texts, epochs=4, objective=nw.NextElement())


SICK: Mapping[str, list[Case]] = {
    "rate too high": [lambda: sick.rate_too_high(clothes()), patients_at_a_high_rate, sentences_at_a_high_rate],
    "rate too low": [lambda: sick.rate_too_low(digits()), waves_at_a_low_rate],
    "overfitting": [lambda: sick.overfitting(digits()), patients_by_heart],
    "gradient vanishes": [lambda: sick.vanishing(clothes())],
    "gradient explodes": [lambda: sick.exploding(digits())],
    "dead units": [lambda: sick.dead_units(clothes())],
    "class never predicted": [lambda: sick.class_never_predicted(digits())],
    "no better than the naive answer": [
        lambda: sick.no_better_than_naive(digits()),
        patients_shuffled,
        sentences_without_topics,
    ],
    "validation examples in training": [lambda: sick.leak(clothes())],
}
HEALTHY: list[Case] = [
    lambda: sick.healthy_mlp(clothes()),
    lambda: sick.healthy_conv(clothes()),
    lambda: sick.healthy_dropout(digits()),
    healthy_waves,
    healthy_sentences,
    healthy_characters,
]
