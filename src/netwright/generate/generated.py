"""The results of generation: a sequence that a net made, or the next piece of one."""

from typing import Any, Literal, TypeAlias

from netwright.value import Value

Ended: TypeAlias = Literal["end", "stop", "max_elements"]


class Generated(Value):
    """A sequence that a net made.

    Fields:
        value: the whole sequence, its prompt included: a text, or a tuple of labels.
        log_probabilities: of every made element, in nats, by the net's own distribution; the end element included.
        ended: why it ended: by the net's `"end"` element, by a `"stop"`, or because it reached `max_elements`.
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
