"""Makes runs that are sick on purpose, and healthy ones, of pictures with classes, for the rules of a diagnosis."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

import netwright as nw
from netwright.errors import TrainingError

Pictures: TypeAlias = Any  # (n, h, w) of bytes
Made: TypeAlias = tuple[nw.Run, Any, Any]  # a run, its data, and its validation as it was given
SETTINGS: dict[str, Any] = {"validation": 0.2, "threads": 1, "progress": False}


class Task:
    """Pictures with classes, of which a run takes some."""

    def __init__(self, pictures: Pictures, labels: Any) -> None:
        self.pictures, self.labels = np.asarray(pictures), np.asarray(labels)
        self.shape = self.pictures.shape[1:]
        self.names = sorted(set(self.labels.tolist()))

    def data(self, count: int | None = None) -> tuple[Any, Any]:
        return self.pictures[:count], self.labels[:count].tolist()

    def ends(self, net: nw.Net) -> nw.Net:
        return net.with_input(nw.Image(*self.shape, "gray")).with_output(nw.Category(self.names))

    def mlp(self, *parts: Any) -> nw.Net:
        return self.ends(nw.Chain(nw.Flatten(), *parts, nw.Linear(), nw.softmax))

    def trained(self, net: nw.Net, data: Any = None, **settings: Any) -> Made:
        data = self.data() if data is None else data
        given = {**SETTINGS, **settings}
        try:
            run = nw.train(net, data, **given)
        except TrainingError as error:
            run = error.run
        return run, data, given["validation"] if isinstance(given["validation"], tuple) else None


def healthy_mlp(task: Task) -> Made:
    return task.trained(task.mlp(64, nw.relu), epochs=6)


def healthy_conv(task: Task) -> Made:
    net = task.ends(nw.Chain(nw.Conv(8, 3), nw.relu, nw.MaxPool(2), nw.Flatten(), nw.Linear(), nw.softmax))
    return task.trained(net, epochs=6)


def healthy_dropout(task: Task) -> Made:
    return task.trained(task.mlp(64, nw.relu, nw.Dropout(0.3), 32, nw.relu), epochs=8)


def rate_too_high(task: Task) -> Made:
    return task.trained(task.mlp(64, nw.relu, 64, nw.relu), epochs=4, learning_rate=1.0)


def rate_too_high_of_sgd(task: Task) -> Made:
    return task.trained(task.mlp(64, nw.relu), epochs=4, learning_rate=30.0, optimizer=nw.SGD(momentum=0.9))


def rate_too_low(task: Task) -> Made:
    return task.trained(task.mlp(64, nw.relu), epochs=6, learning_rate=3e-6)


def rate_too_low_of_sgd(task: Task) -> Made:
    return task.trained(task.mlp(64, nw.relu), epochs=6, learning_rate=1e-4, optimizer=nw.SGD(momentum=0))


def overfitting(task: Task) -> Made:
    data = task.data(150)
    return task.trained(task.mlp(256, nw.relu, 256, nw.relu), data, validation=0.5, epochs=80, learning_rate=0.003)


def vanishing(task: Task) -> Made:
    parts = [part for _ in range(8) for part in (nw.Linear(32), nw.sigmoid)]
    return task.trained(task.mlp(*parts), epochs=4)


def exploding(task: Task) -> Made:
    parts = [part for _ in range(5) for part in (nw.Linear(64), nw.relu)]
    net = nw.initialize(task.mlp(*parts))
    large = {path: array * 6 for path, array in net.arrays.items() if path.endswith("weight")}
    return task.trained(net.with_arrays(large), epochs=3)


def dead_units(task: Task) -> Made:
    net = nw.initialize(task.mlp(64, nw.relu, 64, nw.relu))
    return task.trained(net.with_arrays({"linear2/bias": [-20.0] * 64}), epochs=4)


def class_never_predicted(task: Task) -> Made:
    """15% of the examples of two classes have the label of a third, which nothing in their pictures tells."""
    first, second, third = task.names[:3]
    rows = np.isin(task.labels, [first, second])
    labels = task.labels[rows].copy()
    labels[np.random.default_rng(0).random(len(labels)) < 0.15] = third
    net = nw.Chain(nw.Flatten(), 32, nw.relu, nw.Linear(), nw.softmax).with_input(nw.Image(*task.shape, "gray"))
    data = (task.pictures[rows], labels.tolist())
    return task.trained(net.with_output(nw.Category([first, second, third])), data, epochs=3)


def no_better_than_naive(task: Task) -> Made:
    pictures, labels = task.data()
    shuffled = np.random.default_rng(0).permutation(labels).tolist()
    return task.trained(task.mlp(64, nw.relu), (pictures, shuffled), epochs=5)


def leak(task: Task) -> Made:
    pictures, labels = task.data()
    count = len(labels) // 5
    twice = np.concatenate([pictures, pictures[:count]])
    return task.trained(task.mlp(64, nw.relu), (twice, [*labels, *labels[:count]]), epochs=6)


SICK: Mapping[str, list[Callable[[Task], Made]]] = {
    "rate too high": [rate_too_high, rate_too_high_of_sgd],
    "rate too low": [rate_too_low, rate_too_low_of_sgd],
    "overfitting": [overfitting],
    "gradient vanishes": [vanishing],
    "gradient explodes": [exploding],
    "dead units": [dead_units],
    "class never predicted": [class_never_predicted],
    "no better than the naive answer": [no_better_than_naive],
    "validation examples in training": [leak],
}
HEALTHY = [healthy_mlp, healthy_conv, healthy_dropout]
