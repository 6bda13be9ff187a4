"""Draws the graph of an ordinary function by running it once on symbols; the function itself is not kept."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast, overload

from netwright.errors import NetError, shortened
from netwright.net.graph import Graph
from netwright.net.node import Node
from netwright.net.plan.symbol import DrawnInput, Symbol, as_part, close, input_ports, use
from netwright.net.ports import PortsLike
from netwright.value import Value


class ProgramPlace(Value):
    """A part that an argument of a program holds: called twice, it has the same arrays."""

    name: str
    part: Node

    def __call__(self, *x: Symbol, **more: Any) -> Symbol:
        """Use the part on symbols."""
        return use(self.part, *x, place=self.name, **more)


@overload
def program(function: Callable[..., Any]) -> Graph: ...
@overload
def program(*, input: PortsLike = None, output: PortsLike = None) -> Callable[[Callable[..., Any]], Graph]: ...
def program(
    function: Callable[..., Any] | None = None, *, input: PortsLike = None, output: PortsLike = None
) -> Graph | Callable[[Callable[..., Any]], Graph]:
    """The net that a function draws: it is run once on symbols, and the graph it drew is kept, never the function.

    Arguments without a default are inputs. An argument whose default is a part is a place, named by the argument:
    called twice it has the same weights (`dense`, `dense_2` in paths). An argument whose default has no inputs, such as
    `nw.Parameter(4, 2)`, is a value. Other defaults (texts, truth values, numbers, `None`) stay what they are: `deep=3`
    is a 3 to count with, `dense=nw.Linear(3)` a layer. Values take `+ - * / % ** @`, comparisons, slices
    such as `x[1:3]` and `x[..., 0]`, `x[i]` with a value `i` of indices, and parts, no torch. A part made in the body
    is a new one at each call. Loops and ifs over Python values run while it is drawn.

    The function returns the output, a tuple of outputs, or a mapping from names to outputs.

    Fields:
        input: the encoder of the only input, or a mapping by name; as for `nw.Graph`.
        output: likewise for the outputs.

    Raises: NetError for an input that nothing reads, a result that is not a value of the net, `if` on a value.

    Example:
        >>> import netwright as nw
        >>> @nw.program(input=4)
        ... def twice(x, dense=nw.Linear(4)):
        ...     for _ in range(2):
        ...         x = nw.relu(dense(x))
        ...     return x
        >>> twice.paths, sorted(twice.plan.arrays)
        (('dense', 'relu1', 'dense_2', 'relu2'), ['dense/bias', 'dense/weight'])
    """
    if function is not None and (not callable(function) or isinstance(function, Node)):
        raise NetError(what="program takes a function", got=shortened(repr(function), 100))
    if function is None:
        return lambda f: _drawn(f, input, output)
    return _drawn(function, input, output)


def _drawn(function: Callable[..., Any], input: PortsLike, output: PortsLike) -> Graph:
    sources: list[DrawnInput] = []
    arguments: dict[str, Any] = {}
    name = getattr(function, "__name__", "program")
    for argument in inspect.signature(function).parameters.values():
        if argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD, argument.POSITIONAL_ONLY):
            raise NetError(
                what="every argument of a program has a name: it is an input, a part or a value",
                where=name,
                got=str(argument),
            )
        if argument.default is argument.empty:
            sources.append(DrawnInput(argument.name))
            arguments[argument.name] = Symbol(sources[-1], (argument.name,))
        else:
            arguments[argument.name] = _argument(argument.name, argument.default)
    level = close(_result(name, function(**arguments)), sources)
    read = {ref[1] for call in level.calls for _, ref in call.reads if not ref[0]}
    read |= {ref[1] for _, ref in level.outputs if not ref[0]}
    unread = [source.name for source in sources if source.name not in read]
    if unread:
        raise NetError(
            what=f"the program never uses its input {unread[0]!r}", where=name, mend=f"leave {unread[0]!r} out"
        )
    return Graph.from_level(level, input, output)


def _argument(name: str, default: Any) -> Any:
    """The value of an argument with a default while the program runs: a place, a value, or the default itself."""
    plain = default is None or isinstance(default, int | float | str | Mapping)
    if plain:
        return default
    part = as_part(default)
    return ProgramPlace(name, part) if input_ports(part, 1) else use(part, place=name)


def _result(name: str, result: Any) -> Symbol | dict[str, Symbol]:
    """The result of a program as the outputs of a drawing."""
    named = (
        {f"output{i}": value for i, value in enumerate(cast(tuple[Any, ...], result), 1)}
        if isinstance(result, tuple)
        else result
    )
    values = list(named.values()) if isinstance(named, Mapping) else [named]
    if not values or not all(isinstance(value, Symbol) for value in values):
        raise NetError(
            what="a program returns values of the net it draws",
            where=name,
            expected="a value, a tuple of values, or a mapping from names to values",
            got=shortened(f"{type(result).__name__}: {result!r}", 100),
        )
    if isinstance(named, Mapping):
        return values[0] if isinstance(result, tuple) and len(values) == 1 else dict(named)
    return named
