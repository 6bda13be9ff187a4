"""data list and data get."""

import json

from netwright.cli import main


def test_data(capsys):
    assert main(["data", "list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "mnist", "fashion-mnist", "digits", "wikipedia-sentences", "shakespeare", "english-french", "pokemon",
        "titanic", "nuclei",
    ]  # fmt: skip
    assert main(["data", "get", "digits", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["name"], facts["train"], facts["test"]) == ("digits", 4000, 1000)
    assert main(["data", "get", "digits"]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == ["name       digits", "train      4,000", "test       1,000"]
    assert main(["data", "get", "digts"]) == 1
    assert capsys.readouterr().err.startswith("DataError: no data set is called 'digts'\n")
