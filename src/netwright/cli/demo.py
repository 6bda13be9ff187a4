"""The demonstration: it trains LeNet on MNIST, measures it, and writes a report page."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from netwright.cli.parser import Commands, seed_number, whole_number
from netwright.cli.printing import print_json, print_words
from netwright.codecs.category import Category
from netwright.codecs.image import Image
from netwright.codecs.reading import Top
from netwright.data.datasets import Dataset, Split, dataset
from netwright.errors import TrainingError
from netwright.file.save import save
from netwright.layers.conv import Conv
from netwright.layers.linear import Linear
from netwright.layers.pointwise import relu, softmax
from netwright.layers.pool import MaxPool
from netwright.layers.reshape import Flatten
from netwright.measure.measure import measure
from netwright.measure.report import Report
from netwright.net.chain import Chain
from netwright.regular import write_file
from netwright.show.pictures import png
from netwright.show.report import percent, report
from netwright.show.summary import summary
from netwright.training.result import Run
from netwright.training.train import train

EPOCHS = 3
SHOWN = 10  # digits that are classified with their probabilities
HELD_OUT = 5000  # digits for validation, of MNIST's 60,000
SEVEN = 7  # the digit that is written as a picture of its own

PROTOCOLS = (
    "This demonstration follows chapter 11 of Introduction to Machine Learning by Etienne Bernard. The chapter reports "
    "an accuracy of 99.6%, measured on digits that were also used to choose the best epoch. Here, {held:,} training "
    "digits are held out and used to choose the best epoch, so the accuracy on these {held:,} digits can be compared "
    "with 99.6%. The official test digits are used only once, at the end."
)


def add_demo(commands: Commands) -> None:
    """The command that runs the demonstration."""
    about = "train LeNet on MNIST, measure and save it, write a report page"
    command = commands.command("demo", about, ["demo", "demo --epochs 10 --folder lenet"], _demo)
    epochs = "passes over the digits (default: the environment's EPOCHS, or 3)"
    command.add_argument("--epochs", type=whole_number, help=epochs)
    command.add_argument("--folder", default="demo", help="the folder of the files (default: demo)")
    command.add_argument("--seed", type=seed_number, default=0, help="the seed of the run (default: 0)")


def _demo(options: argparse.Namespace) -> None:
    run, measured = demo(options.epochs, options.folder, options.seed, print_words if options.json else print)
    if options.json:
        print_json({**run_facts(run), **measured.to_json()})


def run_facts(run: Run) -> dict[str, object]:
    """What JSON says of a run."""
    epochs = [{"number": e.number, "loss": e.loss, "validation": dict(e.validation)} for e in run.epochs]
    choices = {choice.name: choice.value for choice in run.choices}
    return {"seconds": run.seconds, "best": run.best, "epochs": epochs, "choices": choices}


def lenet() -> Chain:
    """The net of the demonstration: 431,080 parameters, a picture in, a digit out."""
    return Chain(
        *(Conv(20, 5), relu, MaxPool(2)),
        *(Conv(50, 5), relu, MaxPool(2)),
        *(Flatten(), Linear(500), relu, Linear(), softmax),
        input=Image(28, 28, "gray"),
        output=Category(range(10)),
    )


def demo(
    epochs: int | None = None, folder: str | Path = "demo", seed: int = 0, say: Callable[[str], None] = print
) -> tuple[Run, Report]:
    """Run the whole demonstration and write `lenet.net`, `report.html` and `seven.png` into a folder.

    Fields:
        epochs: passes over the training digits; None reads the environment's EPOCHS, and is 3 without it.
        folder: where the files go; made if it is not there.
        seed: of the run.
        say: a function that is given the text, block by block.
    """
    epochs = _wanted() if epochs is None else epochs
    digits = dataset("mnist")
    held = min(HELD_OUT, len(digits.train) // 10)
    net = lenet()
    say(f"{_title('The net')}\n{summary(net)}")
    say(_title(f"Training on {len(digits.train) - held:,} digits, {held:,} held out for validation"))
    if digits.name != "mnist":
        say(f"MNIST is not available here: {digits.source}. The accuracy will be lower than with MNIST.")
    sys.stdout.flush()  # the words of the training go to stderr: keep the order
    run = train(net, digits.train, validation=held, epochs=epochs, seed=seed)
    say(f"{_title('Choices and their reasons')}\n" + "\n".join(f"  {choice}" for choice in run.choices))
    measured = measure(run.net, digits.test)
    say(f"{_title('The official test digits, used once')}\n{measured}")
    say(f"{_title('Validation and test')}\n{protocols(run, measured, held)}")
    shown = digits.test[:SHOWN]
    say(f"{_title(f'{SHOWN} digits with their answers')}\n{answers(run, shown)}")
    where = Path(folder)
    where.mkdir(parents=True, exist_ok=True)
    say(f"{_title('Written')}\n" + "\n".join(f"  {path}" for path in _files(run, measured, digits, held, where)))
    return run, measured


def protocols(run: Run, measured: Report, held: int) -> str:
    """The accuracy on the validation digits, which can be compared with that of the chapter, and on the test digits."""
    lines = [PROTOCOLS.format(held=held)]
    lines += [
        f"  the validation digits:     {1 - epoch.validation['error']:.2%}   "
        f"(n={held:,}, epoch {run.best}; the chapter: 99.6%)"
        for epoch in run.epochs
        if epoch.number == run.best  # none, when the run was interrupted before its first epoch was done
    ]
    accuracy = measured.accuracy
    lines.append(
        f"  the official test digits:  {accuracy.value:.2%}   "
        f"(n={accuracy.n:,}, 95% interval {accuracy.low:.2%}-{accuracy.high:.2%})"
    )
    return "\n".join(lines)


def answers(run: Run, shown: Split) -> str:
    """The net's answer for each digit, with the three highest probabilities."""
    lines: list[str] = []
    for (_, actual), best in zip(shown, run.net(list(shown.inputs), Top(3)), strict=True):
        chances = "   ".join(f"{label}: {percent(chance):>7}" for label, chance in best.items())
        lines.append(f"  target {actual}, answers  {chances}")
    return "\n".join(lines)


