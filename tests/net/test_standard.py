"""The parts that operators and shorthand stand for are there under their names."""

from typing import get_args

import netwright as nw
from netwright.net.node import PARTS
from netwright.net.standard import Standard, standard, standard_class


def test_every_standard_part_is_in_the_table() -> None:
    assert {*get_args(Standard)} <= PARTS.keys()


def test_standard_parts_are_those_of_the_layers() -> None:
    assert standard("Linear", 3) == nw.Linear(3)
    assert standard_class("Graph") is nw.Graph
