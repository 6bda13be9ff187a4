"""A difference is a value: it is compared, printed as a list and shown as a table."""

import pytest

import netwright as nw
from netwright.changes.difference import path_after, side_text

BEFORE = nw.initialize(nw.Chain(3, nw.relu, nw.Linear(), input=2, output=nw.Category(["<a>", "b"])))
AFTER = BEFORE.insert("linear2", nw.Dropout(0.3)).with_output(nw.Category(["<a>", "b", "c"]))


def test_it_is_compared_by_what_it_says() -> None:
    assert nw.diff(BEFORE, AFTER) == nw.diff(BEFORE, AFTER)
    assert nw.diff(BEFORE, AFTER) != nw.diff(AFTER, BEFORE)
    other = BEFORE.with_arrays({"linear1/bias": [1.0, 2.0, 3.0]})
    assert nw.diff(BEFORE, other) == nw.diff(BEFORE.with_arrays(BEFORE.arrays), other)
    assert nw.diff(BEFORE, other) != nw.diff(BEFORE, BEFORE.with_arrays({"linear1/bias": [1.0, 2.0, 4.0]}))


def test_the_table() -> None:
    shown = nw.diff(BEFORE, AFTER)._repr_html_()
    assert shown.startswith("<div class='nw-diff'><style>")
    assert (
        "<tr class='plus'><th scope='row'>added</th><td>dropout1</td><td>Dropout(0.3), reads relu1</td></tr>" in shown
    )
    assert "&lt;a&gt;" in shown and "<a>" not in shown
    assert "#fff" not in shown and "color:inherit" in shown  # the page's own colours, light or dark
    assert shown.endswith("<p>kept: 2 arrays</p></div>")
    assert nw.diff(BEFORE, BEFORE)._repr_html_() == "<div class='nw-diff'><p>the nets are equal</p></div>"


def test_as_json() -> None:
    assert nw.diff(BEFORE, BEFORE).to_json() == {"equal": True, "rows": [], "kept": 4}
    found = nw.diff(BEFORE, BEFORE.replace("relu1", nw.Dropout(0.1))).to_json()
    assert found == {
        "equal": False,
        "rows": [{"what": "replaced", "where": "relu1", "how": "relu -> Dropout(0.1)"}],
        "kept": 4,
    }


def test_long_values_begin_where_they_differ() -> None:
    labels = [f"label{i}" for i in range(200)]
    net = nw.Chain(nw.Linear(), input=2, output=nw.Category(labels))
    other = net.with_output(nw.Category([*labels[:150], "another", *labels[151:]]))
    assert str(nw.diff(net, other)) == (
        "decoder   output.labels  …l148', 'label149', 'label150', 'label151', 'label152', 'la… -> "
        "…l148', 'label149', 'another', 'label151', 'label152', 'lab…"
    )


def test_ports_and_places_of_graphs() -> None:
    one = nw.Graph(a=(nw.Linear(2), "x"), b=(nw.Linear(2), "y"), c=(nw.Add(), "a", "b"), input={"x": 2, "y": 2})
    two = nw.Graph(
        a=(nw.Linear(2), "x"), b=("a", "y"), c=(nw.Add(), "a", "b"), outputs=["c", "b"], input={"x": 2, "y": 2}
    )
    assert str(nw.diff(one, two)) == (
        "rewired   b  y -> y (arrays of a)\nrewired   the net  outputs: c -> c = c, b = b"
    )
    assert nw.patch(one, nw.diff(one, two)) == two
    three = nw.Graph(a=(nw.Linear(2), "x"), b=(nw.Linear(2), "x"), c=(nw.Add(), "a", "b"), input={"x": 2})
    assert str(nw.diff(one, three)) == (
        "rewired   b  y -> x\nrewired   the net  inputs: x, y -> x\nencoder   y  Array('2') -> None"
    )


def test_paths_by_the_new_names() -> None:
    assert path_after("a/b/c", {"a": "x", "a/b": "y"}) == "x/y/c"
    assert path_after("", {}) == ""


@pytest.mark.parametrize(
    ("after", "place", "text"),
    [
        (BEFORE.replace("relu1", nw.tanh), "relu1.function", "'tanh'"),
        (BEFORE.rename("relu1", "act"), "name of relu1", "'act'"),
        (BEFORE.replace("relu1", nw.Dropout(0.1)), "relu1", "Dropout(0.1)"),
        (BEFORE.with_input(nw.Vector(2)), "encoder input", "Vector(2)"),
        (BEFORE.replace("linear1", nw.Shared("s", BEFORE["linear1"])), "shared of linear1", "'s'"),
        (nw.Linear(3), "the net", "Linear(3)"),
    ],
)
def test_a_change_in_a_few_words(after: nw.Net, place: str, text: str) -> None:
    change = next(change for change in nw.diff(BEFORE, after).places if change.kind != "reads")
    assert (change.place, side_text(change)) == (place, text)
