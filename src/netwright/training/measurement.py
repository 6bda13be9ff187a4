"""What a run measures after each epoch besides its loss, and which figure says what epoch is the best."""

import math
from collections.abc import Callable
from dataclasses import field
from typing import Any, Literal

from netwright.errors import TrainingError
from netwright.training.events import Epoch
from netwright.value import Value


class Measurement(Value, eq=False):
    """One figure that a run measures after each epoch, where its name alone does not say all.

    `nw.train(…, measurements=["accuracy", "macro_f1"])` needs names only: those of the figures of an `nw.measure`
    report. A `Measurement` is for a figure on other data than the validation data, and for a function of one's own that
    is to choose the best epoch.

    Fields:
        what: the name of a figure as of `nw.measure`, or a function. It takes the answers of the net and the targets,
            each a list with an entry for each example, as the decoder gives them and as they are in the data; of a net
            with several outputs a dict of such lists each, by output. It gives a number.
        name: of the figure in the epochs of the run; None is the name of the figure or of the function.
        data: in any form that `nw.train` takes; None is the validation data.
        better: "higher" or "lower", of a function with which `best=` chooses the epoch; figures by name know it.

    Raises: TrainingError for what is neither a name nor a function, and for a function without a name.

    Example:
        >>> import netwright as nw
        >>> def worst(answers, targets):
        ...     return max(abs(a - t) for a, t in zip(answers, targets))
        >>> xs = [x / 50 - 1 for x in range(100)]
        >>> net = nw.Chain(16, nw.tanh, nw.Linear(), input=nw.Number(), output=nw.Number())
        >>> run = nw.train(
        ...     net, (xs, [x * x for x in xs]), validation=0.2, epochs=3, progress=False,
        ...     measurements=["r2", nw.Measurement(worst, better="lower")], best="worst",
        ... )
        >>> list(run.epochs[0].validation)
        ['loss', 'r2', 'worst']
    """

    what: str | Callable[[Any, Any], Any]
    name: str | None = None
    data: Any = field(default=None, repr=False)
    better: Literal["higher", "lower"] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.what, str) and not callable(self.what):
            raise TrainingError(
                what="a measurement is the name of a figure or a function of answers and targets",
                where="measurements",
                expected='such as "accuracy"',
                got=repr(self.what),
            )
        if self.better not in (None, "higher", "lower"):
            raise TrainingError(
                what='better is "higher" or "lower"', where="Measurement", got=f"better={self.better!r}"
            )
        if self.name is None and not isinstance(self.what, str) and not self.title.isidentifier():
            raise TrainingError(
                what="a function without a name needs one as a measurement",
                where="measurements",
                got=self.title,
                mend='nw.Measurement(…, name="…")',
            )

    @property
    def held(self) -> bool:
        """Whether a file can hold it: a figure by its name, on the validation data."""
        return isinstance(self.what, str) and self.data is None

    @property
    def title(self) -> str:
        """The name of the figure in the epochs of a run."""
        if self.name is not None:
            return self.name
        return self.what if isinstance(self.what, str) else getattr(self.what, "__name__", type(self.what).__name__)


class Best(Value):
    """The figure of the validation that says which epoch is the best.

    Fields: `higher` is whether more is better.
    """

    figure: str = "loss"
    higher: bool = False

    def cost(self, epoch: Epoch) -> float:
        """What is lowest in the best epoch; where the figure is not measured that is the last one."""
        if self.figure not in epoch.validation:
            return -float(epoch.number)
        found = epoch.validation[self.figure]
        return math.inf if math.isnan(found) else -found if self.higher else found
