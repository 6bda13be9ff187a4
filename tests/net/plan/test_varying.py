"""Sizes that vary are refused where they cannot be borne, at the part that made them."""

from collections.abc import Mapping

import pytest
from torch import Tensor

import netwright as nw
from netwright.errors import SizeError


def test_an_array_of_varying_size_is_refused_where_the_length_was_made() -> None:
    with pytest.raises(SizeError) as caught:
        nw.Chain(nw.relu, nw.Flatten(), nw.relu, 3, input=("n", 3))
    assert caught.value.where == "relu1 -> flatten1"


def test_a_leaf_that_is_not_told_lengths_is_refused() -> None:
    class Untold(nw.Leaf):
        """Mixes positions, and says nothing of where examples end."""

        ports = "n d -> n d"

        def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
            return x

    with pytest.raises(SizeError, match="untold1 does not take the lengths of examples, and its input varies in n"):
        nw.Chain(Untold(), input=("n", 3))


def test_what_varies_within_an_axis_is_for_a_map() -> None:
    with pytest.raises(SizeError, match="conv1 mixes along m, which differs from element to element of n"):
        nw.Chain(nw.Conv(2, (3, 3)), input=nw.Array("n m[n] 3"))
    assert nw.Chain(nw.Map(nw.Conv(2, (3,))), input=nw.Array("n m[n] 3")).plan.outputs
