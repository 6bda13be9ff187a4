"""What generation gives: a sequence that a net made, or the next piece of one."""

from typing import Any, Literal, TypeAlias

from netwright.value import Value

Ended: TypeAlias = Literal["end", "stop", "max_elements"]


class Generated(Value):
    """A sequence that a net made.

    Fields:
        value: all of it, what it started with included: a text, or a tuple of labels.
        log_probabilities: of every element that was made, in nats, by the net's own distribution; the end included.
        ended: why it ends: by the net's `"end"` element, by a `"stop"`, or because it had as many elements as allowed.
    """

    value: Any
    log_probabilities: tuple[float, ...]
    ended: Ended

    def __str__(self) -> str:
        return str(self.value)


class Piece(Value):
    """The next piece of a sequence that is being made. Fields: as of `Generated`, of this piece alone."""

    value: Any
    log_probabilities: tuple[float, ...]

    def __str__(self) -> str:
        return str(self.value)
