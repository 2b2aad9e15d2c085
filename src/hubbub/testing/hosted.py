"""
Runs an async context manager in its own task, so that one fixture serves every plugin.

pytest-asyncio runs the two halves of an async fixture in two tasks, and a task
group, a hub or a session must be exited by the task that entered it. Hosted, it is::

    @pytest.fixture
    async def hub() -> AsyncIterator[Hub]:
        async with hosted(hubbub.open("memory://")) as hub:
            yield hub

The same fixture works under pytest-asyncio (``--asyncio-mode=auto``) and under
anyio's plugin (``--anyio-mode=auto``) on asyncio and on trio.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Generic, TypeVar

import anyio
import trio

__all__ = ["hosted"]

T = TypeVar("T")


@asynccontextmanager
async def hosted(manager: AbstractAsyncContextManager[T, bool | None]) -> AsyncIterator[T]:
    """
    Enter and exit an async context manager in a task of its own.

    An error in the body is raised again inside the manager, which can suppress it as usual;
    cancelling the body cancels the manager. There is one difference from a
    plain ``async with``: when a task group of the manager fails, the body, which is
    another task, is not cancelled.

    Args:
        manager: the manager to host; its value is the value of this one.

    Raises:
        BaseException: the error of the manager, from entering or exiting.
    """
    host = _Host(manager)
    host.start()
    try:
        yield await host.entered()
    except BaseException as error:
        if not await host.swallows(error):
            raise
    else:
        await host.leave()


class _Host(Generic[T]):
    """The task that has entered the manager, and the signals between the two tasks."""

    def __init__(self, manager: AbstractAsyncContextManager[T, bool | None]) -> None:
        self._manager = manager
        self._scope = anyio.CancelScope()
        self._value: list[T] = []
        self._error: BaseException | None = None
        self._thrown: BaseException | None = None
        self._was_thrown = False
        self._entered_or_gone = anyio.Event()
        self._leave = anyio.Event()
        self._gone = anyio.Event()

    def start(self) -> None:
        self._task = _spawn(self._run)  # asyncio itself holds a task by a weak reference only

    async def entered(self) -> T:
        await self._entered_or_gone.wait()
        self._check()
        return self._value[0]

    async def leave(self) -> None:
        self._leave.set()
        try:
            await self._gone.wait()
        except BaseException as cancelled:
            await self.swallows(cancelled)
            raise
        self._check()

    async def swallows(self, error: BaseException) -> bool:
        """Exit because of an error; raise the manager's own error, if it raises another."""
        if isinstance(error, (anyio.get_cancelled_exc_class(), GeneratorExit)):
            self._scope.cancel()
        else:
            self._thrown = error
        self._leave.set()

        # Like a task group: it was cancelled, and its caller waits until it has ended.
        with anyio.CancelScope(shield=True):
            await self._gone.wait()

        self._check()
        return self._was_thrown

    async def _run(self) -> None:
        try:
            with self._scope:
                await self._hold()
        except BaseException as error:
            if isinstance(error, anyio.get_cancelled_exc_class()):
                raise  # the event loop itself is closing
            self._error = error  # the waiting task raises it again
        finally:
            self._gone.set()
            self._entered_or_gone.set()

    async def _hold(self) -> None:
        async with self._manager as value:
            self._value.append(value)
            self._entered_or_gone.set()
            await self._leave.wait()
            if self._thrown is not None:
                self._was_thrown = True
                raise self._thrown

    def _check(self) -> None:
        if self._error is not None:
            raise self._error


def _spawn(run: Callable[[], Coroutine[Any, Any, None]]) -> object:
    if trio.lowlevel.in_trio_task():
        return trio.lowlevel.spawn_system_task(run, context=contextvars.copy_context())
    return asyncio.create_task(run())
