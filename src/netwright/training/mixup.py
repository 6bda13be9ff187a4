"""Mixes the examples of a batch in pairs, and their targets with them."""

import random

import torch
from torch import Tensor

from netwright.net.run.noise import Noise
from netwright.seeds import seed_of
from netwright.training.batch import Batch
from netwright.value import Value


class Mixup(Value):
    """Each example becomes λ · itself + (1 − λ) · another one of its batch, at every port; λ is drawn once a step.

    λ has the distribution Beta(alpha, alpha). All is drawn by the seed of the run, the step and the numbers of the
    examples, so a batch is mixed alike in any order.

    Source: Zhang et al. 2017, "mixup: Beyond Empirical Risk Minimization", arXiv 1710.09412
    Torch: torchvision.transforms.v2.MixUp
    """

    alpha: float
    seed: int

    def __call__(self, batch: Batch, step: int) -> Batch:
        """The batch mixed."""
        share = self.share(step)
        other = partners(Noise(self.seed, step, batch.examples, "mixup"))
        inputs = {port: torch.lerp(x[other], x, share) for port, x in batch.inputs.items()}
        weights = None if batch.weights is None else torch.lerp(batch.weights[other], batch.weights, share)
        return Batch(inputs, batch.examples, weights, batch.lengths)

    def share(self, step: int) -> float:
        """λ of a step."""
        return random.Random(seed_of("mixup", self.seed, step)).betavariate(self.alpha, self.alpha)


def partners(noise: Noise) -> Tensor:
    """The row of the other example for each row of a batch: the next one in an order drawn at random, (b,)."""
    drawn = noise((len(noise.examples), 2)).cpu().double()  # (b, 2), since not every device has doubles
    order = (drawn[:, 0] + drawn[:, 1] * 2.0**-24).argsort()  # (b,), of two numbers each: one has too few digits
    other = torch.empty_like(order)
    other[order] = order.roll(1)
    return other.to(noise.examples.device)
