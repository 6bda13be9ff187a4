"""What every record of the package is: a frozen dataclass, compared by its fields; and how a field is written."""

import math
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, ClassVar, cast, dataclass_transform

from netwright.forms import html_form

LONGEST = 600  # characters of a field, or of a line, in a repr
FIRST, LAST = 40, 8  # lines of a long repr that are shown
MOST = 3400  # characters of these lines


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Value:
    """A frozen record whose constructor alone is compiled.

    A subclass declares its fields like a dataclass, and is one. The decorator compiles six methods for each class,
    which took more than half of the time of `import netwright`; here all but the constructor are written once.

    With `eq=False` values are equal only to themselves: what holds arrays cannot be compared by its fields.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    _compared: ClassVar[Any]  # by which two of one class are compared

    def __init_subclass__(cls, eq: bool = True, kw_only: bool = False) -> None:
        super().__init_subclass__()
        dataclass(eq=False, repr=False, init=False, kw_only=kw_only)(cls)
        if "__init__" not in vars(cls):
            cls.__init__ = _constructor(cls)
        names = [field.name for field in fields(cast(Any, cls)) if field.compare]
        cls._compared = staticmethod(attrgetter(*names) if names else type)
        if not eq and cls.__eq__ is Value.__eq__:
            for method in ("__eq__", "__hash__"):  # those of C, since ten thousands of sizes are looked up
                setattr(cls, method, getattr(object, method))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._compared(self) == self._compared(other)

    def __hash__(self) -> int:
        return hash(self._compared(self))

    def __repr__(self) -> str:
        shown = [f"{field.name}={_brief(getattr(self, field.name))}" for field in fields(cast(Any, self)) if field.repr]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the form of this type, or what else the value has."""
        form = html_form(self)
        return {"text/html": form, "text/plain": repr(self)} if form else {}

    def __setattr__(self, name: str, value: Any) -> None:
        """Fields are set once, by the constructor."""
        held = self.__dict__
        if name in held or name not in self.__dataclass_fields__:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        held[name] = value

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")


def few_lines(text: str) -> str:
    r"""A text for a terminal: the first lines and the last ones of a long text, and how many are left out between them.

    Example:
        >>> few_lines("\n".join(map(str, range(1000)))).split("\n")[FIRST]
        '… 952 lines more; print(…) shows all'
    """
    lines = [line if len(line) <= LONGEST else line[: LONGEST - 1] + "…" for line in text.split("\n")]
    first, last = FIRST, LAST
    while first > 1 and len(lines) > first + last and sum(map(len, [*lines[:first], *lines[-last:]])) > MOST:
        first, last = first // 2, max(1, last // 2)
    if len(lines) <= first + last + 1:
        return "\n".join(lines)
    return "\n".join(
        [*lines[:first], f"… {len(lines) - first - last:,} lines more; print(…) shows all", *lines[-last:]]
    )


def literal(value: Any) -> str:
    """A value as Python writes it, also numbers that are not finite, whose own text is no expression.

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


def _brief(value: Any) -> str:
    """A field in a repr: of an array its sizes, of a long text its beginning."""
    if hasattr(value, "dtype") and hasattr(value, "shape") and not isinstance(value, type):
        sizes = " × ".join(map(str, value.shape))
        return f"<{value.dtype}, {sizes}>" if sizes else repr(value)
    text = repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _constructor(cls: type[Value]) -> Callable[..., None]:
    """The constructor of a dataclass, but setting fields in C: a plan makes ten thousands of values.

    A dataclass's own would go through `Value.__setattr__`, which takes twice the time and makes every value a dict.
    """
    known: dict[str, Any] = {"__put": object.__setattr__, "__absent": MISSING}
    first, named, lines = ["self"], ["*"], list[str]()
    for f in fields(cast(Any, cls)):
        default, value = "", f.name
        if f.default is not MISSING:
            known[f"__default_{f.name}"] = f.default
            default = f"=__default_{f.name}"
        elif f.default_factory is not MISSING:
            known[f"__make_{f.name}"] = f.default_factory
            default, value = "=__absent", f"__make_{f.name}() if {f.name} is __absent else {f.name}"
        elif not f.kw_only and "=" in first[-1]:
            raise TypeError(f"non-default argument {f.name!r} follows default argument")
        (named if f.kw_only else first).append(f.name + default)
        lines.append(f"__put(self, {f.name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    arguments = ", ".join([*first, *(named if len(named) > 1 else [])])
    exec(f"def __init__({arguments}):\n " + "\n ".join(lines or ["pass"]), known)
    init = known["__init__"]
    init.__qualname__, init.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    init.__annotations__ = {f.name: f.type for f in fields(cast(Any, cls))} | {"return": None}
    return init
