"""Normalization: values brought to mean 0 and variance 1, over the batch, a position, or groups of features."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import DataError, NetError
from netwright.fields import at_least
from netwright.inits import ones, zeros
from netwright.kernels.convolution import FixedConvolution
from netwright.net.leaf import Kept, LeafFault, LeafNode, Unfit, Weight, with_options
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, ended_run, filled, length_of, lengths_of, own_elements


class BatchNorm(Leaf):
    """Every feature brought to mean 0 and variance 1: y = weight · (x − mean) / √(variance + eps) + bias.

    In training, mean and variance are those of the feature over all examples of the batch and their own positions, and
    the running ones follow: running ← (1 − momentum) · running + momentum · batch, with the unbiased variance. In use,
    the running ones are taken, so an example's answer does not depend on the batch.

    Shapes: input (*s, c), output (*s, c); weight, bias, mean, variance (c,).

    Fields:
        momentum: how fast the running statistics follow, a fraction a step; 0.1, torch's, remembers some 10 batches.
        eps: added to the variance; 1e-5, torch's: too small to matter, large enough for a feature that never varies.

    Raises:
        NetError: a momentum outside 0..1, or eps below 0.
        DataError: in training, a batch with a single value of every feature, which has no variance.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Conv(20, 5, bias=False), nw.BatchNorm(), nw.relu, input=(28, 28, 1)).plan.outputs
        {'output': (24, 24, 20)}

    Source: Ioffe and Szegedy 2015, arXiv 1502.03167
    Torch: torch.nn.BatchNorm1d, BatchNorm2d, BatchNorm3d; mean and variance are running_mean and running_var
    """

    _: KW_ONLY
    momentum: float = 0.1
    eps: float = 1e-5
    ports = "*s c -> *s c"
    float32_arrays = True
    family = "norm"

    def __post_init__(self) -> None:
        if not 0 <= self.momentum <= 1:
            raise NetError(what="momentum is a fraction from 0 to 1", where="BatchNorm", got=repr(self.momentum))
        check_eps(self, self.eps)

    def weights(self) -> dict[str, Weight]:
        return {
            "weight": Weight("c", ones),
            "bias": Weight("c", zeros),
            "mean": Weight("c", zeros, kind="running"),
            "variance": Weight("c", ones, kind="running"),
        }

    def fewest(self, sizes: Mapping[str, Any]) -> int:
        return 2 if all(size == 1 or not isinstance(size, int) for size in sizes["s"]) else 1  # may be a single value

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {} if training else {"input": (0, 0)}

    def hides_future(self, path: str) -> tuple[str, ...]:
        return (f"nw.LayerNorm() in place of {path}, whose statistics in training are of all positions",)

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",))

    def forward(
        self,
        w: Mapping[str, Tensor],
        x: Tensor,
        *,
        training: bool,
        lengths: Lengths = NO_LENGTHS,
        over_processes: Callable[[Tensor], Tensor] | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        if not training:
            y = F.batch_norm(x.movedim(-1, 1), w["mean"], w["variance"], w["weight"], w["bias"], eps=self.eps)
            return y.movedim(1, -1), {}  # (b, c, *s) -> (b, *s, c)
        mask = own_elements(x, lengths_of(lengths, "s", x.ndim - 2), range(1, x.ndim - 1))
        if over_processes is not None:  # there are examples enough in the whole batch: `fewest` saw to it
            own = torch.ones_like(x[..., :1], dtype=torch.bool) if mask is None else mask.expand(*x.shape[:-1], 1)
            return self._over_own(w, x, own, over_processes)
        if mask is not None:
            if len(x) == 1 and mask.sum() < 2:  # every example has a position, so two examples are enough
                raise _single()
            return self._over_own(w, x, mask.expand(*x.shape[:-1], 1))
        count = x.numel() // x.shape[-1]
        if count < 2:
            raise _single()
        # torch writes the batch's own statistics here: from the 1/√(variance + eps) that it gives, a small one is lost
        first, wide = x.detach()[(0,) * (x.ndim - 1)], torch.promote_types(x.dtype, torch.float32)  # (b, *s, c) -> (c,)
        mean, variance = (torch.zeros_like(first, dtype=wide) for _ in range(2))  # (c,)
        y, _, _ = torch.native_batch_norm(
            x.movedim(-1, 1), w["weight"], w["bias"], mean, variance, True, 1.0, self.eps
        )  # (b, *s, c) -> (b, c, *s), (c,), (c,)
        return y.movedim(1, -1), self._followed(w, mean, variance)  # (b, c, *s) -> (b, *s, c)

    def absorbed_by(self, before: Mapping[str, Any], w: Mapping[str, Any]) -> Mapping[str, Any] | None:
        product = before.get("product")
        if not isinstance(product, FixedConvolution):
            return None
        factor = w["weight"] / (w["variance"] + self.eps).sqrt()  # (c,)
        both = product.scaled(factor, w["bias"] - w["mean"] * factor)
        return None if both is None else {"weight": both.weight, "bias": both.bias, "product": both}

    def _over_own(
        self, w: Mapping[str, Tensor], x: Tensor, mask: Tensor, total: Callable[[Tensor], Tensor] | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The same by hand, where the statistics are those of some positions, mask (b, *s, 1), or of all processes."""
        axes, kind = tuple(range(x.ndim - 1)), x.dtype
        x = x.to(torch.promote_types(kind, torch.float32))
        sums = torch.where(mask, x, 0.0).sum(axes)  # (b, *s, c) -> (c,)
        count = mask.sum().to(x.dtype)  # ()
        if total is not None:
            both = total(torch.cat([sums, count.unsqueeze(0)]))  # (c + 1,)
            sums, count = both[:-1], both[-1].detach()  # (c,), ()
        mean = sums / count  # (c,)
        squares = torch.where(mask, x - mean, 0.0).square().sum(axes)  # (b, *s, c) -> (c,)
        variance = (squares if total is None else total(squares)) / count  # (c,)
        y = (x - mean) * (variance + self.eps).rsqrt() * w["weight"] + w["bias"]  # (b, *s, c)
        return y.to(kind), self._followed(w, mean, variance.detach() * (count / (count - 1)))

    def _followed(self, w: Mapping[str, Tensor], mean: Tensor, variance: Tensor) -> dict[str, Tensor]:
        """The running statistics after a batch with these."""
        return {
            name: torch.lerp(w[name], value.to(w[name].dtype), self.momentum)
            for name, value in (("mean", mean.detach()), ("variance", variance))
        }


