"""Refuses a foreign module that holds an array where PyTorch does not register it: a run would read stale values."""

import functools
from collections import deque
from collections.abc import Iterable, Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias, cast

from torch import Tensor, nn

from netwright.errors import NetError
from netwright.net.shell import EVERY, arrays_of, is_lazy

Found: TypeAlias = tuple[str, Tensor | nn.Module]  # the place, such as weights[0], and what it holds
Memory: TypeAlias = tuple[int, tuple[int, ...], tuple[int, ...]]  # where it begins, its shape, its strides

FUNCTION = ", a function's variable "  # and its name: the step of a place into what a function keeps


def all_registered(module: nn.Module, copied: nn.Module) -> None:
    """Nothing where every array of a module is reached by its registered name only; `copied` is its shell.

    A run puts the net's arrays in the place of the registered ones. The shell shows what a copy goes on holding; the
    module itself shows which arrays lie in one piece of memory.

    Raises: NetError for two parameters in one piece of memory, and for what a plain attribute holds: a registered
        array, an unregistered parameter, an unregistered module with arrays, a function that keeps one of these.
    """
    _each_parameter_has_its_memory(module)
    registered = {id(array): name for name, array in arrays_of(copied).items()}
    parts = {id(part) for part in copied.modules()}
    for path, part in copied.named_modules():
        for place, value in _plain(part):
            if isinstance(value, nn.Module):
                if id(value) not in parts and arrays_of(value):
                    raise _unregistered(part, path, place, f"the module {type(value).__name__}", "module")
            elif id(value) in registered:
                raise _second(part, path, place, registered[id(value)])
            elif isinstance(value, nn.Parameter):
                raise _unregistered(part, path, place, f"a parameter of shape {tuple(value.shape)}", "parameter")
    memories = {memory: name for name, array in arrays_of(module).items() if (memory := _memory(array))}
    for path, part in module.named_modules():
        if vars(part)["_forward_pre_hooks"]:  # a hook may set the attribute before each run: torch's spectral_norm does
            continue
        for place, value in _plain(part):
            memory = _memory(value) if isinstance(value, Tensor) else None
            if memory in memories:
                raise _second(part, path, place, memories[memory])


def _each_parameter_has_its_memory(module: nn.Module) -> None:
    first: dict[Memory, str] = {}
    for name, array in module.named_parameters():
        memory = _memory(array)
        if memory and (known := first.setdefault(memory, name)) != name:
            raise NetError(
                what=f"two parameters of {type(module).__name__} lie in one piece of memory, and a net parts them",
                where=f"{known} and {name}",
                expected="one parameter with two names, or two parameters with memory of their own",
                mend=(
                    f"{_code(name)} = {_code(known)}",
                    f"{_code(name)} = nn.Parameter({_code(known)}.detach().clone())",
                ),
            )


def _memory(array: Tensor) -> Memory | None:
    """Where an array lies; None where it has no memory that can be asked for."""
    if is_lazy(array) or not array.numel():
        return None
    try:
        start = array.data_ptr()
        return (start, tuple(array.shape), array.stride()) if start else None
    except RuntimeError:  # of sparse and other arrays that are not one piece
        return None


def _plain(part: nn.Module) -> Iterator[Found]:
    """The tensors and modules in the plain attributes of a module, without those of its registered modules."""
    kept = {name: value for name, value in vars(part).items() if name not in EVERY}
    if isinstance(part, nn.RNNBase):
        kept.pop("_flat_weights", None)  # torch sets it anew whenever one of the layer's arrays is set
    seen: set[tuple[int, bool]] = set()
    for name, value in kept.items():
        yield from _within(name, value, seen, objects=True)


