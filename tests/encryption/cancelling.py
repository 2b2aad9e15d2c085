"""Cancels a coroutine at a chosen await."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any

import anyio

__all__ = ["cancelled_at"]


async def cancelled_at(number: int, work: Coroutine[Any, Any, object]) -> bool:
    """
    Run a coroutine, and cancel it where it waits for the ``number``-th time, counted from 0.

    Returns:
        False if it has ended before.
    """
    with anyio.CancelScope() as scope:
        await counted(work, number, scope)
    return scope.cancelled_caught


@coroutine
def counted(
    work: Coroutine[Any, Any, object], number: int, scope: anyio.CancelScope
) -> Generator[Any, Any, None]:
    """Hand on what a coroutine waits for, and cancel a scope when it has waited often enough."""
    value: Any = None
    raised: BaseException | None = None
    while True:
        try:
            waits_for = work.send(value) if raised is None else work.throw(raised)
        except StopIteration:
            return
        if number == 0:
            scope.cancel()
        number, value, raised = number - 1, None, None
        try:
            value = yield waits_for
        except BaseException as error:
            raised = error
