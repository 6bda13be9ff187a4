"""The command that asks a saved net: predict."""

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from netwright.cli.examples import wants_texts
from netwright.cli.parser import Commands, whole_number
from netwright.cli.printing import answer_text, plain_answer, print_json
from netwright.codecs.image import Image
from netwright.codecs.reading import Top, probabilities
from netwright.codecs.sound.audio import SoundCodec
from netwright.errors import DataError
from netwright.file.load import load
from netwright.measure.output import shows_chances
from netwright.net.part import Net
from netwright.show.report import percent

DEEPEST = 64  # lists in lists: no array has more

Chances = Mapping[Any, float]


def add_predict(commands: Commands) -> None:
    """The command that prints the answers of a net."""
    examples = ["predict pets.net cat.png dog.png", "predict pets.net cat.png --top 3", "predict sum.net '[1, 2.5]'"]
    command = commands.command("predict", "print the answers of a saved net", examples, _predict)
    command.add_argument("file", help="a .net file")
    what = "the path of a picture or of a sound, a text, a number, a list in brackets"
    command.add_argument("inputs", nargs="+", metavar="input", help=what)
    command.add_argument("--top", type=whole_number, metavar="K", help="the K most probable classes of each input")


def _predict(options: argparse.Namespace) -> None:
    net = load(options.file)
    codecs = [*net.inputs.values()]
    as_they_are = len(codecs) == 1 and (isinstance(codecs[0], Image | SoundCodec) or wants_texts(codecs[0]))
    values = [text if as_they_are else _value(text) for text in options.inputs]
    answers = net(values)
    chances = _chances(net, values, options.top)
    rows = [*zip(options.inputs, answers, chances, strict=True)]
    if options.json:
        print_json([_row(text, answer, chance) for text, answer, chance in rows])
        return
    for text, answer, chance in rows:
        if options.top:
            line = ", ".join(f"{label}  {percent(p)}" for label, p in chance.items())
        else:
            line = answer_text(answer) + (f"  {percent(chance[answer])}" if _is_one(answer, chance) else "")
        print(line if len(rows) == 1 else f"{text}\t{line}")


def _chances(net: Net, values: list[Any], top: int | None) -> Sequence[Chances]:
    """The probabilities of each input's labels, the `top` largest where that is asked for; none without labels."""
    if len(net.outputs) == 1 and shows_chances(next(iter(net.outputs.values()))):
        return net(values, probabilities if top is None else Top(top))
    if top is None:
        return [{} for _ in values]
    raise DataError(
        what="the answers of this net have no probabilities, so none is the most probable",
        where="--top",
        expected="a net with one output whose decoder has labels, such as nw.Category(…)",
        got=", ".join(f"{name}: {codec!r}" for name, codec in net.outputs.items()) or "no decoder",
        mend="leave --top out",
    )


def _row(text: str, answer: Any, chance: Chances) -> dict[str, object]:
    shown = {"probabilities": {str(label): p for label, p in chance.items()}} if chance else {}
    return {"input": text, "answer": plain_answer(answer), **shown}


def _is_one(answer: Any, chance: Chances) -> bool:
    """Whether the answer is one of the labels."""
    return bool(chance) and not isinstance(answer, tuple)


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
