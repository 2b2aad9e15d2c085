"""A task group that raises the error of its own body without wrapping it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

__all__ = ["open_task_group"]


@asynccontextmanager
async def open_task_group() -> AsyncGenerator[TaskGroup]:
    """
    Open a task group that does not wrap its body's error in an exception group.

    Otherwise it works like :func:`anyio.create_task_group`: the error cancels the tasks, and
    the errors of tasks come in a group. If both fail, the group has both.

    Raises:
        Exception: the error of the body.
        BaseExceptionGroup: the errors of the tasks.
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
