"""A leaf done piece by piece: what it remembers is ports."""

import pytest
import torch

import netwright as nw
from netwright.errors import NetError
from netwright.stepping.step import Begin, Step


def test_its_ports_are_the_leaf_s_and_its_memory() -> None:
    step = Step(nw.Conv(4, (3,), padding="causal"))
    assert step.input_names == ("input", "past")
    assert step.optional_names == ("past",)
    assert step.output_names == ("output", "past")
    assert eval(repr(step), {**vars(nw), "netwright": nw}) == step


def test_pieces_give_what_the_whole_gives() -> None:
    leaf = nw.Conv(4, (3,), padding="causal")
    step = nw.initialize(Step(leaf).with_input(("n", 2)))
    whole = nw.Chain(conv=leaf, input=("n", 2)).with_arrays({f"conv/{k}": v for k, v in step.arrays.items()})
    x = torch.randn(7, 2)
    state: dict[str, torch.Tensor] = {}
    pieces = []
    for piece in x.split(2):
        found = step({"input": piece, **state})
        pieces.append(found["output"])
        state = {"past": found["past"]}
    torch.testing.assert_close(torch.cat(pieces), whole(x))


def test_what_cannot_step_says_so() -> None:
    with pytest.raises(NetError) as caught:
        Step(nw.Reverse())
    assert str(caught.value) == (
        "this part cannot step: it sees later elements, or does not declare its memory\n"
        "  where:    Step\n"
        "  got:      Reverse()\n"
        "  mend:     nw.unfold(net), which wraps the parts that need it"
    )


def test_what_is_not_among_the_public_names_prints_with_its_module() -> None:
    assert repr(Begin()) == "netwright.stepping.step.Begin()"
    assert not hasattr(nw, "Begin")
    assert repr(nw.Linear(2)) == "Linear(2)"
