"""Sick and healthy runs that were made when the rules were final: clouds, numbers, flowers, clothes and a text."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_iris, make_classification, make_friedman2
from tests.diagnosis import sick
from tests.diagnosis.fresh import of_classes, standardized
from tests.diagnosis.judged import Case, of_numbers, of_words, sentences, trained
from tests.diagnosis.sick import Made, Task

import netwright as nw


def clouds(count: int = 800, flipped: float = 0.02) -> tuple[Any, Any]:
    found = make_classification(count, 20, n_informative=8, n_classes=3, flip_y=flipped, random_state=0)
    return found[0].astype(np.float32), [f"cloud {i}" for i in found[1]]


def resistances() -> tuple[Any, Any]:
    inputs, targets = make_friedman2(700, noise=20.0, random_state=0)
    return ((inputs - inputs.mean(0)) / inputs.std(0)).astype(np.float32), targets.tolist()


def lines() -> list[str]:
    return (Path(__file__).parent / "lines.txt").read_text(encoding="utf-8").splitlines()


@cache
def clothes() -> Task:
    train = nw.dataset("fashion-mnist").train
    return Task(np.asarray(train.inputs[4000:6000]), np.asarray(train.targets[4000:6000]))


def of_text(width: int = 48) -> nw.Net:
    return nw.Chain(nw.Embedding(24), nw.GRU(width), nw.Linear(), nw.softmax)


def text_run(width: int = 48, data: Any = None, **settings: Any) -> Made:
    return trained(of_text(width), data or lines() * 8, objective=nw.NextElement(), **settings)


def clouds_at_a_high_rate() -> Made:
    return trained(of_classes(48, nw.gelu, 48, nw.gelu, inputs=20), clouds(), epochs=10, learning_rate=1.0)


def text_at_a_high_rate() -> Made:
    return text_run(data=lines(), epochs=10, learning_rate=2.0, batch_size=8)


def resistances_at_a_high_rate() -> Made:
    net = of_numbers(32, nw.relu, inputs=4)
    return trained(net, resistances(), epochs=10, optimizer=nw.SGD(momentum=0.9), learning_rate=1.0)


def text_at_a_low_rate() -> Made:
    return text_run(data=lines(), epochs=20, learning_rate=1e-6, batch_size=8)


def clouds_by_heart() -> Made:
    net = of_classes(256, nw.relu, 256, nw.relu, inputs=20)
    return trained(net, clouds(160, 0.3), validation=0.4, epochs=100, learning_rate=0.003)


def text_by_heart() -> Made:
    return text_run(128, lines(), validation=0.5, epochs=150, learning_rate=0.01, batch_size=8)


def clothes_behind_sigmoids() -> Made:
    parts = [part for _ in range(12) for part in (nw.Linear(32), nw.sigmoid)]
    return clothes().trained(clothes().mlp(*parts), epochs=5)


def resistances_of_large_weights() -> Made:
    net = nw.initialize(of_numbers(48, nw.gelu, 48, nw.gelu, 48, nw.gelu, inputs=4))
    large = {path: array * 10 for path, array in net.arrays.items() if path.endswith("weight")}
    return trained(net.with_arrays(large), resistances(), epochs=5)


def clouds_with_dead_units() -> Made:
    net = nw.initialize(
        of_classes(48, nw.relu, 48, nw.relu, inputs=20).with_output(nw.Category([f"cloud {i}" for i in range(3)]))
    )
    return trained(net.with_arrays({"linear1/bias": [-50.0] * 48}), clouds(), epochs=6)


def flowers_of_a_kind_that_nothing_tells() -> Made:
    inputs, labels = standardized(load_iris())
    draw = np.random.default_rng(5).random(len(labels))
    mixed = ["unknown" if part < 0.15 else label for part, label in zip(draw, labels, strict=True)]
    return trained(of_classes(12, nw.relu, inputs=4), (inputs, mixed), validation=0.4, epochs=20)


def resistances_shuffled() -> Made:
    inputs, targets = resistances()
    return trained(
        of_numbers(32, nw.tanh, inputs=4), (inputs, np.random.default_rng(2).permutation(targets).tolist()), epochs=10
    )


def sentences_twice() -> Made:
    texts, labels = sentences()
    return trained(of_words(), ([*texts, *texts[:120]], [*labels, *labels[:120]]), epochs=6)


def healthy_clouds() -> Made:
    return trained(of_classes(32, nw.gelu, nw.Dropout(0.2), inputs=20), clouds(), epochs=10)


def healthy_resistances() -> Made:
    return trained(of_numbers(32, nw.gelu, inputs=4), resistances(), epochs=20)


def healthy_flowers() -> Made:
    return trained(of_classes(12, nw.relu, inputs=4), standardized(load_iris()), epochs=40)


def healthy_clothes() -> Made:
    return clothes().trained(clothes().mlp(64, nw.LayerNorm(), nw.relu, 64, nw.LayerNorm(), nw.relu), epochs=5)


def healthy_text() -> Made:
    return text_run(data=lines(), epochs=15, batch_size=8)  # after that it learns the few lines by heart


SICK: Mapping[str, list[Case]] = {
    "rate too high": [clouds_at_a_high_rate, text_at_a_high_rate, resistances_at_a_high_rate],
    "rate too low": [lambda: sick.rate_too_low(clothes()), text_at_a_low_rate],
    "overfitting": [clouds_by_heart, text_by_heart],
    "gradient vanishes": [clothes_behind_sigmoids],
    "gradient explodes": [resistances_of_large_weights],
    "dead units": [clouds_with_dead_units],
    "class never predicted": [flowers_of_a_kind_that_nothing_tells],
    "no better than the naive answer": [lambda: sick.no_better_than_naive(clothes()), resistances_shuffled],
    "validation examples in training": [sentences_twice],
}
HEALTHY: list[Case] = [healthy_clouds, healthy_resistances, healthy_flowers, healthy_clothes, healthy_text]
