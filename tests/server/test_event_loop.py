"""The parts of each event loop that anyio has no interface for."""

from __future__ import annotations

import socket

import anyio
import pytest

from hubbub.server.event_loop import call_when_readable, clock_of_loop, runs_asyncio


async def test_it_knows_the_event_loop(request: pytest.FixtureRequest) -> None:
    assert runs_asyncio() is request.config.pluginmanager.has_plugin("asyncio")


async def test_the_clock_is_that_of_the_loop() -> None:
    now = clock_of_loop()
    before = anyio.current_time()
    between = now()

    assert before <= between <= anyio.current_time()


async def test_a_function_is_called_as_long_as_there_is_something_to_read() -> None:
    own, other = socket.socketpair()
    own.setblocking(False)
    read: list[bytes] = []
    with own, other:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call_when_readable, own.fileno(), lambda: read.append(own.recv(1)))
            other.send(b"abc")
            with anyio.fail_after(5):
                while len(read) < 3:
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        other.send(b"d")
        await anyio.wait_all_tasks_blocked()

        assert read == [b"a", b"b", b"c"]
