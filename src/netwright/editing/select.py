"""Chooses parts of a net by kind, path, position or a question, to look at them and to edit them all at once."""

from collections.abc import Callable, Collection
from functools import cached_property
from types import BuiltinFunctionType
from typing import Any, TypeAlias, cast

from torch import Tensor

from netwright import elsewhere
from netwright.editing.rewrite import Edit, Spot, spots, with_edits
from netwright.editing.set_fields import set_at, together, with_fields
from netwright.errors import NetError, NetwrightError, PathError, did_you_mean, shortened, with_article
from netwright.net import surgery
from netwright.net.cost import parameters
from netwright.net.lineage import in_brief, recorded, some_of
from netwright.net.names import outermost
from netwright.net.node import Node, expect_net
from netwright.net.part import Net
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.plan import ArraySpec
from netwright.net.plan.symbol import as_part
from netwright.value import Value

What: TypeAlias = type[Node] | Net | str | int | Callable[[Net], bool] | None
New: TypeAlias = Callable[..., Any] | Net | int | list[Any]
MOST_SHOWN = 20  # parts that a repr lists


def select(net: Net, what: What = None, *, count: int | None = None) -> "Selection":
    """Parts of a net, to look at and to edit all at once.

    A part that is used several times, or that has a shared name, is one part, with the path of its first use. Different
    parts that share their arrays, such as an embedding and the last layer of a language model, are several.

    Args:
        net: where to look, at any depth.
        what: a kind of parts, such as `nw.Conv`; a part, such as `nw.relu`, for all that are equal to it; a path, or a
            pattern as in `learning_rate=`, which means the outermost parts that it matches; a position, of a part of
            the net itself; a function that is asked about each part. None, all parts.
        count: how many parts it must be; None, at least one.

    Raises: PathError where no part is found, or where another number than `count` is.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(4, nw.relu, nw.Dropout(0.5), 3, nw.relu, nw.softmax, input=5)
        >>> nw.select(net, "linear*")
        2 of 6 parts
          linear1  Linear(4)  24 numbers
          linear2  Linear(3)  15 numbers
        >>> nw.select(net, nw.relu, count=2).replace(nw.gelu)["relu2"]
        gelu
    """
    expect_net(net, "select")
    known = spots(net)
    paths = tuple(spot.path for spot in known.values() if _asked(net, what)(spot)) if known else ()
    found = Selection(net, tuple(path for path in net.paths if path in {*paths}))
    if (count is None and paths) or len(paths) == count:
        return found
    if not known:
        raise PathError(what=f"{with_article(type(net).__name__)} has no parts to select", where="select")
    near = did_you_mean(what, net.paths) if isinstance(what, str) else ""
    several = f"{count} parts" if count != 1 else "1 part"
    raise PathError(
        what=f"{len(paths) or 'no'} part{'' if len(paths) < 2 else 's'} of this net {_verb(paths)} {_described(what)}",
        where="select",
        expected="at least one part" if count is None else several,
        got=", ".join(paths[:MOST_SHOWN]) + (", …" if len(paths) > MOST_SHOWN else ""),
        mend=near if not paths else "",
    )


