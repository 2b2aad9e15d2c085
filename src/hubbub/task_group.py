"""A task group that leaves the errors of its own body as they are."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

__all__ = ["open_task_group"]


@asynccontextmanager
async def open_task_group() -> AsyncGenerator[TaskGroup]:
    """
    Open a task group that does not wrap its body's error in a group.

    Otherwise it is as :func:`anyio.create_task_group`: the error cancels the tasks, and what they
    raise comes out in a group. If both have failed, both are in it.

    Raises:
        Exception: what the body raised.
        BaseExceptionGroup: what tasks raised.
    """
    raised: Exception | None = None
    try:
        async with anyio.create_task_group() as tasks:
            try:
                yield tasks
            except Exception as error:
                raised = error
                tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        if raised is None:
            raise
        raise BaseExceptionGroup(group.message, [raised, *group.exceptions]) from None
    if raised is not None:
        raise raised
