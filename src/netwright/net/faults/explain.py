"""Turns the solver's mismatches into errors that blame the part able to mend them, with mends that were tried."""

import itertools
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from netwright.errors import Fault, NetwrightError, SizeError
from netwright.net.faults.edit import Edit, checked_line, code, edited, key, open_arrays, tried, unchecked_line
from netwright.net.faults.mend import can_learn, candidates
from netwright.net.faults.origin import FaultSite, Origin, axis_of_weight, maker_of, origin, site_of
from netwright.net.names import SHARED
from netwright.net.node import Node, field_values
from netwright.net.plan.each import user_path
from netwright.net.plan.plan import plan_of, shape_text
from netwright.net.plan.solution import Mismatch, Solution
from netwright.net.plan.wiring import Slot
from netwright.sizes.size import Name, Size, Unknown, named, substitute
from netwright.sizes.unify import Row, Shape

MENDS = 3  # more would not be read
COMBINATIONS = 200  # of the mends of several faults: tried before giving up on all at once

probing: ContextVar[bool] = ContextVar("probing", default=False)
"""Whether nets are built only to see whether they fit: then a fault is not explained."""


@dataclass
class ExplainedCase:
    """A mismatch, and the edits that remove it without causing another."""

    site: FaultSite
    edits: list[Edit] = field(default_factory=list[Edit])
    alone: list[Edit] = field(default_factory=list[Edit])  # those after which the whole net fits


def explained(node: Node) -> SizeError:
    """The error that tells every fault of a net, each with the mends that were checked."""
    solution = plan_of(node).solution
    cases = [ExplainedCase(site_of(node, solution, mismatch)) for mismatch in _roots(solution.mismatches)]
    for case in cases:
        _try_edits(case, len(cases))
    one = next((case for case in cases if case.alone and len(cases) > 1), None)
    if one is not None:  # the other faults come from this one
        cases = [one]
    token = probing.set(True)
    try:
        chosen, nets = _checked(node, cases)
    finally:
        probing.reset(token)
    error = SizeError.of(
        [replace(_fault(case.site), mend=tuple(texts)) for case, texts in zip(cases, chosen, strict=True)]
    )
    error.mended = nets
    return error


def _roots(mismatches: Sequence[Mismatch]) -> list[Mismatch]:
    """One mismatch for each leaf and each output: further ones there have the same cause."""
    found: dict[str, Mismatch] = {}
    for mismatch in mismatches:
        place = mismatch.op.path if mismatch.op else f" {mismatch.port}"
        place = mismatch.about.rpartition("/")[0] if mismatch.about.startswith(SHARED) else place
        before = found.get(place)
        if before is None or (before.below == (None, None) and mismatch.below != (None, None)):
            found[place] = mismatch
    return list(found.values())


def _try_edits(case: ExplainedCase, faults: int) -> None:
    """Keep the candidates that take the mismatch away; those that lose the size of an array only if all do."""
    site = case.site
    before = {key(mismatch) for mismatch in site.solution.mismatches}
    before_open = open_arrays(site.solution)
    strict = bool(site.mismatch.about)
    shown: set[str] = set()
    unsettled: list[Edit] = []
    for edit in _each_once(candidates(site)):
        after = _after(site.node, edit, strict) if edit.instead not in shown else None
        if after is None:
            continue
        found = {key(mismatch) for mismatch in after.mismatches}
        if key(site.mismatch) in found or not found <= before:
            continue
        if not open_arrays(after) <= before_open:
            unsettled.append(edit)
            continue
        case.edits.append(edit)
        case.alone += [] if found else [edit]
        shown |= {edit.instead} if edit.instead else set()
        if len(case.edits) > 2 * MENDS and faults == 1:
            break
    if not case.edits:
        firsts = {edit.instead or edit.text + edit.note: edit for edit in reversed(unsettled)}
        unsettled = [edit for edit in unsettled if edit in firsts.values()]
        case.edits = unsettled
        case.alone = unsettled if faults == 1 else []


