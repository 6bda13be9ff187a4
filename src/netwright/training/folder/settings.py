"""The settings of a run as JSON, so that a later call in its folder may leave them out."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, cast

import torch

from netwright.errors import FileError, NetwrightError, TrainingError
from netwright.file.structure import Reader, described_value
from netwright.net.part import Net
from netwright.training.events import Choice
from netwright.training.folder.made_from import SETTINGS
from netwright.training.measurement import Measurement
from netwright.training.optimizers import OPTIMIZERS
from netwright.training.penalties import L1, L2
from netwright.training.prepare.alternate import Alternate
from netwright.training.prepare.next_element import NextElement
from netwright.training.prepare.options import Options
from netwright.training.range_test import RangeTest
from netwright.training.schedules import SCHEDULES

PARTS = Alternate({"a": "", "b": ""})
HELD = (*OPTIMIZERS.values(), *SCHEDULES.values(), NextElement(), PARTS, L1(1), L2(1), RangeTest())
VALUES: Mapping[str, Any] = {type(value).__name__: type(value) for value in HELD}


def settings_of(options: Options) -> dict[str, Any]:
    """Every setting that is given, as JSON; None for one that no file holds: a function, data, or weights."""
    return {name: as_plain(value) for name in SETTINGS if (value := getattr(options, name)) is not None}


def completed(options: Options, settings: Mapping[str, Any], folder: str) -> Options:
    """The options of a call with what it leaves out as the run in the folder has it.

    Raises: TrainingError for a setting that the folder does not hold and that must be given again; FileError for one
        that is not as it was written.
    """
    left_out = [name for name in settings if getattr(options, name) is None]
    for name in left_out:
        if settings[name] is None:
            raise TrainingError(
                what=f"no file can hold the {name} of the run in this folder, and this call does not give it",
                where=folder,
                expected=f"{name}=… as in the call that began the run",
                mend=f"nw.train(…, {name}=…, folder={folder!r})",
            )
    return replace(options, **{name: from_plain(settings[name], name) for name in left_out})


def plain_choices(choices: Sequence[Choice]) -> list[dict[str, Any]]:
    """The choices whose settings a file can hold, as JSON. The device is not among them: each call has its own."""
    found = [(one, as_plain(one.setting, lists=True)) for one in choices if not isinstance(one.setting, torch.device)]
    return [
        {"name": one.name, "value": one.value, "why": one.why, "setting": plain}
        for one, plain in found
        if plain is not None
    ]


def choices_from(plain: Sequence[Mapping[str, Any]]) -> tuple[Choice, ...]:
    """The choices that `plain_choices` wrote."""
    return tuple(Choice(**{**one, "setting": from_plain(one["setting"], one["name"])}) for one in plain)


def as_plain(value: Any, lists: bool = False) -> Any:
    """A setting as JSON, or None where it holds something that no file can hold.

    Lists are held only where `lists` is set: a list that a call gives is data.
    """
    if isinstance(value, bool | int | float | str):
        return value
    if lists and isinstance(value, list | tuple):
        items = [as_plain(one, lists) for one in cast(Sequence[Any], value)]
        return None if None in items else items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, torch.device):
        return {"device": str(value)}
    if isinstance(value, Net):
        try:
            return None if value.held.arrays else {"net": described_value(value, "net")}
        except FileError:  # it has a function without a name
            return None
    if VALUES.get(type(value).__name__) is type(value):
        return {"value": type(value).__name__, "fields": {f.name: getattr(value, f.name) for f in fields(value)}}
    if isinstance(value, Measurement):
        return {"measurement": value.what, "name": value.name} if value.held else None
    if isinstance(value, Mapping):
        each = [[as_plain(name), as_plain(one, lists)] for name, one in cast(Mapping[Any, Any], value).items()]
        return None if any(None in pair for pair in each) else {"each": each}  # JSON's own names are texts only
    return None


def from_plain(plain: Any, name: str) -> Any:
    """The setting that `as_plain` wrote.

    Raises: FileError where it is not as it was written.
    """
    try:
        return _read(plain)
    except (NetwrightError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise FileError(what="the settings of the run are damaged", where=name, got=str(error)) from None


def _read(plain: Any) -> Any:
    if isinstance(plain, list):
        return [_read(one) for one in cast(list[Any], plain)]
    if not isinstance(plain, dict):
        return plain
    found = cast(dict[str, Any], plain)
    if "device" in found:
        return torch.device(found["device"])
    if "tuple" in found:
        return tuple(_read(one) for one in found["tuple"])
    if "measurement" in found:
        return Measurement(found["measurement"], found["name"])
    if "net" in found:
        return Reader().part(found["net"], "net")
    if "each" in found:
        return {name: _read(one) for name, one in found["each"]}
    values = {name: tuple(one) if isinstance(one, list) else one for name, one in found["fields"].items()}
    return VALUES[found["value"]](**values)
