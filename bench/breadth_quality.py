"""What bf16 costs in quality: how near the gradient is to float32's, and the loss after equal steps."""

import statistics
from dataclasses import dataclass

import numpy as np
import torch
from bench.breadth_peers import BATCHES, columns_of
from bench.common_nets import CommonNet, channels_first, loss_of
from bench.workloads import RATE
from torch import Tensor

import netwright as nw
from netwright.training.prepare.options import Options
from netwright.training.prepare.prepare import prepare

SEEDS = 3
STEPS = 48


@dataclass(frozen=True)
class Quality:
    """Cosines of the gradient in bf16 to that in float32, and the last losses of each seed by precision."""

    ours: float
    expert: float
    losses: dict[str, list[float]]

    def row(self) -> str:
        """The cells of a table."""
        losses = [f"{statistics.mean(each):.4f} ({min(each):.4f}-{max(each):.4f})" for each in self.losses.values()]
        return " | ".join([f"{self.ours:.4f}", f"{self.expert:.4f}", *losses])


def quality(net: CommonNet) -> Quality:
    """Both measures, at the smaller batch size."""
    batch = net.batches[0]
    data = net.data(np.random.default_rng(0), BATCHES * batch)
    ours = [gradient(net, data, batch, precision) for precision in ("float32", "bf16")]
    theirs = [expert_gradient(net, data, batch, half) for half in (False, True)]
    losses = {kind: [last_loss(net, data, batch, kind, seed) for seed in range(SEEDS)] for kind in ("float32", "bf16")}
    return Quality(cosine(*ours), cosine(*theirs), losses)


def cosine(one: Tensor, other: Tensor) -> float:
    """The cosine between two gradients."""
    return float(torch.cosine_similarity(one.double(), other.double(), dim=0))


def gradient(net: CommonNet, data: tuple[np.ndarray, ...], batch: int, precision: str) -> Tensor:
    """Netwright's gradient of a new net on its first batch."""
    nothing = dict.fromkeys(Options.__annotations__)
    options = Options(**{**nothing, "batch_size": batch, "precision": precision, "choices": (), "keep": False})
    prepared = prepare(net.ours(), net.columns(data), options)
    prepared.engine.gradient(prepared.feed.first(batch), 0)
    return prepared.engine.flat.gradient.clone()


def expert_gradient(net: CommonNet, data: tuple[np.ndarray, ...], batch: int, half: bool) -> Tensor:
    """The gradient of torch's module on the first batch, in autocast or not."""
    torch.manual_seed(0)
    module = net.theirs().train()
    *inputs, target = (column[:batch] for column in columns_of(data))
    torch.manual_seed(1)  # the same dropout in both
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        output = module(*map(channels_first, inputs))
    loss_of(net, output, target).backward()
    return torch.cat([p.grad.flatten() for p in module.parameters() if p.grad is not None])


def last_loss(net: CommonNet, data: tuple[np.ndarray, ...], batch: int, precision: str, seed: int) -> float:
    """The mean loss over the last pass, after equal steps on data that repeat."""
    run = nw.train(
        net.ours(), net.columns(data), epochs=STEPS // BATCHES, batch_size=batch, learning_rate=RATE,
        schedule="constant", precision=precision, seed=seed, progress=False,
    )  # fmt: skip
    return run.epochs[-1].loss
