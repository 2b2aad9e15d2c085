"""Where faults end: one piece of work fails alone, and says so once."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVarTuple

import anyio

from ..errors import Closed, StorageError

__all__ = ["RESTART_SECONDS_MAX", "contained", "keep_running", "tell_each"]

logger = logging.getLogger("hubbub.journal")

Args = TypeVarTuple("Args")

# The first pause, in seconds, before a task that the hub needs is restarted after it failed.
RESTART_SECONDS_MIN = 0.1
# The longest such pause, in seconds: each failure doubles it.
RESTART_SECONDS_MAX = 30.0
# A task that ran so long before it failed is restarted soon again.
HEALTHY_SECONDS = 60.0


async def contained(what: str, work: Callable[[*Args], Awaitable[object]], *args: *Args) -> None:
    """
    Run a piece of work whose fault must not reach the tasks beside it.

    Args:
        what: names the work in the log.
        work: called with ``args``; what it raises is logged.
    """
    try:
        await work(*args)
    except Closed:
        logger.debug("%s: the hub is closing", what)
    except Exception:
        logger.exception("%s has failed", what)


async def keep_running(what: str, work: Callable[[], Awaitable[object]]) -> None:
    """
    Run a task that the hub needs until it returns; start it again when it fails.

    Args:
        what: names the task in the log.
        work: the task; a hub that is closing ends it by Closed.
    """
    wait = RESTART_SECONDS_MIN
    while True:
        began = anyio.current_time()
        try:
            await work()
        except Closed:
            return
        except StorageError:
            # The store's own health is in the log: once, and not for each who needs it.
            logger.info("%s waits for the store", what)
        except Exception:
            logger.exception("%s has failed; it starts again soon", what)
        else:
            return
        if anyio.current_time() - began > HEALTHY_SECONDS:
            wait = RESTART_SECONDS_MIN
        await anyio.sleep(wait)
        wait = min(2 * wait, RESTART_SECONDS_MAX)


def tell_each(observers: Iterable[Callable[[*Args], object]], *args: *Args) -> None:
    """Call each of several observers; one that raises is logged, and the others are called."""
    for told in observers:
        try:
            told(*args)
        except Exception:
            logger.exception("an observer has failed: %r", told)