def _within(place: str, value: Any, seen: set[tuple[int, bool]], objects: bool) -> Iterator[Found]:
    """What a value holds, itself too. An object is searched where no other object lies around it."""
    if isinstance(value, Tensor | nn.Module):
        yield place, value
        return
    if isinstance(value, str | bytes | int | float | complex | type | ModuleType | None):
        return
    if (id(value), objects) in seen:
        return
    seen.add((id(value), objects))
    inner: Iterable[tuple[str, Any]]
    if isinstance(value, dict):
        inner = [(f"{place}[{key!r}]", item) for key, item in cast(dict[Any, Any], value).items()]
    elif isinstance(value, list | tuple | deque):
        inner = [(f"{place}[{i}]", item) for i, item in enumerate(cast(Iterable[Any], value))]
    elif isinstance(value, set | frozenset):
        inner = [(place, item) for item in cast(Iterable[Any], value)]
    elif isinstance(value, functools.partial):
        given = cast("functools.partial[Any]", value)
        inner = [
            (f"{place}.func", given.func),
            *((f"{place}.args[{i}]", item) for i, item in enumerate(given.args)),
            *((f"{place}.keywords[{key!r}]", item) for key, item in given.keywords.items()),
        ]
    elif isinstance(value, MethodType):
        inner = [(f"{place}.__self__", value.__self__)]
    elif isinstance(value, FunctionType):
        inner = _variables(place, value)
    else:
        slots = {name for kind in type(value).__mro__ for name in vars(kind).get("__slots__", ())}
        kept = {**{name: getattr(value, name, None) for name in slots}, **getattr(value, "__dict__", {})}
        inner = [(f"{place}.{name}", item) for name, item in kept.items()] if objects else []
        objects = False
    for at, item in inner:
        yield from _within(at, item, seen, objects)


def _variables(place: str, function: FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function keeps from where it was made, and the defaults of its arguments."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield f"{place}{FUNCTION}{name}", cell.cell_contents
        except ValueError:  # a variable that has no value yet
            continue
    defaults = function.__defaults__ or ()
    arguments = function.__code__.co_varnames[: function.__code__.co_argcount]
    by_name = {**dict(zip(reversed(arguments), reversed(defaults), strict=False)), **(function.__kwdefaults__ or {})}
    for name, value in by_name.items():
        yield f"{place}{FUNCTION}{name}", value


def _second(part: nn.Module, path: str, place: str, name: str) -> NetError:
    if FUNCTION in place:
        return _function(part, path, place, f"the array {name}")
    attribute = _attribute(place)
    prefix = f"{path}." if path else ""
    if place == attribute and name.startswith(prefix):
        read = f" that returns {_code(name.removeprefix(prefix))}"
        other = f"register_buffer({attribute!r}, …) for an array that is not learned"
    else:
        read = ", such as: return [layer.weight for layer in self.layers]"
        other = "nn.ParameterList or nn.ParameterDict for a list or a dict of parameters"
    return NetError(
        what=f"{type(part).__name__} keeps the array {name} a second time, and a net changes the registered one only",
        where=_where(path, place),
        expected="registered arrays, read where they are registered",
        mend=(f"self.{attribute} as a property{read}", other),
    )


def _unregistered(part: nn.Module, path: str, place: str, got: str, kind: str) -> NetError:
    if FUNCTION in place:
        return _function(part, path, place, got)
    listed, by_key = f"nn.{kind.title()}List", f"nn.{kind.title()}Dict"
    return NetError(
        what=f"{type(part).__name__} keeps {kind}s that are not registered, and a net would not train them",
        where=_where(path, place),
        expected=f"{kind}s in a {listed}, in a {by_key}, or each in an attribute",
        got=got,
        mend=(f"self.{_attribute(place)} = {listed}(…)", f"self.{_attribute(place)} = {by_key}(…)"),
    )


def _function(part: nn.Module, path: str, place: str, got: str) -> NetError:
    return NetError(
        what=f"{type(part).__name__} keeps a function that reads arrays, and a copy of the module reads the same ones",
        where=_where(path, place),
        expected="a function that gets every array as an argument",
        got=got,
        mend=f"self.{_attribute(place)} as a method of {type(part).__name__}",
    )


def _attribute(place: str) -> str:
    """The attribute in which a place lies."""
    return place.split(FUNCTION)[0].split("[")[0].split(".")[0]


def _where(path: str, place: str) -> str:
    return f"self.{place}" + (f" in the module {path}" if path else "")


def _code(name: str) -> str:
    """An array's name as it is written in the module: self.layers[0].weight."""
    return "self" + "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in name.split("."))