class LayerNorm(Leaf):
    """Every position brought to mean 0 and variance 1: y = weight · (x − mean) / √(variance + eps) + bias.

    Shapes: input (..., c), output (..., c); weight, bias (c,).

    Fields:
        eps: added to the variance; 1e-5, torch's: too small to matter, large enough for equal features.

    Raises: NetError for eps below 0.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.LayerNorm(), input=(10, 64)).plan.outputs
        {'output': (10, 64)}

    Source: Ba et al. 2016, arXiv 1607.06450
    Torch: torch.nn.LayerNorm over the last axis
    """

    _: KW_ONLY
    eps: float = 1e-5
    ports = "... c -> ... c"
    needs_float32 = True
    family = "norm"

    def __post_init__(self) -> None:
        check_eps(self, self.eps)

    def weights(self) -> dict[str, Weight]:
        return {"weight": Weight("c", ones), "bias": Weight("c", zeros)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",), bytes=2 * 4 * math.prod(sizes["..."]))  # mean and 1 / deviation of a position

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        if not self.eps:
            x = ended_run(x, lengths_of(lengths, "...", x.ndim - 2))  # (b, ..., c), equal features in padding or not
        return torch.layer_norm(x, x.shape[-1:], w["weight"], w["bias"], self.eps)  # (b, ..., c) -> (b, ..., c)


class RMSNorm(Leaf):
    """The features of every position brought to mean square 1: y = weight · x / √(mean x² + eps).

    Shapes: input (..., c), output (..., c); weight (c,).

    Fields:
        eps: added to the mean square; 1e-6, as T5 and Llama have it.

    Raises: NetError for eps below 0.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.RMSNorm(), input=(10, 64)).plan.outputs
        {'output': (10, 64)}

    Source: Zhang and Sennrich 2019, arXiv 1910.07467
    Torch: torch.nn.RMSNorm over the last axis
    """

    _: KW_ONLY
    eps: float = 1e-6
    ports = "... c -> ... c"
    needs_float32 = True
    family = "norm"

    def __post_init__(self) -> None:
        check_eps(self, self.eps)

    def weights(self) -> dict[str, Weight]:
        return {"weight": Weight("c", ones)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",), bytes=4 * (sizes["c"] + 1) * math.prod(sizes["..."]))  # x / root, and 1 / root

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        if not self.eps:
            x = ended_run(x, lengths_of(lengths, "...", x.ndim - 2))  # (b, ..., c), zeros in padding or not
        if torch.is_grad_enabled() or x.device.type != "cpu" or x.dtype != torch.float32:
            return F.rms_norm(x, x.shape[-1:], w["weight"], self.eps)  # (b, ..., c) -> (b, ..., c)
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)  # (b, ..., 1)
        square = torch.addcmul(x.new_full((), self.eps), length, length, value=1 / x.shape[-1])
        return x * square.rsqrt_() * w["weight"]  # the same in 5 passes, where torch takes 8: (b, ..., c)


class GroupNorm(Leaf):
    """Every group of features brought to mean 0 and variance 1: y = weight · (x − mean) / √(variance + eps) + bias.

    Mean and variance are those of the group's features at all positions of one example, so an example's answer does not
    depend on the batch. Every output sees all positions.

    Shapes: input (*s, c), output (*s, c); weight, bias (c,).

    Fields:
        groups: how many groups of neighbouring features there are; 32, as in the paper. With 1 it is a norm over the
            whole example, with c each feature is a group.
        eps: added to the variance; 1e-5, torch's: too small to matter, large enough for equal features.

    Raises:
        NetError: groups that are no whole number of at least 1, or eps below 0.
        SizeError: groups that do not divide the features.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Conv(20, 5, bias=False), nw.GroupNorm(4), nw.relu, input=(28, 28, 1)).plan.outputs
        {'output': (24, 24, 20)}

    Source: Wu and He 2018, arXiv 1803.08494
    Torch: torch.nn.GroupNorm
    """

    groups: int = 32
    _: KW_ONLY
    eps: float = 1e-5
    ports = "*s c -> *s c"
    needs_float32 = True
    family = "norm"

    def __post_init__(self) -> None:
        at_least(1, self.groups, "the number of groups", "GroupNorm")
        check_eps(self, self.eps)

    def weights(self) -> dict[str, Weight]:
        return {"weight": Weight("c", ones), "bias": Weight("c", zeros)}

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        if isinstance(known["c"], int) and known["c"] % self.groups:
            raise Unfit(
                "its groups do not divide its features",
                expected=f"a multiple of {self.groups}",
                got=f"{known['c']} features",
            )
        return None

    def alternatives(self, fault: LeafFault, sizes: Sequence[Any]) -> Iterator[LeafNode]:
        if fault == "input" and sizes and isinstance(sizes[-1], int):
            fewer = (groups for groups in range(min(self.groups, sizes[-1]), 0, -1) if sizes[-1] % groups == 0)
            yield from with_options(self, groups=next(fewer))

    def hides_future(self, path: str) -> tuple[str, ...]:
        return (f"nw.LayerNorm() in place of {path}, whose statistics are of all positions",)

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",), bytes=2 * 4 * self.groups)

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        return _normed_in_groups(w, x, self.groups, self.eps, lengths)  # (b, *s, c) -> (b, *s, c)


class InstanceNorm(Leaf):
    """A feature of an example brought to mean 0 and variance 1: y = weight · (x − mean) / √(variance + eps) + bias.

    Mean and variance are those of the feature at all positions of one example, so contrast and brightness of a picture
    do not matter to what follows, and an answer does not depend on the batch. Every output sees all positions.

    Shapes: input (*s, c), output (*s, c); weight, bias (c,).

    Fields:
        eps: added to the variance; 1e-5, torch's: too small to matter, large enough for a feature that never varies.

    Raises:
        NetError: eps below 0.
        SizeError: an input without positions.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Conv(20, 5, bias=False), nw.InstanceNorm(), nw.relu, input=(28, 28, 1)).plan.outputs
        {'output': (24, 24, 20)}

    Source: Ulyanov et al. 2016, arXiv 1607.08022
    Torch: torch.nn.InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, with affine=True
    """

    _: KW_ONLY
    eps: float = 1e-5
    ports = "*s c -> *s c"
    needs_float32 = True
    family = "norm"

    def __post_init__(self) -> None:
        check_eps(self, self.eps)

    def weights(self) -> dict[str, Weight]:
        return {"weight": Weight("c", ones), "bias": Weight("c", zeros)}

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        if known["s"] == ():
            raise Unfit(
                "it takes axes of positions, and its input has none",
                expected="position axes and an axis of channels",
                got="one axis, of channels",
            )
        return None

    def hides_future(self, path: str) -> tuple[str, ...]:
        return (f"nw.LayerNorm() in place of {path}, whose statistics are of all positions",)

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",), bytes=2 * 4 * sizes["c"])

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        return _normed_in_groups(w, x, x.shape[-1], self.eps, lengths)  # (b, *s, c) -> (b, *s, c)


class LocalResponseNorm(Leaf):
    """Every value divided by what its neighbouring features are: yᵢ = xᵢ / (k + alpha / size · Σⱼ xⱼ²)^beta.

    The sum is over the `size` features around i at the same position; features beyond the first and the last count as
    zeros. AlexNet has it behind its first convolutions; later nets have BatchNorm instead.

    Shapes: input (..., c), output (..., c).

    Fields:
        size: how many features there are in the sum, the value's own among them; 5, as in AlexNet.
        alpha: how much the neighbours count; 1e-4, as in AlexNet.
        beta: the exponent; 0.75, as in AlexNet.
        k: added to the mean, so that zeros stay finite; 1, torch's; AlexNet has 2.

    Raises: NetError for a size that is not a whole number of at least 1, and for k that is not above 0.

    Example:
        >>> import netwright as nw
        >>> nw.LocalResponseNorm(1, alpha=3, beta=1)(nw.batch([[1.0, -1.0]])).tolist()
        [[0.25, -0.25]]

    Source: Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural Networks"
    Torch: torch.nn.LocalResponseNorm
    """

    size: int = 5
    _: KW_ONLY
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0
    ports = "... c -> ... c"
    needs_float32 = True
    family = "norm"

    def __post_init__(self) -> None:
        at_least(1, self.size, "the number of features in a sum", "LocalResponseNorm")
        if not self.k > 0:
            raise NetError(what="k is a number above 0", where="LocalResponseNorm", got=repr(self.k))

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        values = 4 * sizes["c"] * math.prod(sizes["..."])
        return Kept(inputs=("*",), bytes=2 * values, in_use=2 * values)

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        squares = filled(x, length_of(lengths, "c"), 0.0, -1).square()  # (b, ..., c)
        around = F.pad(squares, (self.size // 2, (self.size - 1) // 2))  # (b, ..., c + size − 1)
        mean = around.unfold(-1, self.size, 1).mean(-1)  # (b, ..., c, size) -> (b, ..., c)
        return x / (mean * self.alpha + self.k) ** self.beta  # (b, ..., c)


def _normed_in_groups(w: Mapping[str, Tensor], x: Tensor, groups: int, eps: float, lengths: Lengths) -> Tensor:
    """Every group of features of an example normed over its own positions: (b, *s, c) -> (b, *s, c)."""
    mask = own_elements(x, lengths_of(lengths, "s", x.ndim - 2), range(1, x.ndim - 1))
    if mask is None:
        channels = x.movedim(-1, 1)  # (b, *s, c) -> (b, c, *s)
        if any(array.requires_grad for array in w.values()) and x.device.type == "cpu":
            channels = channels.contiguous()  # in other orders torch ends Python where x itself needs no gradient
        y = torch.group_norm(channels, groups, w["weight"], w["bias"], eps)
        return y.movedim(1, -1)  # (b, c, *s) -> (b, *s, c)
    grouped = x.unflatten(-1, (groups, -1))  # (b, *s, c) -> (b, *s, groups, c / groups)
    own = mask.expand(*x.shape[:-1], 1).unsqueeze(-1)  # (b, *s, 1, 1)
    axes = (*range(1, x.ndim - 1), x.ndim)  # positions, and the features of a group
    count = own.sum(axes, keepdim=True) * grouped.shape[-1]  # (b, 1, …, 1)
    mean = torch.where(own, grouped, 0.0).sum(axes, keepdim=True) / count  # (b, 1, …, groups, 1)
    apart = grouped - mean  # (b, *s, groups, c / groups)
    variance = torch.where(own, apart, 0.0).square().sum(axes, keepdim=True) / count  # (b, 1, …, groups, 1)
    y = (apart * (variance + eps).rsqrt()).flatten(-2)  # (b, *s, groups, c / groups) -> (b, *s, c)
    return y * w["weight"] + w["bias"]  # (b, *s, c)


def _single() -> DataError:
    return DataError(
        what="batch norm cannot train on a single value of every feature: it has no variance",
        expected="at least 2 examples or positions in the batch",
        got="1",
        mend="a larger batch, or nw.LayerNorm(), which does not look at the batch",
    )


def check_eps(leaf: Leaf, eps: float) -> None:
    """Refuse what cannot be added to a variance."""
    if not eps >= 0:
        raise NetError(what="eps is a number of at least 0", where=type(leaf).__name__, got=repr(eps))
