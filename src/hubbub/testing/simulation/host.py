"""A part of the simulated world that can crash and restart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from .fence import Fence, current_fence
from .listener import NetworkListener
from .network import Network
from .stream import NetworkStream

__all__ = ["Host", "LosesPower"]


class LosesPower(Protocol):
    """A disk of a host, like :class:`Disk`: its contents outlive a crash."""

    def lose_power(self) -> object:
        """Refuse everything from now on; what was not synced may be gone."""

    def restore(self) -> object:
        """Be there again, with what is left."""


class _Life:
    """The tasks of a host between two crashes."""

    def __init__(self, host: str, number: int) -> None:
        self.fence = Fence(host, number)
        self.scope = anyio.CancelScope()


class Host:
    """
    A host of the simulated world.

    A crash is a fence: from one instant the host's connections and its disk refuse everything; then
    its tasks are cancelled, and nobody sees what their ``finally`` blocks do.

    Args:
        name: what the network calls it.
        network: where its connections break when it crashes.
        disk: what loses power when it crashes.
    """

    def __init__(
        self, name: str, network: Network | None = None, disk: LosesPower | None = None
    ) -> None:
        self.name = name
        self.network = network
        self.disk = disk
        # How often it was started, and how often it crashed.
        self.lives = self.crashes = 0
        self._life: _Life | None = None
        self._has_crashed = False
        self._tasks: TaskGroup | None = None
        self._fn: Callable[[Host], Awaitable[object]] | None = None
        self._error: Exception | None = None
        self._came_up = anyio.Event()
        self._over = anyio.Event()

    def __repr__(self) -> str:
        return f"<host {self.name}, {'up' if self.is_up else 'down'}>"

    @property
    def is_up(self) -> bool:
        """Whether its tasks run."""
        return self._life is not None

    async def up(self) -> None:
        """Return when its tasks run, perhaps before they listen."""
        await checkpoint()
        while self._life is None:
            await self._came_up.wait()

    async def run(self, fn: Callable[[Host], Awaitable[object]]) -> None:
        """
        Run a function on this host, again after each ``restart``.

        It ends when the function returns, or after ``stop``; while the host is crashed it waits.
        When it ends, what the host left open is closed.

        Args:
            fn: an async function, which gets this host.

        Raises:
            RuntimeError: the host runs a function already.
            Exception: what the function raised, unless its host had crashed by then.
        """
        if self._tasks is not None:
            raise RuntimeError(f"{self.name} runs already; a host runs one function at a time.")
        self._fn, self._error, self._over = fn, None, anyio.Event()
        try:
            async with anyio.create_task_group() as self._tasks:
                self._start()
                await self._over.wait()
                if self._life is not None:
                    self._life.scope.cancel()
        finally:
            self._tasks = self._life = None
            if self.network is not None:
                self.network.close_host(self.name)
        if self._error is not None:
            raise self._error

    def crash(self, *, silently: bool = False) -> None:
        """
        Let it crash now; nothing happens if it is down.

        Args:
            silently: the whole machine is gone, so that the other ends of its connections notice
                nothing until it is back; otherwise they are reset.
        """
        life, self._life = self._life, None
        if life is None:
            return
        self.crashes += 1
        self._has_crashed = life.fence.is_down = True
        self._came_up = anyio.Event()
        if self.network is not None:
            self.network.power_off(self.name, silently=silently)
        if self.disk is not None:
            self.disk.lose_power()
        life.scope.cancel()

    def restart(self) -> None:
        """
        Run the function of ``run`` again, with what the disk has kept; crash the host first if it
        is up.

        It does not wait for the tasks of the life before: they may still be dying.

        Raises:
            RuntimeError: the host runs no function.
        """
        if self._tasks is None:
            raise RuntimeError(f"{self.name} does not run; call run() first.")
        self.crash()
        self._start()

    def stand_still(self, seconds: float) -> None:
        """
        Let its worker threads stand still, as if the host had no processor for so long.

        The work that a thread has begun is done before or after that; a crash ends it.
        """
        if self._life is not None:
            self._life.fence.still_until = anyio.current_time() + seconds

    def stop(self) -> None:
        """End it in order: its tasks are cancelled, what they do then is seen, and ``run`` ends."""
        self._over.set()

    async def connect(self, to_host: str, port: int) -> NetworkStream:
        """Connect from this host; see :meth:`Network.connect`."""
        return await self._on_network().connect(self.name, to_host, port)

    def listen(self, port: int = 0) -> NetworkListener:
        """Open a port of this host; see :meth:`Network.listen`."""
        return self._on_network().listen(self.name, port)

    def _on_network(self) -> Network:
        if self.network is None:
            raise RuntimeError(f"{self.name} is on no network; make it with one.")
        return self.network

    def _start(self) -> None:
        assert self._tasks is not None
        if self._has_crashed:
            self._has_crashed = False
            if self.disk is not None:
                self.disk.restore()
            if self.network is not None:
                self.network.power_on(self.name)
        self.lives += 1
        self._life = _Life(self.name, self.lives)
        self._came_up.set()
        self._tasks.start_soon(self._live, self._life)

    async def _live(self, life: _Life) -> None:
        # It may have crashed before its first step.
        if life.fence.is_down:
            return
        assert self._fn is not None
        current_fence.set(life.fence)
        try:
            with life.scope:
                await self._fn(self)
        except Exception as error:
            # Nobody hears what the dead say.
            if not life.fence.is_down:
                self._error = error
        except BaseExceptionGroup as group:
            # Something that is not an error, a cancellation of the caller's say, is not its own.
            rest = group.split(Exception)[1] if life.fence.is_down else group
            if rest is not None:
                raise rest from None
        if not life.fence.is_down:
            self._over.set()