def _files(run: Run, measured: Report, digits: Dataset, held: int, where: Path) -> list[str]:
    """Write everything; the lines that say what each file is."""
    save(run.net, where / "lenet.net")
    inputs, targets = digits.test.inputs, list(digits.test.targets)
    write_file(where / "seven.png", png(inputs[targets.index(SEVEN)]), "the picture")
    notes = [
        f"A convolutional net of {summary(run.net).parameters:,} parameters, trained on "
        f"{len(digits.train) - held:,} handwritten digits. Data: {digits.name}, {digits.about}.",
        PROTOCOLS.format(held=held),
    ]
    title = "LeNet learns MNIST"
    report(run, measured, where / "report.html", title=title, examples=digits.test[:SHOWN], notes=notes)
    return [
        f"{where / 'lenet.net'}    the net, with its encoder and decoder",
        f"{where / 'report.html'}  these results as one page, with pictures",
        f"{where / 'seven.png'}    a test digit; try: netwright predict {where / 'lenet.net'} {where / 'seven.png'}",
    ]


def _wanted() -> int:
    """The number of epochs from the environment."""
    text = os.environ.get("EPOCHS", str(EPOCHS))
    if not (text.isdecimal() and int(text)):
        raise TrainingError(
            what="EPOCHS is not a number of epochs",
            where="the environment",
            expected="a whole number of at least 1",
            got=repr(text),
            mend=f"EPOCHS={EPOCHS}",
        )
    return int(text)


def _title(text: str) -> str:
    return f"\n{text}\n{'=' * len(text)}"
