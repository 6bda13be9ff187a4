"""A level is a value: its calls, what they read, and the part of each."""

import netwright as nw


def test_a_level_says_what_reads_what() -> None:
    level = nw.Residual(nw.Linear(3)).level
    assert level.inputs == ("input",)
    assert [call.name for call in level.calls] == ["body", "add"]
    assert [maker for _, (maker, _) in level.calls[1].reads] == ["", "body"]
    assert [maker for _, (maker, _) in level.outputs] == ["add"]


def test_a_part_is_found_by_its_name() -> None:
    level = nw.Chain(nw.Linear(3), nw.relu).level
    assert level.part("relu1") == nw.relu
    assert level.part("other") is None
