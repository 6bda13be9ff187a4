"""Reads a run back from its folder, whether it has ended or not."""

import os
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from netwright.errors import FileError
from netwright.file.format import folder_path
from netwright.file.load import load
from netwright.net.part import Net
from netwright.training.epochs import epochs_of
from netwright.training.events import Choice
from netwright.training.folder.run_folder import KINDS, START, RunFolder
from netwright.training.folder.settings import from_plain
from netwright.training.holding import net_holding
from netwright.training.result import NOT_ENDED, Run, begun_with
from netwright.training.snapshot import Snapshot
from netwright.training.start import Start


def load_run(folder: str | os.PathLike[str], *, functions: Mapping[str, Any] | None = None) -> Run:
    """Read the run that `nw.train(…, folder=…)` keeps in a folder: its nets, every curve and every choice.

    A run that goes on, or was killed, is read as it was at its newest checkpoint; `ended` is "not ended" then.

    Fields:
        folder: of the run.
        functions: as in `nw.load`, for a net that holds functions or modules.

    Raises: FileError for a folder without a run, and where no checkpoint is as it was written.

    Example:
        >>> import netwright as nw, tempfile
        >>> net = nw.Chain(4, nw.tanh, nw.Linear(), input=nw.Number(), output=nw.Number())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = nw.train(net, ([0, 1, 2], [0, 1, 4]), folder=folder, epochs=2, progress=False)
        ...     nw.load_run(folder).net == run.net
        True
    """
    path = folder_path(folder)
    kept = RunFolder(path)
    kept.refuse_empty()
    snapshot, damaged = kept.newest()
    if snapshot is None:
        raise FileError(
            what="the run has no checkpoint that is as it was written",
            where=os.fspath(path),
            got="; ".join(damaged) or "no checkpoint yet",
            mend="the call of nw.train again, which begins anew" if not damaged else (),
        )
    start = _start(kept, functions)
    run, best = snapshot.part("run"), snapshot.part("kept")
    prefix, kind = kept.about["arrays"]["prefix"], KINDS[kept.about["arrays"]["kind"]]
    last = net_holding(start, _last(snapshot), prefix, kind)
    chosen = {choice.name: choice.setting for choice in kept.choices}
    settings = {name: None if one is None else from_plain(one, name) for name, one in kept.settings.items()}
    begun = kept.started(Start(start, {}, settings, {}))
    read = Run(
        net=net_holding(start, best.arrays, prefix, kind) if best.arrays else last,
        last=last,
        epochs=tuple(epochs_of(snapshot.part("epochs").arrays)),
        losses=tuple(run.arrays["losses"].tolist()),
        choices=kept.named([Choice(name, value, why, chosen.get(name)) for name, value, why in run.plain["choices"]]),
        best=best.plain["epoch"],
        seconds=run.plain["seconds"],
        ended=kept.ended or NOT_ENDED,
    )
    return begun_with(read, begun)


def _last(snapshot: Snapshot) -> Mapping[str, Tensor]:
    """The arrays of the net after the last step; with `ema=` they are the averages, as a run gives them back."""
    averages = snapshot.part("average").arrays if "average" in snapshot.plain else {}
    return {**snapshot.part("last").arrays, **averages}


def _start(folder: RunFolder, functions: Mapping[str, Any] | None) -> Net:
    """The net before the run, into which the arrays of its checkpoints are put."""
    try:
        return load(folder.path / START, functions=functions)
    except FileError:
        if folder.start_is_whole():
            raise
        raise FileError(
            what="the net before the run is missing or damaged",
            where=os.fspath(folder.path / START),
            mend="the call of nw.train that made the run again; it writes this file anew, and goes on or gives the run",
        ) from None
