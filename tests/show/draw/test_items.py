"""Items say where edges meet them."""

from netwright.show.draw.items import Edge, Item


def test_edges_meet_an_item_in_its_middle_or_where_it_says() -> None:
    item = Item("a", 100, 40, 20, ins={"memory": 30}, outs={"state": 35})
    assert (item.enters("input"), item.enters("memory")) == (20, 30)
    assert (item.leaves("output"), item.leaves("state")) == (20, 35)


def test_edges_of_one_value_have_one_source() -> None:
    assert Edge("a", "x", "b", "one").source == Edge("a", "x", "c").source == ("a", "x")
