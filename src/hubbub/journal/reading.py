"""Reading the store for users: pages, searches, whatever is no decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import anyio
import anyio.lowlevel
import msgspec

from ..errors import StorageError
from ..service import SEQ_MAX, check_limit, check_seq
from .health import Health
from .readers import Readers
from .stores.contract import Store

__all__ = ["SEARCHES_MAX", "SEARCHES_PER_USER_MAX", "Reading"]

R = TypeVar("R")

# Searches of all users that run at one time, and of one.
SEARCHES_MAX = 2
SEARCHES_PER_USER_MAX = 1


class Reading:
    """
    Reads in threads of its own, the users in turn.

    Args:
        store: what is read.
        health: told what fails, and what works again.
    """

    def __init__(self, store: Store, health: Health) -> None:
        self._store = store
        self._health = health
        self._readers = Readers()
        self._searchers = Readers(SEARCHES_MAX, SEARCHES_PER_USER_MAX)

    async def read(self, by: str, stream: str, after: int, limit: int) -> list[bytes]:
        """Return encoded events after a seq; see :meth:`Journal.read`."""
        check_seq(after)
        check_limit(limit, SEQ_MAX)
        return await self._run(self._readers, by, self._store.read, stream, after, limit)

    async def search(
        self, by: str, stream: str, words: Sequence[str], before: int, limit: int
    ) -> list[int]:
        """Return the seqs of messages that have all the words, the newest first."""
        search = self._store.search
        return await self._run(self._searchers, by, search, stream, words, before, limit)

    async def query(self, by: str, work: Callable[..., R], *args: object) -> R:
        """Run what reads the store; see :meth:`Journal.query`."""
        return await self._run(self._readers, by, work, *args)

    async def _run(self, readers: Readers, by: str, work: Callable[..., R], *args: object) -> R:
        try:
            if self._store.blocking:
                found = await readers.run(by, work, *args)
            else:
                await anyio.lowlevel.checkpoint()
                found = work(*args)
        except StorageError as error:
            self._health.failure("reading", error)
            raise
        except msgspec.MsgspecError as error:
            text = "What is stored of this cannot be read; run `hubbub verify`."
            raise StorageError(text) from error
        self._health.success("reading")
        return found
