"""What a run begins with, so that it can be made again; and the entry that it adds to the history of its net."""

import platform
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np
import torch

from netwright.net.compare import digest
from netwright.net.history import Entry
from netwright.net.lineage import entered
from netwright.net.part import Net
from netwright.once import once
from netwright.value import Value

TRAINED = "trained"
BEFORE, AFTER = "net before", "net after"


class Start(Value, eq=False):
    """What a run begins with. The data are known by their digest alone.

    Fields:
        net: before the first step, with its encoders and decoders.
        made_from: digests of the data, and every setting, given or chosen, as texts by name.
        settings: those that were given, as values; None for one that a run does not hold, as it is data or code.
        versions: of the programs that compute, and the kind of processor.
    """

    net: Net
    made_from: Mapping[str, str]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]


def trained(net: Net, start: Start, text: str, after: str) -> Net:
    """A net that a run gives, with the history of the net before the run and one entry; `after` is its digest."""
    settings = {name: said for name, said in start.made_from.items() if name != "net" and said != "none"}
    forked = f"; forked {start.made_from['forked']}" if "forked" in start.made_from else ""
    count, seed = settings["data"].rpartition(", ")[0], settings["seed"]
    facts = {**settings, BEFORE: digest_before(start.net), AFTER: after, **start.versions}
    entry = Entry(TRAINED, f"{text}{forked}; {count}, seed {seed}", tuple(facts.items()))
    return entered(net.unchecked(net.held), start.net, entry)


def trained_so_far(net: Net, before: Net, step: int, seed: int) -> Net:
    """A net that a run gives while it goes on, with the history of the net before the run and one entry."""
    entry = Entry(TRAINED, f"so far, {step:,} step{'' if step == 1 else 's'}; seed {seed}")
    return entered(net, before, entry)


def digest_before(net: Net) -> str:
    """The digest of a net that a run begins with, computed once: it takes two seconds for 500 MB of weights."""
    return once(net, "digest", lambda: digest(net))


def versions(device: torch.device) -> dict[str, str]:
    """The versions of the programs that compute, and the kind of processor: other ones may give other last bits."""
    found = {
        "netwright": _netwright(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "processor": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
    }
    if device.type == "cuda":
        found["accelerator"] = torch.cuda.get_device_name(device)
    return found


@cache
def _netwright() -> str:
    try:
        return metadata.version("netwright")
    except metadata.PackageNotFoundError:  # run from a folder of source
        return "unknown"
