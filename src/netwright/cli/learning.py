"""The commands that need examples: train a saved net, and measure one."""

import argparse
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from netwright.cli.demo import run_facts
from netwright.cli.examples import examples_at
from netwright.cli.parser import Commands, Parser, positive_number, seed_number, share_or_count, whole_number
from netwright.cli.printing import print_json
from netwright.errors import DataError, Fault, FileError, TrainingError, did_you_mean, shortened
from netwright.file.array_file import check_place
from netwright.file.format import file_path
from netwright.file.load import load
from netwright.file.save import save
from netwright.measure.measure import measure
from netwright.net.part import Net
from netwright.training.train import train

DATA = """the examples are one of
  pets/           a folder with a subfolder of pictures for each class
  flowers.csv     a table with a header; also .jsonl, .jsonl.gz and .parquet
  digits          a named data set (netwright data list): its training part for train, its test part for measure
One column, "target" or the one that --target names, is what the net has to answer. The others are its inputs: a column
for each input of the net, or for a net with one input that takes a vector, its numbers in order."""


def add_train(commands: Commands) -> None:
    """The command that trains a net."""
    command = commands.command(
        "train",
        "train a saved net on examples, and save the net of the best epoch",
        [
            "train new.net flowers.csv --target species -o flowers.net",
            "train new.net pets/ --epochs 20 --validation 0.2 -o pets.net",
            "train flowers.net more.csv --target species --learning-rate 1e-4 -o better.net",
        ],
        _train,
    )
    _takes_examples(command)
    command.add_argument("-o", "--output", required=True, metavar="FILE", help="the .net file to write")
    command.add_argument("--epochs", type=whole_number, help="passes over the examples (default: chosen)")
    command.add_argument(
        "--validation",
        type=share_or_count,
        default=0.1,
        help="the share, or the number, of the examples that are held out to find the best epoch (default: 0.1)",
    )
    command.add_argument("--batch-size", type=whole_number, help="examples a step (default: chosen)")
    command.add_argument("--learning-rate", type=positive_number, help="at its peak (default: chosen)")
    command.add_argument("--seed", type=seed_number, default=0, help="of all that is random (default: 0)")
    command.add_argument(
        "--folder",
        help="where the run is kept, so that the same command goes on after it was killed (default: runs/ and the name "
        "of the output)",
    )


def _train(options: argparse.Namespace) -> None:
    net = load(options.file)
    check_place(Path(os.path.realpath(file_path(options.output))), "the net", options.output)
    folder = Path("runs", Path(options.output).stem) if options.folder is None else Path(options.folder)
    examples = examples_at(options.data, net, options.target, "train")
    try:
        run = train(
            net,
            examples,
            validation=options.validation,
            epochs=options.epochs,
            batch_size=options.batch_size,
            learning_rate=options.learning_rate,
            seed=options.seed,
            folder=folder,
        )
    except (TrainingError, FileError) as error:
        raise type(error).of(_with_options(fault, folder) for fault in error.faults) from None
    save(run.net, options.output)
    if options.json:
        print_json({**run_facts(run), "ended": run.ended, "folder": folder.as_posix(), "output": options.output})
        return
    for choice in run.choices:
        print(choice)
    print(f"{run.ended}; the net of epoch {run.best} of {len(run.epochs)} is kept")
    print(f"{options.output}  the net, with its encoder and decoder")
    print(f"{(folder / 'report.html').as_posix()}  the report of the run")


def _with_options(fault: Fault, folder: Path) -> Fault:
    """A fault of a run's folder, with options of the command as mends where they were those of `nw.train`."""
    if not fault.where.startswith(os.path.abspath(folder)):
        return fault
    free = next(name for i in count(2) if not (name := folder.with_name(f"{folder.name}-{i}")).exists())
    another = f"--folder {shlex.quote(free.as_posix())}, for a run of its own"
    report = folder / "report.html"
    look = f"{report.as_posix()}, to look at the run that is there" if report.exists() else ""

    def option(mend: str) -> str:
        if mend.startswith("nw.load_run("):
            return look
        return another if mend.startswith(("another folder", "folder=")) else mend

    return replace(fault, mend=tuple(dict.fromkeys(map(option, fault.mend))))


def add_measure(commands: Commands) -> None:
    """The command that measures a net."""
    examples = [
        "measure pets.net test-pets/",
        "measure flowers.net test.csv --target species --json",
        "measure flowers.net test.csv --target species --metrics kappa,roc_area --by garden",
    ]
    command = commands.command("measure", "measure a saved net on examples", examples, _measure)
    _takes_examples(command)
    command.add_argument(
        "--metrics",
        type=_names,
        default=(),
        metavar="NAMES",
        help="further figures, such as kappa,macro_specificity; of a net with several outputs OUTPUT:NAME",
    )
    command.add_argument(
        "--by", metavar="COLUMN", help="a column of the table with the group of each example; it is no input"
    )


def _names(text: str) -> Sequence[str]:
    """The names in a text, between commas."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"names with a comma between two of them, not {shortened(text, 60)!r}")
    return names


def _measure(options: argparse.Namespace) -> None:
    net = load(options.file)
    found = measure(
        net,
        examples_at(options.data, net, options.target, "test", options.by),
        by=options.by,
        metrics=_by_output(net, options.metrics),
    )
    if options.json:
        print_json(found.to_json())
    else:
        print(found)


def _by_output(net: Net, names: Sequence[str]) -> Sequence[str] | Mapping[str, Sequence[str]]:
    """The names of figures, of a net with several outputs those of each.

    Raises: DataError for a name that does not say of which of several outputs it is.
    """
    outputs = net.output_names
    if len(outputs) == 1 or not names:
        return names
    found: dict[str, list[str]] = {}
    for name in names:
        output, colon, figure = name.partition(":")
        if not colon or output not in outputs:
            raise DataError(
                what="a figure of a net with several outputs says of which one it is",
                where=f"--metrics {shlex.quote(name)}",
                expected=f"OUTPUT:NAME, with one of the outputs {', '.join(outputs)}",
                mend=f"--metrics {shlex.quote(f'{outputs[0]}:{name}')}" if not colon else did_you_mean(output, outputs),
            )
        found.setdefault(output, []).append(figure)
    return found


def _takes_examples(command: Parser) -> None:
    command.description = f"{command.description}\n\n{DATA}"
    command.add_argument("file", help="a .net file")
    command.add_argument("data", help="a file, a folder, or the name of a data set")
    command.add_argument("--target", metavar="COLUMN", help='the column with the answers (default: "target")')
