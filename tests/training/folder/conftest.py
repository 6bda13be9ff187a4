"""One process with torch imported, of which the tests of a worker fork their programs: an import takes seconds."""

from collections.abc import Iterator

import pytest

from kills import Children, children


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    with children(tmp_path_factory.mktemp("warm")) as found:
        yield found
