"""The ways to read one output of a net: the decision, its probabilities, the best few, a sample, the array itself."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, replace
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError
from netwright.fields import at_least, checked, expect_seed, suits
from netwright.seeds import seed_of
from netwright.value import Value

THRESHOLD = 0.5  # one of several labels is given if its probability is at least this


class Reading(ABC):
    """A way to read probabilities of labels, of which one is true (`of`) or any number (`of_each`)."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__init__ = checked(cls.__init__)

    @abstractmethod
    def of(self, labels: Sequence[Any], probabilities: Tensor) -> Any:
        """The answer of this reading for one distribution over the labels."""

    def of_each(self, labels: Sequence[Any], probabilities: Tensor) -> Any:
        """The answer of this reading for independent labels, each with its own probability."""
        return self.of(labels, probabilities)

    def at(self, position: int) -> Self:
        """This reading for one of many positions or examples: the same, unless it draws."""
        del position
        return self


class Decision(Reading, Value):
    """The most probable label, the default answer of a net. Of several independent labels, those with p ≥ 0.5."""

    def of(self, labels: Sequence[Any], probabilities: Tensor) -> Any:
        return labels[int(probabilities.argmax())]

    def of_each(self, labels: Sequence[Any], probabilities: Tensor) -> tuple[Any, ...]:
        return tuple(label for label, p in zip(labels, probabilities.tolist(), strict=True) if p >= THRESHOLD)


class Probabilities(Reading, Value):
    """Every label with its probability."""

    def of(self, labels: Sequence[Any], probabilities: Tensor) -> dict[Any, float]:
        return dict(zip(labels, probabilities.tolist(), strict=True))


class Top(Reading, Value):
    """The `count` most probable labels with their probabilities, the best first.

    Raises:
        NetError: `count` is below one.
    """

    count: int

    def __post_init__(self) -> None:
        at_least(1, self.count, "the number of labels", "Top")

    def of(self, labels: Sequence[Any], probabilities: Tensor) -> dict[Any, float]:
        best = probabilities.topk(min(self.count, len(labels)))
        return {labels[i]: p for i, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)}


class Sample(Reading, Value):
    """A label drawn with its probability; of several labels, each drawn with its own.

    Also how generation chooses each element of a sequence.

    Fields:
        temperature: probabilities are raised to 1/temperature and renormalized; 1 does not change them.
        top_k: draws only from the k most probable labels, and any as probable as the last of them; None: from all.
        top_p: draws only from the fewest most probable labels whose probabilities, after the temperature and `top_k`,
            add up to p, and any as probable as the last of them; None: from all.
        seed: the same seed draws the same label from the same probabilities.

    Raises:
        NetError: the temperature is not above zero, top_k is below one, or top_p is not above 0 and at most 1.

    Example:
        >>> chances = torch.tensor([0.1, 0.4, 0.3, 0.2])
        >>> Sample(top_p=0.6).distribution(chances.log()).exp()
        tensor([0.0000, 0.5714, 0.4286, 0.0000])

    Source: Holtzman et al., "The curious case of neural text degeneration", 2020 (top_p, "nucleus sampling").
    """

    temperature: float = 1.0
    _: KW_ONLY
    top_k: int | None = None
    top_p: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not suits(self.temperature, float) or not 0 < self.temperature < math.inf:
            raise NetError(
                what="a temperature is a number above zero",
                got=f"{self.temperature!r}",
                mend=(
                    "for the most probable label, leave the reading out",
                    "for the most probable element at each step of a sequence, strategy=nw.Greedy()",
                ),
            )
        expect_seed(self.seed, "Sample")
        if self.top_k is not None:
            at_least(1, self.top_k, "top_k", "Sample")
        if self.top_p is not None and not (suits(self.top_p, float) and 0 < self.top_p <= 1):
            raise NetError(
                what="top_p is a share of the probability",
                expected="a number above 0 and at most 1, or None",
                got=f"{self.top_p!r}",
            )

    def distribution(self, log_probabilities: Tensor) -> Tensor:
        """The log-probabilities that are drawn from, normalized: after temperature, `top_k` and `top_p`, (…, v).

        Shapes: (…, v) → (…, v), -inf for what is not drawn. The input need not be normalized.
        """
        logits = log_probabilities / self.temperature  # (…, v)
        if self.top_k is not None:
            least = logits.topk(min(self.top_k, logits.shape[-1])).values[..., -1:]  # (…, 1)
            logits = logits.masked_fill(logits < least, -math.inf)
        if self.top_p is not None and self.top_p < 1:
            chances = logits.softmax(-1)  # (…, v)
            ordered = chances.sort(-1, descending=True).values  # (…, v)
            before = F.pad(ordered.cumsum(-1), (1, -1))  # (…, v): what those before each one add up to
            least = ordered.masked_fill(before >= self.top_p, math.inf).amin(-1, keepdim=True)  # (…, 1)
            logits = logits.masked_fill(chances < least, -math.inf)
        return logits.log_softmax(-1)  # (…, v)

    def of(self, labels: Sequence[Any], probabilities: Tensor) -> Any:
        chances = self.distribution(probabilities.cpu().double().log()).exp()
        return labels[int(torch.multinomial(chances, 1, generator=self._generator()))]

    def of_each(self, labels: Sequence[Any], probabilities: Tensor) -> tuple[Any, ...]:
        if self.top_k is not None or self.top_p is not None:
            raise NetError(
                what="top_k and top_p choose among labels of which one is true; here each is true or not by itself",
                got=f"{self!r}",
                mend=f"nw.Sample({self.temperature}, seed={self.seed})",
            )
        chances = (probabilities.cpu().double().logit() / self.temperature).sigmoid()
        drawn = torch.rand(len(labels), dtype=torch.float64, generator=self._generator(), device="cpu") < chances
        return tuple(label for label, yes in zip(labels, drawn.tolist(), strict=True) if yes)

    def at(self, position: int) -> Self:
        # a hash, so that reading.at(row).at(position) never meets the draw of another row and position
        return replace(self, seed=seed_of(self.seed, position))

    def _generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed)


class Entropy(Reading, Value):
    """The entropy of the distribution in nats, H = −Σ p ln p: 0 when the net is sure.

    Labels that are true or not independently have the sum of their entropies, −Σ (p ln p + (1 − p) ln(1 − p)).
    """

    def of(self, labels: Sequence[Any], probabilities: Tensor) -> float:
        return math.fsum(-p * math.log(p) for p in probabilities.tolist() if p > 0) + 0.0  # + 0.0: never -0.0

    def of_each(self, labels: Sequence[Any], probabilities: Tensor) -> float:
        chances = probabilities.double()
        return self.of(labels, torch.cat([chances, 1 - chances]))


class Raw(Reading, Value):
    """The output array itself, undecoded, whatever the decoder."""

    def of(self, labels: Sequence[Any], probabilities: Tensor) -> Tensor:
        return probabilities


probabilities = Probabilities()
"""Every label with its probability: `net(x, nw.probabilities)`."""
entropy = Entropy()
"""The entropy of the answer in nats: `net(x, nw.entropy)`."""
raw = Raw()
"""The output array itself: `net(x, nw.raw)`."""
