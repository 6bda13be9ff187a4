"""Netwright's `train`, as its guide writes it: it chooses all but the rate and the batch size, which are the race's."""

import time
from typing import Any

import numpy as np
from bench.workloads import PAIRS, RATE, Workload

import netwright as nw
from netwright.training.events import Callback, Status

ALPHABET = "".join(map(chr, range(33, 122)))  # 89 characters, and the mark


class Clock(Callback):
    """Starts when the warm-up steps are done, stops after so many more."""

    def __init__(self, warm_up: int, steps: int) -> None:
        self.first, self.last, self.start, self.stop = warm_up, warm_up + steps, 0.0, 0.0

    def on_step(self, status: Status) -> None:
        if status.step == self.first:
            self.start = time.perf_counter()
        elif status.step == self.last:
            self.stop = time.perf_counter()
            status.stop()


def build(workload: Workload) -> nw.Net:
    """The workload's net as Netwright's layers, features last."""
    if workload.name == "lenet":
        return nw.Chain(
            nw.Conv(20, 5), nw.relu, nw.MaxPool(2), nw.Conv(50, 5), nw.relu, nw.MaxPool(2),
            nw.Flatten(), nw.Linear(500), nw.relu, nw.Linear(), nw.softmax,
            input=nw.Image(28, 28, "gray"), output=nw.Category(range(10)),
        )  # fmt: skip
    if workload.name == "char":
        return nw.Chain(
            nw.Embedding(64), nw.GRU(512), nw.GRU(512), nw.Linear(), nw.softmax, input=nw.Characters(ALPHABET)
        )
    if workload.name == "seq2seq":
        return seq2seq()
    if workload.name == "transformer":
        return transformer()
    return nw.Chain(64, nw.tanh, 64, nw.tanh, nw.Linear(), input=nw.Vector(2), output=nw.Number())


def seq2seq() -> nw.Net:
    """The states after a sequence start a decoder that reads the answer so far; the net ends in its loss."""
    x, y = nw.Input("x", nw.Tokens(range(20))), nw.Input("y", nw.Tokens(range(20), length="m"))
    first = nw.GRU(256)(nw.Embedding(128)(x))
    second = nw.GRU(256)(first["output"])
    written = nw.GRU(256)(nw.Embedding(128)(nw.DropLast()(y)), hidden=first["hidden"])
    written = nw.GRU(256)(written["output"], hidden=second["hidden"])
    return nw.Graph(nw.CrossEntropy()(nw.softmax(nw.Linear(20)(written["output"])), nw.DropFirst()(y)))


def transformer() -> nw.Net:
    """Two blocks that read and two that write; the net ends in its loss."""
    x, y = nw.Input("x", nw.Tokens(range(20))), nw.Input("y", nw.Tokens(range(20), length="m"))
    read, written = (nw.Positions(25)(nw.Embedding(128)(tokens)) for tokens in (x, nw.DropLast()(y)))
    for _ in range(2):
        read = nw.encoder_block(128, 4, inner=512, dropout=0)(read)
    memory = nw.LayerNorm()(read)
    for _ in range(2):
        written = nw.decoder_block(128, 4, memory=True, inner=512, dropout=0)(written, memory)
    written = nw.softmax(nw.Linear(20)(nw.LayerNorm()(written)))
    return nw.Graph(nw.CrossEntropy()(written, nw.DropFirst()(y)))


def columns(workload: Workload, xs: np.ndarray, ys: np.ndarray) -> Any:
    """The data as the net takes it: texts, ports by name, or two columns."""
    if workload.name == "char":
        return ["".join(ALPHABET[i] for i in row) for row in ys[:, :-1].tolist()]
    return {"x": xs, "y": ys} if workload.name in PAIRS else (xs, ys)


def train(workload: Workload, xs: np.ndarray, ys: np.ndarray, steps: int, batch: int) -> float:
    """Seconds that `steps` steps took after warm-up."""
    clock = Clock(workload.warm_up, steps)
    epochs = -(-(workload.warm_up + steps) * batch // len(xs))
    nw.train(
        build(workload), columns(workload, xs, ys), epochs=epochs, batch_size=batch, learning_rate=RATE,
        schedule="constant", objective=nw.NextElement() if workload.name == "char" else None, callbacks=[clock],
        progress=False,
    )  # fmt: skip
    return clock.stop - clock.start
