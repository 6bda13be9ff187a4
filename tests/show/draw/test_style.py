"""Every colour of a drawing is defined on a light page and on a dark one, by the system and by the page."""

import re

from netwright.show.draw.style import COLOURS, STYLE


def test_every_family_has_four_colours_and_a_rule() -> None:
    assert all(len(colours) == 4 for colours in COLOURS.values())
    for name, (light, light_edge, dark, dark_edge) in COLOURS.items():
        assert STYLE.count(f"--{name}:{light};--{name}-e:{light_edge}") == 2
        assert STYLE.count(f"--{name}:{dark};--{name}-e:{dark_edge}") == 2
        assert f".nw-net .{name}{{fill:var(--{name});stroke:var(--{name}-e)}}" in STYLE


def test_every_variable_that_is_used_is_defined_four_times() -> None:
    for name in set(re.findall(r"var\((--[\w-]+)\)", STYLE)):
        assert STYLE.count(f"{name}:") == 4
