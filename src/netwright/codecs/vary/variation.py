"""What a variation of pictures is: a value of a few numbers, and random draws that depend on the example alone."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeAlias

from torch import Tensor

from netwright.errors import NetError
from netwright.fields import checked
from netwright.value import Value

Random: TypeAlias = Callable[[tuple[int, ...]], Tensor]  # numbers in [0, 1) of a shape (b, …)
Draw: TypeAlias = Callable[[str], Random]  # the numbers of the draw with this name
VARIATIONS: dict[str, type["Variation"]] = {}  # the table of variations: name to class, for files


class Size(Value):
    """The size of the pictures of an encoder."""

    height: int
    width: int
    channels: int


class Variation(Value, ABC):
    """One way in which the pictures of an encoder vary in training.

    A subclass declares its fields like a dataclass, and computes a whole batch at once. Every random number is drawn
    for one example, so that it does not depend on the batch. One that names `ABC` among its bases is an interface.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__init__ = checked(cls.__init__)
        if ABC not in cls.__bases__:
            VARIATIONS[cls.__name__] = cls

    def check(self, size: Size) -> None:
        """Raise NetError where pictures of this size cannot vary so."""


class PixelVariation(Variation, ABC):
    """A variation of the values of pixels, each at its place."""

    @abstractmethod
    def pixels(self, light: Tensor, random: Random) -> Tensor:
        """Pictures (b, h, w, c) in 0..1, varied; the argument may be written to."""


class Colour(PixelVariation, ABC):
    """A variation of red, green and blue, which a picture of another number of channels does not have."""

    name: ClassVar[str]  # of what varies

    def check(self, size: Size) -> None:
        if size.channels != 3:
            gray = size.channels == 1
            raise NetError(
                what=f"a {'gray picture' if gray else f'picture of {size.channels} channels'} has no {self.name} that "
                "could vary",
                where=repr(self),
                expected='color="rgb"',
                got='color="gray"' if gray else f"{size.channels} channels",
                mend=f"leave {self!r} out",
            )


def check_range(value: Variation, number: float, most: float, what: str, above: float = 0) -> None:
    """Raise NetError unless a number is above zero, or `above`, and at most `most`; `what` says what it is.

    Example:
        >>> from netwright.codecs.vary.geometry import Rotate
        >>> Rotate(-3)
        Traceback (most recent call last):
        netwright.errors.NetError: the angle in degrees is above 0 and at most 180
          where:    Rotate
          got:      -3
    """
    if not above < number <= most:
        what = f"{what} is above {above:g} and at most {most:g}"
        raise NetError(what=what, where=type(value).__name__, got=repr(number))


def check_variations(vary: Sequence[object], size: Size) -> None:
    """Raise NetError unless these are variations that pictures of this size can have."""
    for one in vary:
        if not isinstance(one, Variation):
            raise NetError(
                what="this is not a variation",
                where="vary",
                expected=f"some of {', '.join(f'nw.{name}' for name in VARIATIONS)}",
                got=repr(one),
            )
        one.check(size)
