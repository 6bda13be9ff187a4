"""Parts with other fields: which fields of a part are options, and a part made anew with other ones."""

from collections.abc import Mapping
from typing import Any, cast

from netwright.fields import check_fields
from netwright.net.compare import leaf_form
from netwright.net.leaf import LeafNode
from netwright.net.node import Held, Node, field_values
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.level import Call
from netwright.value import literal


def plain_fields(part: object) -> dict[str, Any]:
    """The fields of a part or codec that hold no parts."""
    return {name: value for name, value in field_values(part).items() if not _holds_parts(value)}


def other_options(before: object, after: object) -> dict[str, tuple[Any, Any]]:
    """The options that differ between two parts or codecs of one kind, with both values."""
    old, new = plain_fields(before), plain_fields(after)
    return {name: (old[name], new[name]) for name in old if name in new and not same_option(old[name], new[name])}


def with_changed_fields(part: Node, fields: Mapping[str, Any], held: Held) -> Node:
    """The part with other fields, holding these things, checked as its constructor checks it."""
    made = part.unchecked(held, **fields)
    check_fields(made)  # they may come from a file
    finish = getattr(made, "__post_init__", None)
    if finish is not None:
        finish()
    return made


def calls_of_parts(container: ContainerNode) -> dict[str, list[str]]:
    """The names under which a container calls each part that its fields hold, by the name of the part there.

    A part is called under its own name, or, where its container has other names for it, under each of those.
    """
    parts, calls = container.children(), container.level.calls
    own = {call.name for call in calls} & parts.keys()
    return {
        name: [name] if name in own else [call.name for call in calls if call.part is part and call.name not in own]
        for name, part in parts.items()
    }


def same_leaf(before: LeafNode, after: LeafNode) -> bool:
    """Whether two leaves are of one kind and have equal options."""
    return leaf_form(before) == leaf_form(after)


def same_option(old: Any, new: Any) -> bool:
    """Whether two values of a field are equal; NaN is itself."""
    return old is new or (type(old) is type(new) and (old == new or literal(old) == literal(new)))


def _holds_parts(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(map(_holds_parts, cast("tuple[Any, ...]", value)))
    return isinstance(value, Node | Call)
