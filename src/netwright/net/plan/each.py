"""The two ends of a `Map` or `Fold` in a plan: they tell the solver that an axis is removed and added again."""

from collections.abc import Collection, Mapping
from typing import Any

from netwright.errors import Fault
from netwright.net.leaf import Kept, LeafNode
from netwright.net.plan.level import PerElement

AXIS = "n"  # what both ends call the axis


class EachBoundary(LeafNode, abstract=True):
    """An end of an `Each` in the wiring. Nets and files never hold one, so it is not in the table of parts."""

    each: PerElement
    ignores_padding = True
    passes_values = True

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def is_view(self, training: bool) -> bool:
        return True

    def __repr__(self) -> str:
        return "Fold(…)" if self.each.carry else "Map(…)"  # as the user wrote it


class EachEntry(EachBoundary, abstract=True):
    """The first end: values lose their first axis here; initial states pass unchanged."""

    @property
    def ports(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # the ports follow from a field
        """The ports that are taken apart, then the states."""
        apart = [f"{port}: {AXIS} *{port}" for port in self.each.over]
        states = [f"{port}?: *{port}" for port, _ in self.each.carry]
        outputs = [f"{port}: *{port}" for port in (*self.each.over, *(port for port, _ in self.each.carry))]
        return f"{', '.join([*apart, *states])} -> {', '.join(outputs)}"


class EachExit(EachBoundary, abstract=True):
    """The last end: values of one element get the axis back; a state is the one after the last element.

    The port `like` reads a value that was taken apart, which has the length of the axis.
    """

    @property
    def ports(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # the ports follow from a field
        """One port for each output, and two for each state: the next state and the first one."""
        gives = [f"gives_{name}: *gives_{name}" for name, _ in self.each.gives]
        states = [f"{side}_{name}: *{name}" for name, _ in self.each.carry for side in ("next", "first")]
        outputs = [f"{name}: {AXIS} *gives_{name}" for name, _ in self.each.gives]
        outputs += [f"{name}: *{name}" for name, _ in self.each.carry]
        return f"{', '.join([f'like: {AXIS} *like', *gives, *states])} -> {', '.join(outputs)}"

    def is_view(self, training: bool) -> bool:
        return not self.each.carry  # what is made one element after another is put together in new memory


def exit_path(path: str) -> str:
    """The path of the far end of the `Each` at a path."""
    return f"{path}/"


def user_path(path: str) -> str:
    """The path of a part as its user knows it: both ends of an `Each` are the `Each`."""
    return path.removesuffix("/")


def open_state(path: str, name: str, sizes: str) -> Fault:
    """The fault of a state that begins at zeros, where its sizes are not numbers."""
    return Fault(
        what="a state begins at zeros, and how many does not follow from the net",
        where=f"{path}, state {name!r}",
        expected="a number for every axis",
        got=sizes,
        mend=(f"nw.Reshape(…) inside, before what reads {name!r}: it says the sizes", f"a value for {name!r}"),
    )


def passed(leaf: LeafNode, output: str) -> str:
    """The input port whose values come out at a port of a leaf that passes values on."""
    if isinstance(leaf, EachExit):
        return f"next_{output}" if output in dict(leaf.each.carry) else f"gives_{output}"
    return output if isinstance(leaf, EachEntry) else ""
