"""The moving average of the weights of a run, which is often better than the weights of any one step."""

from collections.abc import Generator

from torch import Tensor

from netwright.around import around


class Average:
    """An exponential moving average of weights in a buffer: a = w after the first step, then a ← d a + (1 − d) w.

    Fields:
        weights: the buffer, which steps change in place.
        decay: d, the share of the average that a step leaves.
        mean: the average; None before the first step.

    Source: Polyak and Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging"
    Torch: torch.optim.swa_utils.AveragedModel with get_ema_multi_avg_fn
    """

    def __init__(self, weights: Tensor, decay: float) -> None:
        self.weights, self.decay = weights, decay
        self.mean: Tensor | None = None

    def update(self) -> None:
        """Take the weights after a step into the average."""
        if self.mean is None:
            self.mean = self.weights.clone()
        else:
            self.mean.lerp_(self.weights, 1 - self.decay)

    @around
    def in_place(self) -> Generator[None]:
        """Within, the buffer holds the average."""
        if self.mean is None:
            yield
            return
        before = self.weights.clone()
        self.weights.copy_(self.mean)
        try:
            yield
        finally:
            self.weights.copy_(before)
