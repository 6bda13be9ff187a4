"""A small net and data of two classes, for tests of sweeps."""

import torch

import netwright as nw

XS = torch.randn(120, 3, generator=torch.Generator().manual_seed(0)).tolist()
DATA = (XS, ["yes" if sum(x) > 0 else "no" for x in XS])
NET = nw.Chain(
    nw.Linear(6), nw.tanh, nw.Dropout(0.1), nw.Linear(), nw.softmax, input=3, output=nw.Category(["no", "yes"])
)

NUMBERS = (XS, [sum(x) for x in XS])
OF_NUMBERS = nw.Chain(nw.Linear(6), nw.relu, nw.Linear(), input=3, output=nw.Number())
