"""The two ends of what is done for every element of an axis: how the solver sees that an axis goes and comes back."""

from netwright.net.leaf import LeafNode
from netwright.net.plan.level import PerElement

AXIS = "n"  # what both ends call the axis


class EachBoundary(LeafNode, abstract=True):
    """An end of an `Each` in the wiring. No net and no file holds one: it is not in the table of parts."""

    each: PerElement
    ignores_padding = True
    passes_values = True


class EachEntry(EachBoundary, abstract=True):
    """What is taken apart goes in with its first axis, and comes out without it; first states pass."""

    @property
    def ports(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # the ports follow from a field
        """The ports that are taken apart, then the states."""
        apart = [f"{port}: {AXIS} *{port}" for port in self.each.over]
        states = [f"{port}?: *{port}" for port, _ in self.each.carry]
        outputs = [f"{port}: *{port}" for port in (*self.each.over, *(port for port, _ in self.each.carry))]
        return f"{', '.join([*apart, *states])} -> {', '.join(outputs)}"


class EachExit(EachBoundary, abstract=True):
    """What one element gives comes in, and goes out with the axis; a state goes out as the last element left it.

    The port `like` is a value that was taken apart: it says how long the axis is.
    """

    @property
    def ports(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # the ports follow from a field
        """One port for each output, and for each state the next one and the one it takes the place of."""
        gives = [f"gives_{name}: *gives_{name}" for name, _ in self.each.gives]
        states = [f"{side}_{name}: *{name}" for name, _ in self.each.carry for side in ("next", "first")]
        outputs = [f"{name}: {AXIS} *gives_{name}" for name, _ in self.each.gives]
        outputs += [f"{name}: *{name}" for name, _ in self.each.carry]
        return f"{', '.join([f'like: {AXIS} *like', *gives, *states])} -> {', '.join(outputs)}"


def exit_path(path: str) -> str:
    """The path of the far end of the `Each` at a path."""
    return f"{path}/"


def passed(leaf: LeafNode, output: str) -> str:
    """The input port whose values come out at a port of a leaf that passes values on."""
    if isinstance(leaf, EachExit):
        return f"next_{output}" if output in dict(leaf.each.carry) else f"gives_{output}"
    return output if isinstance(leaf, EachEntry) else ""
