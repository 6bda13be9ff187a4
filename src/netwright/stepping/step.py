"""Runs a leaf that mixes along an axis piece by piece: its memory becomes state ports, with a state to begin from."""

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

from torch import Tensor

from netwright.errors import NetError
from netwright.net.leaf import Kept, LeafNode, Weight, keyword_arguments
from netwright.net.node import Node
from netwright.net.part import Leaf
from netwright.sizes.notation import ports as read_ports


class Step(Leaf):
    """A leaf on the next elements of a sequence, one or more: it reads its memory as states and gives the next states.

    `nw.unfold` wraps every leaf in it that has a memory and no state ports of its own.

    Shapes: those of the leaf, and a state port for everything it remembers.

    Fields:
        leaf: a leaf with a `memory`, such as a causal convolution or positions.

    Raises: NetError for a leaf that cannot step.

    Example:
        >>> import netwright as nw
        >>> step = Step(nw.Delay())
        >>> step.input_names, step.output_names
        (('input', 'past'), ('output', 'past'))
    """

    leaf: Node
    ignores_padding = True
    family = "sequence"

    def __post_init__(self) -> None:
        if not isinstance(self.leaf, LeafNode) or self.leaf.memory() is None:
            raise NetError(
                what="this part cannot step: it sees later elements, or does not declare its memory",
                where="Step",
                got=repr(self.leaf),
                mend="nw.unfold(net), which wraps the parts that need it",
            )

    @property
    def ports(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # the ports follow from a field
        """The leaf's own, and its memory on both sides."""
        own, memory = read_ports(self._leaf.ports), self._memory
        inputs = [f"{p.name}{'?' * p.optional}: {p}" for p in own.inputs] + [f"{m}?: {a}" for m, a in memory.items()]
        outputs = [f"{p.name}: {p}" for p in own.outputs] + [f"{m}: {a}" for m, a in memory.items()]
        return f"{', '.join(inputs)} -> {', '.join(outputs)}"

    @property
    def _leaf(self) -> LeafNode:
        assert isinstance(self.leaf, LeafNode)
        return self.leaf

    @property
    def _memory(self) -> Mapping[str, str]:
        return {name: axes or "()" for name, axes in (self._leaf.memory() or {}).items()}

    def weights(self) -> dict[str, Weight]:
        return self._leaf.weights()

    def sizes(self) -> dict[str, Any]:
        return self._leaf.sizes()

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        return self._leaf.relate(known)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(self._memory)

    @cached_property
    def _takes_wanted(self) -> bool:
        """Whether the `step` of the leaf has the argument `wanted`."""
        return "wanted" in keyword_arguments(self._leaf.step)

    def forward(self, w: Mapping[str, Tensor], *x: Tensor | None, wanted: Collection[str] = ()) -> Any:
        names = self._names
        inputs, states = x[: len(x) - len(names)], x[len(x) - len(names) :]
        remembered = {name: state for name, state in zip(names, states, strict=True) if state is not None}
        more: dict[str, Any] = {"wanted": wanted} if self._takes_wanted else {}
        y, after = self._leaf.step(w, remembered or None, *inputs, **more)
        own = y if isinstance(y, tuple) else (y,)
        return (*own, *(after[name] for name in names)) if names else y


class Begin(Leaf):
    """The state if there is one; at the beginning, when there is none, the value to start from.

    `nw.unfold` puts it before a state whose first value the net computes, such as a decoder that starts from the last
    state of an encoder.

    Shapes: state (*s), which may be left out, start (*s); output (*s).

    Example:
        >>> Begin().required_names, Begin().optional_names
        (('start',), ('state',))
    """

    ports = "state?: *s, start: *s -> *s"
    ignores_padding = True
    passes_values = True
    family = "shape"

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"*": (0, 0)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def is_view(self, training: bool) -> bool:
        return True

    def forward(self, w: Mapping[str, Tensor], state: Tensor | None, start: Tensor) -> Tensor:
        return start if state is None else state
