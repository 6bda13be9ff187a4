"""What a run was made from, as short texts: two runs with equal texts are the same run."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from platform import python_version
from types import CodeType
from typing import Any, cast

import torch
from torch import Tensor

from netwright.codecs.ragged import Ragged
from netwright.errors import TrainingError
from netwright.net.compare import array_bytes, digest
from netwright.net.part import Net
from netwright.training.feeds.batches import Batches
from netwright.training.optimizers import Torch, optimizer_of
from netwright.training.prepare.options import Options
from netwright.training.prepare.prepare import Prepared
from netwright.training.schedules import schedule_of
from netwright.training.start import Start, digest_before, versions

SETTINGS = (
    "validation", "epochs", "batch_size", "loss", "optimizer", "learning_rate", "schedule", "clip", "weights",
    "precision", "device", "threads", "seed", "objective",
    "keep", "steps_per_epoch",
)  # fmt: skip
NONE = "none"
CODE = ", code "
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
        raise TrainingError(
            what="the folder has a run of another " + ", another ".join(name.replace("_", " ") for name in names),
            where=folder,
            expected="; ".join(f"{name}: {_short(here.get(name, NONE))}" for name in names),
            got="; ".join(f"{name}: {_short(now.get(name, NONE))}" for name in names),
            mend=("another folder for this run", f"nw.load_run({folder!r}), to look at the run that is there"),
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


def setting_text(value: Any) -> str:
    """A setting as a short text that is the same in every process."""
    if value is None:
        return NONE
    if isinstance(value, Net):
        return f"net {digest(value)[:16]}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {setting_text(one)}" for name, one in cast(Mapping[str, Any], value).items())
    if isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, torch.device):
        return str(value)
    if isinstance(value, Torch):
        return setting_text(value.make)
    if hasattr(value, "__dataclass_fields__"):  # an optimizer, a schedule
        return repr(value)
    if isinstance(value, partial):
        given = (*value.args, *sorted(value.keywords.items()))
        return f"{setting_text(value.func)} with {', '.join(map(setting_text, given))}"
    if hasattr(value, "__qualname__"):
        return _named_code(value)
    if isinstance(value, list | tuple):
        items = cast("Sequence[Any]", value)
        if len(items) == 2 and isinstance(items[1], Mapping):  # a learning rate, and the rates by path
            return ", ".join(setting_text(one) for one in items if one != {})
        return f"{len(items):,} values, {_short_hash(repr(list(items)))}"
    return type(value).__name__


def _named_code(value: Any) -> str:
    """The name of a class or a function, and what its code says; the numbers that it takes from outside, too."""
    name, code = f"{value.__module__}.{value.__qualname__}", getattr(value, "__code__", None)
    if code is None:
        return name
    outside = [setting_text(cell.cell_contents) for cell in value.__closure__ or ()]
    outside += map(setting_text, (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).items()))
    return f"{name}{CODE}{_short_hash(repr((_instructions(code), outside)))} in Python {python_version()}"


def _instructions(code: CodeType) -> tuple[object, ...]:
    """What a function does, without the place where it stands in its file."""
    constants = [_instructions(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return code.co_code, code.co_names, code.co_varnames, constants


def same_text(here: str, now: str) -> bool:
    """Whether two texts say the same. Code is compared in one version of Python only, since others compile it anew."""
    if here == now or CODE not in here or CODE not in now:
        return here == now
    (name, code), (other, new) = here.split(CODE, 1), now.split(CODE, 1)
    return name == other and code.partition(" in ")[2] != new.partition(" in ")[2]


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:36]} …"
