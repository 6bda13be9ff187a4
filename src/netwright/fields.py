"""Checks fields of parts and codecs against their declared types; numpy's numbers become Python's."""

import functools
import inspect
import operator
import sys
import types
from collections import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Literal, ParamSpec, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from netwright import elsewhere
from netwright.errors import NetError, NetwrightError, shortened

P = ParamSpec("P")
R = TypeVar("R")
SEEDS = 2**63
LARGEST = int(sys.float_info.max)  # a whole number beyond it is no float

WORDS: dict[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text",
    types.NoneType: "None",
}


def checked(init: Callable[..., None]) -> Callable[..., None]:
    """A constructor that takes numpy's numbers for Python's, and refuses a field that is not of its declared type.

    An error that the class itself raises for a wrong value comes first, since it says more than a type.
    """

    @functools.wraps(init)
    def construct(self: Any, *args: Any, **named: Any) -> None:
        try:
            init(self, *map(plain, args), **{name: plain(value) for name, value in named.items()})
        except NetwrightError:
            raise
        except TypeError as error:
            refuse_call(init, type(self).__name__, (self, *args), named)
            check_fields(self)
            raise error
        except Exception:
            check_fields(self)  # the cause of the error, if it is a field
            raise
        check_fields(self)

    return construct


def at_least(least: int, value: object, name: str, where: str) -> None:
    """Raise NetError unless a value is a whole number of at least `least`; `name` says what the value is.

    Example:
        >>> at_least(1, 0, "the number of heads", "Attention")
        Traceback (most recent call last):
        netwright.errors.NetError: the number of heads is a whole number of at least 1
          where:    Attention
          got:      0
    """
    if type(value) is not int or value < least:
        raise NetError(what=f"{name} is a whole number of at least {least}", where=where, got=repr(value))


def expect_seed(seed: object, where: str) -> int:
    """A seed as a number: whole, at least 0 and below 2⁶³, which torch takes everywhere.

    Raises: NetError for anything else.

    Example:
        >>> expect_seed(-1, "initialize")
        Traceback (most recent call last):
        netwright.errors.NetError: a seed is a whole number, at least 0 and below 2⁶³
          where:    initialize
          got:      -1
    """
    try:
        number = operator.index(cast(Any, seed))
    except TypeError:
        number = -1
    if isinstance(seed, bool) or not 0 <= number < SEEDS:
        raise NetError(
            what="a seed is a whole number, at least 0 and below 2⁶³", where=where, got=shortened(repr(seed), 60)
        )
    return number


def with_known_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap a public function: a call that does not fit it is a NetError, which suggests the right argument."""

    @functools.wraps(function)
    def call(*args: P.args, **named: P.kwargs) -> R:
        refuse_call(function, function.__name__, args, named)
        return function(*args, **named)

    return call


def refuse_call(function: Callable[..., Any], name: str, args: Sequence[Any], named: Mapping[str, Any]) -> None:
    """Raise NetError where a call does not give what a function declares; `name` is how it is called."""
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **named)
        return
    except TypeError as error:
        fault = str(error)
    method = next(iter(signature.parameters), "") == "self"
    takes = [p for p in signature.parameters.values() if p.name != "self"]
    places = [p for p in takes if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    odd = next((key for key in named if key not in signature.parameters), "")
    given = list(args[1:] if method else args)
    mend = elsewhere.argument(odd, [p.name for p in takes], f"nw.{name}") if odd else ""
    if not odd and len(given) > len(places) and [p.name for p in places[:1]] == ["out"]:
        fewer = ", ".join(map(repr, given[1 : len(places) + 1]))
        mend = f"nw.{name}({fewer}): the size of the input follows from what comes before"
    raise NetError(
        what=f"{name} takes no {odd!r}" if odd else f"{name} cannot be called so: {fault}",
        where=name,
        expected=f"{name}({', '.join(_parameter(p) for p in takes)})",
        got=f"{odd}={named[odd]!r}" if odd else ", ".join(map(repr, given)),
        mend=mend or (),
    )


def _parameter(parameter: inspect.Parameter) -> str:
    return parameter.name if parameter.default is inspect.Parameter.empty else f"{parameter.name}=…"


def plain(value: Any) -> Any:
    """A number of numpy as Python's own, inside tuples and lists too."""
    if isinstance(value, np.generic):
        return value.item()
    if type(value) is tuple or type(value) is list:
        items = cast("list[Any] | tuple[Any, ...]", value)
        return type(items)(map(plain, items)) if items else items
    return value


