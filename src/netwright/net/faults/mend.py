"""Proposes edits that may mend a mismatch, the likeliest first; other code checks whether they do."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, cast

from netwright.codecs.array import Array
from netwright.codecs.category import Category
from netwright.codecs.codec import Codec
from netwright.codecs.each import Each
from netwright.net.faults.edit import Edit, code, if_valid, inserted, instead, new_leaf, without
from netwright.net.faults.origin import FaultSite, Origin, ancestors, axis_of_weight, between, maker_of, origin
from netwright.net.leaf import LeafFault, LeafNode, with_options
from netwright.net.names import SHARED
from netwright.net.node import field_values
from netwright.net.plan.each import user_path
from netwright.net.plan.solution import Solution
from netwright.net.plan.wiring import Op
from netwright.sizes.free import FREE
from netwright.sizes.notation import port, ports
from netwright.sizes.size import Expression, Name, Size, Unknown, ceil, unknowns
from netwright.sizes.unify import Row

WIDTH = 16  # of an embedding in a mend: a place to start from
VOCABULARY = 50  # of indices in a mend, if it is not known


def candidates(site: FaultSite) -> Iterator[Edit]:
    """Edits that may mend a mismatch, the likeliest first."""
    return (_everywhere(site, edit) for edit in _likeliest_first(site))


def can_learn(solution: Solution, decoders: Mapping[str, Codec]) -> bool:
    """Whether every output suits its decoder: sizes that fit are not enough.

    A softmax over one value is always 1, and independent sigmoids are not a distribution over labels.
    """
    leaves = {op.path: op.leaf for op in solution.wiring.ops}
    for name, slot in solution.wiring.outputs:
        leaf = leaves.get(slot[0])
        if leaf is None:
            continue
        if leaf.gives() == "class probabilities" and solution.shape(slot)[-1:] == (1,):
            return False
        if leaf.gives() == "separate probabilities" and name in decoders and decoders[name].answer == "class":
            return False
    return True


def _everywhere(site: FaultSite, edit: Edit) -> Edit:
    """A leaf within a shared part is changed wherever the part is used."""
    leaves: dict[str, LeafNode | None] = {}
    text = edit.text
    for op in site.solution.wiring.ops:
        if op.path in edit.leaves and op.place.startswith(SHARED) and not op.leaf.held.shared:
            leaves |= {use.path: edit.leaves[op.path] for use in site.solution.wiring.ops if use.place == op.place}
            text = text.replace(op.path, op.place)
    return replace(edit, text=text, leaves={**edit.leaves, **leaves}) if leaves else edit


def _likeliest_first(site: FaultSite) -> Iterator[Edit]:
    mismatch = site.mismatch
    if mismatch.below != (None, None):
        return _kinds(site)
    if mismatch.about:
        return _arrays(site)
    if mismatch.varies:
        return _varying(site)
    if mismatch.sentence is not None:
        return _options(site)
    if len(site.expected) != len(site.got) or any(isinstance(size, Row) for size in (*site.expected, *site.got)):
        return _ranks(site)
    return _sizes(site)


def _kinds(site: FaultSite) -> Iterator[Edit]:
    """Numbers where indices are wanted, or indices where numbers are."""
    wanted, given = site.mismatch.below
    op, slot = site.mismatch.op, site.slot
    assert op is not None
    codec = None if slot[0] else site.node.held.inputs.get(slot[1])
    axes = codec.encoded.partition("<")[0].strip() if codec else ""
    below = site.solution.solver.size(wanted) if wanted is not None else None
    if wanted is not None:
        if codec and axes in ("", "()", "1") and isinstance(below, int):
            yield Edit(f"input=nw.Category(range({below}))", inputs={slot[1]: Category(range(below))})
        if codec:
            known = below if isinstance(below, int) else VOCABULARY
            edit = _with_input(site, Array(f"{axes if axes != '()' else ''} <{known}>".strip()))
            yield edit if known == below else replace(edit, note=f"for indices below {known}")
        yield from _alternatives(site, op, "numbers")
        yield without(op)
        if codec is None:  # something before the leaf turns the indices into numbers: nothing can be inserted
            for before in ancestors(site.solution, slot):
                yield without(before)
        return
    if given is not None:
        for leaf in (new_leaf("Embedding", WIDTH), new_leaf("OneHot")):
            yield from inserted(leaf, (op.path, site.target[1]))
    if codec and isinstance(codec, Array):
        yield _with_input(site, Array(axes or "()"))
        yield _with_input(site, Array(f"{axes} 1".replace("() ", "")))


def _arrays(site: FaultSite) -> Iterator[Edit]:
    """An array that is there, or the array of another use, has other sizes."""
    op = site.mismatch.op
    assert op is not None
    scope = site.solution.scopes[op.path]
    weight = scope.weights[site.mismatch.port]
    names = weight.axes.split()
    kept = site.mismatch.about in site.node.held.arrays
    slot, axis = axis_of_weight(site.solution, site.mismatch)
    for name, wanted, given in zip(names, site.expected, site.got, strict=False):
        if wanted == given or isinstance(wanted, Row) or len(site.expected) != len(site.got):
            continue
        if isinstance(field_values(op.leaf).get(name), int):
            yield from _width(Origin(op, name, 0), wanted)
        elif slot[1]:
            found = origin(site.solution, slot, axis)
            yield from _width(found, wanted)
            yield from _input_axis(site, found, wanted)
    if kept:
        yield Edit(f"{code(op.leaf)} in place of {op.path}", "with new arrays", leaves={op.path: op.leaf})
        for name, codec in site.node.held.outputs.items():
            yield from _other_classes(name, codec, site.expected[0])
    if op.leaf.held.shared:
        own = op.leaf.holding(shared="", arrays={})
        yield Edit(f"{code(own)} in place of {op.path}", "with arrays of its own", leaves={op.path: own})
    if isinstance(site.got[-1], int) and op.reads and isinstance(site.expected[-1], int):
        target = (op.path, op.reads[0][0])
        yield from inserted(new_leaf("Linear", site.expected[-1]), target)


def _varying(site: FaultSite) -> Iterator[Edit]:
    """An array whose size would follow the length of the example."""
    slot, axis = axis_of_weight(site.solution, site.mismatch)
    made = origin(site.solution, slot, axis).op
    if made is not None:
        pool = new_leaf("GlobalAvgPool")
        if pool is not None:
            yield instead(made, pool)
        yield without(made)
    for name, codec in site.node.held.inputs.items():
        if isinstance(codec, Array):
            yield replace(_with_input(site, Array(f"{codec.sizes} 1"), name), note="for a row of single numbers")
            fixed = re.sub(r"[A-Za-z_]\w*(\[\w+\])?", str(WIDTH), str(codec.sizes))
            yield replace(_with_input(site, Array(fixed), name), note="for examples of one length")


def _options(site: FaultSite) -> Iterator[Edit]:
    """A leaf whose options do not go with what it is given."""
    op = site.mismatch.op
    assert op is not None
    yield from _without_channel(site, op)
    for before in ancestors(site.solution, site.slot):
        if before.leaf.only_reshapes:
            yield without(before)
    yield from _groups(site, op)
    yield from _alternatives(site, op, "input")
    yield from _sides(site)
    for before in reversed(ancestors(site.solution, site.slot)):
        if before.leaf.slides and not before.leaf.weights():
            yield without(before)
    if len(op.reads) == 1 and not op.leaf.weights():
        yield without(op)


def _without_channel(site: FaultSite, op: Op) -> Iterator[Edit]:
    """A picture that lacks its axis of channels, or has axes that the window does not slide over."""
    ranks = [len(value) for value in field_values(op.leaf).values() if isinstance(value, tuple)]
    if not op.leaf.slides or len(site.got) not in ranks or any(isinstance(size, Row) for size in site.got):
        return
    found = origin(site.solution, site.slot, 0)
    if found.op is None and isinstance(codec := site.node.held.inputs.get(found.name), Array):
        yield _with_input(site, Array(f"{codec.sizes} 1"), found.name)
    if all(isinstance(size, int) for size in site.got):
        yield from inserted(new_leaf("Reshape", *site.got, 1), site.target)


def _alternatives(site: FaultSite, op: Op, fault: LeafFault) -> Iterator[Edit]:
    """The alternatives that the leaf itself proposes."""
    sizes = site.solution.shape(op.reads[0][1]) if op.reads else ()
    yield from (instead(op, leaf) for leaf in op.leaf.alternatives(fault, sizes))


def _groups(site: FaultSite, op: Op) -> Iterator[Edit]:
    """Give the leaf a number of channels that its groups divide."""
    groups, channels = field_values(op.leaf).get("groups"), site.got[-1] if site.got else None
    if isinstance(groups, int) and isinstance(channels, int) and channels % groups:
        yield from _width(origin(site.solution, site.slot, -1), -(-channels // groups) * groups)


def _ranks(site: FaultSite) -> Iterator[Edit]:
    """Too many axes, or too few."""
    extra = len(site.got) - len(site.expected)
    made = origin(site.solution, site.slot, 0).op
    after = between(site.solution, made, site.slot)
    last = site.expected[-1] if site.expected else None
    if extra > 0 or any(isinstance(size, Row) for size in site.got):
        linear = next((op for op in after if _widens(op)), None)
        if linear is not None:
            yield from inserted(new_leaf("Flatten"), (linear.path, linear.reads[0][0]))
        else:
            yield from inserted(new_leaf("Flatten"), _before_softmax(site))
            yield from _flat_and_wide(site, last)
        where = (linear.path, linear.reads[0][0]) if linear is not None else _before_softmax(site)
        yield from inserted(new_leaf("GlobalAvgPool"), where)
    if extra < 0:
        for op in ancestors(site.solution, site.slot):
            if op.leaf.only_reshapes:
                yield without(op)
        if not site.slot[0] and isinstance(codec := site.node.held.inputs.get(site.slot[1]), Array):
            yield _with_input(site, Array(" ".join([str(codec.sizes).replace("()", ""), *["1"] * -extra]).strip()))
            if all(isinstance(size, int) for size in site.expected):
                yield _with_input(site, Array(cast(Any, site.expected)))
        yield from inserted(new_leaf("Reshape", *site.got, *[1] * -extra), site.target)
    yield from _other_decoders(site)
    yield from _sides(site)


def _widens(op: Op) -> bool:
    """Whether a leaf changes the width of every position by itself."""
    found = ports(op.leaf.signature(op.count))
    if len(op.reads) != 1 or len(found.outputs) != 1:
        return False
    before, after = found.inputs[0].axes, found.outputs[0].axes
    return before[:-1] == after[:-1] and before != after and found.inputs[0].below is None


def _flat_and_wide(site: FaultSite, width: Size | Row | None) -> Iterator[Edit]:
    """Flatten, and then the width that is wanted."""
    path, name = _before_softmax(site)
    flat, linear = new_leaf("Flatten"), new_leaf("Linear", width)
    if site.mismatch.op is None and path and flat is not None and linear is not None:
        yield Edit(f"nw.Flatten() and {code(linear)} before {path}", inserts={(path, name): (flat, linear)})


def _sizes(site: FaultSite) -> Iterator[Edit]:
    """As many axes, of other sizes."""
    odd = [
        i
        for i, (a, b) in enumerate(zip(site.expected, site.got, strict=True))
        if a != b and not (isinstance(a, Expression) and isinstance(a.single, Unknown))
    ]
    for axis in odd:
        wanted = site.expected[axis]
        assert not isinstance(wanted, Row)
        found = origin(site.solution, site.slot, axis)
        yield from _other_ends(site, found, wanted)
        if unknowns(wanted):
            wanted = _multiple(wanted, site.got[axis])
        if wanted is None:
            continue
        yield from _width(found, wanted)
        yield from _shortened_by(site, found)
        yield from _input_axis(site, found, wanted)
    yield from _sides(site)
    yield from _other_decoders(site)
    wanted = site.expected[-1]
    if isinstance(wanted, Expression):
        wanted = _multiple(wanted, site.got[-1])
    if wanted is not None and len(site.got) - 1 in odd:
        yield from inserted(new_leaf("Linear", wanted), _before_softmax(site))
    if len(odd) > 1 or odd != [len(site.got) - 1]:
        for op in reversed(ancestors(site.solution, site.slot)):
            if op.leaf.slides:
                yield without(op)


def _multiple(wanted: Size, given: Size | Row) -> int | None:
    """The nearest size above that an expression such as 16*k can be."""
    if isinstance(wanted, Expression) and len(wanted.terms) == 1 and isinstance(given, int):
        factor = wanted.terms[0][1]
        found = ceil(given, factor) * factor
        return found if isinstance(found, int) else None
    return None


def _sides(site: FaultSite) -> Iterator[Edit]:
    """Mends for the other values that the leaf reads, since one of them may be wrong."""
    op = site.mismatch.op
    if op is None or len(op.reads) < 2:
        return
    shapes = {name: site.solution.shape(slot) for name, slot in op.reads}
    for name, slot in op.reads:
        for other, wanted in shapes.items():
            given = shapes[name]
            if other == name or len(given) != len(wanted):
                continue
            for axis, (a, b) in enumerate(zip(wanted, given, strict=True)):
                if a != b and not isinstance(a, Row) and not isinstance(b, Row):
                    found = origin(site.solution, slot, axis)
                    yield from _width(found, a)
                    yield from _shortened_by(site, found)
    yield from _all_same(site, op)
    for name, slot in op.reads:
        for other, wanted in shapes.items():
            if other == name or not wanted or not shapes[name]:
                continue
            if len(wanted) == len(shapes[name]):
                yield from inserted(
                    new_leaf("Linear", wanted[-1]),
                    (op.path, name),
                    f" between {maker_of(slot)} and {user_path(op.path)}",
                )
            if len(shapes[name]) > 1:
                yield from inserted(
                    new_leaf("Flatten"), (op.path, name), f" between {maker_of(slot)} and {user_path(op.path)}"
                )


def _all_same(site: FaultSite, op: Op) -> Iterator[Edit]:
    """Let every convolution on the way to one of the values keep the length of its axes."""
    leaves: dict[str, LeafNode | None] = {}
    for _, slot in op.reads:
        for axis in range(len(site.solution.shape(slot)) - 1):
            for edit in _shortened_by(site, origin(site.solution, slot, axis)):
                leaves |= {path: leaf for path, leaf in edit.leaves.items() if leaf is not None}
    if len(leaves) > 1:
        yield Edit(f'padding="same" in {" and ".join(leaves)}', leaves=leaves)


def _other_ends(site: FaultSite, found: Origin, wanted: Size) -> Iterator[Edit]:
    """Another last leaf, which gives what the decoder reads: one number, or a distribution over labels."""
    end = _end(site)
    width = next(_width(found, wanted), None)
    if end is None or width is None or site.decoder is None:
        return
    name, labels = site.mismatch.port, if_valid(lambda: Category([False, True]))
    answer = site.decoder.answer
    if end.leaf.gives() == "class probabilities" and wanted == 1:
        if answer == "yes or no" and site.got[-1] == 2:
            yield Edit(f"output={code(labels)}", outputs={name: labels})
        decided = _alternatives(site, end, "one class") if answer == "yes or no" else iter([without(end)])
        yield from (width | change for change in decided)
    if answer == "class":
        yield from (width | change for change in _alternatives(site, end, "several classes"))


def _other_decoders(site: FaultSite) -> Iterator[Edit]:
    """Another decoder, that takes what the net gives."""
    name, decoder = site.mismatch.port, site.decoder
    if decoder is None:
        return
    last = site.got[-1] if site.got else 1
    if len(site.got) > len(site.expected) and not isinstance(decoder, Array):
        each = if_valid(lambda: Each(decoder))
        if each:
            word = "class" if decoder.answer == "class" else type(decoder).__name__.lower()
            yield Edit(f"output={code(each)}", f"a {word} for every position", outputs={name: each})
    yield from _other_classes(name, decoder, last)
    if decoder.answer != "class" and all(isinstance(size, int) for size in site.got):
        array = Array(cast(Any, tuple(site.got)))
        plain = str(site.got[0]) if len(site.got) == 1 else repr(tuple(site.got))
        yield Edit(f"output={plain}", outputs={name: array})


def _other_classes(name: str, decoder: Codec, count: Size | Row) -> Iterator[Edit]:
    """The decoder of an output for so many classes, where it has classes."""
    other = if_valid(lambda: decoder.for_classes(count)) if isinstance(count, int) else None
    if other is not None:
        yield Edit(f"output={code(other)}", outputs={name: other})


def _width(found: Origin, wanted: Size) -> Iterator[Edit]:
    """Let the leaf that fixes a size infer it, or fix another size."""
    op = found.op
    if op is None:
        return
    if found.fixes:
        default = next(f.default for f in fields(cast(Any, op.leaf)) if f.name == found.name)
        for size in [FREE] * (default is FREE) + [wanted] * isinstance(wanted, int):
            yield from (instead(op, leaf) for leaf in with_options(op.leaf, **{found.name: size}))
    elif found.name in field_values(op.leaf):  # it is free, and kept arrays fix it
        yield Edit(f"{code(op.leaf)} in place of {op.path}", "with new arrays", leaves={op.path: op.leaf})


def _shortened_by(site: FaultSite, found: Origin) -> Iterator[Edit]:
    """Let a window keep the length of its axes, or leave it out."""
    op = found.op
    if op is None or field_values(op.leaf).get(found.name) is not None:
        return
    yield from _alternatives(site, op, "shortens")
    if op.leaf.slides and not op.leaf.weights():
        yield without(op)


def _input_axis(site: FaultSite, found: Origin, wanted: Size) -> Iterator[Edit]:
    """The input comes in another size."""
    codec = site.node.held.inputs.get(found.name) if found.op is None else None
    plain = isinstance(wanted, int) or isinstance(wanted.single, Name)
    if isinstance(codec, Array) and plain:
        axes = [str(axis) for axis in port(str(codec.sizes)).axes]
        if found.axis < len(axes):
            axes[found.axis] = str(wanted)
            yield _with_input(site, Array(" ".join(axes)), found.name)


def _before_softmax(site: FaultSite) -> tuple[str, str]:
    """Where to change the last axis: before a softmax that ends the net, else at the mismatch itself."""
    end = _end(site)
    return (end.path, end.reads[0][0]) if end is not None and end.leaf.gives() == "class probabilities" else site.target


def _end(site: FaultSite) -> Op | None:
    """The leaf that gives an output, where a decoder does not take it."""
    if site.mismatch.op is not None:
        return None
    return next((op for op in site.solution.wiring.ops if op.path == site.slot[0]), None)


def _with_input(site: FaultSite, codec: Codec, name: str = "") -> Edit:
    """Another encoder, written as short as it can be."""
    name = name or site.slot[1]
    sizes = str(codec.sizes) if isinstance(codec, Array) else ""
    axes = [axis if axis.isdigit() else repr(axis) for axis in sizes.split()]
    plain = re.fullmatch(r"[\w ]+", sizes)
    text = code(codec) if not plain else axes[0] if len(axes) == 1 else f"({', '.join(axes)})"
    label = "input=" if name == "input" else f"input {name!r}: "
    return Edit(f"{label}{text}", inputs={name: codec})
