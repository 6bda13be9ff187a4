"""Functions and classes are known by where they are imported and by their source."""

import hashlib
import inspect

from netwright.net.source_of_code import import_name, source_hash


def doubled(x: int) -> int:
    return 2 * x


def test_what_can_be_imported_has_a_name() -> None:
    assert import_name(doubled) == f"{__name__}.doubled"
    assert import_name(dict) == "builtins.dict"


def test_what_cannot_be_imported_has_none() -> None:
    def local() -> None: ...

    assert import_name(local) == import_name(lambda: 0) == import_name(3) == ""


def test_the_hash_is_of_the_source() -> None:
    assert source_hash(doubled) == hashlib.sha256(inspect.getsource(doubled).encode()).hexdigest()
    assert source_hash(len) == ""
