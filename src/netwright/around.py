"""Makes context managers of generator functions; an error that passes through comes out as it is.

`contextlib.contextmanager` sets an attribute of the error that passes. An error that is a frozen dataclass refuses
that, and the user would see FrozenInstanceError in place of the error that was raised.
"""

from collections.abc import Callable, Generator
from functools import wraps
from types import TracebackType
from typing import Generic, ParamSpec, TypeVar

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")
Q = ParamSpec("Q")


class Around(Generic[T]):
    """What is done before and after a block: a generator that yields once; as a decorator, around each call.

    Fields: `start` makes the generator.
    """

    def __init__(self, start: Callable[[], Generator[T]]) -> None:
        self.start = start

    def __enter__(self) -> T:
        self._steps = self.start()
        return next(self._steps)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the generator. No error is swallowed; the generator may raise another one in its place."""
        if error is None:
            next(self._steps, None)
            return
        try:
            self._steps.throw(error)
        except BaseException as raised:
            wrapped = isinstance(error, StopIteration) and raised.__cause__ is error  # by the generator, as Python says
            if raised is not error and not wrapped and not isinstance(raised, StopIteration):
                raise
        BaseException.with_traceback(error, trace)  # without the lines of this file; no attribute of the error is set

    def __call__(self, function: Callable[Q, R]) -> Callable[Q, R]:
        @wraps(function)
        def call(*args: Q.args, **kwargs: Q.kwargs) -> R:
            with Around(self.start):
                return function(*args, **kwargs)

        return call


def around(steps: Callable[P, Generator[T]]) -> Callable[P, Around[T]]:
    """Make a context manager of a function whose generator yields once, as `contextlib.contextmanager` does.

    Example:
        >>> @around
        ... def tag(name):
        ...     print(f"<{name}>")
        ...     yield
        ...     print(f"</{name}>")
        >>> with tag("b"):
        ...     print("bold")
        <b>
        bold
        </b>
    """

    @wraps(steps)
    def made(*args: P.args, **kwargs: P.kwargs) -> Around[T]:
        return Around(lambda: steps(*args, **kwargs))

    return made
