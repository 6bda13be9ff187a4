"""What a run was made from, as short texts: two runs with equal texts are the same run."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from netwright.codecs.ragged import Ragged
from netwright.errors import TrainingError
from netwright.net.compare import array_bytes, digest
from netwright.net.part import Net
from netwright.training.prepare.feed import Feed
from netwright.training.prepare.options import Options
from netwright.training.prepare.prepare import Prepared

SETTINGS = (
    "validation", "epochs", "batch_size", "loss", "optimizer", "learning_rate", "schedule", "clip", "weights",
    "precision", "device", "threads", "seed", "objective",
)  # fmt: skip
CHOSEN = "chosen by the run"


def made_from(net: Net, options: Options, prepared: Prepared) -> dict[str, str]:
    """The net, the data and every setting of a run."""
    feeds = {"data": prepared.feed}
    if prepared.validate is not None:
        feeds["validation data"] = prepared.validate.data
    settings = {name: _text(getattr(options, name)) for name in SETTINGS}
    return {"net": digest(net), **{name: digest_of_examples(feed) for name, feed in feeds.items()}, **settings}


def refuse_other(here: Mapping[str, str], now: Mapping[str, str], folder: str) -> None:
    """Refuse to go on in the folder of a run that was made from something else; say what differs.

    Raises: TrainingError.
    """
    names = [name for name in {**here, **now} if here.get(name) != now.get(name)]
    if names:
        raise TrainingError(
            what="the folder has a run of another " + ", another ".join(name.replace("_", " ") for name in names),
            where=folder,
            expected="; ".join(f"{name}: {_short(here.get(name, 'none'))}" for name in names),
            got="; ".join(f"{name}: {_short(now.get(name, 'none'))}" for name in names),
            mend=("another folder for this run", f"nw.load_run({folder!r}), to look at the run that is there"),
        )


def digest_of_examples(feed: Feed) -> str:
    """How many examples there are, and a digest of those in memory; others may be drawn anew each time.

    Examples are as their codecs encode them, so what codecs learned from the data, such as a mean, belongs to it.
    """
    state = hashlib.sha256(json.dumps({port: codec.code() for port, codec in sorted(feed.codecs.items())}).encode())
    kept = feed.source.again is None
    for port, column in sorted(feed.columns.items()):
        state.update(f"{port} {len(column)}".encode())
        for array in _arrays(column) if kept else ():
            state.update(f"{array.dtype} {tuple(array.shape)}".encode())
            state.update(array_bytes(array))
    return f"{len(feed):,} examples, {state.hexdigest()[:16]}"


def _arrays(column: Any) -> list[Tensor]:
    if isinstance(column, Ragged):
        return [column.values, *column.lengths]
    return [column] if isinstance(column, Tensor) else []


def _text(value: Any) -> str:
    """A setting as a short text that is the same in every process."""
    if value is None:
        return CHOSEN
    if isinstance(value, Net):
        return f"net {digest(value)[:16]}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_text(one)}" for name, one in value.items())
    if isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, torch.device):
        return str(value)
    if hasattr(value, "__dataclass_fields__"):  # an optimizer, a schedule
        return repr(value)
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, list | tuple) and all(isinstance(one, int | float) for one in value):
        return f"{len(value):,} numbers, {hashlib.sha256(repr(list(value)).encode()).hexdigest()[:16]}"
    return type(value).__name__


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:36]} …"
