"""Drawings follow the theme of the site, and not only the system of the reader."""

import pytest

from netwright import Chain, draw, summary


def test_rules_for_a_dark_system_hold_in_the_dark_theme_and_not_in_the_light_one(site):
    markup = "<style>.a{x:1}@media (prefers-color-scheme:dark){:root,.a b{x:2}.c{y:3}}.d{z:4}</style><p>@media</p>"
    assert site("themed").themed(markup) == (
        "<style>.a{x:1}@media (prefers-color-scheme:dark){"
        "body:not([data-theme=light]),body:not([data-theme=light]) .a b{x:2}body:not([data-theme=light]) .c{y:3}}"
        "body[data-theme=dark],body[data-theme=dark] .a b{x:2}body[data-theme=dark] .c{y:3}.d{z:4}</style><p>@media</p>"
    )


def test_what_the_framework_draws_can_be_switched(site):
    net = Chain(3, input=2)
    for markup in (draw(net)._repr_svg_(), summary(net)._repr_html_()):
        themed = site("themed").themed(markup)
        assert themed.count("prefers-color-scheme") == markup.count("prefers-color-scheme")
        assert ("body[data-theme=dark]" in themed) is ("prefers-color-scheme" in markup)


def test_the_colours_of_a_figure_become_those_of_the_theme(site):
    mark = '<use style="fill-opacity: 0; stroke: #1f2328; stroke-width: 1.2"/><p>stroke: ink</p>'
    assert site("themed").themed(mark) == mark.replace("#1f2328", "var(--nw-ink)")


def test_a_brace_that_is_not_closed_is_an_error(site):
    with pytest.raises(ValueError, match=r"a brace is not closed: '\.a\{x:1\}"):
        site("themed").themed("<style>@media (prefers-color-scheme: dark) {.a{x:1}</style>")
