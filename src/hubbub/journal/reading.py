"""Reads of the store for users: pages, searches, and anything else without a decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.lowlevel
import msgspec

from ..errors import StorageError
from ..service import SEQ_MAX, check_limit, check_seq
from .event import Streams
from .health import Health
from .readers import Readers
from .redaction import read_shown
from .stores.contract import Store

__all__ = ["FEED_READS_MAX", "SEARCHES_MAX", "SEARCHES_PER_USER_MAX", "Reading"]

R = TypeVar("R")

# Pages that all feeds read at the same time, in threads apart from the users' reads.
FEED_READS_MAX = 2
# Searches of all users that run at the same time.
SEARCHES_MAX = 2
# Searches of one user that run at the same time.
SEARCHES_PER_USER_MAX = 1


class Reading:
    """
    Reads in threads of its own, for users in turn.

    Args:
        store: the store to read.
        streams: the known kinds of stream, which redact deleted events.
        health: notified of failures and recoveries.
    """

    def __init__(self, store: Store, streams: Streams, health: Health) -> None:
        self._store = store
        self._streams = streams
        self._health = health
        self._readers = Readers()
        self._feeders = Readers(FEED_READS_MAX)
        self._searchers = Readers(SEARCHES_MAX, SEARCHES_PER_USER_MAX)

    async def read(self, by: str, stream: str, after: int, limit: int) -> list[bytes]:
        """Return encoded events after a seq; see :meth:`Journal.read`."""
        check_seq(after)
        check_limit(limit, SEQ_MAX)
        store, streams = self._store, self._streams
        return await self.query(by, read_shown, store, streams, stream, after, limit)

    async def search(self, by: str, work: Callable[..., R], *args: object) -> R:
        """Run a search; with any store it does not block the event loop."""
        return await self._run(self._searchers, by, work, *args, threaded=True)

    async def feed(self, work: Callable[..., R], *args: object) -> R:
        """Run a function that reads the store for a feed."""
        return await self._run(self._feeders, "", work, *args, threaded=self._store.blocking)

    async def query(self, by: str, work: Callable[..., R], *args: object) -> R:
        """Run a function that reads the store; see :meth:`Journal.query`."""
        return await self._run(self._readers, by, work, *args, threaded=self._store.blocking)

    async def _run(
        self, readers: Readers, by: str, work: Callable[..., R], *args: object, threaded: bool
    ) -> R:
        try:
            if threaded:
                found = await readers.run(by, work, *args)
            else:
                await anyio.lowlevel.checkpoint()
                found = work(*args)
        except StorageError as error:
            self._health.failure("reading", error)
            raise
        except msgspec.MsgspecError as error:
            text = "This stored data cannot be read; run `hubbub verify`."
            raise StorageError(text) from error
        self._health.success("reading")
        return found
