"""What a good engineer writes by hand in torch: channels-last, fused Adam, the faster precision and thread count."""

import itertools
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from bench.peers.torch_base import build, tensors
from bench.workloads import RATE, Workload
from torch import Tensor, nn

from netwright.machine import has_bf16


def lenet_step(net: nn.Module, half: bool, x: Tensor, y: Tensor) -> Tensor:
    """Loss of one batch of uint8 pictures (b, 28, 28, 1)."""
    kind = torch.bfloat16 if half else torch.float32
    x = x.permute(0, 3, 1, 2).to(kind).mul_(1 / 255)  # (b, 1, 28, 28), channels-last strides
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        logits = net(x)  # (b, 10)
    return F.cross_entropy(logits.float(), y)


def mlp_step(net: nn.Module, half: bool, x: Tensor, y: Tensor) -> Tensor:
    """Loss of one batch of points."""
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        output = net(x)  # (b, 1)
    return F.mse_loss(output.float(), y)


def token_step(net: nn.Module, half: bool, *columns: Tensor) -> Tensor:
    """Loss of one batch of tokens; the loss at every position is in float32."""
    *inputs, target = columns
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        logits = net(*inputs)  # (b, n, classes)
    return F.cross_entropy(logits.float().flatten(0, 1), target.flatten())


def pool_first(net: nn.Sequential) -> nn.Sequential:
    """ReLU after max-pool instead of before it: the same values from a quarter of the work."""
    parts = list(net)
    for i in range(len(parts) - 1):
        if isinstance(parts[i], nn.ReLU) and isinstance(parts[i + 1], nn.MaxPool2d):
            parts[i], parts[i + 1] = parts[i + 1], nn.ReLU(inplace=True)
    return nn.Sequential(*parts)


def best_way(step: Callable[[bool], None], steps: int) -> tuple[bool, int]:
    """What is faster now: bf16 autocast, where there are units for it, or float32; one thread or torch's default."""
    default, seconds = torch.get_num_threads(), dict[tuple[bool, int], float]()
    for half, threads in itertools.product({False, has_bf16(torch.device("cpu"))}, {1, default}):
        torch.set_num_threads(threads)
        for part in range(2):  # the first half only warms up
            start = time.perf_counter()
            for _ in range(steps):
                step(half)
            seconds[half, threads] = time.perf_counter() - start if part else 0.0
    torch.set_num_threads(default)
    return min(seconds, key=seconds.__getitem__)


def train(workload: Workload, xs: np.ndarray, ys: np.ndarray, steps: int, batch: int) -> float:
    """Seconds that `steps` steps took after warm-up and the choice of precision and thread count."""
    torch.manual_seed(0)
    columns, net = (torch.from_numpy(xs), torch.from_numpy(ys)), build(workload)
    step_of: Callable[..., Tensor] = mlp_step
    if workload.name == "lenet":
        net, step_of = pool_first(net).to(memory_format=torch.channels_last), lenet_step
    elif workload.answer:
        columns, step_of = tensors(workload, xs, ys), token_step
    optimizer = torch.optim.Adam(net.parameters(), RATE, fused=True)

    def step(half: bool) -> None:
        index = torch.randint(len(xs), (batch,))
        loss = step_of(net, half, *(column.index_select(0, index) for column in columns))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    default = torch.get_num_threads()
    half, threads = best_way(step, workload.warm_up)
    torch.set_num_threads(threads)
    start = time.perf_counter()
    for _ in range(steps):
        step(half)
    seconds = time.perf_counter() - start
    torch.set_num_threads(default)
    return seconds
