"""What a run was made from, as short texts: two runs with equal texts are the same run."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from netwright.codecs.ragged import Ragged
from netwright.errors import TrainingError
from netwright.net.compare import array_bytes
from netwright.net.part import Net
from netwright.training.feeds.batches import Batches
from netwright.training.folder.setting_text import NONE, same_text, setting_text
from netwright.training.optimizers import optimizer_of
from netwright.training.prepare.options import Options
from netwright.training.prepare.prepare import Prepared
from netwright.training.schedules import schedule_of
from netwright.training.start import Start, digest_before, versions

SETTINGS = (
    "validation", "epochs", "batch_size", "accumulate", "loss", "label_smoothing", "mixup", "loss_weights", "optimizer",
    "learning_rate", "schedule", "clip", "clip_value", "penalties", "ema", "measurements", "best", "patience",
    "minutes", "weights", "class_weights", "precision", "device", "threads", "seed", "objective", "keep",
    "steps_per_epoch",
)  # fmt: skip
CHANGEABLE = (
    "epochs", "batch_size", "accumulate", "optimizer", "learning_rate", "schedule", "clip", "clip_value", "penalties",
    "ema", "patience", "minutes", "precision", "device", "threads",
)  # fmt: skip
"""The settings that a run may change after an epoch, by `nw.fork`."""
FOLLOW = ("data", "validation data")  # these differ where one of the next differs, and are not named then
FROM = ("seed", "validation", "objective")


def made_from(net: Net, options: Options, prepared: Prepared) -> dict[str, str]:
    """The net, the data and every setting of a run, given or chosen."""
    feeds = {"data": prepared.feed}
    if prepared.validate is not None:
        feeds["validation data"] = prepared.validate.data
    chosen = {choice.name.replace(" ", "_"): choice.setting for choice in prepared.choices}
    chosen["seed"] = prepared.seed
    given = {name: getattr(options, name) for name in SETTINGS}
    if prepared.validate is not None and not _is_held("validation", given["validation"]):
        given["validation"] = "data"  # they have a digest of their own
    values = {name: chosen.get(name) if value is None else value for name, value in given.items()}
    settings = {name: text_of_setting(name, value) for name, value in values.items()}
    return {"net": digest_before(net), **{name: digest_of_examples(feed) for name, feed in feeds.items()}, **settings}


def start_of(net: Net, options: Options, prepared: Prepared) -> Start:
    """What a run begins with. Validation data and weights of examples are data, which a run does not hold."""
    given = {name: value for name in SETTINGS if (value := getattr(options, name)) is not None}
    settings = {name: value if _is_held(name, value) else None for name, value in given.items()}
    made = made_from(net, options, prepared)
    return Start(prepared.net, made, settings, versions(torch.device(made["device"])))


def _is_held(name: str, value: Any) -> bool:
    if name == "measurements":
        return all(one.data is None for one in value.values())
    return name != "weights" and (name != "validation" or isinstance(value, int | float))


def refuse_other(here: Mapping[str, str], now: Mapping[str, str], given: Collection[str], folder: str) -> None:
    """Refuse to go on in the folder of a run that was made from something else; say what differs.

    Settings that are not given are not compared: the run goes on with those of the folder.

    Raises: TrainingError.
    """
    compared = [name for name in {**here, **now} if name not in SETTINGS or name in given]
    names = [name for name in compared if not same_text(here.get(name, NONE), now.get(name, NONE))]
    if {*names} & {*FROM}:
        names = [name for name in names if name not in FOLLOW]
    if names:
        fork = f"folder=nw.fork({folder!r}, {', '.join(f'{name}=…' for name in names)}), to go on from a kept epoch"
        raise TrainingError(
            what="this call differs from the run in the folder in "
            + ", ".join(name.replace("_", " ") for name in names),
            where=folder,
            expected="; ".join(f"{name}: {_short(here.get(name, NONE))}" for name in names),
            got="; ".join(f"{name}: {_short(now.get(name, NONE))}" for name in names),
            mend=(
                *([fork] if {*names} <= {*CHANGEABLE} else []),
                "another folder for this run",
                f"nw.load_run({folder!r}), to look at the run that is there",
            ),
        )


def digest_of_examples(feed: Batches) -> str:
    """How many examples there are, and a digest of those in memory and of some of those that lie in a file.

    Others may be drawn anew each time.

    Examples are as their codecs encode them, so what codecs learned from the data, such as a mean, belongs to it.
    """
    state = hashlib.sha256(json.dumps({port: codec.code() for port, codec in sorted(feed.codecs.items())}).encode())
    for port, column in sorted(feed.stored.items()):
        for array in _arrays(column):
            state.update(f"{port} {array.dtype} {tuple(array.shape)}".encode())
            state.update(array_bytes(array))
    state.update("".join(f"{port} {text}" for port, text in sorted(feed.digests().items())).encode())
    return f"{len(feed):,} examples, {state.hexdigest()[:16]}"


def _arrays(column: Tensor | Ragged) -> list[Tensor]:
    return [column] if isinstance(column, Tensor) else [column.values, *column.lengths]


def text_of_setting(name: str, value: Any) -> str:
    """A setting by name as a text; the name of an optimizer or a schedule is the value that it means."""
    means = {"optimizer": optimizer_of, "schedule": schedule_of}.get(name)
    return setting_text(value if means is None or value is None else means(value))


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:36]} …"
