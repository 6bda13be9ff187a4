"""Summarizes a net as a table: parts, sizes, parameters, bytes and multiply-adds."""

import html
from collections import Counter
from collections.abc import Sequence

from netwright.errors import shortened
from netwright.net.cost import bytes_of_arrays, parameters, step_multiply_adds
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.container import ContainerNode
from netwright.show.parts import LONGEST, drawn_places, kind_text, part_text, sizes_text
from netwright.sizes.size import Size
from netwright.value import Value, few_lines

HEAD = ("path", "part", "sizes out", "parameters", "bytes", "multiply-adds")


class PartRow(Value):
    """One part in the table.

    Fields:
        path: its path; `depth` how many containers it stands in.
        part: the repr of a leaf; the kind of a container and its number of parts.
        kind: `Conv`, `relu`, `Chain`.
        sizes: the sizes of its outputs, for one example.
        parameters: learned numbers; None while a size is not known, 0 where another place shares them.
        bytes: of all its arrays, running and fixed ones too; float32 where they do not exist yet.
        multiply_adds: for one example; a size when it depends on a length, None while a size is not known.
        container: whether it only holds other parts; its numbers are then 0, they stand at the parts.
    """

    path: str
    depth: int
    part: str
    kind: str
    sizes: str
    parameters: int | None
    bytes: int | None
    multiply_adds: Size | None
    container: bool


