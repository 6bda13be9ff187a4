"""Checks the arguments of a net's methods first, so that a wrong type gives a plain error, not one from deep inside."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from netwright.codecs.codec import DECISION
from netwright.codecs.numeric import described, numbers
from netwright.codecs.reading import Reading
from netwright.errors import DataError, Fault, NetError, PathError, SizeError, did_you_mean
from netwright.fields import plain
from netwright.net.leaf import LeafNode
from netwright.net.node import Node
from netwright.net.plan.plan import ArraySpec, shape_text
from netwright.net.plan.symbol import Symbol, use
from netwright.net.run.given import Many

MOST_NAMED = 5  # arrays in a message
READINGS = ("probabilities", "entropy", "raw")
VALUES = "numbers, or rows of them that are equally long: an array, a tensor or nested lists"


def used_on_symbols(part: Node, x: Sequence[Any], name: str, ports: Mapping[str, Any]) -> Symbol:
    """The part in a net that is being drawn, fed by these symbols; other values among them raise an error."""
    wrong = [value for value in (*x, *ports.values()) if not isinstance(value, Symbol)]
    odd = [port for port, value in ports.items() if port not in part.input_names and not isinstance(value, Symbol)]
    if odd and isinstance(part, LeafNode):
        raise NetError(
            what=f"{type(part).__name__} takes no {odd[0]!r}",
            where=name or type(part).__name__,
            expected=f"values for its ports, {', '.join(part.input_names)}",
            got=f"{odd[0]}={ports[odd[0]]!r}",
            mend=_uncalled(part),
        )
    if wrong:
        raise NetError(
            what="a part takes values of a net that is being drawn, or raw things, not both",
            where=name or type(part).__name__,
            got=repr(wrong[0]),
            mend="nw.Constant(…) or nw.Parameter(…) for an array that is part of the net",
        )
    return use(part, *x, name=name, **ports)


def _uncalled(part: LeafNode) -> str:
    return f"nw.{part!r} without a call, as a part of a net"


def path_of(path: Any) -> str | int:
    """Check that this is a path or a position."""
    found = plain(path)
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise PathError(
            what="a part is named by its path or its position",
            expected="a text such as 'body/linear1', or a whole number",
            got=described(path),
        )
    return found


def piece(ends: slice) -> slice:
    """Check that this is a slice between paths or positions."""
    start, stop = (end if end is None else path_of(end) for end in (ends.start, ends.stop))
    return slice(start, stop, ends.step)


def reading_of(part: Node, values: Sequence[Any], at: Any) -> tuple[Any, Reading]:
    """Check the arguments of a call such as `net(x, reading)`."""
    reading = values[-1] if len(values) > 1 else DECISION
    if isinstance(reading, type) and issubclass(reading, Reading):
        raise NetError(
            what=f"{reading.__name__} is a kind of reading, not a reading yet",
            expected="net(x, reading)",
            got=f"the class {reading.__name__}",
            mend=f"nw.{reading.__name__}({'3' if reading.__name__ == 'Top' else ''})",
        )
    if not 1 <= len(values) <= 2 or not isinstance(reading, Reading):
        named = _uncalled(part) if not values and isinstance(part, LeafNode) else ""
        if isinstance(reading, str):
            named = f"nw.{reading}" if reading in READINGS else did_you_mean(reading, READINGS)
        many = "net([a, b]) for many examples, net({'left': a, 'right': b}) for several inputs"
        raise NetError(
            what="a net takes one value, and after it a reading if one is wanted",
            expected="net(x) or net(x, nw.probabilities)",
            got=f"{len(values)} values",
            mend=[mend for mend in (named, many) if mend],
        )
    if at is not None and reading is not DECISION:
        raise NetError(
            what="a reading and at= exclude each other: a reading decodes the output, at= gives arrays from inside",
            expected="net(x, reading) or net(x, at=path)",
            got=f"{reading!r} and at={at!r}",
        )
    return values[0], reading


def check_question(x: Any, at: Any, changes: Any) -> None:
    """Check `at=` and `set=` of a call, and that the input is not a batch of a batch."""
    columns = cast(Mapping[Any, Any], x).values() if isinstance(x, Mapping) else (x,)
    if any(isinstance(column, Many) and isinstance(cast(Any, column).examples, Many) for column in columns):
        raise DataError(what="nw.batch of nw.batch: a batch has one batch axis", mend="nw.batch(examples), once")
    several = isinstance(at, Sequence) and all(isinstance(path, str) for path in cast(Sequence[Any], at))
    if at is not None and not several:
        raise PathError(what="at= takes a path or several", expected="a text, or a list of texts", got=described(at))
    if changes is None:
        return
    if not isinstance(changes, Mapping):
        raise NetError(
            what="set= takes a mapping from paths to functions or arrays",
            got=described(changes),
            mend="set={'linear1': lambda x: 0 * x}",
        )
    for path, change in cast(Mapping[Any, Any], changes).items():
        if not isinstance(path, str):
            raise PathError(what="set= names places by their paths", expected="a text", got=described(path))
        if not callable(change):
            as_array(change, f"set, {path}", "a function of the value, or an array in its place")


def as_array(value: Any, where: str, expected: str = VALUES) -> Tensor:
    """Numbers in any form as a tensor; a tensor of torch keeps its device."""
    if isinstance(value, Tensor) and value.layout == torch.strided:
        return value.detach()
    try:
        return numbers(value)
    except DataError:
        raise DataError(
            what="this is not an array of numbers", where=where, expected=expected, got=described(value)
        ) from None


def arrays_for(
    given: Mapping[str, Any], held: Mapping[str, Tensor], places: Mapping[str, ArraySpec]
) -> dict[str, Tensor]:
    """Copies of arrays for a net, by path; numbers are brought to the one type that the net's others have."""
    if not isinstance(cast(Any, given), Mapping):
        raise NetError(
            what="with_arrays takes a mapping from paths to arrays",
            got=described(given),
            mend="net.with_arrays({'linear1/weight': array})",
        )
    paths = {name: _path(name, places) for name in given}
    _check_paths(given, paths, places)
    found = {paths[name]: as_array(value, paths[name]).clone() for name, value in given.items()}
    others = [array for path, array in held.items() if path not in found]
    said = [value for value in given.values() if isinstance(value, Tensor)]  # a list's and numpy's type says nothing
    dtype = _one_type((others, said, held.values()))
    for path, array in found.items():
        whole = not (array.is_floating_point() or array.is_complex())
        if array.is_floating_point() or (whole and places[path].weight.kind == "learned"):
            found[path] = array.to(dtype or getattr(held.get(path), "dtype", torch.float32))
    return found


