"""The mark for a value that is not given but found: a size by solving, a mean by fitting."""

from enum import Enum
from typing import Final


class Free(Enum):
    """The type of `FREE`."""

    FREE = "FREE"

    def __repr__(self) -> str:
        return "FREE"


FREE: Final = Free.FREE
"""Not given: found from the rest of the net, or from the training data."""