def _after(node: Node, edit: Edit, strict: bool) -> Solution | None:
    try:
        after = tried(node, edit, strict)
    except NetwrightError:
        return None
    return after if can_learn(after, {**node.held.outputs, **edit.outputs}) else None


def _each_once(edits: Iterator[Edit]) -> Iterator[Edit]:
    shown: set[str] = set()
    for edit in edits:
        if edit.text + edit.note not in shown:
            shown.add(edit.text + edit.note)
            yield edit


def _checked(node: Node, cases: Sequence[ExplainedCase]) -> tuple[list[list[str]], Node | None]:
    """The texts of the mends of every case, each checked by building the net; and the net with the first mends."""
    strict = any(case.site.mismatch.about for case in cases)
    if len(cases) == 1:
        case = cases[0]
        built = [(edit, net) for edit in case.alone if (net := _built(node, edit, strict)) is not None][:MENDS]
        return [[checked_line(edit, net) for edit, net in built]], built[0][1] if built else None
    several = itertools.islice(itertools.product(*(case.edits for case in cases)), COMBINATIONS)
    for edits in several:
        net = _built(node, _all(edits), strict)
        if net is None:
            continue
        texts: list[list[str]] = []
        for i, case in enumerate(cases):
            others = [edit for j, edit in enumerate(edits) if j != i]
            rest = [edit for edit in case.edits if edit is not edits[i]][: MENDS - 1]
            found = [(e, n) for e in rest if (n := _built(node, _all([*others, e]), strict)) is not None]
            texts.append([checked_line(edit, one) for edit, one in [(edits[i], net), *found]])
        return texts, net
    return [[unchecked_line(edit) for edit in case.edits[:MENDS]] for case in cases], None


def _all(edits: Sequence[Edit]) -> Edit:
    first, *rest = edits
    for edit in rest:
        first = first | edit
    return first


def _built(node: Node, edit: Edit, strict: bool) -> Node | None:
    try:
        return edited(node, edit, strict)
    except NetwrightError:
        return None


def _fault(site: FaultSite) -> Fault:
    mismatch = site.mismatch
    where = f"{maker_of(site.slot)} -> {user_path(mismatch.op.path) if mismatch.op else mismatch.port}"
    if mismatch.sentence is not None:
        return _unfit(site, where)
    if mismatch.below != (None, None):
        return _kinds(site, where)
    if mismatch.about:
        return _array(site, where)
    if mismatch.varies:
        return _varying(site)
    expected, got = _columns(site.expected, _who(site), site.got, _where_from(site))
    return Fault(what=_sentence(site), where=where, expected=expected, got=got)


def _columns(expected: Shape, who: str, got: Shape, source: str) -> tuple[str, str]:
    left, right = shape_text(_by_name(expected)), shape_text(got)
    width = max(len(left), len(right))
    return f"{left:<{width}}   {who}".rstrip(), f"{right:<{width}}   {source}".rstrip()


def _by_name(shape: Shape) -> Shape:
    """The unknown sizes under the leaf's own names for them."""
    return tuple(size if isinstance(size, Row) else substitute(size, _name) for size in shape)


def _name(atom: Name | Unknown) -> Size | None:
    return named(atom.text) if isinstance(atom, Unknown) and atom.text.isidentifier() else None


def _sentence(site: FaultSite) -> str:
    """What disagrees, in words."""
    op, expected, got = site.mismatch.op, _by_name(site.expected), site.got
    ranks = not any(isinstance(size, Row) for size in (*expected, *got))
    label = user_path(op.path) if op else "the decoder" if site.decoder is not None else "the output"
    giver = "the net gives" if op is None else f"{_giver(site.slot)} gives"
    if op is not None and len(op.reads) > 1 and ranks:
        return f"the inputs of {label} disagree in {'size' if len(expected) == len(got) else 'the number of axes'}"
    if ranks and len(expected) != len(got):
        return f"{label} expects {_thing(len(expected))}, but {giver} {_thing(len(got))}"
    if len(expected) == len(got) == 1:
        return f"{label} expects {_values(expected[0])}, but {giver} {got[0]}"
    return f"{label} expects {shape_text(expected)}, but {giver} {shape_text(got)}"


