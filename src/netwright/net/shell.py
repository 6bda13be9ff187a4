"""The shell of a foreign module: a copy without values, in which shared arrays stay shared and frozen ones frozen."""

import copy
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter

from netwright.errors import NetError

EVERY = vars(nn.Module()).keys()  # the attributes that every module has


def shell(module: nn.Module) -> nn.Module:
    """A copy with its arrays on the meta device, which has shapes and types but no memory.

    Raises: NetError for a module that cannot be copied.
    """
    try:
        return with_arrays(module, lambda array: array.to("meta"))
    except Exception as error:  # a foreign module may raise any error
        raise NetError(
            what=f"{type(module).__name__} cannot be copied, and a net holds a copy",
            expected="a module that copy.deepcopy copies",
            got=error_text(error),
            mend="give it a __deepcopy__ method, or make what it keeps when it is called",
        ) from error


def with_arrays(module: nn.Module, make: Callable[[Tensor], Tensor]) -> nn.Module:
    """A copy with other arrays in the place of its own; an array that stands under two names is made once."""
    memo: dict[int, Any] = {}
    for array in arrays_of(module).values():
        lazy = is_lazy(array)
        made = make(torch.empty(0, device=array.device, dtype=array.dtype) if lazy else array.data)
        if lazy:
            memo[id(array)] = type(array)(array.requires_grad, made.device, made.dtype)
        else:
            memo[id(array)] = nn.Parameter(made, array.requires_grad) if isinstance(array, nn.Parameter) else made
    return copy.deepcopy(module, memo)


def arrays_of(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name; one that stands under two names once."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def is_lazy(array: Tensor) -> bool:
    """Whether the array has no shape before the first run."""
    return isinstance(array, UninitializedParameter | UninitializedBuffer)


def frozen(module: nn.Module) -> tuple[str, ...]:
    """The names of the frozen parameters."""
    return tuple(name for name, array in module.named_parameters() if not array.requires_grad)


def tied(module: nn.Module) -> dict[str, str]:
    """The further names of arrays that have several names, each with the first name."""
    first: dict[int, str] = {}
    both = (*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False))
    return {name: known for name, array in both if (known := first.setdefault(id(array), name)) != name}


def options(module: nn.Module) -> str:
    """The text by which a file identifies a module: its repr, its frozen parameters, and its tied arrays."""
    more = [f"frozen {name}" for name in frozen(module)] + [f"{name} is {one}" for name, one in tied(module).items()]
    return "\n".join([repr(module), *more])


def plain_attributes(module: nn.Module) -> str:
    """The modules' own attributes that are tensors or fit JSON, since a repr need not show them."""
    kept: dict[str, str] = {}
    for path, part in module.named_modules():
        for name in sorted(vars(part).keys() - EVERY):
            value = vars(part)[name]
            try:
                kept[f"{path}.{name}"] = (
                    _hash(value) if isinstance(value, Tensor) else json.dumps(value, sort_keys=True)
                )
            except (TypeError, ValueError, RuntimeError):
                continue  # other values, such as functions, are covered by the source of the class
    return json.dumps(kept)


def error_text(error: Exception) -> str:
    """The first line of an error of foreign code, or its class if it has no text."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def tensors(value: Any, names: tuple[str, ...]) -> list[Tensor]:
    """The tensors in a module's result, however nested; from a mapping that has all these names, those named.

    Raises: TypeError for what is no tensor, no list, no tuple, no mapping and not None.
    """
    if isinstance(value, Tensor):
        return [value]
    if value is None:
        return []
    if isinstance(value, Mapping):
        inner = [value[name] for name in names] if names and {*names} <= {*value} else [*value.values()]
    elif isinstance(value, list | tuple):
        inner = [*value]
    else:
        raise TypeError(f"it gives a {type(value).__name__}, which is no tensor")
    return [tensor for item in inner for tensor in tensors(item, ())]


def _hash(array: Tensor) -> str:
    header = json.dumps([str(array.dtype), *array.shape])
    values = array.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
    return hashlib.sha256(header.encode() + values).hexdigest()
