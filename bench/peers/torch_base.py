"""The base of every ratio: a plain eager float32 torch loop over contiguous tensors, with torch's default threads."""

import time

import numpy as np
import torch
import torch.nn.functional as F
from bench.workloads import PAIRS, RATE, Workload
from torch import Tensor, nn


class Char(nn.Module):
    """What comes next, from all characters so far: (b, n) -> (b, n, classes)."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, 64)
        self.gru = nn.GRU(64, 512, 2, batch_first=True)
        self.linear = nn.Linear(512, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.gru(self.embedding(x))[0])


class Seq2seq(nn.Module):
    """The states after a sequence start a decoder that reads the answer so far: (b, n), (b, m) -> (b, m, classes)."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.read, self.written = nn.Embedding(classes, 128), nn.Embedding(classes, 128)
        self.encoder, self.decoder = (nn.GRU(128, 256, 2, batch_first=True) for _ in range(2))
        self.linear = nn.Linear(256, classes)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        _, states = self.encoder(self.read(x))
        return self.linear(self.decoder(self.written(y), states)[0])


class Transformer(nn.Module):
    """Two blocks that read and two that write, pre-norm: (b, n), (b, m) -> (b, m, classes)."""

    def __init__(self, classes: int, longest: int) -> None:
        super().__init__()
        self.read, self.written = nn.Embedding(classes, 128), nn.Embedding(classes, 128)
        self.positions = nn.Parameter(torch.randn(2, longest, 128))
        layer = nn.TransformerEncoderLayer(128, 4, 512, 0.0, "gelu", batch_first=True, norm_first=True)
        encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(128), enable_nested_tensor=False)
        self.blocks = nn.Transformer(
            128, 4, 2, 2, 512, 0.0, "gelu", encoder, batch_first=True, norm_first=True
        )  # as its own encoder, which warns of nested tensors
        self.linear = nn.Linear(128, classes)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        n, m = x.shape[1], y.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(m)
        read, written = self.read(x) + self.positions[0, :n], self.written(y) + self.positions[1, :m]
        return self.linear(self.blocks(read, written, tgt_mask=mask, tgt_is_causal=True))


def build(workload: Workload) -> nn.Module:
    """The workload's net as torch's own modules, channels first."""
    if workload.name == "char":
        return Char(workload.classes)
    if workload.name == "seq2seq":
        return Seq2seq(workload.classes)
    if workload.name == "transformer":
        return Transformer(workload.classes, max(*workload.example, workload.answer))
    if workload.name == "lenet":
        return nn.Sequential(
            nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10),
        )  # fmt: skip
    return nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))


def tensors(workload: Workload, xs: np.ndarray, ys: np.ndarray) -> tuple[Tensor, ...]:
    """All the data as contiguous inputs, pictures as float32 with channels first, and, last, targets."""
    x, y = torch.from_numpy(xs).contiguous(), torch.from_numpy(ys).contiguous()
    if workload.name in PAIRS:
        return x, y[:, :-1].contiguous(), y[:, 1:].contiguous()
    if workload.name == "lenet":
        x = (x.permute(0, 3, 1, 2).float() / 255).contiguous()
    return x, y


def loss_of(workload: Workload, output: Tensor, target: Tensor) -> Tensor:
    """Cross entropy of logits (b, …, classes) at every place, or squared error."""
    if workload.classes:
        return F.cross_entropy(output.flatten(0, -2), target.flatten())
    return F.mse_loss(output, target)


def train(workload: Workload, xs: np.ndarray, ys: np.ndarray, steps: int, batch: int) -> float:
    """Seconds that `steps` steps took after warm-up."""
    torch.manual_seed(0)
    net, columns = build(workload), tensors(workload, xs, ys)
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    start = 0.0
    for step in range(workload.warm_up + steps):
        if step == workload.warm_up:
            start = time.perf_counter()
        index = torch.randint(len(xs), (batch,))
        *inputs, target = (column[index] for column in columns)
        optimizer.zero_grad()
        loss = loss_of(workload, net(*inputs), target)
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start
