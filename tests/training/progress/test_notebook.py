"""The Stop button must end a training cell of a live kernel, and no message may be lost by listening for its click."""

import json
import sys
import threading
import time
import types

import pytest
import zmq
from jupyter_client.manager import KernelManager
from jupyter_client.session import Session

from netwright.training.progress import notebook as module
from netwright.training.progress.notebook import Listener, can_listen, is_click, kernel, pane

CLICK = {"method": "custom", "content": {"event": "click"}}
TRAINING = """
import numpy as np, netwright as nw
xs = np.linspace(-1, 1, 320, dtype="float32")
net = nw.Chain(8, nw.tanh, nw.Linear(), output=nw.Number())
run = nw.train(net, (xs, xs ** 2), epochs=1_000_000, batch_size=32, threads=1)
"""


def message(session, content, kind="comm_msg"):
    return [b"front end", *session.serialize(session.msg(kind, content)), b"a buffer"]


@pytest.mark.parametrize("wrap", [bytes, zmq.Frame])
def test_only_a_signed_click_of_the_button_is_one(wrap):
    session, stranger = Session(key=b"secret"), Session(key=b"another")

    def clicked(content, kind="comm_msg", sender=session):
        return is_click([wrap(part) for part in message(sender, content, kind)], "abc", session)

    assert clicked({"comm_id": "abc", "data": CLICK})
    assert not clicked({"comm_id": "abd", "data": CLICK})
    assert not clicked({"comm_id": "abd", "data": CLICK, "note": "abc"})
    assert not clicked({"comm_id": "abc", "data": {"method": "update", "state": {}}})
    assert not clicked({"code": "abc"}, "execute_request")
    assert not clicked({"comm_id": "abc", "data": CLICK}, sender=stranger)
    for broken in ([], [b"abc"], [b"<IDS|MSG>"], [b"<IDS|MSG>", b"", b"abc"]):
        assert not is_click([wrap(part) for part in broken], "abc", session)


class Stream:
    """A kernel's shell stream: messages wait in `waiting` until they are read."""

    def __init__(self):
        self.waiting, self.read, self.later = [], [], []
        self.io_loop = types.SimpleNamespace(add_callback=self.later.append)
        self.on_recv(self.read.append, copy=False)

    def on_recv(self, callback, copy):
        self._recv_callback, self._recv_copy = callback, copy

    def flush(self, flag):
        assert flag == zmq.POLLIN
        while self.waiting:
            self._recv_callback(self.waiting.pop(0))


def running(own_thread=False):
    made = types.SimpleNamespace(shell_stream=Stream(), session=Session(key=b"secret"))
    if own_thread:
        made.shell_channel_thread = object()
    return made


def test_a_kernel_without_a_thread_is_polled_and_gets_every_message():
    old, heard = running(), []
    stream, own = old.shell_stream, old.shell_stream._recv_callback
    listener = Listener(old, "abc", lambda: heard.append(True))
    cell = message(old.session, {"code": "1"}, "execute_request")
    click = message(old.session, {"comm_id": "abc", "data": CLICK})
    stream.waiting = [cell, click]
    assert not heard
    listener.poll()
    assert heard == [True] and stream.read == [cell, click]
    listener.close()
    assert stream._recv_callback == own
    stream.waiting = [click]
    listener.poll()
    assert heard == [True] and stream.read == [cell, click, click]


def test_a_kernel_with_a_thread_is_touched_in_it_alone():
    new, heard = running(own_thread=True), []
    stream, own = new.shell_stream, new.shell_stream._recv_callback
    listener = Listener(new, "abc", lambda: heard.append(True))
    assert stream._recv_callback == own
    stream.later.pop()()
    click = message(new.session, {"comm_id": "abc", "data": CLICK})
    stream.waiting = [click]
    listener.poll()
    assert stream.waiting  # the kernel's thread reads
    stream.flush(zmq.POLLIN)
    assert heard == [True] and stream.read == [click]
    listener.close()
    assert stream._recv_callback == listener._receive
    stream.later.pop()()
    assert stream._recv_callback == own


