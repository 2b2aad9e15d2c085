"""Profiles that are asked for in one moment, asked for together, and kept for a short time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

import anyio
import anyio.lowlevel

from ..errors import NotFound
from ..users.user import User

__all__ = ["Profiles"]

# How long one is kept, in seconds: a page of history asks for the same people many times.
FRESH_SECONDS = 0.5
# Profiles that are kept; the oldest goes first.
KEPT_MAX = 1_000
# Profiles in one request: what a server takes.
BATCH_MAX = 500


class _Batch:
    """Those who are asked for together."""

    def __init__(self) -> None:
        self.ids: dict[str, None] = {}
        self.users: dict[str, User] = {}
        self.ended = anyio.Event()


class Profiles:
    """
    The profiles that a session over a network looks up.

    Args:
        get: asks the server for one.
        get_many: asks it for several.
    """

    def __init__(
        self,
        get: Callable[[str], Awaitable[User]],
        get_many: Callable[[Sequence[str]], Awaitable[Sequence[User]]],
    ) -> None:
        self._get = get
        self._get_many = get_many
        self._gathering: _Batch | None = None
        # Each with the time until which it is fresh, the oldest first.
        self._kept: OrderedDict[str, tuple[float, User]] = OrderedDict()

    async def get(self, user_id: str) -> User:
        """
        Look a user up.

        Raises:
            NotFound: there is no such user.
        """
        kept = self._kept.get(user_id)
        if kept is not None and anyio.current_time() < kept[0]:
            await anyio.lowlevel.checkpoint()
            return kept[1]
        batch = self._gathering
        if batch is not None and len(batch.ids) < BATCH_MAX:
            batch.ids[user_id] = None
            await batch.ended.wait()
        else:
            batch = self._gathering = _Batch()
            batch.ids[user_id] = None
            await self._ask(batch)
        # It is not there if one of them does not exist, or who asked for all was cancelled.
        return batch.users.get(user_id) or await self._get(user_id)

    def forget(self) -> None:
        """Ask again for everybody."""
        self._kept.clear()

    async def _ask(self, batch: _Batch) -> None:
        try:
            # Whoever asks in this turn of the event loop joins.
            await anyio.lowlevel.checkpoint()
            self._stop_gathering(batch)
            if len(batch.ids) > 1:
                users = await self._get_many(list(batch.ids))
                batch.users = dict(zip(batch.ids, users, strict=True))
            else:
                [only] = batch.ids
                batch.users[only] = await self._get(only)
            self._keep(batch.users)
        except NotFound:
            if len(batch.ids) == 1:
                raise
        finally:
            self._stop_gathering(batch)
            batch.ended.set()

    def _stop_gathering(self, batch: _Batch) -> None:
        if self._gathering is batch:
            self._gathering = None

    def _keep(self, users: dict[str, User]) -> None:
        until = anyio.current_time() + FRESH_SECONDS
        for user_id, user in users.items():
            self._kept[user_id] = (until, user)
            self._kept.move_to_end(user_id)
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
