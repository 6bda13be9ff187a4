"""Marks the tables that are wider than a phone, so that site.css shows each of their rows as a card there."""

from docutils import nodes

PHONE = 364  # pixels that a table has on a screen of 390
LETTER, PADDING = 6.8, 16  # pixels of a letter of a table on a phone, and of the space beside a cell


def width(columns: list[list[str]]) -> float:
    """The least width of a table in pixels: the longest word of each column, which is not broken."""
    longest = (max((len(word) for cell in column for word in cell.split()), default=0) for column in columns)
    return sum(LETTER * letters + PADDING for letters in longest)


def mark(document: nodes.Element) -> None:
    """Give each wide table the class `nw-cards`, and its cells the names of their columns, which cards show."""
    for table in document.findall(nodes.table):
        heads = [cell.astext() for head in table.findall(nodes.thead) for cell in head.findall(nodes.entry)]
        rows = [row.children for body in table.findall(nodes.tbody) for row in body.findall(nodes.row)]
        if not heads or any(len(row) != len(heads) for row in rows):
            continue  # no head, or a cell that spans several
        columns = [[head, *(row[i].astext() for row in rows)] for i, head in enumerate(heads)]
        if width(columns) <= PHONE:
            continue
        table["classes"].append("nw-cards")
        for row in rows if len(heads) > 2 else []:  # of two columns, the second one needs no name
            for head, cell in list(zip(heads, row, strict=True))[1:]:
                first = cell.next_node(nodes.paragraph) if isinstance(cell, nodes.entry) else None
                if first is not None and cell.astext():
                    first.insert(0, nodes.inline("", head, classes=["nw-label"]))
