"""The whole text of the error that a call raises, since tests hold it word by word."""

from collections.abc import Callable
from typing import Any

import pytest

from netwright.errors import NetwrightError


def message(make: Callable[..., Any], *arguments: Any, **named: Any) -> str:
    """What the call says when it refuses."""
    with pytest.raises(NetwrightError) as caught:
        make(*arguments, **named)
    return str(caught.value)
