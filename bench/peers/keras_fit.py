"""Keras 3's `fit`, as its guide writes it; the backend is the environment variable KERAS_BACKEND, read at import."""

import time
from functools import cache

import keras
import numpy as np
from bench.workloads import RATE, Workload
from keras import layers


def build(workload: Workload) -> keras.Model:
    """The workload's net as Keras layers, features last; the loss takes logits."""
    if workload.name == "lenet":
        return keras.Sequential([
            keras.Input((28, 28, 1)),
            layers.Conv2D(20, 5, activation="relu"), layers.MaxPooling2D(2),
            layers.Conv2D(50, 5, activation="relu"), layers.MaxPooling2D(2),
            layers.Flatten(), layers.Dense(500, activation="relu"), layers.Dense(10),
        ])  # fmt: skip
    if workload.name == "char":
        return keras.Sequential([
            keras.Input(workload.example, dtype="int32"), layers.Embedding(workload.classes, 64),
            layers.GRU(512, return_sequences=True), layers.GRU(512, return_sequences=True),
            layers.Dense(workload.classes),
        ])  # fmt: skip
    if workload.name == "seq2seq":
        return seq2seq(workload)
    return keras.Sequential([
        keras.Input((2,)), layers.Dense(64, "tanh"), layers.Dense(64, "tanh"), layers.Dense(1),
    ])  # fmt: skip


def seq2seq(workload: Workload) -> keras.Model:
    """The states after a sequence start a decoder that reads the answer so far."""
    x, y = keras.Input(workload.example, dtype="int32"), keras.Input((workload.answer,), dtype="int32")
    read, first = layers.GRU(256, return_sequences=True, return_state=True)(layers.Embedding(workload.classes, 128)(x))
    _, second = layers.GRU(256, return_sequences=True, return_state=True)(read)
    written = layers.GRU(256, return_sequences=True)(layers.Embedding(workload.classes, 128)(y), initial_state=first)
    written = layers.GRU(256, return_sequences=True)(written, initial_state=second)
    return keras.Model([x, y], layers.Dense(workload.classes)(written))


@cache
def compiled(workload: Workload) -> keras.Model:
    """The net ready to `fit`; once in a process, since a backend that compiles would do it again each round."""
    keras.utils.set_random_seed(0)
    net = build(workload)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if workload.classes else "mse"
    net.compile(optimizer=keras.optimizers.Adam(RATE), loss=loss)
    return net


def columns(workload: Workload, xs: np.ndarray, ys: np.ndarray) -> tuple[np.ndarray, ...]:
    """The inputs and, last, the targets, as `fit` takes them."""
    if workload.name == "seq2seq":
        return xs, ys[:, :-1], ys[:, 1:]
    return (xs.astype(np.float32) / 255 if workload.name == "lenet" else xs), ys


def train(workload: Workload, xs: np.ndarray, ys: np.ndarray, steps: int, batch: int) -> float:
    """Seconds that a `fit` of `steps` steps took, after a first `fit` that compiles and warms up."""
    net = compiled(workload)
    index = np.random.default_rng(0).integers(0, len(xs), (workload.warm_up + steps) * batch)
    warm, timed = index[: workload.warm_up * batch], index[workload.warm_up * batch :]
    *x, y = (column[warm] for column in columns(workload, xs, ys))
    net.fit(x if len(x) > 1 else x[0], y, batch_size=batch, verbose=0)
    *x, y = (column[timed] for column in columns(workload, xs, ys))
    start = time.perf_counter()
    net.fit(x if len(x) > 1 else x[0], y, batch_size=batch, verbose=0)
    return time.perf_counter() - start