class Summary(Value):
    """What a net is made of; prints as a table, and as an HTML table in a notebook.

    Fields:
        rows: the parts, a container before what it holds.
        inputs, outputs: (port, codec, sizes) of the encoders and decoders.
        kinds: how many leaves of each kind there are.
    """

    rows: tuple[PartRow, ...]
    inputs: tuple[tuple[str, str, str], ...]
    outputs: tuple[tuple[str, str, str], ...]
    kinds: Counter[str]

    @property
    def parameters(self) -> int | None:
        """Learned numbers in all; None while a size is not known."""
        return _total([row.parameters for row in self.rows])

    @property
    def bytes(self) -> int | None:
        """Bytes of all arrays."""
        return _total([row.bytes for row in self.rows])

    @property
    def multiply_adds(self) -> Size | None:
        """Multiplications (each with its addition) for one example."""
        found: Size = 0
        for row in self.rows:
            if row.multiply_adds is None:
                return None
            found = found + row.multiply_adds
        return found

    def to_json(self) -> dict[str, object]:
        """A plain dict of numbers, texts and lists; a size that depends on a length is a text, an unknown one None."""
        return {
            "inputs": [dict(zip(("port", "codec", "sizes"), line, strict=True)) for line in self.inputs],
            "outputs": [dict(zip(("port", "codec", "sizes"), line, strict=True)) for line in self.outputs],
            "parts": [
                {
                    "path": row.path,
                    "part": row.part,
                    "kind": row.kind,
                    "sizes": row.sizes,
                    "parameters": row.parameters,
                    "bytes": row.bytes,
                    "multiply_adds": _plain(row.multiply_adds),
                }
                for row in self.rows
            ],
            "parameters": self.parameters,
            "bytes": self.bytes,
            "multiply_adds": _plain(self.multiply_adds),
            "kinds": dict(self.kinds),
        }

    def cells(self) -> list[tuple[str, ...]]:
        """The table as texts: ports, parts, total."""
        lines: list[tuple[str, ...]] = [
            (port, shortened(codec, LONGEST), sizes, "", "", "") for port, codec, sizes in self.inputs
        ]
        for row in self.rows:
            numbers = (row.parameters, row.bytes, row.multiply_adds)
            shown = ("", "", "") if row.container else tuple(counted(value) for value in numbers)
            lines.append((row.path, row.part, shortened(row.sizes, LONGEST), *shown))
        lines += [(port, shortened(codec, LONGEST), sizes, "", "", "") for port, codec, sizes in self.outputs]
        return [*lines, ("total", "", "", *(counted(v) for v in (self.parameters, self.bytes, self.multiply_adds)))]

    def __repr__(self) -> str:
        return few_lines(str(self))

    def __str__(self) -> str:
        depths = [*[0 for _ in self.inputs], *[row.depth for row in self.rows], *[0 for _ in self.outputs], 0]
        body = [
            ("  " * depth + (path.split("/")[-1] if depth else path), *rest)
            for depth, (path, *rest) in zip(depths, self.cells(), strict=True)
        ]
        table: list[Sequence[str]] = [HEAD, *body]
        widths = [max(len(line[j]) for line in table) for j in range(len(HEAD))]
        lines = [_line(cells, widths) for cells in table]
        rule = "-" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], self.kinds_text()])

    def kinds_text(self) -> str:
        """How many parts of each kind, the commonest first."""
        count = self.kinds.total()
        each = ", ".join(f"{n} {kind}" for kind, n in self.kinds.most_common())
        kinds = len(self.kinds)
        return f"{count} part{'' if count == 1 else 's'} of {kinds} kind{'' if kinds == 1 else 's'}: {each}"

    def _repr_html_(self) -> str:
        depths = [*[0 for _ in self.inputs], *[row.depth for row in self.rows], *[0 for _ in self.outputs], 0]
        head = "".join(f"<th scope='col'>{name}</th>" for name in HEAD)
        body = ""
        for depth, cells in zip(depths, self.cells(), strict=True):
            first = f"<th scope='row' style='padding-left:{depth + 0.6:.1f}em'>{html.escape(cells[0])}</th>"
            body += f"<tr>{first}{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells[1:])}</tr>"
        return f"<table class='nw-summary'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def summary(net: Net) -> Summary:
    """What a net is made of: every part with its sizes, parameters, bytes and multiply-adds, and its codecs.

    A multiply-add is one multiplication and the addition of its product: a part with an array `weight` of two or more
    axes (Linear, Conv) needs one for each element of it at each position of its output, and Attention and MatMul
    multiply their inputs. Everything else counts 0: looking up an embedding, activations, norms and pools are small
    beside these. Sizes that are not known yet, such as those of a net without an encoder, print as `?`.

    Example:
        >>> import netwright as nw
        >>> print(nw.summary(nw.Chain(4, nw.relu, input=3)))
        path     part         sizes out  parameters  bytes  multiply-adds
        -----------------------------------------------------------------
        input    Array('3')   (3,)
        linear1  Linear(4)    (4,)               16     64             12
        relu1    relu         (4,)                0      0              0
        output   not decoded  (4,)
        -----------------------------------------------------------------
        total                                    16     64             12
        2 parts of 2 kinds: 1 Linear, 1 relu
    """
    expect_net(net, "summary")
    plan = net.plan
    steps = {step.path: step for step in plan.steps}
    counted: set[str] = set()
    rows: list[PartRow] = []
    for place in drawn_places(net):
        sizes = sizes_text(plan, place.slots)
        common = (place.path or place.name, place.depth, part_text(place.part), kind_text(place.part), sizes)
        if isinstance(place.part, ContainerNode):
            rows.append(PartRow(*common, 0, 0, 0, container=True))
        else:
            step = steps[place.path]
            own = [plan.arrays[path] for path in step.arrays.values() if path not in counted]
            numbers = (parameters(own), bytes_of_arrays(own, net.held.arrays), step_multiply_adds(plan, step))
            rows.append(PartRow(*common, *numbers, container=False))
            counted.update(step.arrays.values())
    return Summary(
        tuple(rows),
        tuple(
            (name, repr(codec) if codec else "as it is", sizes_text(plan, ((name, ("", name)),)))
            for name, codec in net.inputs.items()
        ),
        tuple(
            (name, repr(net.outputs[name]) if net.outputs[name] else "not decoded", sizes_text(plan, ((name, slot),)))
            for name, slot in plan.wiring.outputs
        ),
        Counter(row.kind for row in rows if not row.container),
    )


def counted(value: Size | None) -> str:
    """A number with thousands separated, a size as its text, `?` for an unknown one."""
    return "?" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _total(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _plain(value: Size | None) -> int | str | None:
    return value if isinstance(value, int) or value is None else str(value)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    left = [cell.ljust(width) for cell, width in zip(cells[:3], widths[:3], strict=True)]
    right = [cell.rjust(width) for cell, width in zip(cells[3:], widths[3:], strict=True)]
    return "  ".join([*left, *right]).rstrip()
