"""Losses: each gives one number an example, the mean over the example's own positions."""

import math
from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError, did_you_mean
from netwright.layers.pointwise import Elementwise, is_softmax, log_softmax_of
from netwright.net.leaf import Kept, LeafNode
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, filled, length_of, lengths_of, mean_of_own

SMALLEST = 2.0**-100  # probabilities below count as this: about 1e-30, whose logarithm and slope every float has
NEAR = 1e-6  # what torch.nn.functional.pairwise_distance adds
FEW_CLASSES, MANY_ROWS = 16, 1024  # with fewer classes, torch's softmax is several times faster along rows
NO_LABEL = torch.iinfo(torch.int64).min  # torch drops the label -100 in silence, where no other is named
FORMS = {
    "index": "input: *s k, target: *s <k> -> loss: ()",
    "probabilities": "input: *s k, target: *s k -> loss: ()",
    "binary": "input: *s, target: *s -> loss: ()",
}


class MSE(Leaf):
    """Mean squared error: loss = mean (input − target)².

    Shapes: input (*s,), target (*s,), loss ().

    Example:
        >>> import netwright as nw
        >>> nw.MSE()({"input": nw.batch([[1.0, 2.0]]), "target": nw.batch([[1.0, 4.0]])}).tolist()
        [2.0]

    Torch: torch.nn.MSELoss
    """

    ports = "input: *s, target: *s -> loss: ()"
    needs_float32 = True
    is_loss = True
    family = "loss"

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(bytes=4 * math.prod(sizes["s"]))  # input − target

    def forward(self, w: Mapping[str, Tensor], x: Tensor, target: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        return mean_of_each((x - target).square(), lengths)  # (b, *s), (b, *s) -> (b,)


class MAE(Leaf):
    """Mean absolute error: loss = mean |input − target|. A far outlier weighs no more than its distance.

    Shapes: input (*s,), target (*s,), loss ().

    Example:
        >>> import netwright as nw
        >>> nw.MAE()({"input": nw.batch([[1.0, 2.0]]), "target": nw.batch([[1.0, 4.0]])}).tolist()
        [1.0]

    Torch: torch.nn.L1Loss
    """

    ports = "input: *s, target: *s -> loss: ()"
    needs_float32 = True
    is_loss = True
    family = "loss"

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(bytes=4 * math.prod(sizes["s"]))  # input − target

    def forward(self, w: Mapping[str, Tensor], x: Tensor, target: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        return mean_of_each((x - target).abs(), lengths)  # (b, *s), (b, *s) -> (b,)


class Huber(Leaf):
    """Squared near the target, absolute far from it: mean of e²/2 for |e| ≤ δ, else δ (|e| − δ/2), e = input − target.

    Shapes: input (*s,), target (*s,), loss ().

    Fields:
        delta: δ, the distance at which it turns, in units of the target; 1, for standardized targets.

    Raises: NetError for a delta that is not positive.

    Example:
        >>> import netwright as nw
        >>> nw.Huber()({"input": nw.batch([[1.0, 2.0]]), "target": nw.batch([[1.0, 4.0]])}).tolist()
        [0.75]

    Source: Huber 1964, "Robust Estimation of a Location Parameter"
    Torch: torch.nn.HuberLoss
    """

    delta: float = 1.0
    ports = "input: *s, target: *s -> loss: ()"
    needs_float32 = True
    is_loss = True
    family = "loss"

    def __post_init__(self) -> None:
        if not self.delta > 0:
            raise NetError(what="delta must be positive", where="Huber", got=repr(self.delta))

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",))

    def forward(self, w: Mapping[str, Tensor], x: Tensor, target: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        errors = F.huber_loss(x, target.to(x.dtype), reduction="none", delta=self.delta)
        return mean_of_each(errors, lengths)  # (b, *s), (b, *s) -> (b,)


class CrossEntropy(Leaf):
    """What the probabilities of a net cost: loss = mean −log p(target), in nats.

    With smoothing s the target is (1 − s) · target + s / k, for k classes; k is 2 in the binary form.

    The input is probabilities, as softmax or the logistic sigmoid gives them. Where one of these comes right before,
    the plan computes both at once from the logits, which is exact for probabilities however small; alone, a
    probability below 10⁻³⁰ counts as that.

    No label is left out: each counts, and one that is no class is an error. With `partial`, the index −1 stands for a
    class that is not known: the loss is the mean over the other positions of the example, and 0 where there are none.

    Shapes: by form: index: input (*s, k), target (*s,) of integers below k; probabilities: input (*s, k),
        target (*s, k); binary: input (*s,), target (*s,) of 0 and 1 or between. loss ().

    Fields:
        form: how the target is given: the index of the class, the default, since decoders of classes give it; the
            probabilities of all classes; or for each value by itself the probability that it is true.
        logits: whether the input is the logits instead; off, since nets end in softmax or sigmoid, which the plan
            merges with the loss by this option.
        smoothing: s, the share of a target that is spread over all classes, so that the net is not driven to be
            certain; 0, none.
        partial: whether the index −1 is allowed, as decoders of masks give it for pixels that do not count; off.

    Raises: NetError for another form, a smoothing that is not from 0 to below 1, or partial targets that are no index.

    Example:
        >>> import netwright as nw
        >>> loss = nw.CrossEntropy()
        >>> round(float(loss({"input": nw.batch([[0.25, 0.75]]), "target": nw.batch([1])})), 4)
        0.2877

    Source: smoothing: Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision",
        arXiv 1512.00567
    Torch: torch.nn.CrossEntropyLoss and BCEWithLogitsLoss with logits, NLLLoss and BCELoss without
    """

    form: Literal["index", "probabilities", "binary"] = "index"
    _: KW_ONLY
    logits: bool = False
    smoothing: float = 0.0
    partial: bool = False
    needs_float32 = True
    is_loss = True
    family = "loss"

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise NetError(
                what="cross entropy has no such form",
                where="CrossEntropy",
                expected=", ".join(map(repr, FORMS)),
                got=repr(self.form),
                mend=did_you_mean(str(self.form), FORMS),
            )
        if not 0 <= self.smoothing < 1:
            raise NetError(
                what="smoothing is a share of the target",
                where="CrossEntropy",
                expected="a number from 0 to below 1",
                got=repr(self.smoothing),
            )
        if self.partial and self.form != "index":
            raise NetError(
                what="only an index can say that a class is not known",
                where="CrossEntropy",
                expected="form='index' with partial=True",
                got=repr(self.form),
            )

    @property
    def ports(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # the ports follow from a field
        """The ports of this form."""
        return FORMS[self.form]

    def merged_with(self, before: LeafNode) -> tuple[LeafNode, ...] | None:
        binary = isinstance(before, Elementwise) and before.function == "sigmoid"
        if self.logits or not (binary if self.form == "binary" else is_softmax(before)):
            return None
        return (replace(self, logits=True),)

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        binary = self.form == "binary"
        one = 4 * math.prod(sizes["s"] if binary else (*sizes["s"], sizes["k"]))
        if binary:
            return Kept(inputs=("input",), bytes=one if self.logits else 7 * one)
        return Kept(inputs=("target",), bytes=one) if self.logits else Kept(inputs=("*",), bytes=2 * one)

    def forward(self, w: Mapping[str, Tensor], x: Tensor, target: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        if self.form == "binary":
            near = target.to(x.dtype) * (1 - self.smoothing) + self.smoothing / 2
            return mean_of_each(self._binary(x, near), lengths)  # (b, *s), (b, *s) -> (b,)
        classes = length_of(lengths, "k")
        known = target >= 0 if self.partial else None  # (b, *s)
        target = target if known is None else target.clamp_min(0)
        if self.form == "index" and self.logits and classes is None:
            rows, labels = x.flatten(0, -2), target.long().flatten()  # (b · ∏ s, k), (b · ∏ s,)
            if x.is_cpu and rows.shape[1] < FEW_CLASSES and len(rows) >= MANY_ROWS:
                rows, labels = rows.t().unsqueeze(0), labels.unsqueeze(0)  # (1, k, b · ∏ s), (1, b · ∏ s)
            flat = F.cross_entropy(
                rows, labels, ignore_index=NO_LABEL, reduction="none", label_smoothing=self.smoothing
            )  # (b · ∏ s, k), (b · ∏ s,) -> (b · ∏ s,)
            return _mean_of_known(flat.view(target.shape), known, lengths)  # (b, *s) -> (b,)
        logs = log_softmax_of(x, classes) if self.logits else x.clamp_min(SMALLEST).log()  # (b, *s, k)
        if self.form == "index":
            index = target.long().unsqueeze(-1)  # (b, *s) -> (b, *s, 1)
            cost = -logs.gather(-1, index).squeeze(-1)  # (b, *s, k) -> (b, *s)
        else:
            cost = -filled(logs * target, classes, 0.0, -1).sum(-1)  # (b, *s, k) -> (b, *s)
        if self.smoothing:
            count = logs.shape[-1] if classes is None else classes.view(-1, *(1 for _ in cost.shape[1:]))
            cost = cost * (1 - self.smoothing) - filled(logs, classes, 0.0, -1).sum(-1) * (self.smoothing / count)
        return _mean_of_known(cost, known, lengths)  # (b, *s) -> (b,)

    def _binary(self, x: Tensor, target: Tensor) -> Tensor:
        if self.logits:
            return F.binary_cross_entropy_with_logits(x, target, reduction="none")
        true, false = x.clamp_min(SMALLEST).log(), (1 - x).clamp_min(SMALLEST).log()
        return -(target * true + (1 - target) * false)


class ContrastiveLoss(Leaf):
    """Brings the embeddings of like pairs together, and those of different pairs at least a margin apart.

    For the distance D = ‖input − other + 10⁻⁶‖: loss = ½ D² for a like pair, ½ max(0, margin − D)² for a different one.

    Shapes: input (d,), other (d,), different (1,), 1 or true for a different pair, as `nw.Boolean` gives it; loss ().

    Fields:
        margin: the distance from which a different pair costs nothing, in units of the embedding; 1.

    Raises: NetError for a margin that is not above 0.

    Example:
        >>> import netwright as nw
        >>> pair = {"input": nw.batch([[0.0, 0.6]]), "other": nw.batch([[0.0, 0.0]])}
        >>> loss = nw.ContrastiveLoss()
        >>> [round(float(loss(pair | {"different": nw.batch([[truth]])})), 4) for truth in (0.0, 1.0)]
        [0.18, 0.08]

    Source: Hadsell, Chopra and LeCun 2006, "Dimensionality Reduction by Learning an Invariant Mapping"
    """

    margin: float = 1.0
    ports = "input: d, other: d, different: 1 -> loss: ()"
    needs_float32 = True
    is_loss = True
    family = "loss"

    def __post_init__(self) -> None:
        _check_margin(self.margin, "ContrastiveLoss")

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(bytes=4 * (sizes["d"] + 7))

    def forward(
        self, w: Mapping[str, Tensor], x: Tensor, other: Tensor, different: Tensor, *, lengths: Lengths = NO_LENGTHS
    ) -> Tensor:
        apart, unlike = (
            _distance(x, other, lengths),
            different.to(x.dtype).squeeze(-1),
        )  # (b, d) -> (b,), (b, 1) -> (b,)
        return ((1 - unlike) * apart.square() + unlike * (self.margin - apart).clamp_min(0).square()) / 2


class TripletLoss(Leaf):
    """Brings an anchor nearer to what is like it than to what is not: loss = max(0, D⁺ − D⁻ + margin).

    The distances are D⁺ = ‖anchor − positive + 10⁻⁶‖ and D⁻ = ‖anchor − negative + 10⁻⁶‖.

    Shapes: anchor (d,), positive (d,), negative (d,), loss ().

    Fields:
        margin: by how much the negative is farther from where on a triplet costs nothing, in units of the embedding; 1.

    Raises: NetError for a margin that is not above 0.

    Example:
        >>> import netwright as nw
        >>> points = {"anchor": [[0.0, 0.0]], "positive": [[0.0, 0.5]], "negative": [[0.0, 0.7]]}
        >>> round(float(nw.TripletLoss()({port: nw.batch(point) for port, point in points.items()})), 4)
        0.8

    Source: Schroff, Kalenichenko and Philbin 2015, "FaceNet", arXiv 1503.03832, with distances not squared as in torch
    Torch: torch.nn.TripletMarginLoss
    """

    margin: float = 1.0
    ports = "anchor: d, positive: d, negative: d -> loss: ()"
    needs_float32 = True
    is_loss = True
    family = "loss"

    def __post_init__(self) -> None:
        _check_margin(self.margin, "TripletLoss")

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(bytes=4 * (2 * sizes["d"] + 3))

    def forward(
        self, w: Mapping[str, Tensor], x: Tensor, positive: Tensor, negative: Tensor, *, lengths: Lengths = NO_LENGTHS
    ) -> Tensor:
        near, far = _distance(x, positive, lengths), _distance(x, negative, lengths)  # (b, d) -> (b,)
        return (near - far + self.margin).clamp_min(0)


class WeightedLoss(Leaf):
    """A loss that counts more or less than others: loss = weight · input, in float32 also where a run is in bf16.

    Shapes: input (), loss ().

    Fields:
        weight: the factor, above 0.

    Raises: NetError for a weight that is not above 0.

    Example:
        >>> import netwright as nw
        >>> nw.WeightedLoss(0.5)(nw.batch([3.0])).tolist()
        [1.5]

    Torch: the operator *
    """

    weight: float
    ports = "input: () -> loss: ()"
    needs_float32 = True
    is_loss = True
    family = "loss"

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise NetError(what="a loss has a weight above 0", where="WeightedLoss", got=repr(self.weight))

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return x * self.weight


class TotalLoss(Leaf):
    """The sum of several losses as one: loss = Σᵢ xᵢ, in float32 also where a run is in bf16.

    Shapes: inputs (), loss ().

    Example:
        >>> import netwright as nw
        >>> a, b = nw.Input("a", "()"), nw.Input("b", "()")
        >>> nw.Graph(nw.TotalLoss()(a, b))({"a": nw.batch([1.0]), "b": nw.batch([2.0])}).tolist()
        [3.0]

    Torch: the operator +
    """

    ports = "x1: () -> loss: ()"
    needs_float32 = True
    is_loss = True
    family = "loss"

    def signature(self, count: int) -> str:
        return ", ".join(f"x{i}: ()" for i in range(1, count + 1)) + " -> loss: ()"

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(self, w: Mapping[str, Tensor], *x: Tensor) -> Tensor:
        return torch.stack(x).sum(0)  # (k, b) -> (b,)


def _check_margin(margin: float, where: str) -> None:
    if not margin > 0:
        raise NetError(what="a margin is above 0", where=where, got=repr(margin))


def _distance(x: Tensor, other: Tensor, lengths: Lengths) -> Tensor:
    """The distance of two vectors; a little is added, as torch does, so that equal ones have a slope too."""
    return torch.linalg.vector_norm(
        filled(x - other + NEAR, length_of(lengths, "d"), 0.0, -1), dim=-1
    )  # (b, d) -> (b,)


def _mean_of_known(values: Tensor, known: Tensor | None, lengths: Lengths) -> Tensor:
    """The mean of every example by itself, over its own positions that are known."""
    if known is None:
        return mean_of_each(values, lengths)
    share = mean_of_each(known.to(values.dtype), lengths)  # (b, *s) -> (b,)
    total = mean_of_each(values.masked_fill(~known, 0.0), lengths)  # (b, *s) -> (b,)
    return total / share.masked_fill(share == 0, 1.0)


def mean_of_each(values: Tensor, lengths: Lengths = NO_LENGTHS) -> Tensor:
    """The mean of every example by itself, over its own positions."""
    along = lengths_of(lengths, "s", values.ndim - 1)
    if values.ndim > 1 and any(length is not None for length in along):
        return mean_of_own(values, along, range(1, values.ndim))  # (b, *s) -> (b,)
    return values.flatten(1).mean(1) if values.ndim > 1 else values  # (b, *s) -> (b,)
