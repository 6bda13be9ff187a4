"""A value is frozen, compared by its fields, printed like a dataclass, and one to the standard library."""

import inspect
from dataclasses import FrozenInstanceError, field, fields, replace

import numpy as np
import pytest

from netwright.value import FIRST, LAST, LONGEST, Value, few_lines, literal


class Point(Value):
    """Two fields, one with a default."""

    x: int
    y: list[int] = field(default_factory=list[int])


class Place(Value):
    """A field that is neither compared nor shown."""

    name: str
    seen: int = field(default=0, compare=False, repr=False)


class Empty(Value):
    """No fields."""


class Other(Value):
    """No fields either."""


class Held(Value, eq=False):
    """Equal only to itself."""

    x: int


class Named(Value, kw_only=True):
    """Given by name alone."""

    x: int


class Deep(Point):
    """The fields of what it is derived from come first."""

    z: int = 3


def test_the_constructor_of_a_dataclass() -> None:
    assert (Point(1).x, Point(1).y) == (1, [])
    assert Point(1).y is not Point(1).y
    assert [field.name for field in fields(Deep(1))] == ["x", "y", "z"]
    assert replace(Deep(1), z=4) == Deep(1, z=4)
    with pytest.raises(TypeError):
        Named(1)  # pyright: ignore[reportCallIssue]


def test_the_constructor_says_what_it_takes() -> None:
    class Late(Value):
        put: int  # as what the constructor itself needs might be called
        absent: int = 2
        made: list[int] = field(default_factory=list[int], kw_only=True)

        def __post_init__(self) -> None:
            object.__setattr__(self, "absent", self.absent + 1)

    assert str(inspect.signature(Late)).startswith("(put: int, absent: int = 2, *, made: list[int] = ")
    assert repr(Late(1, made=[3])).endswith("Late(put=1, absent=3, made=[3])")
    with pytest.raises(TypeError, match=r"Late\.__init__\(\) missing 1 required positional argument: 'put'"):
        Late()  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="non-default argument 'y' follows default argument"):
        type("Wrong", (Value,), {"__annotations__": {"x": int, "y": int}, "x": 1})


def test_compared_by_fields() -> None:
    assert Point(1, [2]) == Point(1, [2])
    assert Point(1, [2]) != Point(1, [3])
    assert Place("a", 1) == Place("a", 2)
    assert hash(Place("a", 1)) == hash(Place("a", 2))
    assert Empty() == Empty()
    assert hash(Empty()) == hash(Empty())


def test_other_classes_are_never_equal() -> None:
    assert Empty() != Other()
    assert Point(1) != Deep(1)
    assert Named(x=1) != 1


def test_what_is_not_compared_is_equal_to_itself() -> None:
    one = Held(1)
    assert one == one
    assert one != Held(1)
    assert len({one, Held(1), one}) == 2


def test_printed_like_a_dataclass() -> None:
    assert repr(Point(1, [2])) == "Point(x=1, y=[2])"
    assert repr(Place("a")) == "Place(name='a')"
    assert repr(Empty()) == "Empty()"


def test_frozen() -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'other'"):
        point.other = 2  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    assert point == Point(1)


def test_a_literal_is_python_whatever_the_number() -> None:
    assert literal((1.5, "a", (float("inf"),), ())) == "(1.5, 'a', (float('inf'),), ())"
    assert str(eval(literal((float("nan"), -float("inf"), None)))) == "(nan, -inf, None)"


def test_a_long_text_keeps_its_ends():
    assert few_lines("a\nb") == "a\nb"
    lines = few_lines("\n".join(map(str, range(200)))).split("\n")
    assert lines[:2] == ["0", "1"] and lines[-1] == "199"
    assert lines[FIRST] == f"… {200 - FIRST - LAST} lines more; print(…) shows all"
    wide = few_lines("\n".join(["x" * 2000] * 100))
    assert len(wide) < 4000 + LONGEST and "lines more" in wide


def test_a_repr_has_the_sizes_of_arrays_and_the_beginning_of_long_texts():
    class Large(Value):
        array: object
        text: object

    shown = repr(Large(np.zeros((3, 4), np.float32), "y" * 5000))
    assert shown.startswith("test_a_repr") and "array=<float32, 3 × 4>" in shown and len(shown) < 800
    assert repr(Large(np.float64(2.5), 1)).endswith("Large(array=np.float64(2.5), text=1)")