def test_who_listens_after_us_goes_on():
    old, heard, later = running(), [], []
    first = Listener(old, "abc", lambda: heard.append(True))
    second = Listener(old, "abd", lambda: later.append(True))
    first.close()
    old.shell_stream.waiting = [message(old.session, {"comm_id": id, "data": CLICK}) for id in ("abc", "abd")]
    second.poll()
    assert (heard, later, len(old.shell_stream.read)) == ([], [True], 2)


def test_which_kernels_can_be_listened_to():
    assert not can_listen(None) and not can_listen(types.SimpleNamespace(shell_stream=None))
    assert can_listen(running()) and can_listen(running(own_thread=True))
    elsewhere = []
    thread = threading.Thread(
        target=lambda: elsewhere.extend([can_listen(running()), can_listen(running(own_thread=True))])
    )
    thread.start()
    thread.join()
    assert elsewhere == [False, True]


def fake_notebook(monkeypatch, shown, found):
    """Stand-ins for IPython and for the kernel: what is displayed lands in `shown`."""
    display = types.ModuleType("IPython.display")
    display.HTML = lambda text: text
    handle = types.SimpleNamespace(update=shown.append)
    display.display = lambda value, **_: shown.append(value) or handle
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(module, "kernel", lambda: found)


@pytest.mark.parametrize("found", [running(), None])
def test_where_no_click_can_be_heard_there_is_no_button(monkeypatch, found):
    shown = []
    fake_notebook(monkeypatch, shown, found)
    monkeypatch.setitem(sys.modules, "ipywidgets", types.ModuleType("ipywidgets") if found is None else None)
    show, finish = pane(pytest.fail)
    show("one")
    show("two")
    finish()
    assert shown == ["", "one", "two"]


def test_the_button_is_heard_and_taken_away(monkeypatch):
    shown, stopped, found = [], [], running()
    fake_notebook(monkeypatch, shown, found)
    widgets = types.ModuleType("ipywidgets")
    button = types.SimpleNamespace(model_id="abc")
    widgets.Button = lambda **_: button
    monkeypatch.setitem(sys.modules, "ipywidgets", widgets)
    show, finish = pane(lambda: stopped.append(True))
    show("one")
    assert (shown, stopped) == (["", button, "one"], [])
    found.shell_stream.waiting = [message(found.session, {"comm_id": "abc", "data": CLICK})]
    show("two")
    assert (shown[-1], stopped) == ("two", [True])
    finish()
    assert shown == ["", button, "one", "two", ""]  # the last is the place of the button


def test_outside_of_a_notebook_there_is_no_kernel():
    assert kernel() is None


def until(what, get):
    """The first message for which `what` is true."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        found = get(timeout=end - time.monotonic())
        assert found["msg_type"] != "error", found["content"]["evalue"]
        if what(found):
            return found
    raise TimeoutError


def answer(request, kind, get):
    """The first message of this kind that answers a request."""
    return until(lambda found: found["msg_type"] == kind and found["parent_header"].get("msg_id") == request, get)


def test_the_button_ends_a_training_cell_of_a_live_kernel():
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=300)
        for _ in range(2):  # the first run must leave the kernel as it was
            training = client.execute(TRAINING)
            opened = until(
                lambda found: (
                    found["msg_type"] == "comm_open"
                    and found["content"]["data"]["state"].get("_model_name") == "ButtonModel"
                ),
                client.get_iopub_msg,
            )
            until(lambda found: "epoch" in json.dumps(found["content"]), client.get_iopub_msg)  # a picture came
            waiting = client.execute("print(run.ended, len(run.epochs) < 1_000_000, nw.__name__)")
            click = client.session.msg("comm_msg", {"comm_id": opened["content"]["comm_id"], "data": CLICK})
            client.shell_channel.send(click)
            assert answer(training, "execute_reply", client.get_shell_msg)["content"]["status"] == "ok"
            assert answer(waiting, "stream", client.get_iopub_msg)["content"]["text"] == "stopped True netwright\n"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
