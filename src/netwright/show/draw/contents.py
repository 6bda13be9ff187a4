"""Says what a picture of one container shows: its parts, what each reads, and which of them stand for many.

Two things differ from the wiring. Some containers are shown by their own parts, since a frame around these would say
nothing: a part called `body`, as in `Residual`, `Map` and `Fold`, whose frame is the container around it; parts that
are not connected, as in `Parallel`; and a single part. And where three or more equal containers follow each other, the
first stands for all of them.
"""

from collections.abc import Mapping, Sequence

from netwright.net.compare import alike
from netwright.net.leaf import LeafNode
from netwright.net.names import join_path
from netwright.net.node import Node
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.level import Ref
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.show.parts import kind_text
from netwright.value import Value

BODY = "body"
FEW = 3  # so many equal containers in a row are drawn as one


class DrawnPart(Value):
    """A part in a picture.

    Fields:
        key: its name in the container that is drawn, such as `conv1` or `body/conv1`; `path` that in the whole net.
        reads: what each of its input ports reads: another key and its output, or "" and an input of the container.
        takes, gives: what it reads, and its outputs, as slots in the plan.
        alike: the paths of the equal parts that it stands for, itself first.
    """

    key: str
    path: str
    part: Node
    reads: tuple[tuple[str, Ref], ...]
    takes: tuple[tuple[str, Slot], ...]
    gives: tuple[tuple[str, Slot], ...]
    alike: tuple[str, ...]

    @property
    def name(self) -> str:
        """What stands in its box: the last part of its path, of many the first and the last."""
        last = self.alike[-1].rpartition("/")[2]
        return f"{self.key} … {last}" if len(self.alike) > 1 else self.key.rpartition("/")[2]


class Contents(Value):
    """What is in one container: its inputs, its parts in an order that can be run, and what its outputs read."""

    inputs: tuple[str, ...]
    parts: tuple[DrawnPart, ...]
    outputs: tuple[tuple[str, Ref], ...]


def contents(node: Node, plan: Plan, path: str, *, whole: bool) -> Contents:
    """The contents of the container at a path; a whole net that is a leaf, a `Map` or a `Fold` is its only part."""
    if not isinstance(node, ContainerNode) or (whole and node.each is not None):
        name = kind_text(node)
        reads = tuple((port, ("", port)) for port in node.input_names)
        given = plan.wiring.outputs
        takes = tuple((port, ("", port)) for port in node.input_names)
        part = DrawnPart(name, "", node, reads, takes, given, (name,))
        return Contents(tuple(node.input_names), (part,), tuple((output, (name, output)) for output, _ in given))
    inputs = {port: ("", port) for port in node.input_names}
    parts, outputs = _parts(node, plan, path, "", inputs)
    together, renamed = _together(parts, outputs)
    ends = [(name, (renamed.get(start, start), value)) for name, (start, value) in outputs.items()]
    return Contents(tuple(node.input_names), tuple(together), tuple(ends))


def _parts(
    node: ContainerNode, plan: Plan, path: str, within: str, inputs: Mapping[str, Ref]
) -> tuple[list[DrawnPart], dict[str, Ref]]:
    """The parts of a container and of the bodies in it, and what its outputs read."""
    found: list[DrawnPart] = []
    made: dict[Ref, Ref] = {("", port): ref for port, ref in inputs.items()}
    for call in node.level.calls:
        key, here = join_path(within, call.name), join_path(path, call.name)
        reads = {port: made[ref] for port, ref in call.reads if ref in made}  # a state that is not given is absent
        if isinstance(call.part, ContainerNode) and _frameless(call.name, call.part):
            inner, outputs = _parts(call.part, plan, here, key, reads)
            found += inner
            made.update({(call.name, output): ref for output, ref in outputs.items()})
            continue
        takes, gives = plan.given(here) or (), plan.value(here) or ()
        found.append(DrawnPart(key, here, call.part, tuple(reads.items()), takes, gives, (here,)))
        made.update({(call.name, output): (key, output) for output, _ in gives})
    inner_of = dict(node.level.outputs)
    names = [(name, name) for name in inner_of]
    if node.each is not None:
        names = [*node.each.gives, *node.each.carry]
    return found, {name: made[inner_of[output]] for name, output in names}


def _frameless(name: str, part: ContainerNode) -> bool:
    """Whether a container is shown by its own parts."""
    if part.each is not None:
        return False
    if name == BODY or not any(start for call in part.level.calls for _, (start, _) in call.reads):
        return True
    first = part.level.calls[0].part
    return len(part.level.calls) >= FEW and isinstance(first, ContainerNode) and _is_run(part)


def _is_run(part: ContainerNode) -> bool:
    """Whether all parts of a container are equal and follow each other, so that one stands for all."""
    calls = part.level.calls
    parts = [DrawnPart(call.name, call.name, call.part, call.reads, (), (), (call.name,)) for call in calls]
    return len(_together(parts, dict(part.level.outputs))[0]) == 1


def _together(parts: Sequence[DrawnPart], outputs: Mapping[str, Ref]) -> tuple[list[DrawnPart], dict[str, str]]:
    """The parts, with runs of equal containers as one part each, and which part stands for each."""
    readers: dict[str, set[str]] = {}
    for part in parts:
        for _, (start, _) in part.reads:
            readers.setdefault(start, set()).add(part.key)
    for start, _ in outputs.values():
        readers.setdefault(start, set()).add("")
    found: list[DrawnPart] = []
    renamed: dict[str, str] = {}
    i = 0
    while i < len(parts):
        run = [parts[i]]
        while i + len(run) < len(parts) and _follows(run[0], run[-1], parts[i + len(run)], readers):
            run.append(parts[i + len(run)])
        run = run if len(run) >= FEW else run[:1]
        reads = tuple((port, (renamed.get(start, start), value)) for port, (start, value) in run[0].reads)
        alike_paths = tuple(part.path for part in run)
        found.append(DrawnPart(run[0].key, run[0].path, run[0].part, reads, run[0].takes, run[-1].gives, alike_paths))
        renamed.update({part.key: run[0].key for part in run})
        i += len(run)
    return found, renamed


def _follows(first: DrawnPart, before: DrawnPart, part: DrawnPart, readers: Mapping[str, set[str]]) -> bool:
    """Whether a container is equal to the one before it, reads it as that read its own, and alone does so."""
    if not isinstance(part.part, ContainerNode) or readers.get(before.key) != {part.key}:
        return False
    if first.key.rpartition("/")[0] != part.key.rpartition("/")[0]:
        return False
    if [port for port, _ in first.reads] != [port for port, _ in part.reads]:
        return False
    reads = zip(first.reads, part.reads, strict=True)
    return all(old == new or new[0] == before.key for (_, old), (_, new) in reads) and alike(first.part, part.part)


def has_learned(part: Node) -> bool:
    """Whether anything in a part is learned."""
    if isinstance(part, ContainerNode):
        return any(has_learned(call.part) for call in part.level.calls)
    return isinstance(part, LeafNode) and any(weight.kind == "learned" for weight in part.weights().values())