def _path(name: Any, places: Mapping[str, ArraySpec]) -> str:
    """The path that a name means: the name itself, or a name of a torch state_dict with slashes for dots."""
    return str(name) if name in places else str(name).replace(".", "/")


def _check_paths(given: Mapping[Any, Any], paths: Mapping[Any, str], places: Mapping[str, ArraySpec]) -> None:
    """Raise one error for all arrays that no part has; it also lists arrays that are missing or do not fit."""
    strange = [name for name, path in paths.items() if path not in places]
    if not strange:
        return
    first, prefix = strange[0], _prefix(given, places)
    missing = [path for path in places if path not in paths.values()]
    odd = [f"{path} {shape_text(s)}" for name, path in paths.items() if (s := _misfit(given[name], places.get(path)))]
    groups = {"unexpected": list(map(str, strange)), "missing": missing, "of another size": odd}
    lines = [f"{word}: {_few(names)}" for word, names in groups.items() if names]
    cut = f"{{name.removeprefix({prefix!r}): array for name, array in arrays.items()}}: all begin with {prefix!r}"
    more = f" and {len(strange) - 1} others" if len(strange) > 1 else ""
    raise PathError(
        what=f"this net has no array {first!r}{more}",
        expected=f"one of {len(places)} paths",
        got="\n".join(lines) if len(given) > 1 else "",
        mend=cut if prefix else did_you_mean(paths[first], places),
    )


def with_missing(error: SizeError, held: Mapping[str, Any], places: Mapping[str, ArraySpec]) -> SizeError:
    """The error for arrays that do not fit, which also lists those that the net would lack beside."""
    missing = [path for path in places if path not in held]
    if not missing:
        return error
    fault = Fault(
        what=f"{len(missing)} of the {len(places)} arrays of this net are not given",
        where=_few(missing),
        mend=("nw.initialize(net) for random ones, when the others fit",),
    )
    whole = SizeError.of([*error.faults, fault])
    whole.mended = error.mended
    return whole


def _prefix(given: Mapping[Any, Any], places: Mapping[str, ArraySpec]) -> str:
    """The common prefix of all names, if without it some are paths of the net."""
    names = list(map(str, given))
    shortest = min(names, key=len)
    for end in (i + 1 for i, letter in enumerate(shortest) if letter in "./"):
        if not all(name.startswith(shortest[:end]) for name in names):
            return ""
        if any(_path(name[end:], places) in places for name in names):
            return shortest[:end]
    return ""


def _misfit(value: Any, spec: ArraySpec | None) -> tuple[int, ...]:
    """The sizes of an array, if they differ from those that the net needs there."""
    shape = tuple(getattr(value, "shape", ()))
    return shape if spec is not None and spec.known is not None and shape and shape != spec.known else ()


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")


def _one_type(groups: Iterable[Iterable[Tensor]]) -> torch.dtype | None:
    """The float type of the first group with float arrays; None if that group has several types."""
    for group in groups:
        types = {array.dtype for array in group if array.is_floating_point()}
        if types:
            return types.pop() if len(types) == 1 else None
    return torch.float32


def target(device: Any, dtype: Any) -> tuple[torch.device | None, torch.dtype | None]:
    """The device and the type that arrays go to; the type may stand alone, as in torch."""
    if dtype is None and isinstance(device, torch.dtype):
        return target(None, device)
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        name = str(cast(Any, dtype))
        known = isinstance(getattr(torch, name, None), torch.dtype)
        raise NetError(
            what="a net's arrays have a float type of torch",
            expected="torch.float32, torch.float64, torch.bfloat16 or torch.float16",
            got=repr(cast(Any, dtype)),
            mend=f"net.to(dtype=torch.{name})" if known else "",
        )
    try:
        return None if device is None else torch.device(device), dtype
    except (RuntimeError, TypeError):
        raise NetError(
            what="this is not a device", expected="'cpu', 'cuda', 'cuda:1', 'mps', …", got=repr(device)
        ) from None


def moved_to(array: Tensor, device: torch.device | None, dtype: torch.dtype | None) -> Tensor:
    """An array on a device, or of a type; whole numbers keep theirs."""
    try:
        return array.to(device, dtype if array.is_floating_point() else None)
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # torch asserts that it was built with CUDA
        raise NetError(
            what=f"the arrays cannot go to {str(device)!r}", got=str(error).split("\n")[0], mend="net.to('cpu')"
        ) from None
