"""What every record of the package is: a frozen dataclass, compared by its fields; and how a field is written."""

import math
from dataclasses import Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, ClassVar, cast, dataclass_transform


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Value:
    """A frozen record whose constructor alone is compiled.

    A subclass declares its fields like a dataclass, and is one. The decorator compiles six methods for each class,
    which took more than half of the time of `import netwright`; here all but the constructor are written once.

    With `eq=False` values are equal only to themselves: what holds arrays cannot be compared by its fields.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    _compared: ClassVar[Any]  # what two of one class are equal by

    def __init_subclass__(cls, eq: bool = True, kw_only: bool = False) -> None:
        super().__init_subclass__()
        dataclass(eq=False, repr=False, init="__init__" not in vars(cls), kw_only=kw_only)(cls)
        names = [field.name for field in fields(cast(Any, cls)) if field.compare]
        cls._compared = staticmethod(attrgetter(*names) if names else type)
        if not eq and cls.__eq__ is Value.__eq__:
            for method in ("__eq__", "__hash__"):  # of C: sizes are looked up by the ten thousand
                setattr(cls, method, getattr(object, method))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._compared(self) == self._compared(other)

    def __hash__(self) -> int:
        return hash(self._compared(self))

    def __repr__(self) -> str:
        shown = [f"{field.name}={getattr(self, field.name)!r}" for field in fields(cast(Any, self)) if field.repr]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __setattr__(self, name: str, value: Any) -> None:
        """Fields are set once, by the constructor."""
        held = self.__dict__
        if name in held or name not in self.__dataclass_fields__:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        held[name] = value  # a third faster than `object.__setattr__`

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")


def literal(value: Any) -> str:
    """A value as Python writes it, numbers that are not finite too, whose own text names nothing.

    Example:
        >>> literal((1.0, float("-inf")))
        "(1.0, float('-inf'))"
    """
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    if type(value) is tuple:
        inner = ", ".join(map(literal, cast(tuple[Any, ...], value)))
        return f"({inner},)" if len(cast(tuple[Any, ...], value)) == 1 else f"({inner})"
    return repr(value)
