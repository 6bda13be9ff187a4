"""Searches for the most probable sequence with a beam: pure functions for one step and for finished sequences."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError
from netwright.fields import at_least, plain, suits
from netwright.value import Value


class Beam(Value):
    """Beam search: the `width` most probable beginnings are kept at each step, and the best finished sequence is given.

    Fields:
        width: beginnings that are kept. In translation 4 gives most of the gain of wider beams.
        length_penalty: sequences of n elements are compared by log p / n^length_penalty. 1 is the mean log-probability
            of an element; 0 is log p itself, which falls with each element and so favours short sequences.

    Raises:
        NetError: the width is below one, or the length penalty is not a number from 0 on.
    """

    width: int = 4
    length_penalty: float = 1.0

    def __post_init__(self) -> None:
        width, penalty = plain(self.width), plain(self.length_penalty)
        at_least(1, width, "the width", "Beam")
        if not suits(penalty, float) or not 0 <= penalty < math.inf:
            raise NetError(
                what="a length penalty is an exponent",
                expected="a number from 0 (sums of log-probabilities) on; 1 is their mean",
                got=repr(penalty),
            )
        object.__setattr__(self, "width", width)
        object.__setattr__(self, "length_penalty", penalty)

    def normalized(self, scores: Tensor, length: Tensor | int) -> Tensor:
        """Sums of log-probabilities, made comparable between lengths: (b, k), with a length or one per example (b,)."""
        lengths = torch.as_tensor(length, dtype=scores.dtype, device=scores.device).reshape(-1, 1)  # (b or 1, 1)
        return scores / lengths**self.length_penalty  # (b, k)


class Expansion(Value):
    """One step of a beam.

    Fields:
        scores: of the hypotheses that go on, the best first, (b, k); -inf where there are fewer.
        parent: which hypothesis each continues, (b, k) int64.
        element: by which element, (b, k) int64.
        ended: of each hypothesis before the step the score with which it ends here, (b, k); -inf where it does not.
    """

    scores: Tensor
    parent: Tensor
    element: Tensor
    ended: Tensor


def first_beam(width: int, like: Tensor) -> Tensor:
    """The scores of a beam before its first step, (b, k): one hypothesis, the empty one, in each example of `like`."""
    scores = like.new_full((like.shape[0], width), -math.inf)  # (b, k)
    scores[:, 0] = 0
    return scores


def expanded(scores: Tensor, log_probabilities: Tensor, end: int | None = None) -> Expansion:
    """Continue every hypothesis by every element and keep the best k that go on.

    A hypothesis ends if its ending is among the k best of all continuations in its example. So k hypotheses always go
    on, and an improbable ending does not win only because it is short. Among equal scores the earlier hypothesis, then
    the earlier element, is taken.

    Shapes: scores (b, k), log_probabilities (b, k, v) → an Expansion.

    Fields:
        end: the index of the element that ends a sequence, if there is one.

    Example:
        >>> chances = torch.tensor([[[0.5, 0.4, 0.1], [0.2, 0.2, 0.6]]])
        >>> step = expanded(torch.tensor([[0.0, -1.0]]), chances.log(), end=2)
        >>> step.parent, step.element
        (tensor([[0, 0]]), tensor([[0, 1]]))
    """
    b, k, v = log_probabilities.shape
    every = scores.unsqueeze(-1) + log_probabilities  # (b, k, v)
    if every.isnan().any():
        raise NetError(what="a beam cannot go on: the net gives NaN", where="log_probabilities", got="NaN")
    going = every
    ended = torch.full_like(scores, -math.inf)  # (b, k)
    if end is not None:
        least = every.reshape(b, k * v).topk(k).values[:, -1:]  # (b, 1)
        ended = every[..., end].masked_fill(every[..., end] < least, -math.inf)  # (b, k)
        going = every.index_fill(
            -1, torch.tensor([end], device=every.device, dtype=torch.int64), -math.inf
        )  # (b, k, v)
    best, index = _best(going.reshape(b, k * v), k)  # (b, k)
    return Expansion(best, index // v, index % v, ended)


class Finished(Value):
    """The best finished hypotheses of every example, the best first.

    Fields:
        scores: normalized for length, (b, k); -inf where there are fewer.
        elements: (b, k, t) int64, zeros behind the end of each.
        lengths: elements of each, (b, k) int64.
    """

    scores: Tensor
    elements: Tensor
    lengths: Tensor

    @classmethod
    def none(cls, width: int, like: Tensor) -> "Finished":
        """Nothing finished yet, in each of the examples of `like`."""
        b = like.shape[0]
        lengths = torch.zeros(b, width, dtype=torch.int64, device=like.device)  # (b, k)
        return cls(like.new_full((b, width), -math.inf), lengths.unsqueeze(-1)[..., :0], lengths)

    def joined(self, beam: Beam, scores: Tensor, elements: Tensor, length: Tensor | int) -> "Finished":
        """These and more finished hypotheses; the best are kept. Among equal scores those that finished earlier win.

        Shapes: scores (b, k), sums of log-probabilities, -inf for none; elements (b, k, t), t at least what was joined
        before; length, the end element counted, for all or (b,).
        """
        t = elements.shape[-1]
        before = F.pad(self.elements, (0, t - self.elements.shape[-1]))  # (b, k, t)
        lengths = torch.as_tensor(length, device=self.lengths.device).reshape(-1, 1).expand(scores.shape)  # (b, k)
        every = torch.cat([self.scores, beam.normalized(scores, length)], 1)  # (b, 2k)
        best, index = _best(every, self.scores.shape[1])  # (b, k)
        rows = index.unsqueeze(-1).expand(-1, -1, t)  # (b, k, t)
        return Finished(
            best,
            torch.cat([before, elements], 1).gather(1, rows),
            torch.cat([self.lengths, lengths], 1).gather(1, index),
        )

    def settled(self, beam: Beam, scores: Tensor, length: Tensor | int) -> Tensor:
        """Where the search may stop, (b,) bool: no hypothesis that goes on beats the worst of the finished ones.

        Hypotheses that go on are compared as if they ended at their present length. This is the customary rule; it is
        exact if the mean log-probability does not rise.

        Shapes: scores (b, k), sums of log-probabilities of those that go on; length, their elements, for all or (b,).
        """
        return beam.normalized(scores, length).amax(1) <= self.scores.amin(1)  # (b,)


def _best(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k best of each row, the best first, and of equals the first: (b, n) → (b, k) twice.

    `topk` alone breaks ties in an undefined order, so the answer could differ in another batch.
    """
    least = scores.topk(k).values[:, -1:]  # (b, 1)
    equal = scores == least  # (b, n)
    above = scores > least  # (b, n)
    room = k - above.sum(1, keepdim=True)  # (b, 1)
    kept = above | (equal & (equal.cumsum(1) <= room))  # (b, n), k in each row
    index = kept.nonzero()[:, 1].reshape(-1, k)  # (b, k), ascending
    best, order = scores.gather(1, index).sort(stable=True, dim=1, descending=True)  # (b, k)
    return best, index.gather(1, order)