def _values(size: Size | Row) -> str:
    return f"{size} value{'' if size == 1 else 's'}"


def _giver(slot: Slot) -> str:
    return user_path(slot[0]) or ("the input" if slot[1] == "input" else f"the input {slot[1]}")


def _thing(rank: int) -> str:
    things = ("one number", "one vector", "a row of vectors", "a grid of vectors", "a volume of vectors")
    return things[rank] if rank < len(things) else f"an array of {rank} axes"


def _who(site: FaultSite) -> str:
    """The text for the part or codec that fixed the expected sizes."""
    op = site.mismatch.op
    if op is None:
        return repr(site.decoder) if site.decoder is not None else ""
    for name, slot in op.reads:  # another input came first and fixed it
        if name != site.mismatch.port and site.solution.shape(slot) == site.expected:
            return f"{maker_of(slot)} -> {user_path(op.path)}"
    if len(op.reads) > 1:
        name, slot = op.reads[0] if op.reads[0][0] != site.mismatch.port else op.reads[1]
        return f"{maker_of(slot)} -> {user_path(op.path)} is {shape_text(site.solution.shape(slot))}"
    scope = site.solution.scopes[op.path]
    sizes = next((port for port in scope.ports.inputs if port.name == site.mismatch.port), None)
    return f"{op.leaf!r}, which takes {sizes}"


def _where_from(site: FaultSite) -> str:
    """The text for the origin of the axes that do not fit."""
    expected, got = site.expected, site.got
    extra = len(got) - len(expected)
    if any(isinstance(size, Row) for size in (*expected, *got)):
        return ""
    if extra > 0:
        made = origin(site.solution, site.slot, 0)
        odd = shape_text(got[:extra])
        word = f"the grid {odd} comes" if extra > 1 else f"the axis of {got[0]} comes"
        return f"{word} from {made.text}" + ("; no part removes it" if site.mismatch.op is None else "")
    odd_axes = [i for i in range(-len(got), 0) if -i <= len(expected) and expected[i] != got[i]]
    if extra < 0 or not odd_axes:
        made = origin(site.solution, site.slot, -1) if got else None
        return f"from {made.text}" if made else ""
    return _source(site, odd_axes[0])


def _source(site: FaultSite, axis: int) -> str:
    made = origin(site.solution, site.slot, axis)
    size = site.got[axis]
    if made.op is None:
        return f"the {size} comes from {made.text}" + _codec(site, made.name)
    return f"the {size} comes from {_maker(site, made)}"


def _maker(site: FaultSite, made: Origin) -> str:
    """The leaf an axis comes from, and the kept array that fixes its size where no field does."""
    assert made.op is not None
    cause = site.solution.solver.cause(_raw(site, made.op.path, made.name))
    fixed = f" with the kept {cause}" if cause.startswith("array ") and not made.fixes else ""
    return f"{made.text}: {made.op.leaf!r}{fixed}"


def _raw(site: FaultSite, path: str, name: str) -> Size:
    found = site.solution.scopes[path].names.get(name, 0)
    return 0 if isinstance(found, tuple) else found


def _codec(site: FaultSite, name: str) -> str:
    codec = site.node.held.inputs.get(name)
    return f": {codec!r}" if codec is not None else ""


