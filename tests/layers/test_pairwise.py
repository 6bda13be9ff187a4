"""Functions of two values beyond the table: their names, what they give, and which are refused."""

import pytest
import torch

import netwright as nw
from messages import message
from netwright.layers.pairwise import FUNCTIONS_OF_TWO


@pytest.mark.parametrize("name", FUNCTIONS_OF_TWO)
def test_names_and_functions_are_one(name: str) -> None:
    assert nw.Pairwise(FUNCTIONS_OF_TWO[name]) == nw.Pairwise(name)
    assert repr(nw.Pairwise(name)) == f"Pairwise({name!r})"


def test_a_comparison_is_1_or_0() -> None:
    assert nw.Pairwise("lt").bounds() == (0, 1)
    y = nw.Pairwise("lt")({"left": nw.batch([[1.0, 3.0]]), "right": nw.batch([[2.0, 2.0]])})
    assert y.tolist() == [[1.0, 0.0]] and y.dtype == torch.float32


def test_a_function_that_is_not_known() -> None:
    assert message(lambda: nw.Pairwise("minimun")) == (
        "this is not a known function of two values\n"
        "  where:    Pairwise\n"
        "  expected: sub, div, pow, remainder, maximum, minimum, atan2, hypot, logaddexp, lt, le, gt, ge, eq, ne\n"
        "  got:      'minimun'\n"
        "  mend:     did you mean 'minimum'?\n"
        "  or:       nw.Function(f, '…, … -> …') for one of your own"
    )
