"""The opaque leaf: torch code of the user's own that no part describes, known by its import name and its source."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from netwright.errors import NetError
from netwright.net.leaf import keyword_arguments
from netwright.net.part import Leaf, shared_repr
from netwright.net.run.noise import Noise
from netwright.net.run.padding import NO_LENGTHS, Lengths, ended_run
from netwright.net.source_of_code import import_name, source_hash
from netwright.sizes import notation


class Function(Leaf):
    """A function of your own on batches, the batch axis first: y = f(x, …).

    Nothing is known of its inside: it is taken to see everything along every axis it names. Two are equal when their
    import names, ports and sources are. A net with one is saved by import name and hash of the source, and the
    function must be supplied when it is loaded; a lambda, or a function made inside another one, runs but cannot be
    saved. It is given copies, so that it may write into them. What it draws from torch's generators follows the seed
    in training, and `torch.manual_seed` elsewhere.

    Where examples differ in length, what lies behind the end of one is a copy of its last element along leading axes
    (`...`). Along an axis that the ports name, the function has to take `lengths=`, a mapping from such names to int64
    (b,), or None where nothing is padded; a net with one that does not is refused.

    Shapes: as `ports` says.

    Fields:
        function: takes a tensor for each input port, and gives one for each output port, a tuple if there are several.
        ports: its sizes in the notation of ports, such as `"... n -> ..."`; no default, since a wrong promise would
            be believed.

    Raises: NetError for something that cannot be called, or ports that are no notation; SizeError at the call that
        finds its result other than its ports promise.

    Example:
        >>> import netwright as nw
        >>> double = nw.Function(lambda x: 2 * x, "... -> ...")
        >>> double(nw.batch([1.0, 2.0])).tolist()
        [2.0, 4.0]
    """

    function: Callable[..., Any]
    ports: str  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]  # here each has its own
    family = "code"

    def __init__(self, function: Callable[..., Any], ports: str) -> None:
        if not callable(function):
            raise NetError(what="nw.Function takes a function", got=repr(function))
        notation.ports(ports)
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "ports", ports)

    @property
    def kind_name(self) -> str:
        """The function's own name, if it has one: `scale1` in a path."""
        name = getattr(self.function, "__name__", "")
        return name if name.isidentifier() else "function"

    @cached_property
    def import_name(self) -> str:
        """Where it can be imported, such as `"project.layers.scale"`; empty for a lambda or a local function."""
        return import_name(self.function)

    @cached_property
    def source_hash(self) -> str:
        """A hash of its source, 64 hexadecimal digits; empty where there is no source, as for a builtin."""
        return source_hash(self.function)

    def code(self) -> tuple[str, Any]:
        return self.import_name, self.function

    @property
    def identity(self) -> str:
        """What it is, as a text that is equal when two of them are; a local function is only itself."""
        name = self.import_name or f"local {id(self.function)}"
        return f"Function({name}, {self.ports!r}, {self.source_hash})"

    @property
    def takes_lengths(self) -> bool:
        """Whether the function takes `lengths` itself; else it may not name an axis that varies."""
        try:
            return "lengths" in keyword_arguments(self.function)
        except (TypeError, ValueError):  # a builtin that shows no signature
            return False

    def forward(
        self,
        w: Mapping[str, Tensor],
        *x: Tensor | None,
        lengths: Lengths = NO_LENGTHS,
        training: bool = False,
        random: Noise | None = None,
    ) -> Any:
        with noisy(x, training, random):
            if self.takes_lengths:
                return self.function(*copies(x), lengths=lengths)
            ends = lengths.get("...") or ()
            return self.function(*[None if value is None else ended_run(value, ends) for value in copies(x)])

    def __repr__(self) -> str:
        name = self.import_name or getattr(self.function, "__qualname__", repr(self.function))
        return shared_repr(self, f"Function({name}, {self.ports!r})")


def copies(x: Sequence[Tensor | None]) -> list[Tensor | None]:
    """Copies, for code that may write into what it is given: the values are the net's, or the caller's."""
    return [None if value is None else value.clone() for value in x]


def noisy(x: Sequence[Tensor | None], training: bool, random: Noise | None) -> AbstractContextManager[None]:
    """Where torch's own noise in training follows the run's seed; elsewhere it is torch's."""
    if not training or random is None:
        return nullcontext()
    device = next((value.device for value in x if value is not None), torch.device("cpu"))
    return random.governing(device)
