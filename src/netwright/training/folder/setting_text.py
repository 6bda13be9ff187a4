"""A setting of a run as a short text: equal in every process for an equal setting, and another text for another one."""

import dis
import hashlib
import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from platform import python_version
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.numeric import is_array
from netwright.net.compare import array_bytes, digest
from netwright.net.part import Net
from netwright.training.measurement import Measurement
from netwright.training.optimizers import Torch

NONE = "none"
CODE = ", code "
COMPILED = re.compile(f"{CODE}([0-9a-f]+) in Python ([\\w.+]+)")
LIBRARIES = ("netwright", "torch", "numpy")
INSTALLED = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platlib", "purelib"))


def setting_text(value: Any, within: tuple[Any, ...] = ()) -> str:
    """A setting as a text; `within` are the functions and objects that hold it, since they may hold each other."""
    if value is None:
        return NONE
    if isinstance(value, Net):
        return f"net {digest(value)[:16]}"
    if isinstance(value, Mapping):
        items = cast(Mapping[Any, Any], value).items()
        return ", ".join(f"{name}: {setting_text(one, within)}" for name, one in items)
    if isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, torch.device | torch.dtype):
        return str(value)
    if isinstance(value, Torch):
        return setting_text(value.make, within)
    if is_array(value):
        return _array_text(value)
    if isinstance(value, Measurement):
        said = [setting_text(one, within) for one in (value.what, value.data, value.better) if one is not None]
        return " ".join(said)
    if hasattr(value, "__dataclass_fields__"):  # an optimizer, a schedule
        return repr(value)
    if isinstance(value, partial):
        given = (*value.args, *sorted(value.keywords.items()))
        return f"{setting_text(value.func, within)} with {', '.join(setting_text(one, within) for one in given)}"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(setting_text(one, within) for one in cast('set[Any]', value)))}}}"
    if isinstance(value, list | tuple):
        return _sequence_text(cast("Sequence[Any]", value), within)
    return _code_text(value, within)


def _array_text(array: Any) -> str:
    held = array if isinstance(array, Tensor) else torch.from_numpy(np.ascontiguousarray(array))
    return f"{held.dtype} {tuple(held.shape)}, {hashlib.sha256(array_bytes(held)).hexdigest()[:16]}"


def _sequence_text(items: Sequence[Any], within: tuple[Any, ...]) -> str:
    if len(items) == 2 and isinstance(items[1], Mapping):  # a learning rate, and the rates by path
        return ", ".join(setting_text(one, within) for one in items if one != {})
    plain = all(isinstance(one, bool | int | float | str) for one in items)
    said = repr([*items]) if plain else repr([setting_text(one, within) for one in items])
    return f"{len(items):,} values, {_short_hash(said)}"


def _code_text(value: Any, within: tuple[Any, ...]) -> str:
    """The name of a class, a function or the class of an object, what its code says, and the values that it uses."""
    kind: Any = value if hasattr(value, "__qualname__") else type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if any(one is value for one in within):
        return name
    if _installed(kind) and not isinstance(getattr(value, "__self__", value), torch.nn.Module):
        return name  # what a logger holds, for one, is much, differs from process to process, and changes no loss
    holders = (*within, value)
    said: list[Any] = []
    if hasattr(value, "__code__"):
        said = [_instructions(value.__code__), *_outside(value, holders)]
    elif kind is not value:
        methods = [one for one in vars(kind).values() if isinstance(one, FunctionType)]
        said = [*(_code_text(one, holders) for one in methods), setting_text(getattr(value, "__dict__", {}), holders)]
    return f"{name}{CODE}{_short_hash(repr(said))} in Python {python_version()}" if said else name


def _installed(kind: Any) -> bool:
    """Whether a class or a function comes with Python or with an installed package."""
    name = kind.__module__ or "builtins"
    top = name.partition(".")[0]
    file = getattr(sys.modules.get(name), "__file__", None) or ""
    return top in LIBRARIES or top in sys.stdlib_module_names or file.startswith(INSTALLED)


def _instructions(code: CodeType) -> tuple[object, ...]:
    """What a function does, without the place where it stands in its file."""
    constants = [_instructions(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return code.co_code, code.co_names, code.co_varnames, constants


def _outside(function: Any, holders: tuple[Any, ...]) -> Iterator[str]:
    """The values that a function takes from outside: bound to it, from around it, and by name from its module."""
    yield setting_text(getattr(function, "__self__", None), holders)
    for cell in function.__closure__ or ():
        yield setting_text(cell.cell_contents, holders)
    yield from (setting_text(one, holders) for one in function.__defaults__ or ())
    yield from (setting_text(one, holders) for one in (function.__kwdefaults__ or {}).items())
    for name in sorted({*_global_names(function.__code__)}):
        value = function.__globals__.get(name)
        if value is not None and not isinstance(value, ModuleType | type):
            yield f"{name} {setting_text(value, holders)}"


def _global_names(code: CodeType) -> Iterator[str]:
    yield from (one.argval for one in dis.get_instructions(code) if one.opname == "LOAD_GLOBAL")
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _global_names(inner)


def same_text(here: str, now: str) -> bool:
    """Whether two texts say the same. Code is compared in one version of Python only, since others compile it anew."""
    ours, theirs = COMPILED.split(here), COMPILED.split(now)  # text, hash, version, text, hash, version, …, text
    if len(ours) != len(theirs) or ours[::3] != theirs[::3]:
        return False
    codes = zip(ours[1::3], ours[2::3], theirs[1::3], theirs[2::3], strict=True)
    return all(code == other or version != its for code, version, other, its in codes)


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
