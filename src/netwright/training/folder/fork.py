"""Begins another run where an epoch of one ended, with some settings changed."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from netwright.errors import FileError, TrainingError, did_you_mean
from netwright.file.format import folder_path
from netwright.training.folder.made_from import CHANGEABLE, text_of_setting
from netwright.training.folder.run_folder import RunFolder, held_folder
from netwright.training.folder.setting_text import NONE
from netwright.training.folder.settings import as_plain
from netwright.training.optimizers import optimizer_of
from netwright.training.prepare import arguments
from netwright.training.prepare.options import CHECKS as OPTION_CHECKS
from netwright.training.processes.launched import joined
from netwright.training.range_test import RangeTest
from netwright.training.schedules import schedule_of
from netwright.training.snapshot import Snapshot

CHECKS: dict[str, Callable[[Any], object]] = {
    name: {"optimizer": optimizer_of, "schedule": schedule_of}.get(name, check)
    for name, check in OPTION_CHECKS.items()
    if name in CHANGEABLE
}
"""What refuses a wrong value of each setting that a run may change after an epoch (`CHANGEABLE`)."""
ENDED_BY_NONE = (
    "accumulate",
    "clip",
    "clip_value",
    "penalties",
    "ema",
    "patience",
    "minutes",
)  # a fork can be without them
FIXED = {
    "validation": "it decides which examples train, and the epochs so far trained on others",
    "loss": "the losses so far are of the loss that the run has, and so is the choice of the best epoch",
    "label_smoothing": "the losses so far are of labels smoothed as they were, and so is the choice of the best epoch",
    "loss_weights": "the losses so far are weighted by the weights that the run has",
    "mixup": "the losses so far are of examples mixed as they were",
    "weights": "the losses so far are weighted by the weights that the run has",
    "class_weights": "the losses so far are weighted by the weights that the run has",
    "measurements": "the epochs so far were measured by them",
    "best": "the best epoch so far was chosen by it",
    "seed": "it decides which examples validate, and the epochs so far trained on others",
    "objective": "the losses so far are of the objective that the run has",
}


def fork(
    folder: str | os.PathLike[str],
    *,
    epoch: int | None = None,
    into: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> Path:
    """Make another folder with a run that begins where an epoch of the first one ended.

    The new run has the weights, the state of the optimizer, the losses and the place in the schedule of that epoch.
    Give its folder to `nw.train`: `nw.train(net, data, folder=nw.fork("runs/a", epoch=7, learning_rate=1e-4))`. The
    same call gives the same folder again, as it is by then, so the line goes on after the program was killed.

    Fields:
        folder: of the first run, which may have ended, or go on.
        epoch: one that the folder keeps; None is the best one.
        into: the new folder; None makes its name from the first one's, the epoch and the settings:
            `runs/a-epoch7-1f0c9a2e`.
        settings: of `nw.train`, that change: epochs (counted from the first one), batch_size, accumulate, optimizer,
            learning_rate, schedule, clip, clip_value, penalties, ema, patience, minutes, precision, device, threads. A
            setting that is left out stays as it was; clip=None ends the clipping, and so with the five after it. The
            optimizer begins with a new state if the state before does not fit: with another optimizer, or with other
            groups of learning rates. A rate factor that callbacks have set stays too, unless `learning_rate` changes.

    A logger such as `nw.MLflow` keeps the numbers of the new run as another run of its tool, from the first step on;
    `nw.TensorBoard` needs another folder for it.

    Raises: TrainingError for an epoch that is not kept, for a setting that cannot change, and where the new folder has
        another run; FileError for a folder without a run, or one that cannot be written.

    Example:
        >>> import netwright as nw, tempfile
        >>> net = nw.Chain(4, nw.tanh, nw.Linear(), input=nw.Number(), output=nw.Number())
        >>> data = ([0, 1, 2], [0, 1, 4])
        >>> with tempfile.TemporaryDirectory() as place:
        ...     run = nw.train(net, data, folder=f"{place}/a", epochs=2, progress=False)
        ...     other = nw.fork(f"{place}/a", epoch=1, learning_rate=1e-4)
        ...     more = nw.train(net, data, folder=other, progress=False)
        >>> more.losses[:1] == run.losses[:1], more.losses[1:] == run.losses[1:]
        (True, True)
        >>> more.epochs[1].learning_rate
        0.0001
    """
    with joined() as group:  # of several processes the first one writes
        made = os.fspath(_forked(folder, epoch, into, _checked(settings))) if group.leads else ""
        return Path(group.agreed(made))


def _forked(
    folder: str | os.PathLike[str], epoch: int | None, into: str | os.PathLike[str] | None, changes: Mapping[str, Any]
) -> Path:
    """The folder of the new run, which is made if it is not there."""
    first = RunFolder(folder_path(folder))
    first.refuse_empty()
    number = _best(first) if epoch is None else arguments.whole("epoch", epoch, 1) or 0
    origin = _origin(first, number, changes)
    target = folder_path(into) if into is not None else _name(first.path, number, changes)
    if RunFolder(target).about.get("forked") == origin:
        return target
    snapshot = _kept(first, number)
    _refuse_last(first, number, changes)
    with held_folder(target) as new:
        new.refuse_foreign(begun=True)
        _write(new, first, _changed(snapshot, first, number, changes), origin, changes)
    return target


def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that change, each of a value that it can have."""
    for name in settings:
        if name in FIXED:
            raise TrainingError(what=f"{name} cannot change in a run that has begun", where="fork", got=FIXED[name])
        if name not in CHECKS:
            raise TrainingError(
                what=f"{name} is not a setting that nw.fork can change",
                where="fork",
                expected=", ".join(CHECKS),
                mend=did_you_mean(name, CHECKS) or f"nw.train(…, folder=nw.fork(…), {name}=…)",
            )
        if settings[name] is None and name not in ENDED_BY_NONE:
            raise TrainingError(
                what=f"{name}=None is no setting that a fork can have",
                where="fork",
                expected="a value",
                mend=f"leave {name} out, and it stays as it was",
            )
    if isinstance(settings.get("learning_rate"), RangeTest):
        raise TrainingError(
            what="a range test begins before the first step, and the run has begun",
            where="fork",
            got=f"learning_rate={settings['learning_rate']!r}",
            mend="learning_rate=…, a number",
        )
    checked = {name: CHECKS[name](value) for name, value in settings.items()}
    return {name: settings[name] if name in ("optimizer", "schedule") else checked[name] for name in settings}


