"""Summarizes a net as a table: parts, sizes, parameters, bytes and multiply-adds."""

from collections import Counter

from netwright.errors import shortened
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.show.costs import Cost, cost
from netwright.show.parts import LONGEST, drawn_places, part_text, sizes_text
from netwright.show.table import cell_text, html_table, text_table
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
        cost: what the net costs, which has the numbers of the rows.
    """

    rows: tuple[PartRow, ...]
    inputs: tuple[tuple[str, str, str], ...]
    outputs: tuple[tuple[str, str, str], ...]
    kinds: Counter[str]
    cost: Cost

    @property
    def parameters(self) -> int | None:
        """Learned numbers in all; None while a size is not known."""
        return self.cost.parameters

    @property
    def bytes(self) -> int | None:
        """Bytes of all arrays."""
        return self.cost.bytes

    @property
    def multiply_adds(self) -> Size | None:
        """Multiplications (each with its addition) for one example."""
        return self.cost.multiply_adds

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
            shown = ("", "", "") if row.container else tuple(map(cell_text, numbers))
            lines.append((row.path, row.part, shortened(row.sizes, LONGEST), *shown))
        lines += [(port, shortened(codec, LONGEST), sizes, "", "", "") for port, codec, sizes in self.outputs]
        return [*lines, ("total", "", "", *map(cell_text, (self.parameters, self.bytes, self.multiply_adds)))]

    def __repr__(self) -> str:
        return few_lines(str(self))

    def __str__(self) -> str:
        return "\n".join([*text_table(HEAD, self._depths, self.cells(), left=3), self.kinds_text()])

    @property
    def _depths(self) -> list[int]:
        return [*[0 for _ in self.inputs], *[row.depth for row in self.rows], *[0 for _ in self.outputs], 0]

    def kinds_text(self) -> str:
        """How many parts of each kind, the commonest first."""
        count = self.kinds.total()
        each = ", ".join(f"{n} {kind}" for kind, n in self.kinds.most_common())
        kinds = len(self.kinds)
        return f"{count} part{'' if count == 1 else 's'} of {kinds} kind{'' if kinds == 1 else 's'}: {each}"

    def _repr_html_(self) -> str:
        return html_table("nw-summary", HEAD, self._depths, self.cells())


def summary(net: Net) -> Summary:
    """What a net is made of: every part with its sizes, parameters, bytes and multiply-adds, and its codecs.

    The numbers are those of `nw.cost`, which tells more of them: what is counted, formulas, memory. Sizes that are not
    known yet, such as those of a net without an encoder, print as `?`.

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
    plan, found = net.plan, cost(net)
    rows = [
        PartRow(
            part.path,
            part.depth,
            part_text(place.part),
            part.kind,
            sizes_text(plan, place.slots),
            part.parameters,
            part.bytes,
            part.multiply_adds,
            container=part.container,
        )
        for place, part in zip(drawn_places(net), found.parts, strict=True)
    ]
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
        found,
    )


def _plain(value: Size | None) -> int | str | None:
    return value if isinstance(value, int) or value is None else str(value)
