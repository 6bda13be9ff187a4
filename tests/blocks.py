"""Runs the Python blocks of a Markdown file, so that what README, docs and book show is what the framework does."""

import ast
import contextlib
import doctest
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

SHOWN = doctest.ELLIPSIS | doctest.DONT_ACCEPT_TRUE_FOR_1 | doctest.DONT_ACCEPT_BLANKLINE
RICH = ("_repr_html_", "_repr_svg_", "_repr_png_", "_repr_markdown_", "__repr__")


@dataclass(frozen=True)
class Block:
    """A Python block: its code, the line of the file where the code begins, and the output shown under it, if any."""

    code: str
    line: int
    output: str | None


def blocks(text: str) -> Iterator[Block]:
    """The ```python blocks of a Markdown text, each with the ```output block that follows it directly."""
    tokens = MarkdownIt("commonmark").parse(text)
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "fence" and token.info.split()[:1] == ["python"]:
            assert token.map is not None
            shown = after is not None and after.type == "fence" and after.info.strip() == "output"
            yield Block(token.content, token.map[0] + 2, after.content if shown else None)


def run_file(path: Path, *, show: bool = False) -> dict[str, Any]:
    """Run every block of a file in order, in one namespace, which is returned.

    `show` also makes every picture of a last expression, as a notebook would."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(path.read_text(encoding="utf-8")):
        if block.code.lstrip().startswith(">>>"):
            run_doctest(block.code, namespace, path.name, path, block.line)
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            run_block(block, namespace, path, show=show)
        if block.output is not None:
            compare(block.output, printed.getvalue(), f"{path.name}:{block.line}")
    return namespace


def run_block(block: Block, namespace: dict[str, Any], path: Path, *, show: bool) -> None:
    """Execute one block; a traceback through it names the file and the line in it."""
    tree = ast.increment_lineno(ast.parse(block.code, str(path)), block.line - 1)
    last = tree.body.pop() if show and tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(path), "exec"), namespace)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), str(path), "eval"), namespace)
        for name in RICH:
            if value is not None and hasattr(type(value), name):
                getattr(value, name)()


def compare(want: str, got: str, where: str) -> None:
    """Fail unless the output is the one shown: exact but for the blanks that end a line; `...` stands for any text."""
    want, got = (trimmed(text) for text in (want, got))
    if not doctest.OutputChecker().check_output(want, got, SHOWN):
        raise AssertionError(f"{where}: the output shown is not the output\n--- shown\n{want}--- printed\n{got}")


def trimmed(text: str) -> str:
    """The text without the blanks that end its lines, which editors and tables treat as they like."""
    return "".join(f"{line.rstrip()}\n" for line in text.strip("\n").split("\n"))


def run_doctest(code: str, namespace: dict[str, Any], name: str, path: Path, line: int) -> None:
    """Run a block written as `>>> ` examples; it sees the namespace of the file and adds to it."""
    test = doctest.DocTestParser().get_doctest(code, namespace, name, str(path), line - 1)
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    failed = runner.run(test, out=report.write, clear_globs=False).failed
    namespace.update(test.globs)  # a DocTest copies its namespace
    if failed:
        raise AssertionError(report.getvalue())