class Selection(Value):
    """Parts of a net: what `nw.select` finds. It is a value: each edit gives a new net and leaves this one as it is.

    Fields: the `net`; the `paths` of the parts, in the order they run, each of its first use.
    """

    net: Net
    paths: tuple[str, ...]

    @property
    def parts(self) -> tuple[Net, ...]:
        """The parts, with their arrays."""
        return tuple(self.net[path] for path in self.paths)

    @property
    def arrays(self) -> dict[str, Tensor]:
        """Copies of the arrays that the parts have, by their paths in the net."""
        held = self.net.held.arrays
        return {path: held[path].clone() for path in self._specs if path in held}

    @property
    def others(self) -> "Selection":
        """The outermost parts that are not selected, and in which nothing is: with these they are the whole net.

        Example:
            >>> import netwright as nw
            >>> net = nw.Chain(body=[4, nw.relu], head=nw.Linear(2), input=3)
            >>> nw.select(net, "head").others.paths
            ('body',)
        """
        known = spots(self.net).values()
        mine = {path for spot in known if spot.path in {*self.paths} for path in spot.paths}
        around = {path.rsplit("/", n)[0] for path in mine for n in range(1, path.count("/") + 1)}
        free = [spot for spot in known if not any(lies_in(path, mine) or path in around for path in spot.paths)]
        every = {path for spot in free for path in spot.paths}
        outer = {spot.path for spot in free if not any(lies_in(path.rpartition("/")[0], every) for path in spot.paths)}
        return Selection(self.net, tuple(path for path in self.net.paths if path in outer))

    @property
    def frozen(self) -> dict[str, float]:
        """What keeps these parts as they are in a training: learning rate 0 for the path of each of their arrays.

        Which arrays are trained is a setting of a run and no property of a net, so it stands in `learning_rate=`, as
        any other rate by path does.

        Example:
            >>> import netwright as nw
            >>> net = nw.Chain(body=[4, nw.relu], head=nw.Linear(2), input=3)
            >>> nw.select(net, "head").others.frozen
            {'body/linear1/weight': 0.0, 'body/linear1/bias': 0.0}
        """
        return {path: 0.0 for path, spec in self._specs.items() if spec.weight.kind != "fixed"}

    def replace(self, new: New) -> Net:
        """The net with another part in the place of each: one that is given, or what a function makes of each.

        A part without arrays resets them, and one with arrays has its own, as in `net.replace`. A function gets the
        part with its arrays; a part within another selected one goes first. A class of containers is such a function:
        `nw.Residual` puts each part into a residual. What takes the place of a shared part is shared under its name.

        Raises: SizeError for sizes that do not fit, with all faults; NetError for what is no part.
        """
        function = _function(new)
        if function is None:
            part = cast(Net, as_part(new))
            made, put = self._edited(lambda _: part)
            text = in_brief(part)
        else:
            make = function
            made, put = self._edited(lambda part: as_part(make(part)))
            text = getattr(new, "__name__", type(new).__name__)
        return recorded(made, self.net, f"replace {some_of(self.paths)} by {text}", put)

    def set(self, **fields: Any) -> Net:
        """The net with other values of these fields in all parts; arrays that still fit are kept.

        Raises: PathError for a field that a part does not have, NetError for a value that it cannot have, both with all
            parts; SizeError for sizes that do not fit.
        """
        wrong: list[NetwrightError] = []
        mine = self._spots
        for spot in mine:
            try:
                with_fields(spot.part, fields, spot.path)
            except NetwrightError as error:
                wrong.append(error.within(spot.path))
        if wrong:
            raise together(wrong)
        said = ", ".join(f"{name}={shortened(repr(value), 60)}" for name, value in fields.items())
        made = set_at(self.net, {spot.key: fields for spot in mine})
        return recorded(made, self.net, f"set {said} in {some_of(self.paths)}")

    def remove(self) -> Net:
        """The net without these parts; what read one reads what it read.

        Raises: NetError for a part that does not read one value, or where no part is left; SizeError for sizes that do
            not fit.
        """
        edits: dict[str, Edit] = {spot.key: None for spot in self._spots}
        made, _ = with_edits(self.net, edits)
        return recorded(made, self.net, f"remove {some_of(self.paths)}")

    def __len__(self) -> int:
        return len(self.paths)

    def __bool__(self) -> bool:
        return bool(self.paths)

    def __repr__(self) -> str:
        shown = self._spots[:MOST_SHOWN]
        wide = max((len(spot.path) for spot in shown), default=0)
        lines = [f"  {spot.path:<{wide}}  {in_brief(spot.part)}{self._size(spot)}" for spot in shown]
        more = len(self) - len(shown)
        head = f"{len(self)} of {len(spots(self.net))} parts"
        return "\n".join([head, *lines, *([f"  and {more} more"] if more else [])])

    def _edited(self, edit: Callable[[Net], Node]) -> tuple[Net, dict[str, Node]]:
        return with_edits(self.net, {spot.key: edit for spot in self._spots})

    @cached_property
    def _spots(self) -> list[Spot]:
        known = {spot.path: spot for spot in spots(self.net).values()}
        return [known[path] for path in self.paths]

    @cached_property
    def _specs(self) -> dict[str, ArraySpec]:
        """The arrays that the net has in these parts."""
        mine = {*self._below(*self.paths)}
        return {path: spec for path, spec in self.net.plan.arrays.items() if path in mine}

    def _below(self, *paths: str) -> list[str]:
        steps = [step for step in self.net.plan.steps if lies_in(step.path, {*paths})]
        return [array for step in steps for array in step.arrays.values()]

    def _size(self, spot: Spot) -> str:
        """How many numbers the arrays of a part hold; the empty text where it has none, or their sizes are open."""
        specs = [self._specs[path] for path in dict.fromkeys(self._below(spot.path))]
        count = parameters(specs) if specs else None
        return "" if count is None else f"  {count:,} numbers"


def _asked(net: Net, what: What) -> Callable[[Spot], bool]:
    """The question that chooses the parts."""
    if what is None:
        return lambda spot: True
    if isinstance(what, str):
        return lambda spot: any(outermost(path, what) for path in spot.paths)
    if isinstance(what, int) and not isinstance(what, bool):
        path = _at(net, what)
        return lambda spot: path in spot.paths
    if isinstance(what, type) and issubclass(what, Node):
        kind = what
        return lambda spot: isinstance(spot.part, kind)
    if isinstance(what, Net):
        wanted = what.bare()
        return lambda spot: type(spot.part) is type(wanted) and spot.part == wanted
    if callable(what) and not isinstance(what, type):
        ask = what
        return lambda spot: bool(ask(cast(Net, surgery.get(net, spot.path))))
    raise NetError(
        what="this does not choose parts of a net",
        where="select",
        expected="a kind such as nw.Conv, a part, a path or pattern, a position, or a function of a part",
        got=shortened(repr(what), 100),
        mend=elsewhere.part(what.__name__) if isinstance(what, type) else "",
    )


def _at(net: Net, position: int) -> str:
    """The path of the part at a position."""
    surgery.get(net, position)  # an error that names the positions, if it is not there
    assert isinstance(net, ContainerNode)
    return net.level.calls[position].name


def _function(new: Any) -> Callable[[Net], Any] | None:
    """What makes the new parts, unless one is given; a function of torch stands for a part."""
    if isinstance(new, Node) or not callable(new):
        return None
    module = getattr(new, "__module__", None) or ""
    return None if isinstance(new, BuiltinFunctionType) or module.partition(".")[0] == "torch" else new


def lies_in(path: str, parts: Collection[str]) -> bool:
    """Whether a path is one of these parts, or lies in one."""
    pieces = path.split("/")
    return any("/".join(pieces[:count]) in parts for count in range(1, len(pieces) + 1))


def _verb(paths: tuple[str, ...]) -> str:
    return "is" if len(paths) < 2 else "are"


def _described(what: What) -> str:
    """What was asked for, in words."""
    if what is None:
        return "there"
    if isinstance(what, str):
        return f"like {what!r}"
    if isinstance(what, type):
        return f"of the kind {what.__name__}"
    if isinstance(what, Node):
        return f"equal to {in_brief(what)}"
    return f"at position {what}" if isinstance(what, int) else "what the function asks for"
