"""The moving average of the arrays of a run, which is often better than those of any one step."""

from collections.abc import Generator, Mapping

from torch import Tensor

from netwright.around import around


class Average:
    """An exponential moving average: a = w after the first step, then a ← d a + (1 − d) w.

    Running arrays are averaged too: those of the present weights would not fit the averaged ones.

    Fields:
        weights: the buffer of all weights, which steps change in place.
        running: the arrays that follow the batches, by path, changed in place too.
        decay: d, the share of the average that a step leaves.
        mean: the average of the weights; None before the first step.
        running_means: those of the running arrays, by path.

    Source: Polyak and Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging"
    Torch: torch.optim.swa_utils.AveragedModel with get_ema_multi_avg_fn and use_buffers
    """

    def __init__(self, weights: Tensor, running: Mapping[str, Tensor], decay: float) -> None:
        self.weights, self.running, self.decay = weights, running, decay
        self.mean: Tensor | None = None
        self.running_means: dict[str, Tensor] = {}

    def update(self) -> None:
        """Take the arrays after a step into the average."""
        if self.mean is None:
            self.mean = self.weights.clone()
            self.running_means = {path: array.clone() for path, array in self.running.items()}
            return
        self.mean.lerp_(self.weights, 1 - self.decay)
        for path, mean in self.running_means.items():
            mean.lerp_(self.running[path], 1 - self.decay)

    @around
    def in_place(self) -> Generator[None]:
        """Within, the buffer and the running arrays hold the average."""
        if self.mean is None:
            yield
            return
        places = [self.weights, *(self.running[path] for path in self.running_means)]
        means, before = [self.mean, *self.running_means.values()], [place.clone() for place in places]
        for place, mean in zip(places, means, strict=True):
            place.copy_(mean)
        try:
            yield
        finally:
            for place, value in zip(places, before, strict=True):
                place.copy_(value)
