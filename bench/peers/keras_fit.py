"""Keras 3's `fit`, as its guide writes it; the backend is the environment variable KERAS_BACKEND, read at import."""

import time

import keras
import numpy as np
from bench.workloads import RATE, WARM_UP, Workload
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
    return keras.Sequential([
        keras.Input((2,)), layers.Dense(64, "tanh"), layers.Dense(64, "tanh"), layers.Dense(1),
    ])  # fmt: skip


def train(workload: Workload, xs: np.ndarray, ys: np.ndarray, steps: int, batch: int) -> float:
    """Seconds that a `fit` of `steps` steps took, after a first `fit` that compiles and warms up."""
    keras.utils.set_random_seed(0)
    net = build(workload)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if workload.classes else "mse"
    net.compile(optimizer=keras.optimizers.Adam(RATE), loss=loss)
    x = xs.astype(np.float32) / 255 if workload.classes else xs
    index = np.random.default_rng(0).integers(0, len(x), (WARM_UP + steps) * batch)
    warm, timed = index[: WARM_UP * batch], index[WARM_UP * batch :]
    net.fit(x[warm], ys[warm], batch_size=batch, verbose=0)
    x, y = x[timed], ys[timed]
    start = time.perf_counter()
    net.fit(x, y, batch_size=batch, verbose=0)
    return time.perf_counter() - start
