"""A sequence that a net made, and a piece of one, print as what they say."""

import netwright as nw
from netwright.generate.generated import Generated, Piece


def test_they_print_as_what_they_say() -> None:
    made = Generated("abc", (-0.5, -0.25), "stop")
    assert (str(made), made.ended) == ("abc", "stop")
    assert str(Piece(("x", "y"), (-0.5,))) == "('x', 'y')"


def test_a_list_of_prompts_gives_a_list_and_one_prompt_one_sequence() -> None:
    net = nw.Chain(nw.Embedding(4), nw.GRU(4), nw.Linear(), nw.softmax)
    net = nw.train(net, ["ab"] * 8, objective=nw.NextElement(), epochs=1, progress=False).net
    one, several = nw.generate(net, "a", max_elements=3), nw.generate(net, ["a", "b"], max_elements=3)
    assert isinstance(one, Generated)
    assert [type(each) for each in several] == [Generated, Generated]
    assert several[0].value == one.value
