"""Who races over the nets of bench/common_nets.py, each in a process of its own: `python -m bench.breadth_peers`."""

import argparse
import contextlib
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from bench.common_nets import NETS, CommonNet, channels_first, loss_of
from bench.interleave import ALLOCATOR
from bench.workloads import RATE
from torch import Tensor, nn

import netwright as nw
from netwright.machine import has_bf16

WARM_UP = 3  # steps before the clock starts
BATCHES = 8  # different batches of data
Turn = Callable[[int, str], tuple[float, str]]
"""From steps and what is forced upon Netwright to the seconds, and what was chosen: precision and threads."""


class Clock(nw.Callback):
    """Starts when the warm-up steps are done, stops after so many more."""

    def __init__(self, steps: int) -> None:
        self.last, self.start, self.stop = WARM_UP + steps, 0.0, 0.0
        self.chosen = ""

    def on_step(self, status: nw.Status) -> None:
        if status.step == WARM_UP:
            self.start = time.perf_counter()
        elif status.step == self.last:
            self.stop = time.perf_counter()
            made = {choice.name: choice.value for choice in status.choices}
            self.chosen = f"{made['precision']} {made['threads']}"
            status.stop()


def netwright_turn(net: CommonNet, data: tuple[np.ndarray, ...], batch: int) -> Turn:
    """Netwright's `train`; it chooses all but the rate and the batch size, which are the race's, or what is forced."""
    made = net.ours()
    columns = net.columns(data)

    def turn(steps: int, forced: str) -> tuple[float, str]:
        clock = Clock(steps)
        precision, threads = forced.split() if forced else (None, None)
        nw.train(
            made, columns, epochs=WARM_UP + steps, batch_size=batch, learning_rate=RATE, schedule="constant",
            precision=precision, threads=None if threads is None else int(threads), callbacks=[clock], progress=False,
        )  # fmt: skip
        return clock.stop - clock.start, clock.chosen

    return turn


def columns_of(data: tuple[np.ndarray, ...]) -> list[Tensor]:
    """The data as tensors, features last."""
    return [torch.from_numpy(np.ascontiguousarray(column)) for column in data]


def torch_step(
    net: CommonNet, module: nn.Module, optimizer: torch.optim.Optimizer, columns: list[Tensor], batch: int, half: bool
) -> float:
    """One step of a loop by hand, and its loss."""
    index = torch.randint(len(columns[0]), (batch,))
    *inputs, target = (column.index_select(0, index) for column in columns)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        output = module(*map(channels_first, inputs))
    loss = loss_of(net, output, target)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


def base_turn(net: CommonNet, data: tuple[np.ndarray, ...], batch: int) -> Turn:
    """A plain eager float32 loop of torch, with its default threads."""
    torch.manual_seed(0)
    module, columns = net.theirs(), columns_of(data)
    optimizer = torch.optim.Adam(module.parameters(), RATE)

    def turn(steps: int, forced: str) -> tuple[float, str]:
        for _ in range(WARM_UP):
            torch_step(net, module, optimizer, columns, batch, half=False)
        start = time.perf_counter()
        for _ in range(steps):
            torch_step(net, module, optimizer, columns, batch, half=False)
        return time.perf_counter() - start, ""

    return turn


