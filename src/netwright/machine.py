"""What the machine has: devices, memory, units for bf16; and how the state of the process is left unchanged."""

import ctypes
import importlib
import os
import random
import sys
import warnings
from collections.abc import Generator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import torch

from netwright.around import around

GROUPS, OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")  # of Linux: where containers have their limits
GROUP_FILES = {  # by the folder of their version: the limit, what is used, and how much of that are files read before
    "": ("memory.max", "memory.current", "inactive_file"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def best_device() -> torch.device:
    """The accelerator if there is one, else the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def has_bf16(device: torch.device) -> bool:
    """Whether bf16 products run on units of their own, so that they are faster and not slower."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return onednn_has_bf16() and any(map(_has, ("_is_amx_tile_supported", "_is_avx512_bf16_supported")))
    return False


def has_matrix_units() -> bool:
    """Whether the processor multiplies whole tiles of matrices, for which shapes are best filled up to tiles."""
    return _has("_is_amx_tile_supported")


def _has(name: str) -> bool:
    """What torch knows under a private name only; where that is gone, False is the safe answer."""
    test = getattr(torch.cpu, name, None)
    return test is not None and bool(test())


def onednn_has_bf16() -> bool:
    """Whether oneDNN, which computes products on processors, accepts bf16: a setting of oneDNN can forbid the units."""
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError):
        return False


def free_memory(device: torch.device) -> int:
    """Bytes that are free on a device, and that a container may still take; 4 GiB where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if sys.platform == "linux":
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return min(int(line.split()[1]) * 1024, _free_in_groups())
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return 4 << 30


def give_back_freed_memory() -> None:
    """Give freed memory back to the system where the C library keeps it for later, as glibc does.

    Large values that are freed in another order than they were made leave gaps, and a program grows by these.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _free_in_groups() -> int:
    """Bytes that the control groups of this process may still take: its own, and each around it."""
    found = [sys.maxsize]
    try:
        lines = OWN_GROUPS.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:  # "0::/path" in version 2, "4:cpu,memory:/path" in version 1
        _, controllers, path = line.split(":", 2)
        kind = "memory" if "memory" in controllers.split(",") else ""
        if controllers and not kind:
            continue
        top = GROUPS / kind
        group = top / path.lstrip("/")
        found += [
            _free_in(folder, *GROUP_FILES[kind])
            for folder in (group, *group.parents)
            if top in (folder, *folder.parents)
        ]
    return min(found)


def _free_in(group: Path, limit: str, used: str, files: str) -> int:
    """Bytes that one group may still take; the memory of files that were read is given back when it is needed."""
    try:
        most, now = (int((group / name).read_text(encoding="ascii")) for name in (limit, used))
        parts = dict(line.split() for line in (group / "memory.stat").read_text(encoding="ascii").splitlines())
        return max(most - now + int(parts.get(files, 0)), 0)
    except (OSError, ValueError):  # no such file, or "max"
        return sys.maxsize


@around
def without_autocast() -> Generator[None]:
    """Compute in the types of the arrays, also where the caller has switched on `torch.autocast`."""
    with ExitStack() as off:
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                off.enter_context(torch.autocast(kind, enabled=False))
        yield


@around
def unchanged() -> Generator[None]:
    """Restore what other packages change: Python's random numbers, filters of warnings, what ends a program."""
    state, ends = random.getstate(), (sys.exit, sys.excepthook)
    try:
        with warnings.catch_warnings():
            yield
    finally:
        random.setstate(state)
        sys.exit, sys.excepthook = ends


@cache
def ready_for_directions() -> None:
    """Let torch import what it asks for at the first derivative along a direction: sympy, which sets filters."""
    with unchanged():
        importlib.import_module("torch.fx.experimental.symbolic_shapes")
