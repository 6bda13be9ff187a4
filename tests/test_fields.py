"""Fields as they are declared: numpy's numbers become Python's, other types are refused where a value is made."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import NetError, NetwrightError, TrainingError
from netwright.fields import at_least, plain, suits, with_known_arguments, words

if TYPE_CHECKING:
    from collections.abc import Sized


def test_numpys_numbers_are_pythons(tmp_path):
    net = nw.Chain(nw.Linear(np.int64(3), bias=np.bool_(True)), nw.Dropout(np.float32(0.5)), input=4)
    assert net == nw.Chain(nw.Linear(3), nw.Dropout(0.5), input=4)
    nw.save(net, tmp_path / "a.net")
    assert nw.load(tmp_path / "a.net") == net
    assert type(net["linear1"].out) is int
    made = nw.Repeat(np.int64(2), 3), nw.Parameter(np.int64(4)), nw.Mean(np.int64(0)), nw.Mean((np.int64(0), 1))
    assert list(map(repr, made)) == ["Repeat(2, Linear(3))", "Parameter(4)", "Mean(0)", "Mean((0, 1))"]
    assert repr(nw.Number(np.float32(1), np.float64(2))) == "Number(1.0, 2.0)"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: nw.Linear(2.0), "out of Linear|Linear|a whole number or FREE|2.0, of type float"),
        (lambda: nw.Linear(True), "out of Linear|Linear|a whole number or FREE|True, of type bool"),
        (lambda: nw.Linear(3, bias=1), "bias of Linear|Linear|True or False|1, of type int"),
        (lambda: nw.Dropout("a"), "rate of Dropout|Dropout|a number|'a', of type str"),
        (lambda: nw.Category(5), "labels of Category|Category|a list or FREE|5, of type int"),
        (
            lambda: nw.Chain(3, input=3.5),
            "sizes of Array|Array|a text, a whole number, or a tuple|3.5, of type float",
        ),
    ],
)
def test_another_type_is_refused(make: Callable[[], Any], text: str):
    field, where, expected, got = text.split("|")
    with pytest.raises(nw.NetError) as error:
        make()
    assert str(error.value) == f"{field} cannot be this\n  where:    {where}\n  expected: {expected}\n  got:      {got}"


@pytest.mark.parametrize("value", [0, 1.5, True, "2", None])
def test_a_whole_number_of_at_least_one(value):
    at_least(1, 1, "the size", "Part")
    with pytest.raises(nw.NetError) as error:
        at_least(1, value, "the size", "Part")
    assert str(error.value) == (f"the size is a whole number of at least 1\n  where:    Part\n  got:      {value!r}")


def test_what_a_class_itself_says_comes_first():
    with pytest.raises(nw.NetError, match="the number of copies is a whole number of at least 1"):
        nw.Repeat(2.5, 3)


def test_a_fault_that_is_no_fields_stays_what_it_is():
    class Raising(nw.Leaf):
        size: int
        ports = "... -> ..."

        def __post_init__(self) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Raising(3)


class Quiet(Protocol):
    def hush(self) -> None: ...


def test_unusual_annotations_break_nothing():
    class Odd(nw.Leaf):
        a: "Sized"  # no such name at run time
        ports = "... -> ..."

        def forward(self, w: Any, x: torch.Tensor) -> torch.Tensor:
            return x

    class Odder(nw.Leaf):
        b: Quiet
        c: "int" = None  # type: ignore[assignment]  # a default is right by definition
        ports = "... -> ..."

    assert Odd(3).a == 3
    assert (Odder("x").b, Odder("x").c) == ("x", None)
    with pytest.raises(nw.NetError, match="c of Odder cannot be this"):
        Odder("x", 2.5)


def test_plain():
    assert plain((np.int64(1), [np.float64(2)], "a")) == (1, [2.0], "a")
    assert type(plain(np.float32(0.5))) is float
    array = np.zeros(2)
    assert plain(array) is array


@pytest.mark.parametrize(
    ("value", "hint", "answer"),
    [
        (1, float, True),
        (10**400, float, False),
        (True, int, False),
        (1, bool, False),
        (None, int | None, True),
        ((1, 2), tuple[int, ...], True),
        ((1, 2.0), tuple[int, ...], False),
        ((1, "a"), tuple[int, str], True),
        ((1,), tuple[int, str], False),
        ("a", Literal["a", 1], True),
        (True, Literal["a", 1], False),
        (len, Callable[..., Any], True),
        (3, Callable[..., Any], False),
        ([1], list[int], True),
        (3, "int", True),
        (3, Quiet, True),
    ],
)
def test_suits(value: object, hint: Any, answer: bool):
    assert suits(value, hint) is answer


def test_words():
    assert words(Literal["a", "b"] | Callable[..., Any]) == "'a' or 'b' or a function"
    assert words(torch.Tensor) == "a value of Tensor"


def test_a_function_with_known_arguments() -> None:
    @with_known_arguments
    def halved(value: float, *, rate: float = 0.5) -> float:
        """A half."""
        return value * rate

    assert (halved(4), halved.__doc__) == (2, "A half.")
    with pytest.raises(NetError) as caught:
        halved(4, p=0.5)  # pyright: ignore[reportCallIssue]
    assert caught.value.what == "halved takes no 'p'" and caught.value.mend == ("nw.halved(rate=…)",)


SEEDED = {
    "initialize": lambda seed: nw.initialize(SMALL, seed=seed),
    "adapt": lambda seed: nw.adapt(FILLED, nw.Linear, seed=seed),
    "seed": lambda seed: FILLED([1.0], training=True, seed=seed),
    "apply": lambda seed: nw.apply(FILLED, {}, torch.ones(1, 1), training=True, seed=seed),
    "split": lambda seed: nw.split([1, 2, 3], seed=seed),
    "Sample": lambda seed: nw.Sample(seed=seed),
    "contact_sheet": lambda seed: nw.contact_sheet(nw.Image(2, 2), [], seed=seed),
    "plot.loss_surface": lambda seed: nw.plot.loss_surface(FILLED, ([[1.0]], [2.0]), seed=seed),
    "train": lambda seed: nw.train(SMALL, ([[1.0]], [[2.0]]), epochs=1, progress=False, seed=seed),
    "descend": lambda seed: nw.descend(lambda w: (w**2).sum(), [1.0], 0.1, seed=seed),
}
SMALL = nw.Chain(2, input=1)
FILLED = nw.initialize(SMALL)


@pytest.mark.parametrize("name", SEEDED)
@pytest.mark.parametrize("seed", [-1, 2.0, "7", True, 2**63, float("nan"), [1]])
def test_a_seed_that_is_none(name: str, seed: object) -> None:
    with pytest.raises(NetwrightError) as caught:
        SEEDED[name](seed)
    if name != "Sample" or type(seed) is int:  # of a field the type is told
        where = "seed" if name in ("train", "descend") else name
        assert str(caught.value) == (
            f"a seed is a whole number, at least 0 and below 2⁶³\n  where:    {where}\n  got:      {seed!r}"
        )
    assert isinstance(caught.value, TrainingError) == (name in ("train", "descend"))


def test_a_seed_of_numpy_is_the_same_seed() -> None:
    assert nw.initialize(SMALL, seed=np.int64(3)) == nw.initialize(SMALL, seed=3)
    assert nw.initialize(SMALL, seed=2**63 - 1) != nw.initialize(SMALL, seed=3)
