"""The command line keeps data on stdout, words on stderr, and its exit codes."""

import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import netwright as nw
from netwright.cli import commands, demo, main
from netwright.codecs.labels import Labels
from netwright.codecs.number import Number
from netwright.show.pictures import png


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture = nw.Chain(nw.Flatten(), nw.Linear(2), nw.softmax, input=nw.Image(2, 2, "gray"), output=nw.Category([3, 7]))
    weight = [[0.0] * 4, [2.0] * 4]
    nw.save(picture.with_arrays({"linear1/weight": weight, "linear1/bias": [0.0, 0.5]}), "picture.net")
    number = nw.Chain(nw.Linear(1), input=Number(0, 1), output=Number(0, 1))
    nw.save(number.with_arrays({"linear1/weight": [[2.0]], "linear1/bias": [1.0]}), "number.net")
    tags = nw.Chain(nw.Linear(2), nw.Elementwise("sigmoid"), input=2, output=Labels(["a", "b"]))
    nw.save(tags.with_arrays({"linear1/weight": [[9.0, 0.0], [0.0, 9.0]], "linear1/bias": [0.0, 0.0]}), "tags.net")
    (tmp_path / "white.png").write_bytes(png(np.full((2, 2), 255, np.uint8)))
    (tmp_path / "black.png").write_bytes(png(np.zeros((2, 2), np.uint8)))
    return tmp_path


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


def test_predictions_as_json(folder, capsys):
    assert main(["predict", "--json", "picture.net", "white.png"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["input"], row["answer"]) == ("white.png", 7)
    assert row["probabilities"]["7"] == pytest.approx(0.99980, abs=1e-5)
    assert main(["predict", "--json", "number.net", "1"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"input": "1", "answer": 3.0}]


def test_show(folder, capsys):
    assert main(["show", "number.net"]) == 0
    net = nw.load("number.net")
    assert capsys.readouterr() == (f"{nw.summary(net)}\n\n{net.history}\n", "")
    assert main(["show", "number.net", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"] == 2


def test_a_plain_error_is_words_and_1(folder, capsys):
    assert main(["predict", "picture.net", "whit.png"]) == 1
    assert capsys.readouterr() == (
        "",
        "DataError: there is no such file\n  where:    row 0, whit.png\n  mend:     did you mean 'white.png'?\n",
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "netwright: error: the following arguments are required: command"),
        (["predict", "a.net"], "netwright predict: error: the following arguments are required: input"),
        (["demo", "--epochs", "0"], "netwright demo: error: argument --epochs: at least 1, not 0"),
    ],
)
def test_a_wrong_use_is_2(arguments, words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines()[-1] == words


def test_data(capsys):
    assert main(["data", "list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "mnist", "fashion-mnist", "digits", "wikipedia-sentences", "shakespeare", "english-french", "pokemon",
    ]  # fmt: skip
    assert main(["data", "get", "digits", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["name"], facts["train"], facts["test"]) == ("digits", 4000, 1000)
    assert main(["data", "get", "digits"]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == ["name       digits", "train      4,000", "test       1,000"]
    assert main(["data", "get", "digts"]) == 1
    assert capsys.readouterr().err.startswith("DataError: no data set is called 'digts'\n")


def test_the_demo_as_json_keeps_its_words_off_stdout(monkeypatch, capsys):
    epoch = SimpleNamespace(number=1, loss=0.5, validation={"error": 0.1})
    run = SimpleNamespace(seconds=2.0, best=1, epochs=[epoch], choices=[SimpleNamespace(name="loss", value="MSE()")])
    measured = SimpleNamespace(to_json=lambda: {"n": 3})

    def stand_in(epochs, folder, seed, say):
        say(f"{epochs} epochs into {folder}, seed {seed}")
        return run, measured

    monkeypatch.setattr(demo, "demo", stand_in)
    assert main(["demo", "--json", "--epochs", "2", "--seed", "5"]) == 0
    out, err = capsys.readouterr()
    assert err == "2 epochs into demo, seed 5\n"
    assert json.loads(out) == {
        "seconds": 2.0,
        "best": 1,
        "epochs": [{"number": 1, "loss": 0.5, "validation": {"error": 0.1}}],
        "choices": {"loss": "MSE()"},
        "n": 3,
    }


def test_an_interrupt_is_1(monkeypatch, capsys):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "_data_list", interrupted)
    assert main(["data", "list"]) == 1
    assert capsys.readouterr() == ("", "interrupted\n")


def test_whoever_stops_reading_sees_no_traceback():
    code = "import sys; from netwright.cli import main; sys.exit(main(['data', 'list', '--json']))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 1


def ran(*arguments, stdout=subprocess.PIPE, **environment):
    code = "import sys; from netwright.cli import main; sys.exit(main())"
    environment = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], stdout=stdout, stderr=subprocess.PIPE, env=environment
    )


@pytest.fixture
def words(folder):
    net = nw.Chain(nw.Linear(2), nw.softmax, input=1, output=nw.Category(["größer", "日本"]))
    nw.save(net.with_arrays({"linear1/weight": [[1.0], [-1.0]], "linear1/bias": [0.0, 0.0]}), "words.net")


def encoded(monkeypatch, encoding, *arguments):
    """A command with the streams of a program in a terminal of this encoding: exit code, stdout and stderr."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        code = main([*arguments])
        for stream in streams:
            stream.flush()
    return code, *(stream.buffer.getvalue() for stream in streams)


@pytest.mark.parametrize(("encoding", "word"), [("ascii", rb"gr\xf6\xdfer"), ("cp1252", b"gr\xf6\xdfer")])
def test_an_encoding_that_lacks_a_sign(words, monkeypatch, encoding, word):
    code, out, err = encoded(monkeypatch, encoding, "predict", "words.net", "[1]", "[-9]")
    assert (code, err) == (0, b"")
    assert word in out and rb"\u65e5\u672c" in out
    for command in (["show", "words.net"], ["data", "list"]):
        code, out, err = encoded(monkeypatch, encoding, *command)
        assert (code, err) == (0, b"") and out.decode(encoding)
    code, out, err = encoded(monkeypatch, encoding, "show", "größer.net")
    assert (code, out) == (1, b"") and b"where:    " + word + b".net" in err
    code, out, err = encoded(monkeypatch, encoding, "predict", "words.net", "[1]", "--json")
    assert (code, err) == (0, b"")
    assert set(json.loads(out)[0]["probabilities"]) == {"größer", "日本"}


def test_a_program_in_a_terminal_that_lacks_a_sign(words):
    done = ran("predict", "words.net", "[-9]", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u65e5\u672c" in done.stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_words_and_1(folder):
    with open("/dev/full", "wb") as full:
        done = ran("data", "list", stdout=full)
    assert (done.returncode, done.stderr) == (1, b"the output: No space left on device\n")


def test_inputs_nested_too_deeply(folder, capsys):
    for depth in (65, 2000, 100_000):
        assert main(["predict", "tags.net", "[" * depth + "1" + "]" * depth]) == 1
        assert capsys.readouterr().err == (
            "DataError: the input is nested too deeply\n  expected: a number, or lists in at most 64 lists\n"
        )
    assert main(["predict", "picture.net", "x" * 5000]) == 1
    assert capsys.readouterr().err.startswith("DataError: this file cannot be read as a picture\n")


def test_a_folder_that_cannot_be_written(folder, capsys, monkeypatch):
    def refused(options):
        raise PermissionError(13, "Permission denied", "demo")

    monkeypatch.setattr(commands, "_demo", refused)
    assert main(["demo"]) == 1
    assert capsys.readouterr() == ("", "demo: Permission denied\n")


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
