"""What a training run leaves: the nets, every curve and every choice, as a value."""

from netwright.net.part import Net
from netwright.training.events import Choice, Epoch
from netwright.value import Value


class Run(Value, eq=False):
    """A finished training run.

    Fields:
        net: the net of the best validation epoch, or of the last epoch where nothing was validated; before the first
            epoch is done, `last`.
        last: the net as the last step left it; where it left numbers that are not finite, `net`.
        epochs: every epoch with its losses.
        losses: the training loss of every step.
        choices: what was decided, and why.
        best: the number of the epoch that `net` is of.
        seconds: from the first step to the end.
        ended: why the run ended: "all epochs done", "interrupted", …
    """

    net: Net
    last: Net
    epochs: tuple[Epoch, ...]
    losses: tuple[float, ...]
    choices: tuple[Choice, ...]
    best: int
    seconds: float
    ended: str

    def __repr__(self) -> str:
        lines = [f"Run: {len(self.epochs)} epochs in {self.seconds:.1f} s, {self.ended}"]
        for epoch in self.epochs:
            measured = "".join(f", validation {name} {value:.4g}" for name, value in epoch.validation.items())
            mark = "  <- kept" if epoch.number == self.best else ""
            lines.append(f"  epoch {epoch.number}: loss {epoch.loss:.4g}{measured}{mark}")
        return "\n".join(lines)
