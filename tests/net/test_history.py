"""What a history is: entries in order, bounded, each a text in one line."""

import pickle

import pytest

from netwright.net.history import LONGEST, MOST, Entry, History


def numbered(kind: str, count: int) -> list[Entry]:
    return [Entry(kind, str(i)) for i in range(count)]


def test_an_entry_and_its_facts() -> None:
    entry = Entry("trained", "3 epochs", (("seed", "1"), ("data", "40 examples")), "body")
    assert entry["seed"] == "1"
    assert "data" in entry and "device" not in entry
    with pytest.raises(KeyError):
        entry["device"]
    assert str(entry) == "trained      body: 3 epochs"
    assert repr(entry) == "trained      body: 3 epochs\n  seed: 1\n  data: 40 examples"
    assert pickle.loads(pickle.dumps(entry)) == entry


def test_a_text_is_one_line_that_a_terminal_can_show() -> None:
    assert Entry("edit", "red\x1b[2J\nand more").text == "red\\x1b[2J and more"
    entry = Entry("edit", "x" * 5000, (("a\nb", "c\x00"),), "p\n")
    assert len(entry.text) == LONGEST
    assert entry.facts == (("a b", "c\\x00"),)
    assert entry.part == "p"


def test_a_history_has_its_entries_in_order() -> None:
    history = History().then(numbered("edit", 2)).then([Entry("trained", "all", part="body")])
    assert len(history) == 3 and history[-1].text == "all" and [entry.text for entry in history] == ["0", "1", "all"]
    assert repr(history) == "edit         0\nedit         1\ntrained      body: all"
    assert history == History(tuple(history)) and hash(history) == hash(History(tuple(history)))
    assert not History()


def test_the_oldest_edits_give_way() -> None:
    history = History().then([Entry("made", "Chain"), *numbered("edit", 5), Entry("trained", "first")])
    history = history.then(numbered("edit", MOST - 4))
    assert (len(history), history.left_out) == (MOST, 3)
    assert [entry.text for entry in history][:5] == ["Chain", "3", "4", "first", "0"]
    assert repr(history).startswith("(3 older entries are left out)\nmade         Chain\n")


def test_where_there_are_no_edits_the_oldest_entries_give_way() -> None:
    history = History()
    for entry in numbered("trained", MOST + 2):
        history = history.then([entry])
    assert (len(history), history.left_out, history[0].text) == (MOST, 2, "2")


def test_entries_of_a_part() -> None:
    history = History((Entry("made", "Chain"), Entry("edit", "delete 1", part="inner")))
    assert [entry.part for entry in history.below("body")] == ["body", "body/inner"]
