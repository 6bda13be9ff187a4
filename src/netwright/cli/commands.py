"""The command line: data goes to stdout, messages to stderr; exit code 0 is success, 1 an error, 2 a wrong use."""

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

from netwright.errors import DataError, NetwrightError

DEEPEST = 64  # lists in lists: no array has more

# modules that only one command needs are imported when it runs, so that a wrong use is answered at once


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # characters that the terminal lacks are escaped
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        print(end="", flush=True)  # nothing where the caller has closed the output
    except NetwrightError as error:
        _words(f"{type(error).__name__}: {error}")
    except KeyboardInterrupt:
        _words("interrupted")
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        _give_up_stdout()
    except OSError as error:
        _give_up_stdout()
        _words(f"{error.filename or 'the output'}: {error.strerror or error}")
    else:
        return 0
    return 1


def _give_up_stdout() -> None:
    """Discard unwritten output: Python would try to write it again at exit, and print a traceback."""
    with contextlib.suppress(OSError, ValueError):  # a stream of a test has no handle
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="netwright", description="Neural networks in which a net is a value.")
    commands = parser.add_subparsers(required=True, metavar="command")
    demo = commands.add_parser("demo", help="train LeNet on MNIST, measure and save it, write a report page")
    demo.add_argument(
        "--epochs", type=_positive, help="passes over the digits (default: the environment's EPOCHS, or 3)"
    )
    demo.add_argument("--folder", default="demo", help="the folder of the files (default: demo)")
    demo.add_argument("--seed", type=int, default=0, help="the seed of the run (default: 0)")
    demo.set_defaults(run=_demo)
    show = commands.add_parser("show", help="print the parts of a saved net")
    show.add_argument("file", help="a .net file")
    show.set_defaults(run=_show)
    predict = commands.add_parser("predict", help="print the answers of a saved net")
    predict.add_argument("file", help="a .net file")
    predict.add_argument("inputs", nargs="+", metavar="input", help="a picture's path, a number, a list in brackets")
    predict.set_defaults(run=_predict)
    differ = commands.add_parser("diff", help="say everything that differs between two saved nets")
    differ.add_argument("before", help="a .net file")
    differ.add_argument("after", help="a .net file")
    differ.set_defaults(run=_diff)
    joined = commands.add_parser(
        "merge", help="join two edits of one saved net; conflicts are named, nothing is written"
    )
    joined.add_argument("base", help="the .net file that both were made from")
    joined.add_argument("mine", help="a .net file")
    joined.add_argument("theirs", help="a .net file")
    joined.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="the file to write; it may be one of these"
    )
    joined.set_defaults(run=_merge)
    data = commands.add_parser("data", help="named data sets")
    actions = data.add_subparsers(required=True, metavar="action")
    listed = actions.add_parser("list", help="list the data sets, each with a description")
    listed.set_defaults(run=_data_list)
    get = actions.add_parser("get", help="download a data set and describe it")
    get.add_argument("name", help="a name from the list")
    get.set_defaults(run=_data_get)
    for command in (demo, show, predict, differ, joined, listed, get):
        command.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"at least 1, not {value}")
    return value


def _demo(options: argparse.Namespace) -> None:
    from netwright.cli.demo import demo

    run, measured = demo(options.epochs, options.folder, options.seed, _words if options.json else print)
    if options.json:
        epochs = [{"number": e.number, "loss": e.loss, "validation": dict(e.validation)} for e in run.epochs]
        choices = {choice.name: choice.value for choice in run.choices}
        _print_json(
            {"seconds": run.seconds, "best": run.best, "epochs": epochs, "choices": choices, **measured.to_json()}
        )


def _show(options: argparse.Namespace) -> None:
    from netwright.file.load import load
    from netwright.show.summary import summary

    net = load(options.file)
    found = summary(net)
    if options.json:
        _print_json(found.to_json())
    else:
        print(found)
        print(f"\n{net.history}")


