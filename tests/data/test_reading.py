"""A read that takes long is said once, from another thread, whoever reads; and nothing is left behind."""

import threading
from collections.abc import Iterator
from contextvars import copy_context

import pytest

from netwright.data.reading import Read, Watch, reading, watched

LONG = 60.0  # seconds after which a test has failed


@pytest.fixture(autouse=True)
def _impatient(monkeypatch) -> None:
    monkeypatch.setattr("netwright.data.reading.GLANCE", 0.01)
    monkeypatch.setattr("netwright.data.reading.PATIENCE", 0.2)


class Said:
    """Keeps what is said, and lets what hangs go on."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.main: list[bool] = []
        self.go_on, self.over = threading.Event(), threading.Event()

    def __call__(self, read: Read | None) -> None:
        if read is None:
            self.found.append("")
            self.over.set()
        else:
            self.found.append(str(read))
            self.main.append(read.in_main_thread)
            self.go_on.set()


def watches() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "netwright-watch"]


def test_a_read_that_hangs_is_said_once_and_its_end_too() -> None:
    said = Said()
    with watched(said):
        assert reading("row", 3, int, "7") == 7
        assert reading("item", 1_234, said.go_on.wait, LONG)
        assert said.over.wait(LONG)
    assert said.found == ["gave nothing for 0.2 s, at item 1,234", ""]
    assert said.main == [True]
    assert watches() == []


def test_a_read_that_ends_with_the_block_is_over() -> None:
    said = Said()
    with pytest.raises(KeyboardInterrupt), watched(said):
        reading("item", 0, _interrupted, said)
    assert said.found == ["gave nothing for 0.2 s, at item 0", ""]


def _interrupted(said: Said) -> None:
    said.go_on.wait(LONG)
    raise KeyboardInterrupt


def test_a_read_in_another_thread_and_within_another_is_known() -> None:
    said = Said()
    with watched(said):
        thread = threading.Thread(target=copy_context().run, args=(reading, "batch", 4, _batch, said))
        thread.start()
        thread.join()
    assert said.found[0] == "gave nothing for 0.2 s, at batch 4"
    assert said.main == [False]


def _batch(said: Said) -> None:
    assert reading("item", 2, int, "5") == 5
    assert said.go_on.wait(LONG)


def test_the_end_and_an_error_of_what_is_read_come_through() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError("no more")

    with watched(lambda read: None):
        given = items()
        assert reading("item", 0, given.__next__) == 1
        with pytest.raises(ZeroDivisionError, match="no more"):
            reading("item", 1, given.__next__)
        with pytest.raises(StopIteration):
            reading("item", 2, given.__next__)


def test_an_error_of_what_says_it_comes_out_at_the_end() -> None:
    go_on = threading.Event()

    def fails(read: Read | None) -> None:
        go_on.set()
        raise OSError("no paper")

    with pytest.raises(OSError, match="no paper"), watched(fails):
        reading("item", 0, go_on.wait, LONG)
    assert watches() == []


def test_nothing_looks_where_nothing_is_read_or_watched() -> None:
    with watched(lambda read: None):
        assert watches() == []
    assert reading("item", 0, int, "7") == 7
    assert watches() == []
    Watch(lambda read: None).end()
