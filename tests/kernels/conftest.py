"""A fixture for tests that take private operators away: what torch can do is asked anew before and after them."""

from collections.abc import Iterator

import pytest

from netwright.kernels import private

ASKED = (
    "packs_linear",
    "packs_convolution",
    "convolution_operator",
    "_fuses_linear",
    "_fuses_convolution",
    "_operator",
)


@pytest.fixture
def asked_anew() -> Iterator[None]:
    """Nothing that was asked of torch before is remembered, and nothing stays."""
    for name in ASKED:
        getattr(private, name).cache_clear()
    yield
    for name in ASKED:
        getattr(private, name).cache_clear()
