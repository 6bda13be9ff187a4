"""What a good engineer writes by hand in torch: channels-last, bf16 autocast, fused Adam, the better thread count."""

import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from bench.peers.torch_base import build, tensors
from bench.workloads import RATE, Workload
from torch import Tensor, nn


def lenet_step(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Loss of one batch of uint8 pictures (b, 28, 28, 1)."""
    x = x.permute(0, 3, 1, 2).to(torch.bfloat16).mul_(1 / 255)  # (b, 1, 28, 28), channels-last strides
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(x)  # (b, 10)
    return F.cross_entropy(logits.float(), y)


def mlp_step(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Loss of one batch of points: too small for bf16 to pay."""
    return F.mse_loss(net(x), y)


def token_step(net: nn.Module, *columns: Tensor) -> Tensor:
    """Loss of one batch of tokens: products in bf16, the loss at every place in float32."""
    *inputs, target = columns
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(*inputs)  # (b, n, classes)
    return F.cross_entropy(logits.float().flatten(0, 1), target.flatten())


def pool_first(net: nn.Sequential) -> nn.Sequential:
    """ReLU after max-pool instead of before it: the same values from a quarter of the work."""
    parts = list(net)
    for i in range(len(parts) - 1):
        if isinstance(parts[i], nn.ReLU) and isinstance(parts[i + 1], nn.MaxPool2d):
            parts[i], parts[i + 1] = parts[i + 1], nn.ReLU(inplace=True)
    return nn.Sequential(*parts)


def best_threads(step: Callable[[], None], steps: int) -> int:
    """The thread count that is faster now: one, or torch's default."""
    default, seconds = torch.get_num_threads(), {}
    for threads in (1, default):
        torch.set_num_threads(threads)
        for part in range(2):  # the first half only warms up
            start = time.perf_counter()
            for _ in range(steps):
                step()
            seconds[threads] = time.perf_counter() - start if part else 0.0
    torch.set_num_threads(default)
    return min(seconds, key=seconds.__getitem__)


def train(workload: Workload, xs: np.ndarray, ys: np.ndarray, steps: int, batch: int) -> float:
    """Seconds that `steps` steps took after warm-up and the choice of the thread count."""
    torch.manual_seed(0)
    columns, net = (torch.from_numpy(xs), torch.from_numpy(ys)), build(workload)
    step_of: Callable[..., Tensor] = mlp_step
    if workload.name == "lenet":
        net, step_of = pool_first(net).to(memory_format=torch.channels_last), lenet_step
    elif workload.answer:
        columns, step_of = tensors(workload, xs, ys), token_step
    optimizer = torch.optim.Adam(net.parameters(), RATE, fused=True)

    def step() -> None:
        index = torch.randint(len(xs), (batch,))
        loss = step_of(net, *(column.index_select(0, index) for column in columns))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    default = torch.get_num_threads()
    torch.set_num_threads(best_threads(step, workload.warm_up))
    start = time.perf_counter()
    for _ in range(steps):
        step()
    seconds = time.perf_counter() - start
    torch.set_num_threads(default)
    return seconds
