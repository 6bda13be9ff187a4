"""The parts that operators, shorthand and mends stand for, by name: layers are built upon the net, not below it."""

from typing import Any, Literal, TypeAlias, cast

from netwright.net.node import PARTS, Node

Standard: TypeAlias = Literal[
    "Add", "Multiply", "MatMul", "Constant", "Elementwise", "Linear", "Embedding", "OneHot", "Flatten", "Reshape",
    "GlobalAvgPool", "Chain", "Graph", "Slice", "Gather", "Pairwise",
]  # fmt: skip
"""Everything below the layers that names a part names one of these."""


def standard(kind: Standard, *fields: Any, **more: Any) -> Node:
    """A part by its kind and its fields."""
    return standard_class(kind)(*fields, **more)


def standard_class(kind: Standard) -> Any:
    """The class of a kind of parts."""
    return cast(Any, PARTS[kind])
