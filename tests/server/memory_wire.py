"""A connection in memory, that shows what is done with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import anyio
from anyio.abc import TaskGroup
from starlette.types import ASGIApp

from hubbub.server.http.connection import HttpConnection, Server
from hubbub.server.http.exchange import Gone
from hubbub.server.http.request_head import RequestHead
from hubbub.server.websocket.unsent import Unsent

__all__ = ["MemoryWire", "wired"]

SCOPE = {"scheme": "http", "server": ("h", 1), "client": ("c", 2), "root_path": ""}


class MemoryWire:
    """Records everything that is sent and requested."""

    def __init__(self, tasks: TaskGroup) -> None:
        self.http: HttpConnection
        self.sent = b""
        self.paused = False
        self.deadline: float | None = None
        self.waiting = False
        # What became of it: "" while it is open.
        self.end = ""
        self.taken: tuple[RequestHead, bytes] | None = None
        # A client that takes nothing.
        self.stuck = False
        self._tasks = tasks

    async def send(self, data: bytes | memoryview) -> None:
        """Keep bytes."""
        await anyio.lowlevel.checkpoint()
        if self.end in ("closed", "aborted"):
            raise Gone
        if self.stuck:
            await anyio.sleep_forever()
        self.sent += data

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def set_deadline(self, seconds: float | None) -> None:
        self.deadline = seconds

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._tasks.start_soon(work)

    def end_writing(self) -> None:
        self.end = self.end or "ended"

    def close(self) -> None:
        self.end = "closed"

    def abort(self) -> None:
        if self.end != "aborted":
            self.end = "aborted"
            self.http.lost()

    def take_over(self, head: RequestHead, rest: bytes) -> None:
        self.taken = head, rest

    def note_waiting(self, waiting: bool) -> None:
        self.waiting = waiting

    async def statuses(self) -> list[int]:
        """Let everything happen, and return what was answered."""
        await anyio.wait_all_tasks_blocked()
        lines = self.sent.split(b"HTTP/1.1 ")[1:]
        return [int(line[:3]) for line in lines]


@asynccontextmanager
async def wired(app: ASGIApp, path: str = "/ws") -> AsyncIterator[MemoryWire]:
    """Connect an application to a client in memory."""
    async with anyio.create_task_group() as tasks:
        wire = MemoryWire(tasks)
        server = Server(app, path, lambda: datetime(2026, 11, 28, 12, tzinfo=UTC), Unsent())
        wire.http = HttpConnection(server, wire, lambda: SCOPE, wire.note_waiting)
        wire.http.begin()
        yield wire
        tasks.cancel_scope.cancel()
