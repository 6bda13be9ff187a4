"""show, check, diff and merge of saved nets, as text and as JSON, with their exit codes."""

import json

import pytest

import netwright as nw
from netwright.cli import main


def test_show(folder, capsys):
    assert main(["show", "number.net"]) == 0
    net = nw.load("number.net")
    assert capsys.readouterr() == (f"{nw.summary(net)}\n\n{net.history}\n", "")
    assert main(["show", "number.net", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"] == 2


@pytest.fixture
def fork(tmp_path, monkeypatch):
    """Three files: a net, and two edits of it."""
    monkeypatch.chdir(tmp_path)
    base = nw.initialize(nw.Chain(nw.Linear(3), nw.Dropout(0.5), nw.Linear(2), input=4))
    nw.save(base, "base.net")
    nw.save(base.rename("linear1", "dense"), "mine.net")
    nw.save(base.replace("dropout1", nw.Dropout(0.2)), "theirs.net")
    nw.save(base.replace("dropout1", nw.Dropout(0.3)), "other.net")
    return tmp_path


def test_diff(fork, capsys):
    assert main(["diff", "base.net", "theirs.net"]) == 0
    assert main(["diff", "base.net", "base.net"]) == 0
    words = "option    dropout1.rate  0.5 -> 0.2\nkept      4 arrays\nthe nets are equal\n"
    assert capsys.readouterr() == (words, "")
    assert main(["diff", "--json", "base.net", "theirs.net"]) == 0
    row = {"what": "option", "where": "dropout1.rate", "how": "0.5 -> 0.2"}
    assert json.loads(capsys.readouterr().out) == {"equal": False, "rows": [row], "kept": 4}
    assert main(["diff", "base.net", "nowhere.net"]) == 1
    assert capsys.readouterr().err.startswith("FileError: there is no such file\n  where:    nowhere.net\n")


def test_merge(fork, capsys):
    assert main(["merge", "base.net", "mine.net", "theirs.net", "-o", "out.net"]) == 0
    assert capsys.readouterr() == ("option    dropout1.rate  0.5 -> 0.2\nkept      4 arrays\n", "")
    sides = (nw.load(f"{name}.net") for name in ("base", "mine", "theirs"))
    assert nw.load("out.net") == nw.merge(*sides)
    assert main(["merge", "--json", "base.net", "mine.net", "mine.net", "-o", "mine.net"]) == 0
    assert json.loads(capsys.readouterr().out) == {"equal": True, "rows": [], "kept": 4}


def test_a_conflict_is_named_and_nothing_is_written(fork, capsys):
    before = (fork / "theirs.net").read_bytes()
    assert main(["merge", "base.net", "theirs.net", "other.net", "-o", "theirs.net"]) == 1
    assert capsys.readouterr() == (
        "",
        "NetError: the two nets change 1 place differently\n"
        "  where:    dropout1.rate: 0.2 in mine, 0.3 in theirs, 0.5 in base\n"
        "  mend:     give both nets the same at each of these places, or change it in one of them only\n",
    )
    assert (fork / "theirs.net").read_bytes() == before


class AllTheSame(nw.Leaf):
    """Subtracts the mean over positions, padding and all, yet says that padding changes nothing."""

    ports = "n d -> n d"
    ignores_padding = True

    def forward(self, w, x):
        return x - x.mean(1, keepdim=True)


def test_check(folder, capsys):
    assert main(["check", "number.net"]) == 0
    assert capsys.readouterr() == (f"{nw.check(nw.load('number.net'))}\n", "")
    assert main(["check", "number.net", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["holds"] and found["tried"] == "4 random examples"
    assert found["findings"][0] == {
        "law": "2 sizes", "verdict": "shown", "place": "", "text": "1 value has the sizes that were solved",
    }  # fmt: skip


def test_a_law_that_fails_is_1(folder, capsys):
    nw.save(nw.Chain(nw.Linear(3), AllTheSame(), input=("n", 2)), "wrong.net")
    assert main(["check", "wrong.net"]) == 1
    out, err = capsys.readouterr()
    assert "law 3 batches: FAILED at allthesame1" in out and err == ""
