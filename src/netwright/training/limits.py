"""When a run ends before all its epochs are done: nothing gets better any more, or its time is over."""

from netwright.training.events import Status
from netwright.value import Value


class Limits(Value):
    """What ends a run early.

    Fields:
        patience: epochs in which the figure may be no better than it was; None waits for all of them.
        minutes: from the first step on, validation included; None is without limit. A run that goes on in a folder
            counts the minutes before it was interrupted too.
        figure: of the validation, that chooses the best epoch.
    """

    patience: int | None = None
    minutes: float | None = None
    figure: str = "loss"

    def reached(self, status: Status) -> str:
        """Why the run ends now; the empty text while it goes on."""
        if self.minutes is not None and status.seconds >= 60 * self.minutes:
            return f"the {self.minutes:g} minutes are over"
        if self.patience is not None and len(status.done) - status.best >= self.patience:
            return f"no better validation {self.figure} in {self.patience} epoch{'' if self.patience == 1 else 's'}"
        return ""
