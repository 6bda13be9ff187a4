"""Tables that are wider than a phone are marked, and their cells say what they are."""

from docutils import nodes


def table(*rows):
    """A document with a table: its head and its rows."""

    def line(cells):
        return nodes.row("", *(nodes.entry("", *([nodes.paragraph(cell, cell)] if cell else [])) for cell in cells))

    head, *body = (line(cells) for cells in rows)
    group = nodes.tgroup("", nodes.thead("", head), nodes.tbody("", *body), cols=len(rows[0]))
    return nodes.section("", nodes.table("", group))


def test_a_table_that_fits_a_phone_stays_a_table(site):
    document = table(["name", "what it is"], ["net", "a value with many words that may be broken between them" * 3])
    before = document.pformat()
    site("cards").mark(document)
    assert document.pformat() == before


def test_the_cells_of_a_wide_table_have_the_names_of_their_columns(site):
    document = table(["theirs", "ours", "note"], ["a" * 30, "b" * 30, ""], ["c", "d", "e"])
    site("cards").mark(document)
    (found,) = document.findall(nodes.table)
    assert found["classes"] == ["nw-cards"]
    cells = [[cell.astext() for cell in row.findall(nodes.entry)] for row in document.findall(nodes.row)]
    assert cells == [["theirs", "ours", "note"], ["a" * 30, "ours" + "b" * 30, ""], ["c", "oursd", "notee"]]
    assert {tuple(label["classes"]) for label in document.findall(nodes.inline)} == {("nw-label",)}


def test_a_table_with_a_cell_over_two_columns_stays_a_table(site):
    document = table(["theirs", "ours"], ["a" * 80])
    site("cards").mark(document)
    assert not next(iter(document.findall(nodes.table)))["classes"]
