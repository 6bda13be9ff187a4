"""Shows a picture in the notebook in which the program runs, with a Stop button that works while the cell runs.

The picture is an output of the cell like any other, and no widget, so it stays when the notebook is saved and opened
again. The button is a widget in an output of its own, which is empty when the run has ended.

A kernel handles a click only after the running cell has ended, which is too late for a Stop button. So a listener reads
each message when it arrives, reacts to a click, and passes every message on unchanged: waiting cells run in order.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Show: TypeAlias = Callable[[str], None]

DELIMITER = b"<IDS|MSG>"  # in a message: who sent it, this, a signature, header, parent, metadata, content, buffers


def kernel() -> Any:
    """The notebook's kernel that runs this program; None outside of one."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", _nothing)()
    return getattr(shell, "kernel", None)


def pane(stop: Callable[[], None]) -> tuple[Show, Callable[[], None]]:
    """A new place for a picture in the notebook, with a Stop button if a click can be received while the cell runs.

    The button needs ipywidgets and a kernel whose messages can be listened to; without them there is none.

    Fields:
        stop: called once or more when the button is clicked, maybe from another thread.

    Returns:
        A function that shows HTML, and a function that removes the button.
    """
    from IPython.display import HTML, display  # type: ignore[import-not-found]  # a notebook has it

    picture: Any = display(HTML(""), display_id=True)
    running = kernel()
    widgets = _widgets() if can_listen(running) else None
    if widgets is None:
        return (lambda text: picture.update(HTML(text))), _nothing
    button = widgets.Button(description="Stop", tooltip="stop and keep the best net so far")
    listener = Listener(running, button.model_id, stop)
    place: Any = display(button, display_id=True)

    def show(text: str) -> None:
        listener.poll()
        picture.update(HTML(text))

    def finish() -> None:
        listener.close()
        place.update(HTML(""))  # the button itself is not closed, so that the kernel can handle a late click

    return show, finish


def can_listen(running: Any) -> bool:
    """Whether the messages of this kernel can be listened to from here.

    They arrive in a thread of the kernel (ipykernel 7), or wait in a socket that only the main thread may read
    (ipykernel 6). Kernels of another make, as in a browser, have neither.
    """
    if not hasattr(getattr(running, "shell_stream", None), "_recv_callback"):
        return False
    return _own_thread(running) or threading.current_thread() is threading.main_thread()


class Listener:
    """Receives the click on a button while the main thread is busy with a cell.

    Fields:
        running: a kernel for which `can_listen` is true.
        button: the button's comm id.
        on_click: called at a click, in the thread where messages arrive.
    """

    def __init__(self, running: Any, button: str, on_click: Callable[[], None]) -> None:
        self.stream = running.shell_stream
        self.session = running.session
        self.own_thread = _own_thread(running)
        self.button = button
        self.on_click = on_click
        self.pass_on: Callable[[Sequence[Any]], Any] = _nothing
        self._where_messages_arrive(self._open)

    def poll(self) -> None:
        """Read the waiting messages if no thread of the kernel reads them; the kernel queues them for later."""
        if not self.own_thread:
            self.stream.flush(1)  # 1: incoming messages, zmq.POLLIN

    def close(self) -> None:
        """Stop listening; the kernel receives its messages directly."""
        self._where_messages_arrive(self._close)

    def _where_messages_arrive(self, do: Callable[[], None]) -> None:
        if self.own_thread:  # a stream may be touched in its own thread only
            self.stream.io_loop.add_callback(do)
        else:
            do()

    def _open(self) -> None:
        self.pass_on = self.stream._recv_callback
        self.stream.on_recv(self._receive, copy=self.stream._recv_copy)

    def _close(self) -> None:
        # otherwise a listener was added after ours, and needs ours to pass messages on
        if self.stream._recv_callback == self._receive:
            self.stream.on_recv(self.pass_on, copy=self.stream._recv_copy)
        self.on_click = _nothing

    def _receive(self, frames: Sequence[Any]) -> Any:
        if is_click(frames, self.button, self.session):
            self.on_click()
        return self.pass_on(frames)  # the kernel's own may be a coroutine, which the stream awaits


def is_click(frames: Sequence[Any], button: str, session: Any) -> bool:
    """Whether a message, signed by the notebook, says that this button was clicked.

    Fields:
        frames: a message of the shell channel as it came, each part bytes or a frame of zmq.
        button: the button's comm id.
        session: the kernel's, which signs and unpacks messages.
    """
    parts = [bytes(frame) for frame in frames[:8]]  # the buffers after them may be large
    start = parts.index(DELIMITER) + 1 if DELIMITER in parts else len(parts)
    signature, message = parts[start : start + 1], parts[start + 1 : start + 5]
    if len(message) < 4 or button.encode() not in message[3] or [session.sign(message)] != signature:
        return False
    header, content = session.unpack(message[0]), session.unpack(message[3])
    return (
        header["msg_type"] == "comm_msg"
        and content["comm_id"] == button
        and content["data"].get("content") == {"event": "click"}
    )


def _own_thread(running: Any) -> bool:
    return getattr(running, "shell_channel_thread", None) is not None


def _widgets() -> Any:
    try:
        import ipywidgets  # type: ignore[import-not-found]
    except ImportError:
        return None
    return ipywidgets


def _nothing(*_: object) -> None:
    """Does nothing; stands in where there is no button."""