def _unfit(site: FaultSite, where: str) -> Fault:
    op, unfit = site.mismatch.op, site.mismatch.sentence
    assert op is not None
    assert unfit is not None
    what = unfit.what
    if what.startswith("its "):
        what = f"{user_path(op.path)}'s {what.removeprefix('its ')}"
    elif what.startswith("it "):
        what = f"{user_path(op.path)} {what.removeprefix('it ')}"
    else:
        what = f"{user_path(op.path)}: {what}"
    if len(op.reads) > 1:
        names = " and ".join(maker_of(slot) for _, slot in op.reads)
        return Fault(what=what, where=where, expected=unfit.expected, got=f"{unfit.got}   from {names}")
    source = f"{shape_text(site.got)} from {origin(site.solution, site.slot, 0).text}" if site.got else ""
    if "output" in unfit.what:
        source = repr(op.leaf)
    got = f"{unfit.got}   {source}" if unfit.got and source else unfit.got or source
    return Fault(what=what, where=where, expected=unfit.expected, got=got)


def _kinds(site: FaultSite, where: str) -> Fault:
    op = site.mismatch.op
    assert op is not None
    wanted, given = (_kind(site, size) for size in site.mismatch.below)
    made = _giver(site.slot)
    return Fault(
        what=f"{op.path} expects {wanted}, but {made} gives {given}",
        where=where,
        expected=f"{wanted}   {op.leaf!r}",
        got=f"{given}   {shape_text(site.got)} from {made}" + ("" if site.slot[0] else _codec(site, site.slot[1])),
    )


def _kind(site: FaultSite, below: Size | None) -> str:
    if below is None:
        return "numbers"
    size = site.solution.solver.size(below)
    return "indices" if str(size) == "?" else f"indices below {size}"


def _array(site: FaultSite, where: str) -> Fault:
    """A kept array, or another use of a shared one, that has other sizes than this leaf."""
    mismatch = site.mismatch
    op = mismatch.op
    assert op is not None
    weight = site.solution.scopes[op.path].weights[mismatch.port]
    kept = mismatch.about in site.node.held.arrays
    names = weight.axes.split()
    odd = [(name, a, b) for name, a, b in zip(names, site.expected, site.got, strict=False) if a != b]
    holder = f"the kept array {mismatch.about}" if kept else f"another use of {mismatch.about}"
    kind = type(op.leaf).__name__
    if not odd or len(site.expected) != len(site.got):
        return Fault(
            what=f"{mismatch.about} does not have the axes that {op.path} needs",
            where=where,
            expected=f"{shape_text(site.got)}   {' '.join(names)} of {code(op.leaf)}",
            got=f"{shape_text(site.expected)}   {holder}",
        )
    name, wanted, given = odd[0]
    what = f"{mismatch.about} does not fit any more" if kept else f"the uses of {mismatch.about} disagree in size"
    expected = f"{kind}({name}) of {holder} {shape_text(_by_name(site.expected))}"
    source = f"{kind}({name}) of {op.path}" if name in field_values(op.leaf) else _array_source(site, given)
    expected, got = _columns((wanted,), expected, (given,), source)
    return Fault(what=what, where=where, expected=expected, got=got)


def _varying(site: FaultSite) -> Fault:
    """The fault of an array whose size would differ between examples; it blames the part that made the length."""
    mismatch = site.mismatch
    assert mismatch.op is not None
    slot, axis = axis_of_weight(site.solution, mismatch)
    made = origin(site.solution, slot, axis)
    size = mismatch.got[0]
    edge = f"{maker_of(made.op.reads[0][1])} -> {made.op.path}" if made.op else f"{made.name} -> {mismatch.op.path}"
    return Fault(
        what=f"{mismatch.op.path}/{mismatch.port} would have another size for every length",
        where=edge,
        expected=f"a number   {type(mismatch.op.leaf).__name__}({mismatch.varies}) of {mismatch.op.path}",
        got=f"{size}   from {_maker(site, made) if made.op else made.text + _codec(site, made.name)}",
    )


def _array_source(site: FaultSite, size: Size | Row) -> str:
    slot, axis = axis_of_weight(site.solution, site.mismatch)
    if not slot[1]:
        return ""
    made = origin(site.solution, slot, axis)
    return f"the {size} comes from {_maker(site, made) if made.op else made.text + _codec(site, made.name)}"
