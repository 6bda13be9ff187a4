"""The runner of README, docs and book must itself see every kind of mistake it is trusted with."""

import traceback
from pathlib import Path

import pytest

from blocks import blocks, run_file


def written(folder: Path, text: str) -> Path:
    path = folder / "page.md"
    path.write_text(text)
    return path


def test_blocks_have_lines_and_the_output_that_follows_directly():
    text = "a\n\n```python\nx = 1\n```\n\n```output\n1\n```\n\n```sh\nls\n```\n\n"
    text += "```python\ny = 2\n```\nwords\n\n```output\n2\n```\n"
    first, second = blocks(text)
    assert (first.code, first.line, first.output) == ("x = 1\n", 4, "1\n")
    assert (second.code, second.line, second.output) == ("y = 2\n", 16, None)


def test_one_namespace_a_file_and_exact_output(tmp_path):
    text = "```python\nx = 20\n```\n\n```python\nprint(x + 1, '  ')\nprint()\nprint('a b')\n```\n"
    page = written(tmp_path, f"{text}```output\n21\n\na ...\n```\n")
    assert run_file(page)["x"] == 20


@pytest.mark.parametrize("shown", ["2", "1 ", "1\n1", "True", "", "... 2"])
def test_another_output_is_an_error(tmp_path, shown):
    page = written(tmp_path, f"```python\nprint('1 1')\n```\n```output\n{shown}\n```\n")
    with pytest.raises(AssertionError, match=r"^page.md:2: the output shown is not the output\n--- shown\n"):
        run_file(page)


def test_the_whole_message(tmp_path):
    page = written(tmp_path, "```python\nprint(1)\n```\n```output\nTrue\n```\n")
    with pytest.raises(AssertionError) as error:
        run_file(page)
    assert str(error.value) == "page.md:2: the output shown is not the output\n--- shown\nTrue\n--- printed\n1\n"


def test_a_traceback_names_the_line_of_the_file(tmp_path):
    page = written(tmp_path, "words\n\n```python\nx = 0\n1 / x\n```\n")
    with pytest.raises(ZeroDivisionError) as error:
        run_file(page)
    frame = traceback.extract_tb(error.value.__traceback__)[-1]
    assert (frame.filename, frame.lineno, frame.line) == (str(page), 5, "1 / x")


def test_doctest_blocks_share_the_namespace(tmp_path):
    page = written(
        tmp_path, "```python\nx = 1\n```\n```python\n>>> y = x + 1\n>>> y\n2\n```\n```python\nassert y == 2\n```\n"
    )
    run_file(page)
    with pytest.raises(AssertionError, match=r"Expected:\n    3\nGot:\n    2"):
        run_file(written(tmp_path, "```python\n>>> 1 + 1\n3\n```\n"))


def test_a_picture_that_fails_is_an_error_only_where_it_is_shown(tmp_path):
    broken = "class Broken:\n    def _repr_html_(self):\n        raise RuntimeError('no picture')\n\n\nBroken()\n"
    page = written(tmp_path, f"```python\n{broken}```\n")
    run_file(page)
    with pytest.raises(RuntimeError, match="no picture"):
        run_file(page, show=True)
