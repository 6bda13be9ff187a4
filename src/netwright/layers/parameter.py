"""An array of its own as a value in a net: read by other parts, learned like any weight."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from netwright.errors import NetError
from netwright.inits import lecun
from netwright.net.node import Weight
from netwright.net.part import Leaf, shared_repr


class Parameter(Leaf):
    """An array that is learned, the same for every example: y = value.

    Shapes: no input; output and array of the sizes given.

    Fields:
        sizes: the size of every axis; none for a single number.

    Raises: NetError for a size that is not a whole number of at least 1.

    Example:
        >>> import netwright as nw
        >>> @nw.program
        ... def shifted(x, shift=nw.Parameter(2)):
        ...     return x + shift
        >>> sorted(nw.initialize(shifted).arrays)
        ['shift/value']
    """

    sizes: tuple[int, ...]

    def __init__(self, *sizes: int) -> None:
        if not all(isinstance(size, int) and size >= 1 for size in sizes):
            raise NetError(
                what="a parameter's sizes are whole numbers of at least 1", where="Parameter", got=repr(sizes)
            )
        object.__setattr__(self, "sizes", sizes)

    @property
    def ports(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # its sizes are in its fields
        """No input, and one output of its sizes."""
        return f"-> {' '.join(map(str, self.sizes)) or '()'}"

    def weights(self) -> dict[str, Weight]:
        return {"value": Weight(" ".join(map(str, self.sizes)), lecun)}

    def forward(self, w: Mapping[str, Tensor], *, batch: int) -> Tensor:
        return w["value"].expand(batch, *self.sizes)  # (*sizes) -> (b, *sizes)

    def __repr__(self) -> str:
        inner: Any = ", ".join(map(str, self.sizes))
        return shared_repr(self, f"Parameter({inner})")
