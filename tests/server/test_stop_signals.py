"""A signal to stop is noted, and the handler of the server gets it as before."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import anyio
import pytest
from anyio import to_thread
from anyio.lowlevel import checkpoint

from hubbub.server.stop_signals import wait_for_stop_signal
from hubbub.task_group import open_task_group

PATIENCE = 5.0


@contextmanager
def handler_of_a_server(number: int) -> Iterator[list[int]]:
    """Put a handler that only notes what it gets."""
    got: list[int] = []

    def handle(received: int, frame: FrameType | None) -> None:
        got.append(received)

    before = signal.signal(number, handle)
    try:
        yield got
    finally:
        signal.signal(number, before)


async def until_noted() -> None:
    with anyio.fail_after(PATIENCE):
        await wait_for_stop_signal()


async def until_watched(number: int) -> None:
    """Wait until the handler is no longer the one of before."""
    before = signal.getsignal(number)
    while signal.getsignal(number) is before:
        await checkpoint()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_both_get_the_signal(number: signal.Signals) -> None:
    with handler_of_a_server(number) as got:
        async with open_task_group() as tasks:
            tasks.start_soon(until_noted)
            await until_watched(number)
            signal.raise_signal(number)

    assert got == [number]


async def test_the_handler_of_before_is_put_back() -> None:
    with handler_of_a_server(signal.SIGTERM) as got:
        before = signal.getsignal(signal.SIGTERM)
        async with open_task_group() as tasks:
            tasks.start_soon(wait_for_stop_signal)
            await until_watched(signal.SIGTERM)
            tasks.cancel_scope.cancel()

        assert signal.getsignal(signal.SIGTERM) is before
        assert got == []


async def test_a_handler_that_came_later_stays() -> None:
    with handler_of_a_server(signal.SIGTERM):
        async with open_task_group() as tasks:
            tasks.start_soon(wait_for_stop_signal)
            await until_watched(signal.SIGTERM)
            with handler_of_a_server(signal.SIGTERM):
                later = signal.getsignal(signal.SIGTERM)
                tasks.cancel_scope.cancel()
                await checkpoint_shielded()

                assert signal.getsignal(signal.SIGTERM) is later


async def test_a_signal_that_nothing_handles_still_ends_the_process() -> None:
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    async with open_task_group() as tasks:
        tasks.start_soon(wait_for_stop_signal)
        await until_watched(signal.SIGINT)

        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        tasks.cancel_scope.cancel()


async def test_in_another_thread_it_waits_for_ever() -> None:
    before = signal.getsignal(signal.SIGINT)

    async def wait() -> bool:
        with anyio.move_on_after(0.1):
            await wait_for_stop_signal()
            return False
        return threading.current_thread() is not threading.main_thread()

    waited = await to_thread.run_sync(anyio.run, wait)

    assert waited
    assert signal.getsignal(signal.SIGINT) is before


async def checkpoint_shielded() -> None:
    """Let the cancelled task end."""
    with anyio.CancelScope(shield=True):
        for _ in range(5):
            await checkpoint()
