"""Runs that stop since a number is not finite, with what is to blame; the same on one process and on several."""

from typing import Any

import torch

import netwright as nw

XS = torch.linspace(0.1, 1.0, 40)[:, None]
BAD = XS.clone()
BAD[23] = -1.0


def logarithm(*after: Any, **more: Any) -> nw.Net:
    return nw.Chain(*after, nw.log, nw.Linear(1), **{"input": 1, "output": nw.Number(0.0, 1.0), **more})


def roots() -> nw.Net:
    net = nw.initialize(nw.Chain(3, nw.abs, nw.sqrt, nw.Linear(1), input=1, output=nw.Number(0.0, 1.0)))
    return net.with_arrays({**net.arrays, "linear1/weight": torch.zeros(3, 1)})  # every root is of 0


def broken() -> nw.Net:
    net = nw.initialize(nw.Chain(3, nw.relu, nw.Linear(1), input=1, output=nw.Number(0.0, 1.0)))
    return net.with_arrays({**net.arrays, "linear2/bias": torch.tensor([float("nan")])})


TEXTS = ["abcabcabcabc"[: 2 + i % 9] for i in range(40)]
LANGUAGE = nw.Chain(nw.Embedding(4), nw.GRU(5), nw.log, nw.Linear(), nw.softmax, input=nw.Characters("abc"))
CASES: dict[str, tuple[nw.Net, Any, dict[str, Any], tuple[str, str]]] = {
    "loss": (logarithm(), (BAD, XS[:, 0]), {}, ("loss", "log1")),
    "weighted": (logarithm(), (BAD, XS[:, 0]), {"weights": [1.0, 2.0] * 20}, ("loss", "log1")),
    "dropout": (logarithm(nw.Dropout(0.05)), (XS, XS[:, 0]), {}, ("loss", "log1")),  # the log of a 0
    "gradient": (roots(), (XS, XS[:, 0]), {}, ("gradient", "sqrt1")),
    "weights before the first step": (broken(), (XS, XS[:, 0]), {}, ("weights", "linear2/bias")),
    "weights": (
        nw.Chain(3, nw.relu, nw.Linear(1), input=1, output=nw.Number(0.0, 1.0)),
        (XS, XS[:, 0]), {"learning_rate": 1e38, "optimizer": "sgd", "schedule": "constant"}, ("", ""),
    ),
    "validation": (logarithm(), (XS, XS[:, 0]), {"validation": (BAD, XS[:, 0])}, ("loss", "log1")),
    "bf16": (logarithm(), (BAD, XS[:, 0]), {"precision": "bf16"}, ("loss", "log1")),
    "float64": (logarithm(), (BAD, XS[:, 0]), {"precision": "float64"}, ("loss", "log1")),
    "lengths": (LANGUAGE, TEXTS, {"objective": nw.NextElement()}, ("loss", "log1")),
    "running arrays": (logarithm(nw.BatchNorm()), (XS, XS[:, 0]), {}, ("loss", "log1")),
}  # fmt: skip