def _predict(options: argparse.Namespace) -> None:
    from netwright.codecs.image import Image
    from netwright.codecs.reading import probabilities
    from netwright.file.load import load
    from netwright.measure.output import shows_chances
    from netwright.show.report import percent

    net = load(options.file)
    pictures = [isinstance(codec, Image) for codec in net.inputs.values()]
    values = [text if pictures == [True] else _value(text) for text in options.inputs]
    labelled = len(net.outputs) == 1 and shows_chances(next(iter(net.outputs.values())))
    answers = net(values)
    chances: Sequence[Mapping[Any, float]] = net(values, probabilities) if labelled else [{} for _ in values]
    if options.json:
        rows = zip(options.inputs, answers, chances, strict=True)
        _print_json(
            [
                {"input": text, "answer": _plain(answer)}
                | ({"probabilities": {str(label): p for label, p in chance.items()}} if chance else {})
                for text, answer, chance in rows
            ]
        )
        return
    for text, answer, chance in zip(options.inputs, answers, chances, strict=True):
        line = _answer(answer)
        if chance and not isinstance(answer, tuple):
            line += f"  {percent(chance[answer])}"
        print(line if len(options.inputs) == 1 else f"{text}\t{line}")


def _diff(options: argparse.Namespace) -> None:
    from netwright.changes.diff import diff
    from netwright.file.load import load

    found = diff(load(options.before), load(options.after))
    if options.json:
        _print_json(found.to_json())
    else:
        print(found)


def _merge(options: argparse.Namespace) -> None:
    from netwright.changes.diff import diff
    from netwright.changes.merge import merge
    from netwright.file.load import load
    from netwright.file.save import save

    base, mine, theirs = (load(file) for file in (options.base, options.mine, options.theirs))
    made = merge(base, mine, theirs)
    save(made, options.output)
    found = diff(mine, made)
    if options.json:
        _print_json(found.to_json())
    else:
        print(found)


def _data_list(options: argparse.Namespace) -> None:
    from netwright.data.datasets import dataset_names

    if options.json:
        _print_json(dataset_names())
    else:
        for name, about in dataset_names().items():
            print(f"{name:<20} {about}")


def _data_get(options: argparse.Namespace) -> None:
    from netwright.data.datasets import dataset

    found = dataset(options.name)
    facts = {
        "name": found.name,
        "train": len(found.train),
        **({"validation": len(found.validation)} if found.validation is not None else {}),
        "test": len(found.test),
        "about": found.about,
        "licence": found.licence,
        "source": found.source,
    }
    if options.json:
        _print_json(facts)
    else:
        for name, value in facts.items():
            print(f"{name:<10} {value:,}" if isinstance(value, int) else f"{name:<10} {value}")


def _value(text: str) -> Any:
    """An input of the command line: a number or a list if it is JSON, else the text itself."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    except RecursionError:
        raise _too_deep() from None
    within, depth = [value], 0
    while within := [item for one in within if isinstance(one, list) for item in cast(list[Any], one)]:
        depth += 1
        if depth > DEEPEST:
            raise _too_deep()
    return value


def _too_deep() -> DataError:
    return DataError(what="the input is nested too deeply", expected=f"a number, or lists in at most {DEEPEST} lists")


def _answer(answer: Any) -> str:
    """An answer on one line: labels and numbers as they are, arrays as lists."""
    if isinstance(answer, tuple):
        return ", ".join(map(str, answer)) or "none"
    return str(_plain(answer))


def _plain(answer: Any) -> Any:
    """An answer that JSON knows."""
    if isinstance(answer, dict):
        return {name: _plain(value) for name, value in answer.items()}
    return answer.tolist() if hasattr(answer, "tolist") else answer


def _print_json(value: object) -> None:
    shown = (sys.stdout.encoding or "").lower() in ("utf-8", "utf8")
    print(json.dumps(value, ensure_ascii=not shown, indent=2))


def _words(text: str) -> None:
    print(text, file=sys.stderr)