def _origin(first: RunFolder, number: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Where the new run begins, and what was otherwise before."""
    run, before = _digest(first.about["made from"]), first.about["made from"]
    texts = _texts(changes)
    said = f"epoch {number} of the run {run}"
    if texts:
        said += f" ({', '.join(f'{name}={before.get(name, NONE)}' for name in texts)})"
    if first.about["forked"]:
        said += f", which was forked from {first.about['forked']['from']}"
    return {"run": run, "epoch": number, "changes": texts, "from": said}


def _best(first: RunFolder) -> int:
    snapshot, _ = first.newest()
    best = 0 if snapshot is None else int(snapshot.part("kept").plain["epoch"])
    if not best:
        raise TrainingError(what="no epoch of the run is done yet", where=os.fspath(first.path))
    return best


def _kept(first: RunFolder, number: int) -> Snapshot:
    """The state of the run after an epoch."""
    kept = first.epochs()
    try:
        return first.read(kept[number])
    except (OSError, KeyError) as error:
        nearest = min(kept.keys() - {number}, key=lambda other: abs(other - number), default=None)
        damaged = f": {error.what}" if isinstance(error, FileError) else ""
        raise TrainingError(
            what=f"the state after epoch {number} {'is damaged' if damaged else 'is not kept'}{damaged}",
            where=os.fspath(first.path),
            expected=f"one of {', '.join(map(str, kept))}" if kept else "an epoch that the folder keeps",
            got=f"epoch {number}",
            mend=f"epoch={nearest}" if nearest else (),
        ) from None


def _refuse_last(first: RunFolder, number: int, changes: Mapping[str, Any]) -> None:
    """Refuse a run in which nothing is left to do."""
    planned = int(changes.get("epochs") or first.about["made from"]["epochs"])
    if number >= planned:
        raise TrainingError(
            what=f"after epoch {number} the run would have nothing left to do",
            where="fork",
            expected=f"more than {number} epochs, counted from the first one",
            got=f"epochs={planned}",
            mend=f"epochs={2 * number}",
        )


def _changed(snapshot: Snapshot, first: RunFolder, number: int, changes: Mapping[str, Any]) -> Snapshot:
    """The state with which the new run begins: that of the first one, and a choice that says where it is from."""
    run = dict(snapshot.plain["run"])
    earlier = [choice for choice in run["choices"] if choice[0] == "forked"]
    why = ", ".join(f"{name}={text}" for name, text in _texts(changes).items()) or "with the same settings"
    run["choices"] = [*earlier, ["forked", f"from epoch {number} of {first.path}", why]]
    run["threads"] = changes.get("threads", run["threads"])
    run["rate factor"] = 1.0 if "learning_rate" in changes else run["rate factor"]
    dropped = "average" if "ema" in changes and changes["ema"] is None else ""  # the weights themselves go on
    return Snapshot(
        snapshot.arrays, {name: plain for name, plain in {**snapshot.plain, "run": run}.items() if name != dropped}
    )


def _write(
    new: RunFolder, first: RunFolder, snapshot: Snapshot, origin: Mapping[str, Any], changes: Mapping[str, Any]
) -> None:
    """Write the files of the new run; what makes it one is written last, so that half a run is none."""
    step = int(snapshot.plain["run"]["step"])
    new.copy_beginning(first, step)
    chosen = [choice for choice in first.about["choices"] if choice["name"].replace(" ", "_") not in changes]
    about = {
        **first.about,
        "made from": {**first.about["made from"], **_texts(changes)},
        "settings": _settings(first.about["settings"], changes),
        "choices": chosen,
        "forked": dict(origin),
        "ended": "",
    }
    new.become(about, snapshot, step, origin["epoch"])


def _settings(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the new run is given, as JSON; a None there is a setting that no file holds."""
    kept = {name: plain for name, plain in before.items() if name not in changes}
    return {**kept, **{name: as_plain(value) for name, value in changes.items() if value is not None}}


def _texts(changes: Mapping[str, Any]) -> dict[str, str]:
    return {name: text_of_setting(name, changes[name]) for name in CHANGEABLE if name in changes}


def _name(folder: Path, number: int, changes: Mapping[str, Any]) -> Path:
    ending = f"-{_digest(_texts(changes))}" if changes else ""
    return folder.with_name(f"{folder.name}-epoch{number}{ending}")


def _digest(texts: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:8]
