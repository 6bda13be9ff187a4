"""predict: one answer, many, their probabilities, as text and as JSON; and inputs that mean nothing."""

import json

import numpy as np
import pytest
import soundfile

import netwright as nw
from netwright.cli import main


def test_one_input(folder, capsys):
    assert main(["predict", "picture.net", "white.png"]) == 0
    assert capsys.readouterr() == ("7  99.98%\n", "")


def test_many_inputs(folder, capsys):
    assert main(["predict", "picture.net", "white.png", "black.png"]) == 0
    assert capsys.readouterr() == ("white.png\t7  99.98%\nblack.png\t7  62.25%\n", "")


def test_numbers_and_labels(folder, capsys):
    assert main(["predict", "number.net", "1.5", "-2"]) == 0
    assert main(["predict", "tags.net", "[1, 1]"]) == 0
    assert main(["predict", "tags.net", "[-1, -1]"]) == 0
    assert capsys.readouterr() == ("1.5\t4.0\n-2\t-3.0\na, b\nnone\n", "")


def test_a_net_of_texts_reads_every_input_as_a_text(folder, capsys):
    count = nw.Chain(nw.Embedding(1), nw.Sum(0), input=nw.Characters("123tuersx[]"), output=nw.Number(0, 1))
    nw.save(count.with_arrays({"embedding1/weight": [[1.0]] * 11}), "length.net")
    assert main(["predict", "length.net", "3", "true", "[1]", "x"]) == 0
    assert capsys.readouterr().out == "3\t1.0\ntrue\t4.0\n[1]\t3.0\nx\t1.0\n"


def test_predictions_as_json(folder, capsys):
    assert main(["predict", "--json", "picture.net", "white.png"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["input"], row["answer"]) == ("white.png", 7)
    assert row["probabilities"]["7"] == pytest.approx(0.99980, abs=1e-5)
    assert main(["predict", "--json", "number.net", "1"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"input": "1", "answer": 3.0}]


def test_the_most_probable_classes(folder, capsys):
    assert main(["predict", "picture.net", "black.png", "--top", "2"]) == 0
    assert main(["predict", "picture.net", "white.png", "black.png", "--top", "1"]) == 0
    assert capsys.readouterr() == (
        "7  62.25%, 3  37.75%\nwhite.png\t7  99.98%\nblack.png\t7  62.25%\n", ""
    )  # fmt: skip
    assert main(["predict", "picture.net", "black.png", "--top", "1", "--json"]) == 0
    ((name, chance),) = json.loads(capsys.readouterr().out)[0]["probabilities"].items()
    assert (name, chance) == ("7", pytest.approx(0.62246, abs=1e-5))


def test_the_most_probable_of_what_has_no_probabilities(folder, capsys):
    assert main(["predict", "number.net", "1", "--top", "2"]) == 1
    assert capsys.readouterr() == (
        "",
        "DataError: the answers of this net have no probabilities, so none is the most probable\n"
        "  where:    --top\n"
        "  expected: a net with one output whose decoder has labels, such as nw.Category(…)\n"
        "  got:      output: Number(0.0, 1.0)\n"
        "  mend:     leave --top out\n",
    )


def test_inputs_nested_too_deeply(folder, capsys):
    for depth in (65, 2000, 100_000):
        assert main(["predict", "tags.net", "[" * depth + "1" + "]" * depth]) == 1
        assert capsys.readouterr().err == (
            "DataError: the input is nested too deeply\n  expected: a number, or lists in at most 64 lists\n"
        )
    assert main(["predict", "picture.net", "x" * 5000]) == 1
    assert capsys.readouterr().err.startswith("DataError: this file cannot be read as a picture\n")


def test_a_sound(folder, capsys):
    waves = {"low.wav": np.full(40, 0.25), "high.wav": np.full(90, 0.75)}
    for name, wave in waves.items():
        soundfile.write(name, wave, 8000)
    net = nw.Chain(nw.GlobalAvgPool(), nw.Linear(1), nw.sigmoid, input=nw.Audio(8000, length="n"), output=nw.Boolean())
    nw.save(net.with_arrays({"linear1/weight": [[40.0]], "linear1/bias": [-20.0]}), "loud.net")
    assert main(["predict", "loud.net", *waves]) == 0
    assert capsys.readouterr().out == "low.wav\tFalse  >99.99%\nhigh.wav\tTrue  >99.99%\n"
    assert main(["predict", "loud.net", "lo.wav"]) == 1
    assert capsys.readouterr().err.startswith("DataError: there is no such file\n")
