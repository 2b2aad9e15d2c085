"""The fixtures: a hub, sessions, a clock and a task group for every async test."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import pytest

from .deferring import deferred_fixture, is_simulated

# They import hubbub when a test takes them: every run of pytest loads this module.
if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from hubbub import Hubbub, Settings
    from hubbub.testing import ManualClock, Sessions, VirtualClock

__all__ = ["clock", "hub", "hub_settings", "session", "tasks"]


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> ManualClock | VirtualClock:
    """
    Give the test a clock, which ``await clock.advance(seconds)`` moves.

    In a simulated test it follows the event loop. In other tests it stands until you move it,
    and timers of the event loop take no notice of it.
    """
    from hubbub.testing import ManualClock, VirtualClock

    return VirtualClock() if is_simulated(request.node) else ManualClock()


@deferred_fixture
def hub_settings(request: pytest.FixtureRequest, clock: ManualClock | VirtualClock) -> Settings:
    """Give the hub of the test its settings: the test's clock, and chance from a seed."""
    from random import Random

    from hubbub import Settings
    from hubbub.testing.simulation import current_random

    random = current_random() if is_simulated(request.node) else Random(0)
    return Settings(clock=clock, random=random)


@deferred_fixture
async def hub(hub_settings: Settings) -> AsyncGenerator[Hubbub]:
    """Open a hub in memory for the test."""
    import hubbub

    async with hubbub.open("memory://", settings=hub_settings) as opened:
        yield opened


@deferred_fixture
async def session(hub: Hubbub) -> AsyncGenerator[Sessions]:
    """Connect users to the hub: ``ann = await session("ann")``; they leave at the test's end."""
    from hubbub.testing import Sessions

    async with Sessions(hub) as sessions:
        yield sessions


@deferred_fixture
async def tasks() -> AsyncGenerator[TaskGroup]:
    """Give the test a task group; a task that fails cancels and fails the test at once."""
    import anyio

    try:
        async with anyio.create_task_group() as group:
            yield group
            group.cancel_scope.cancel()
    except BaseExceptionGroup as errors:
        if len(errors.exceptions) > 1:
            raise
        # The report of one error is easier to read than that of a group of one.
        raise errors.exceptions[0] from None
