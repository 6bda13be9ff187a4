"""The command line: data goes to stdout, messages to stderr; exit code 0 is success, 1 an error, 2 a wrong use."""

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from netwright.cli.demo import add_demo
from netwright.cli.learning import add_measure, add_train
from netwright.cli.named_data import add_data
from netwright.cli.parser import Commands, Parser, WrongUseError
from netwright.cli.predicting import add_predict
from netwright.cli.printing import print_failure
from netwright.cli.saved_nets import add_check, add_diff, add_merge, add_show
from netwright.errors import Fault, NetwrightError

EXAMPLES = """examples:
  netwright demo                                         train LeNet on MNIST and write a report page
  netwright train new.net pets/ --epochs 20 -o pets.net  train a saved net on a folder of pictures
  netwright measure pets.net test-pets/                  accuracy, confusion matrix, worst examples
  netwright predict pets.net cat.png --top 3             the three most probable classes
  netwright show pets.net                                the parts of a net, their sizes, and its history
  netwright train --help                                 the options of a command, with examples

Results go to stdout, messages and errors to stderr; with --json both are JSON.
Exit codes: 0 success, 1 an error, 2 a wrong use.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = sys.argv[1:] if arguments is None else [*arguments]
    with contextlib.ExitStack() as streams:
        for name, redirected in (("stdout", contextlib.redirect_stdout), ("stderr", contextlib.redirect_stderr)):
            if getattr(sys, name) is None:  # the caller has closed it, and what is printed to None goes to stdout
                streams.enter_context(redirected(streams.enter_context(open(os.devnull, "w", encoding="utf-8"))))
        return _run(given)


def _run(given: Sequence[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # characters that the terminal lacks are escaped
    as_json = "--json" in given
    parser = _parser()
    try:
        options = parser.parse_args(given)
        code = options.run(options) if options.command else parser.print_help()
        print(end="", flush=True)  # nothing where the caller has closed the output
    except WrongUseError as error:
        text = f"{error.usage}{error.command}: error: {error.message}"
        print_failure("wrong use", text, [Fault(what=error.message, mend=(f"{error.command} --help",))], as_json)
        return 2
    except NetwrightError as error:
        kind = type(error).__name__
        print_failure(kind, f"{kind}: {error}", error.faults, as_json)
    except KeyboardInterrupt:
        print_failure("interrupted", "interrupted", [Fault(what="interrupted")], as_json)
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        _give_up_stdout()
    except OSError as error:
        _give_up_stdout()
        where, what = str(error.filename or "the output"), error.strerror or str(error)
        print_failure("OSError", f"{where}: {what}", [Fault(what=what, where=where)], as_json)
    else:
        return code or 0
    return 1


def _give_up_stdout() -> None:
    """Discard unwritten output: Python would try to write it again at exit, and print a traceback."""
    with contextlib.suppress(OSError, ValueError):  # a stream of a test has no handle
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _parser() -> Parser:
    parser = Parser(
        prog="netwright",
        description="Neural networks in which a net is a value.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"netwright {version('netwright')}")
    commands = Commands(parser, "command", required=False)
    for add in (add_demo, add_train, add_measure, add_predict, add_show, add_check, add_diff, add_merge, add_data):
        add(commands)
    return parser
