"""How many examples fit in memory beside what a run holds: training chooses by it, and `nw.cost` tells it."""

from netwright.training.optimizers import Optimizer, numbers_kept

HELD = 4  # times the weights: weights, gradient, the gradient that autograd makes, and the best net so far


def held_bytes(weights: int, optimizer: Optimizer, itemsize: int) -> int:
    """The bytes of a run that do not depend on the batch: the weights, their gradients, what the optimizer keeps.

    Fields: `weights`, how many are trained; `itemsize`, bytes of each.
    """
    return weights * (HELD + numbers_kept(optimizer)) * itemsize


def examples_that_fit(free: int, held: int, example: int) -> int:
    """How many examples of so many bytes fit in free memory beside what is held; each takes a byte at least."""
    return max(0, free - held) // max(1, example)
