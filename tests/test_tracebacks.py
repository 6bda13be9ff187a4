"""In a notebook and at the prompt our errors have the user's lines alone, and the whole traceback is not lost."""

import subprocess
import sys
import textwrap
import traceback

import pytest

import netwright as nw
from netwright.errors import NetError, NetwrightError, SizeError
from netwright.tracebacks import OWN, seen_from_outside

IN_A_NOTEBOOK = """
    import traceback
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance(colors="nocolor")

    def cell(title, code):
        print("=====", title, flush=True)
        shell.run_cell(code)

    cell("ours", "import netwright as nw\\nnet = nw.Chain(nw.Linear(3), nw.Conv(2), input=4)")
    cell("verbose", "%xmode Verbose\\nnet = nw.Chain(nw.Linear(3), nw.Conv(2), input=4)")
    cell("not ours", "%xmode Context\\nnw.train(nw.Chain(1, input=1), 5 / 0)")
    cell("of the user", "def broken(x):\\n    raise ValueError('mine')\\nnw.initialize(nw.Chain(nw.Function(broken, "
         "'... a -> ... a'), input=3))([1.0, 2.0, 3.0])")
    cell("after", "import sys, traceback\\nprint('lines', len(traceback.extract_tb(sys.last_value.__traceback__)) > 3)")
"""


def run(code, *options, stdin=""):
    command = [sys.executable, *options, *(["-c", textwrap.dedent(code)] if code else [])]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


def test_a_cell_of_ipython():
    parts = dict(piece.split("\n", 1) for piece in run(IN_A_NOTEBOOK).split("===== ")[1:])
    assert "SizeError" in parts["ours"] and "nw.Conv(2), input=4" in parts["ours"]
    assert OWN not in parts["ours"] and "netwright/net" not in parts["ours"]
    assert parts["ours"].count("-> ") + parts["ours"].count("--> ") >= 1
    assert "netwright/net" in parts["verbose"]
    assert "ZeroDivisionError" in parts["not ours"]
    assert "raise ValueError('mine')" in parts["of the user"]
    assert "lines True" in parts["after"]


def test_the_prompt():
    said = run("", "-i", "-q", stdin="import netwright as nw\nnw.Chain(nw.Linear(3), nw.Conv(2), input=4)\n1 / 0\n")
    assert "SizeError" in said and "net/part.py" not in said and 'File "<stdin>"' in said
    assert "ZeroDivisionError" in said


def test_a_script_keeps_all_lines():
    said = run("import netwright as nw\nnw.Chain(nw.Linear(3), nw.Conv(2), input=4)")
    assert "SizeError" in said and OWN in said


def raised(make):
    with pytest.raises(NetwrightError) as error:
        make()
    return error.value


def lines_of(error):
    return "".join(traceback.format_exception(error))


def test_an_error_is_as_it_was_afterwards():
    error = raised(lambda: nw.Chain(nw.Linear(3), nw.Conv(2), input=4))
    whole = lines_of(error)
    with seen_from_outside(error):
        short = lines_of(error)
    assert lines_of(error) == whole and OWN in whole
    assert OWN not in short and "test_tracebacks.py" in short and str(error) in short


def test_what_was_caught_inside_is_not_shown_and_what_a_user_raised_is():
    def user():
        try:
            raise KeyError("the user's own")
        except KeyError as error:
            raise NetError(what="ours") from error

    with seen_from_outside(error := raised(user)):
        assert "the user's own" in lines_of(error)
    inside = SizeError(what="ours")
    inside.__context__ = raised(lambda: nw.Chain(nw.Linear(3), nw.Conv(2), input=4))
    with seen_from_outside(inside):
        assert "above exception" in lines_of(inside)  # it has a line of this file


def test_an_error_without_any_line():
    error = NetError(what="never raised")
    with seen_from_outside(error):
        assert lines_of(error).strip().endswith("NetError: never raised")


def test_the_prompt_after_a_file(tmp_path):
    file = tmp_path / "first.py"
    wrong = "nw.Chain(nw.Linear(3), nw.Conv(2), input=4)\n"
    file.write_text(f"import netwright as nw\n{wrong}", encoding="utf-8")
    of_the_file, of_the_prompt = run("", "-i", "-q", str(file), stdin=wrong).split("SizeError")[:2]
    assert OWN in of_the_file and OWN not in of_the_prompt
    file.write_text("import netwright as nw", encoding="utf-8")
    assert OWN not in run("", "-i", "-q", str(file), stdin=wrong)
