"""Sick and healthy runs that were made when the rules were finished: wines, cells, numbers, clothes and characters."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_wine, make_friedman1
from tests.diagnosis import sick
from tests.diagnosis.judged import Case, of_numbers, sentences, trained
from tests.diagnosis.sick import Made, Task

import netwright as nw


def standardized(found: Any) -> tuple[Any, list[str]]:
    inputs = (found.data - found.data.mean(0)) / found.data.std(0)
    return inputs.astype(np.float32), [str(found.target_names[i]) for i in found.target]


def wines() -> tuple[Any, Any]:
    return standardized(load_wine())


def cells() -> tuple[Any, Any]:
    return standardized(load_breast_cancer())


def friedman(count: int = 600, noise: float = 0.5) -> tuple[Any, Any]:
    inputs, targets = make_friedman1(count, noise=noise, random_state=0)
    return (inputs * 2 - 1).astype(np.float32), targets.tolist()


@cache
def clothes() -> Task:
    train = nw.dataset("fashion-mnist").train
    return Task(np.asarray(train.inputs[2000:4000]), np.asarray(train.targets[2000:4000]))


def of_classes(*parts: Any, inputs: int) -> nw.Net:
    return nw.Chain(*parts, nw.Linear(), nw.softmax, input=inputs, output=nw.Category())


def conv() -> nw.Net:
    return clothes().ends(nw.Chain(nw.Conv(8, 5), nw.relu, nw.MaxPool(2), nw.Flatten(), nw.Linear(), nw.softmax))


def of_characters() -> nw.Net:
    return nw.Chain(nw.Embedding(16), nw.LSTM(48), nw.Linear(), nw.softmax)


def wines_at_a_high_rate() -> Made:
    return trained(of_classes(32, nw.tanh, 32, nw.tanh, inputs=13), wines(), epochs=30, learning_rate=2.0)


def clothes_at_a_high_rate() -> Made:
    return clothes().trained(conv(), epochs=4, learning_rate=0.5)


def characters_at_a_high_rate() -> Made:
    return trained(of_characters(), sentences()[0], epochs=4, objective=nw.NextElement(), learning_rate=3.0)


def cells_at_a_low_rate() -> Made:
    net = of_classes(32, nw.relu, inputs=30)
    return trained(net, cells(), epochs=10, learning_rate=1e-5, optimizer=nw.SGD(momentum=0.9))


def friedman_at_a_low_rate() -> Made:
    return trained(of_numbers(64, nw.relu, inputs=10), friedman(), epochs=10, learning_rate=2e-6)


def friedman_by_heart() -> Made:
    net = of_numbers(128, nw.tanh, 128, nw.tanh, inputs=10)
    return trained(net, friedman(60, noise=5.0), validation=0.4, epochs=300, learning_rate=0.003)


def characters_by_heart() -> Made:
    net = nw.Chain(nw.Embedding(32), nw.LSTM(128), nw.Linear(), nw.softmax)
    settings = {"validation": 0.5, "epochs": 60, "objective": nw.NextElement(), "learning_rate": 0.003}
    return trained(net, sentences()[0][:60], **settings)


def cells_behind_sigmoids() -> Made:
    parts = [part for _ in range(9) for part in (nw.Linear(24), nw.sigmoid)]
    return trained(of_classes(*parts, inputs=30), cells(), epochs=10)


def friedman_of_large_weights() -> Made:
    net = nw.initialize(of_numbers(64, nw.relu, 64, nw.relu, 64, nw.relu, inputs=10))
    large = {path: array * 8 for path, array in net.arrays.items() if path.endswith("weight")}
    return trained(net.with_arrays(large), friedman(), epochs=5)


def clothes_with_dead_units() -> Made:
    net = nw.initialize(conv())
    return clothes().trained(net.with_arrays({"conv1/bias": [-30.0] * 8}), epochs=3)


def cells_of_a_class_that_nothing_tells() -> Made:
    inputs, labels = cells()
    draw = np.random.default_rng(3).random(len(labels))
    mixed = ["unclear" if part < 0.12 else label for part, label in zip(draw, labels, strict=True)]
    return trained(of_classes(16, nw.relu, inputs=30), (inputs, mixed), epochs=10)


def wines_shuffled() -> Made:
    inputs, labels = wines()
    shuffled = np.random.default_rng(1).permutation(labels).tolist()
    return trained(of_classes(16, nw.relu, inputs=13), (inputs, shuffled), epochs=10)


def friedman_of_noise() -> Made:
    inputs, targets = friedman()
    noise = np.random.default_rng(1).normal(size=len(targets)).tolist()
    return trained(of_numbers(32, nw.relu, inputs=10), (inputs, noise), epochs=10)


def healthy_wines() -> Made:
    return trained(of_classes(16, nw.relu, inputs=13), wines(), epochs=30)


def healthy_cells() -> Made:
    return trained(of_classes(32, nw.relu, nw.Dropout(0.2), inputs=30), cells(), epochs=15)


def healthy_friedman() -> Made:
    return trained(of_numbers(64, nw.relu, inputs=10), friedman(), epochs=40)


def healthy_clothes() -> Made:
    return clothes().trained(conv(), epochs=6)


def healthy_characters() -> Made:
    return trained(of_characters(), sentences()[0], epochs=5, objective=nw.NextElement())


SICK: Mapping[str, list[Case]] = {
    "rate too high": [wines_at_a_high_rate, clothes_at_a_high_rate, characters_at_a_high_rate],
    "rate too low": [cells_at_a_low_rate, friedman_at_a_low_rate],
    "overfitting": [friedman_by_heart, characters_by_heart],
    "gradient vanishes": [cells_behind_sigmoids],
    "gradient explodes": [friedman_of_large_weights],
    "dead units": [clothes_with_dead_units],
    "class never predicted": [cells_of_a_class_that_nothing_tells],
    "no better than the naive answer": [wines_shuffled, friedman_of_noise],
    "validation examples in training": [lambda: sick.leak(clothes())],
}
HEALTHY: list[Case] = [healthy_wines, healthy_cells, healthy_friedman, healthy_clothes, healthy_characters]