def check_fields(value: Any) -> None:
    """Refuse the first field that is not of its declared type; a default is right by definition."""
    held = value.__dict__
    for name, hint, test, default in _declared(type(value)):
        if name in held and held[name] is not default and not test(held[name]):
            raise NetError(
                what=f"{name} of {type(value).__name__} cannot be this",
                where=type(value).__name__,
                expected=words(hint),
                got=f"{held[name]!r}, of type {type(held[name]).__name__}",
            )


@functools.cache
def _declared(cls: type) -> tuple[tuple[str, Any, Callable[[Any], bool], Any], ...]:
    """Each field with its type, the test of it and its default; a type that cannot be resolved is not checked."""
    own = fields(cast(Any, cls))
    hints: dict[str, Any] = {f.name: f.type for f in own}
    if any(isinstance(hint, str) for hint in hints.values()):
        try:
            hints = get_type_hints(cls)
        except Exception:  # names that only a type checker sees
            return ()
    return tuple((f.name, hints[f.name], test_of(hints[f.name]), f.default) for f in own)


def suits(value: object, hint: Any) -> bool:
    """Whether a value is of a declared type, as far as a value can tell."""
    return test_of(hint)(value)


def test_of(hint: Any) -> Callable[[Any], bool]:
    """The test of a declared type, for those who ask it of many values: reading a hint costs more than asking."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _any_of([test_of(one) for one in arguments])
    if origin is Literal:
        return lambda value: any(type(value) is type(one) and value == one for one in arguments)
    if origin is tuple:
        return _tuple_of(arguments)
    if origin is abc.Callable:
        return callable
    cls = origin or hint
    if cls is Any or not isinstance(cls, type):
        return lambda _: True
    return functools.partial(_is_a, cls)


def _any_of(tests: Sequence[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    return lambda value: any(test(value) for test in tests)


def _tuple_of(hints: tuple[Any, ...]) -> Callable[[Any], bool]:
    if not hints:
        return lambda value: isinstance(value, tuple)
    if hints[-1] is Ellipsis:
        each = test_of(hints[0])
        return lambda value: isinstance(value, tuple) and all(map(each, cast(tuple[Any, ...], value)))
    tests = [test_of(hint) for hint in hints]
    return lambda value: (
        isinstance(value, tuple)
        and len(cast(tuple[Any, ...], value)) == len(tests)
        and all(test(item) for test, item in zip(tests, cast(tuple[Any, ...], value), strict=True))
    )


def _is_a(cls: type, value: Any) -> bool:
    if isinstance(value, bool) and cls in (int, float):
        return False
    try:
        return isinstance(value, cls) or (cls is float and isinstance(value, int) and -LARGEST <= value <= LARGEST)
    except TypeError:  # a protocol that cannot be asked for at run time
        return True


def words(hint: Any) -> str:
    """A declared type in words.

    Example:
        >>> words(int | tuple[int, ...] | None)
        'a whole number, a tuple, or None'
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        *first, last = dict.fromkeys(words(one) for one in arguments)
        return f"{', '.join(first)}{',' if len(first) > 1 else ''} or {last}" if first else last
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if origin is abc.Callable:
        return "a function"
    cls = origin or hint
    if cls is tuple:
        return "a tuple"
    if cls in (abc.Iterable, abc.Sequence):
        return "a list"
    name = getattr(cls, "__name__", str(cls))
    return WORDS.get(cls) or ("FREE" if name == "Free" else f"a value of {name}")
