"""Signals that come while a result is put together wait until it is done."""

import signal
import threading

import pytest

from netwright.training.interrupts import held


def test_an_interrupt_waits_until_it_is_delivered() -> None:
    before = signal.getsignal(signal.SIGINT)
    done = []
    with held() as deliver:
        signal.raise_signal(signal.SIGINT)
        done.append("all of it")
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        deliver()
    deliver()  # once


def test_the_handler_of_the_user_is_the_one_that_hears_of_it() -> None:
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with held() as deliver:
            signal.raise_signal(signal.SIGTERM)
            assert heard == []
        deliver()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with held() as deliver:
            signal.raise_signal(signal.SIGINT)
        deliver()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_elsewhere_than_in_the_main_thread_there_is_nothing_to_hold() -> None:
    done = []

    def work() -> None:
        with held() as deliver:
            done.append("held")
        deliver()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["held"]
