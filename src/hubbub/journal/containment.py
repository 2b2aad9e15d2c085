"""Containment: a piece of work fails alone, and logs its failure once."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVarTuple

import anyio

from ..errors import Closed, StorageError

__all__ = ["RESTART_SECONDS_MAX", "contained", "keep_running", "tell_each"]

logger = logging.getLogger("hubbub.journal")

Args = TypeVarTuple("Args")

# The first pause, in seconds, before a task that the hub needs restarts after a failure.
RESTART_SECONDS_MIN = 0.1
# The longest such pause, in seconds: each failure doubles it.
RESTART_SECONDS_MAX = 30.0
# The longest such pause after a failure of the store.
STORE_SECONDS_MAX = 2.0
# A task that ran this long before it failed restarts with a short pause again.
HEALTHY_SECONDS = 60.0


async def contained(what: str, work: Callable[[*Args], Awaitable[object]], *args: *Args) -> None:
    """
    Run a piece of work whose failure must not affect other tasks.

    Args:
        what: the name of the work in the log.
        work: called with ``args``; its exception is logged.
    """
    try:
        await work(*args)
    except Closed:
        logger.debug("%s: the hub is closing", what)
    except Exception:
        logger.exception("%s has failed", what)


async def keep_running(what: str, work: Callable[[], Awaitable[object]]) -> None:
    """
    Run a task that the hub needs until it returns; restart it when it fails.

    Args:
        what: the name of the task in the log.
        work: the task; Closed from a closing hub ends it.
    """
    wait = RESTART_SECONDS_MIN
    while True:
        began = anyio.current_time()
        try:
            await work()
        except Closed:
            return
        except StorageError:
            # The health of the store logs its failures once, and not for each task. A store that
            # was away for an hour must not keep its users waiting when it is back.
            logger.info("%s waits for the store", what)
            wait = min(wait, STORE_SECONDS_MAX)
        except Exception:
            logger.exception("%s has failed; it starts again soon", what)
        else:
            return
        if anyio.current_time() - began > HEALTHY_SECONDS:
            wait = RESTART_SECONDS_MIN
        await anyio.sleep(wait)
        wait = min(2 * wait, RESTART_SECONDS_MAX)


def tell_each(observers: Iterable[Callable[[*Args], object]], *args: *Args) -> None:
    """Call each of several observers; log an exception of one, and still call the others."""
    for told in observers:
        try:
            told(*args)
        except Exception:
            logger.exception("an observer has failed: %r", told)