def expert_turn(net: CommonNet, data: tuple[np.ndarray, ...], batch: int) -> Turn:
    """What a good engineer writes: channels last, fused Adam, and the faster precision and number of threads, tried."""
    torch.manual_seed(0)
    module, columns = net.theirs(), columns_of(data)
    if any(column.ndim == 4 for column in columns):
        module = module.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(module.parameters(), RATE, fused=True)
    most = torch.get_num_threads()
    ways = [*itertools.product(sorted({False, has_bf16(torch.device("cpu"))}), sorted({1, most}))]
    best: list[tuple[bool, int]] = []

    def timed(steps: int, half: bool, threads: int) -> float:
        torch.set_num_threads(threads)
        start = time.perf_counter()
        for _ in range(steps):
            torch_step(net, module, optimizer, columns, batch, half)
        return time.perf_counter() - start

    def turn(steps: int, forced: str) -> tuple[float, str]:
        if not best:  # in the turn that nobody counts
            tried = {way: [timed(max(2, steps // 4), *way) for _ in range(3)] for way in ways}
            best.append(min(tried, key=lambda way: statistics.median(tried[way])))
        timed(WARM_UP, *best[0])
        return timed(steps, *best[0]), f"{'bf16' if best[0][0] else 'float32'} {best[0][1]}"

    return turn


def lightning_turn(net: CommonNet, data: tuple[np.ndarray, ...], batch: int) -> Turn:
    """Lightning's `Trainer.fit` over a DataLoader, as its guide writes it; what prints or saves is turned off."""
    import logging
    import warnings

    import lightning
    from torch.utils.data import DataLoader, TensorDataset

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = net.theirs()

        def training_step(self, columns: list[Tensor]) -> Tensor:
            *inputs, target = columns
            return loss_of(net, self.net(*inputs), target)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), RATE)

    class Watch(lightning.Callback):
        start = stop = 0.0

        def on_train_batch_start(self, trainer: lightning.Trainer, *_: object) -> None:
            if trainer.global_step == WARM_UP:
                self.start = time.perf_counter()

        def on_train_batch_end(self, *_: object) -> None:
            self.stop = time.perf_counter()

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    columns = [channels_first(column).contiguous() for column in columns_of(data)]

    def turn(steps: int, forced: str) -> tuple[float, str]:
        watch = Watch()
        loader = DataLoader(TensorDataset(*columns), batch, shuffle=True, drop_last=True)
        trainer = lightning.Trainer(
            accelerator="cpu", max_steps=WARM_UP + steps, max_epochs=-1, callbacks=[watch], logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(Module(), loader)
        return watch.stop - watch.start, ""

    return turn


def keras_turn(net: CommonNet, data: tuple[np.ndarray, ...], batch: int) -> Turn:
    """Keras 3's `fit`, as its guide writes it; the backend is the environment variable KERAS_BACKEND."""
    import keras

    assert net.keras is not None
    model: Any = net.keras()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if net.classes else "mse"
    model.compile(optimizer=keras.optimizers.Adam(RATE), loss=loss)
    index = np.random.default_rng(0)

    def turn(steps: int, forced: str) -> tuple[float, str]:
        x, y = (column[index.integers(0, len(column), steps * batch)] for column in data)
        model.fit(x[: WARM_UP * batch], y[: WARM_UP * batch], batch_size=batch, verbose=0)
        start = time.perf_counter()
        model.fit(x, y, batch_size=batch, verbose=0)
        return time.perf_counter() - start, ""

    return turn


PEERS: dict[str, tuple[Callable[[CommonNet, tuple[np.ndarray, ...], int], Turn], dict[str, str]]] = {
    "base": (base_turn, {}),
    "expert": (expert_turn, {}),
    "netwright": (netwright_turn, {}),
    "lightning": (lightning_turn, {}),
    "keras-torch": (keras_turn, {"KERAS_BACKEND": "torch"}),
    "keras-jax": (keras_turn, {"KERAS_BACKEND": "jax"}),
}


class Racer:
    """A peer in a process of its own. It is called with what is forced upon it, and gives the seconds of its steps."""

    def __init__(self, peer: str, net: str, batch: int) -> None:
        command = [sys.executable, "-m", "bench.breadth_peers", peer, net, str(batch)]
        environment = os.environ | ALLOCATOR | PEERS[peer][1]
        self.peer, self.chosen = peer, ""
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __call__(self, steps: int, forced: str = "") -> float:
        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{steps} {forced}\n")
        process.stdin.flush()
        answer = process.stdout.readline().split()
        if not answer:
            raise RuntimeError(f"the peer {self.peer} stopped; what it said is above")
        self.chosen = " ".join(answer[1:])
        return float(answer[0])

    def close(self) -> None:
        """End the process: it leaves when its input is at an end."""
        self.process.communicate()


def main() -> None:
    """Serve: for each line, steps and what is forced, train and answer the seconds and what was chosen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=list(PEERS))
    parser.add_argument("net", choices=list(NETS))
    parser.add_argument("batch", type=int)
    args = parser.parse_args()
    net = NETS[args.net]
    data = net.data(np.random.default_rng(0), BATCHES * args.batch)
    turn = PEERS[args.peer][0](net, data, args.batch)
    answers = sys.stdout
    for line in sys.stdin:
        steps, _, forced = line.strip().partition(" ")
        with contextlib.redirect_stdout(sys.stderr):  # what a peer prints must not be read as an answer
            seconds, chosen = turn(int(steps), forced)
        print(seconds, chosen, file=answers, flush=True)


if __name__ == "__main__":
    main()
