"""Code that a net holds but does not describe is known by two texts: where it is imported, and a hash of its source."""

import hashlib
import inspect
import sys
from typing import Any


def import_name(value: Any) -> str:
    """`"module.name"` under which exactly this function or class can be imported; empty where there is none."""
    module, name = getattr(value, "__module__", None) or "", getattr(value, "__qualname__", "")
    found: Any = sys.modules.get(module)
    for piece in name.split("."):
        found = getattr(found, piece, None)
    return f"{module}.{name}" if found is value and name else ""


def source_hash(value: Any) -> str:
    """A hash of the source text of a function or class; empty where there is none."""
    try:
        return hashlib.sha256(inspect.getsource(value).encode()).hexdigest()
    except (OSError, TypeError):
        return ""
