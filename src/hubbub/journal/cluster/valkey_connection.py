"""Connections to a Valkey or Redis server, which leave nothing to the garbage collector."""

from __future__ import annotations

from typing import Any, Never

from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus
from coredis.connection import TCPConnection, TCPLocation
from coredis.exceptions import StalePrimaryError

__all__ = ["PrimaryConnection", "ValkeyConnection"]


class ValkeyConnection(TCPConnection):
    """A connection that can receive what is published."""

    async def run(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Connect, and return or raise when the connection is broken."""
        try:
            await super().run(task_status=task_status)
        finally:
            # The client leaves its buffers open if it cannot connect.
            for buffer in (
                *(self._write_buffer_in, self._write_buffer_out),
                *(self._push_message_buffer_in, self._push_message_buffer_out),
                *(self._streamed_message_buffer_in, self._streamed_message_buffer_out),
            ):
                buffer.close()

    async def next_messages(self) -> list[list[Any]]:
        """Wait for messages, and return all that have come."""
        # The client's iterator returns a message in each turn of the event loop, and reads many:
        # a busy node would fall behind, and its memory would grow.
        waiting: Any = self._push_message_buffer_out
        messages = [await waiting.receive()]
        while waiting.statistics().current_buffer_used:
            messages.append(waiting.receive_nowait())
        return messages

    async def refusal(self) -> Never:
        """Wait until the server refuses a command that has no answer, and raise its error."""
        while True:
            answer = await self._streamed_message_buffer_out.receive()
            if isinstance(answer, Exception):
                raise answer


class PrimaryConnection(ValkeyConnection):
    """
    A connection to a primary; a replica does not send frames to its primary.

    Raises:
        StalePrimaryError: the server is a replica, when it connects.
    """

    def __init__(self, location: TCPLocation, **options: Any) -> None:
        super().__init__(location, **options)
        self.register_connect_callback(_check_that_it_is_primary)


async def _check_that_it_is_primary(connection: TCPConnection) -> None:
    role: Any = await connection.create_request(b"ROLE", decode=True)
    if role[0] != "master":
        raise StalePrimaryError(f"{connection.location} is a {role[0]}")
