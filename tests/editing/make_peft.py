"""Makes peft.json: what PEFT's LoRA computes in small nets, before and after steps of SGD, and what it merges.

PEFT is no part of the project's environment, so it runs in one of its own:

    python -m venv /tmp/oracle && /tmp/oracle/bin/pip install torch peft
    /tmp/oracle/bin/python tests/editing/make_peft.py
"""

import json
from pathlib import Path
from typing import Any

import peft
import torch
from torch import Tensor, nn

STEPS, RATE = 4, 0.02
torch.manual_seed(0)
NETS: dict[str, nn.Sequential] = {
    "linear": nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 6), nn.ReLU(), nn.Linear(6, 3)),
    "conv1d": nn.Sequential(nn.Conv1d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv1d(6, 4, 2, stride=2)),
    "conv2d": nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 1)),
    "embedding": nn.Sequential(nn.Embedding(9, 6), nn.Tanh(), nn.Linear(6, 3)),
}
OPTIONS: dict[str, tuple[tuple[int, ...], int, int]] = {  # sizes of the input, rank, alpha
    "linear": ((4, 5), 2, 8),
    "conv1d": ((3, 3, 8), 3, 6),
    "conv2d": ((3, 2, 7, 6), 2, 3),
    "embedding": ((4, 5), 2, 1),
}


def plain(array: Tensor) -> Any:
    """The numbers of an array as nested lists; nine digits say a float32 exactly."""
    if array.ndim:
        return [plain(row) for row in array.detach()]
    value = array.item()
    return float(f"{value:.9g}") if isinstance(value, float) else value


def arrays(net: nn.Module) -> dict[str, Any]:
    return {name.removeprefix("base_model.model."): plain(array) for name, array in net.named_parameters()}


def made(name: str) -> dict[str, Any]:
    """The numbers of one net: its input, its arrays and its output, and the same after some steps."""
    base, (sizes, rank, alpha) = NETS[name], OPTIONS[name]
    x = torch.randint(9, sizes) if name == "embedding" else torch.randn(sizes)
    before = base(x)
    target = torch.randn(before.shape)
    config = peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=["0", "2"])
    net = peft.get_peft_model(base, config)  # pyright: ignore
    torch.testing.assert_close(net(x), before)  # it starts as the same function
    for key, array in net.named_parameters():
        if "lora_" in key:
            array.data = torch.randn(array.shape) * 0.5
    found: dict[str, Any] = {"name": name, "rank": rank, "alpha": alpha, "input": plain(x), "target": plain(target)}
    found |= {"before": plain(before), "start": arrays(net), "output": plain(net(x))}
    optimizer = torch.optim.SGD([array for array in net.parameters() if array.requires_grad], RATE)
    for _ in range(STEPS):
        optimizer.zero_grad()
        nn.functional.mse_loss(net(x), target).backward()
        optimizer.step()
    found |= {"end": arrays(net), "trained": plain(net(x))}
    merged = net.merge_and_unload()  # pyright: ignore
    return found | {"merged": arrays(merged), "of_merged": plain(merged(x))}


def main() -> None:
    versions = {"torch": torch.__version__, "peft": peft.__version__}
    stored = {"versions": versions, "steps": STEPS, "rate": RATE, "cases": [made(name) for name in NETS]}
    Path(__file__).with_name("peft.json").write_text(json.dumps(stored, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
