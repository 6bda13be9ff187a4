"""What paths and patterns name inside a net."""

import netwright as nw
from inside.nets import classifier, language
from messages import message
from netwright.inside.locations import (
    array_locations,
    few_of,
    find_locations,
    input_locations,
    output_locations,
    part_locations,
)


def names(text: str | list[str], net: nw.Net) -> list[str]:
    plan = net.plan
    known = [*input_locations(plan), *array_locations(plan), *part_locations(plan)]
    return [location.name for location in find_locations(text, known, "here").found]


def test_a_path_an_array_and_a_port_are_named_by_themselves() -> None:
    net = classifier()
    assert names("linear1", net) == ["linear1"]
    assert names(["linear1/weight", "input", "linear1/weight"], net) == ["linear1/weight", "input"]
    assert [location.name for location in output_locations(net.plan)] == ["output"]
    assert [location.name for location in array_locations(net.plan, ("running",))] == []


def test_a_pattern_names_the_outermost_parts() -> None:
    net = language()
    assert names("blocks/*", net) == ["blocks/1", "blocks/2", "blocks/3"]
    assert names("*", classifier()) == ["input", "linear1", "tanh1", "linear2", "softmax1"]
    assert names("linear*", classifier()) == ["linear1", "linear2"]
    assert names("*/bias", classifier()) == ["linear1/bias", "linear2/bias"]


def test_a_part_with_several_outputs_has_a_name_for_each() -> None:
    net = nw.Chain(a=nw.LSTM(2), input=("n", 3))
    assert names("a", net) == ["a.output", "a.hidden", "a.cell"]
    assert names("a.cell", net) == ["a.cell"]


def test_one_name_is_alone_and_is_required() -> None:
    known = part_locations(classifier().plan)
    one, several = find_locations("linear1", known, "here"), find_locations(["linear1", "tanh*"], known, "here")
    assert (one.alone, one.required) == (True, {"linear1"})
    assert (several.alone, several.required) == (False, {"linear1"})
    assert not find_locations("tanh*", known, "here").alone
    cells = part_locations(nw.Chain(a=nw.LSTM(2), input=("n", 3)).plan)
    assert find_locations("a", cells, "here").required == set()
    assert find_locations("a.cell", cells, "here").required == {"a.cell"}


def test_what_names_nothing_is_refused() -> None:
    known = part_locations(classifier().plan)
    assert message(find_locations, "liner1", known, "gradients") == (
        "nothing in this net is called 'liner1'\n"
        "  where:    gradients\n"
        "  expected: one of 4: linear1, tanh1, linear2, softmax1\n"
        "  mend:     did you mean 'linear1'?"
    )
    assert message(find_locations, "conv*", known, "walk") == (
        "nothing in this net has a path like 'conv*'\n"
        "  where:    walk\n"
        "  expected: one of 4: linear1, tanh1, linear2, softmax1"
    )
    assert message(find_locations, 3, known, "walk") == (
        "places inside a net are given by their paths\n"
        "  where:    walk\n"
        "  expected: a path, a pattern such as 'conv*', or a list of these\n"
        "  got:      3 of type int"
    )
    assert message(find_locations, [], known, "walk") == (
        "places inside a net are given by their paths\n"
        "  where:    walk\n"
        "  expected: a path, a pattern such as 'conv*', or a list of these\n"
        "  got:      an empty list"
    )


def test_few_names_are_shown() -> None:
    assert few_of(map(str, range(8))) == "0, 1, 2, 3, 4, 5 and 2 more"
