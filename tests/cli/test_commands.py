"""The command line keeps data on stdout, words on stderr, and its exit codes; its help is one page with examples."""

import io
import json
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import version

import pytest

import netwright as nw
from netwright.cli import commands, demo, main, named_data


def test_a_plain_error_is_words_and_1(folder, capsys):
    assert main(["predict", "picture.net", "whit.png"]) == 1
    assert capsys.readouterr() == (
        "",
        "DataError: there is no such file\n  where:    row 0, whit.png\n  mend:     did you mean 'white.png'?\n",
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["predict", "a.net"], "netwright predict: error: the following arguments are required: input"),
        (["demo", "--epochs", "0"], "netwright demo: error: argument --epochs: a whole number of at least 1, not 0"),
        (["data"], "netwright data: error: the following arguments are required: action"),
    ],
)
def test_a_wrong_use_is_2(arguments, words, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"usage: netwright {arguments[0]} ") and err.splitlines()[-1] == words


def test_a_wrong_use_as_json(capsys):
    assert main(["predict", "a.net", "--json"]) == 2
    out, err = capsys.readouterr()
    fault = {"what": "the following arguments are required: input", "mend": ["netwright predict --help"]}
    assert out == "" and json.loads(err) == {"error": {"kind": "wrong use", "faults": [fault]}}


def test_nothing_shows_the_help(capsys):
    assert main([]) == 0
    shown = capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0 and capsys.readouterr() == shown
    assert shown.out.startswith("usage: netwright ") and shown.out.endswith(commands.EXAMPLES) and shown.err == ""


@pytest.mark.parametrize("line", re.findall(r"^  netwright (.+?)  ", commands.EXAMPLES, re.MULTILINE))
def test_the_examples_of_the_help_are_commands(line):
    arguments = line.split()
    if "--help" not in arguments:
        assert commands._parser().parse_args(arguments).command == arguments[0]


@pytest.mark.parametrize("name", ["demo", "train", "measure", "predict", "show", "check", "diff", "merge"])
def test_each_command_has_examples_that_it_takes(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    examples = text.split("examples:\n")[1].splitlines()
    assert examples
    for example in examples:
        program, *arguments = shlex.split(example)
        assert program == "netwright" and commands._parser().parse_args(arguments).command == name


def test_the_version(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr()) == (0, (f"netwright {version('netwright')}\n", ""))


def test_an_error_as_json(folder, capsys):
    assert main(["predict", "picture.net", "whit.png", "--json"]) == 1
    out, err = capsys.readouterr()
    fault = {"what": "there is no such file", "where": "row 0, whit.png", "mend": ["did you mean 'white.png'?"]}
    assert out == "" and json.loads(err) == {"error": {"kind": "DataError", "faults": [fault]}}


def test_an_interrupt_is_1(monkeypatch, capsys):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(named_data, "_data_list", interrupted)
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


def test_a_folder_that_cannot_be_written(folder, capsys, monkeypatch):
    def refused(options):
        raise PermissionError(13, "Permission denied", "demo")

    monkeypatch.setattr(demo, "_demo", refused)
    assert main(["demo"]) == 1
    assert capsys.readouterr() == ("", "demo: Permission denied\n")


def test_other_errors_as_json(folder, capsys, monkeypatch):
    raised = [PermissionError(13, "Permission denied", "demo"), KeyboardInterrupt()]

    def refused(options):
        raise raised.pop(0)

    monkeypatch.setattr(demo, "_demo", refused)
    assert main(["demo", "--json"]) == 1
    fault = {"what": "Permission denied", "where": "demo", "mend": []}
    assert json.loads(capsys.readouterr().err) == {"error": {"kind": "OSError", "faults": [fault]}}
    assert main(["demo", "--json"]) == 1
    fault = {"what": "interrupted", "mend": []}
    assert json.loads(capsys.readouterr().err) == {"error": {"kind": "interrupted", "faults": [fault]}}


def test_a_stream_that_the_caller_closed_gets_nothing_and_the_other_one_no_more(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["show", "nowhere.net"]) == 1
    assert main(["show", "nowhere.net", "--json"]) == 1
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["data", "list", "--json"]) == 0
