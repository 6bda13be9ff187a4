"""Chooses the next element of a sequence: the most probable one, or a random one."""

import torch
from torch import Tensor

from netwright.codecs.reading import Sample
from netwright.errors import NetError
from netwright.net.run.noise import Noise
from netwright.value import Value

LEAST = 2.0**-25  # half the distance between two numbers of Noise: keeps both logarithms finite


class Greedy(Value):
    """The most probable element at each step; of equals, the first in the vocabulary."""


def chosen(
    choose: Greedy | Sample, log_probabilities: Tensor, step: Tensor | int, examples: Tensor
) -> tuple[Tensor, Tensor]:
    """The next element of every example, and its log-probability as given.

    A draw depends only on the seed, the example and the step, not on the other examples of the batch: an element is
    drawn with its probability as argmax log p_i + g_i, where g_i = −log(−log u_i) and u_i is uniform noise with that
    key.

    Shapes: log_probabilities (b, v) → (b,) int64 and (b,).

    Fields:
        log_probabilities: -inf for what is not allowed; they need not be normalized.
        step: which element of its sequence comes next, one number or (b,).
        examples: which examples the rows are, (b,) int64.

    Raises:
        NetError: an example has no element that may come next, or its log-probabilities are NaN.

    Example:
        >>> chances = torch.tensor([[0.2, 0.8], [0.9, 0.1]])
        >>> chosen(Greedy(), chances.log(), step=0, examples=torch.tensor([5, 6]))[0]
        tensor([1, 0])

    Source: Maddison et al., "A* sampling", 2014 (the Gumbel-max trick).
    """
    if isinstance(choose, Greedy):
        merit = log_probabilities  # (b, v)
    else:
        noise = Noise(choose.seed, 0, examples, "generate").inside(None, step)
        uniform = noise(tuple(log_probabilities.shape)) + LEAST  # (b, v)
        gumbel = -torch.log(-torch.log1p(-uniform.clamp(max=1 - 2 * LEAST)))  # (b, v)
        merit = choose.distribution(log_probabilities) + gumbel  # (b, v)
    best, index = merit.max(-1)  # (b,) and (b,)
    _refuse(best, log_probabilities, examples)
    return index, log_probabilities.gather(-1, index.unsqueeze(-1)).squeeze(-1)


def _refuse(best: Tensor, log_probabilities: Tensor, examples: Tensor) -> None:
    wrong = ~best.isfinite()  # (b,)
    if wrong.any():
        row = int(wrong.nonzero()[0])
        unknown = bool(log_probabilities[row].isnan().any())
        raise NetError(
            what="no next element can be chosen",
            where=f"example {int(examples[row])}",
            expected="at least one element with a log-probability above -inf, and none that is NaN",
            got="NaN" if unknown else "-inf for every element",
        )
