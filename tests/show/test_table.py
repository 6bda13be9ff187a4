"""Holds how tables of parts are laid out, as text and as HTML."""

from netwright.show.table import cell_text, html_table, text_table
from netwright.sizes.size import named

HEAD = ("path", "numbers")
DEPTHS, CELLS = [0, 1, 0], [("block", ""), ("block/conv", "1,234"), ("total", "1,234")]


def test_text_stands_at_the_left_and_numbers_at_the_right() -> None:
    assert text_table(HEAD, DEPTHS, CELLS, left=1) == [
        "path    numbers",
        "---------------",
        "block",
        "  conv    1,234",
        "---------------",
        "total     1,234",
    ]


def test_html_has_whole_paths_and_scopes_and_is_escaped() -> None:
    text = html_table("nw-x", HEAD, DEPTHS, [*CELLS[:2], ("<total>", "5 & 6")])
    assert text.startswith("<table class='nw-x'><thead><tr><th scope='col'>path</th>")
    assert "<th scope='row' style='padding-left:1.6em'>block/conv</th><td>1,234</td>" in text
    assert "&lt;total&gt;</th><td>5 &amp; 6</td>" in text


def test_what_is_not_known_is_a_question_mark() -> None:
    assert (cell_text(None), cell_text(1234), cell_text(2 * named("n"))) == ("?", "1,234", "2·n")
