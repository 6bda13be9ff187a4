"""What is known of a published net that can be fetched by name."""

from collections.abc import Callable, Mapping
from pathlib import Path

from netwright.fetch import Mirror
from netwright.net.part import Net
from netwright.value import Value


class KnownModel(Value):
    """A net that is known by name: its files and how it is read.

    Fields: `sha256` of its files; `net` makes it from the folder that holds them; `licence` of the weights.
    """

    about: str
    licence: str
    mirrors: tuple[Mirror, ...]
    sha256: Mapping[str, str]
    net: Callable[[Path], Net]
