"""Dropout with its backward written out; behind ReLU, whose derivative covers what is dropped, it costs least."""

from collections.abc import Sequence

import torch
from torch import Tensor

from netwright.layers.dropout import Dropout
from netwright.net.leaf import LeafNode
from netwright.net.run.noise import Noise, least_kept
from netwright.training.engines.handwritten.kernel import INTEGER, Kernel, KernelSite


class Drop(Kernel):
    """Dropout by the noise of the step.

    Fields: `positive` says that the input comes from a ReLU whose derivative is taken from what this gives. It is then
        changed in place, and the gradient of what is dropped is made 0 there. (ReLU6 could not tell what is above 6.)
    """

    def __init__(self, site: KernelSite, path: str, rate: float, positive: bool) -> None:
        self.shape, self.dtype, self.site, self.path = site.shape, site.dtype, site, path
        self.positive, most, scale = positive, least_kept(rate) - 1, 1 / (1 - rate)
        self.narrow = site.dtype == torch.bfloat16  # as wide as the noise, so that bits are compared with no mask
        # of small values torch takes most of its time to make a tensor of a number, so it is made once
        self.most = most if self.narrow else torch.tensor(most, dtype=torch.int16, device="cpu")
        self.scale = scale if self.narrow else torch.tensor(scale, dtype=site.dtype, device="cpu")
        self.y = torch.empty(0 if positive else site.shape, dtype=site.dtype, device="cpu")
        self.dx = torch.empty(site.shape, dtype=site.dtype, device="cpu")
        self.mask = torch.empty(0 if self.narrow else site.shape, dtype=site.dtype, device="cpu")

    def forward(self, x: Tensor) -> Tensor:
        site, examples = self.site, self.site.now.examples
        assert examples is not None
        self.halves = Noise(site.seed, site.now.step, examples, self.path).halves(self.shape)
        if not self.narrow:
            torch.gt(self.halves, self.most, out=self.mask).mul_(self.scale)
        return self._kept(x, x if self.positive else self.y)

    def backward(self, dy: Tensor) -> Tensor:
        return torch.mul(dy, self.scale, out=self.dx) if self.positive else self._kept(dy, self.dx)

    def _kept(self, x: Tensor, out: Tensor) -> Tensor:
        """The values that are not dropped, scaled."""
        if self.narrow:
            bits = INTEGER[self.dtype]
            torch.ops.aten.threshold_backward.grad_input(
                x.view(bits), self.halves, self.most, grad_input=out.view(bits)
            )
            return out.mul_(self.scale)
        return torch.mul(x, self.mask, out=out)


def dropout(site: KernelSite, leaves: Sequence[LeafNode]) -> list[Kernel] | None:
    """Dropout of single values; no kernel where nothing is dropped."""
    assert isinstance(leaves[0], Dropout)
    return _drop(site, site.paths[0], leaves[0], positive=False) if leaves[0].unit == "value" else None


def drop_behind_relu(site: KernelSite, leaves: Sequence[LeafNode], made: list[Kernel] | None) -> list[Kernel] | None:
    """What was made of the leaves that end in ReLU, and the dropout behind it."""
    assert isinstance(leaves[-1], Dropout)
    if not made or leaves[-1].unit != "value":
        return None
    given = KernelSite(site.paths, made[-1].shape, made[-1].dtype, seed=site.seed, now=site.now)
    return [*made, *_drop(given, site.paths[-1], leaves[-1], positive=True)]


def _drop(site: KernelSite, path: str, leaf: Dropout, positive: bool) -> list[Kernel]:
    return [Drop(site, path, leaf.rate, positive)] if least_kept(leaf.rate) > least_kept(0) else []
