"""Profiles for a client: look-ups of the same moment share a request, and are cached briefly."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import anyio
import anyio.lowlevel

from ..errors import NotFound
from ..feature import RemoteCall
from ..method import Method
from ..service import methods_of
from .service import Users
from .user import User

__all__ = ["Profiles"]

# How long a profile is cached, in seconds: a page of history needs the same users many times.
FRESH_SECONDS = 0.5
# The number of cached profiles; the oldest is evicted first.
KEPT_MAX = 1_000
# Profiles in one request: the limit of the server.
BATCH_MAX = 500


class _Batch:
    """The ids of one request."""

    def __init__(self) -> None:
        self.ids: dict[str, None] = {}
        self.users: dict[str, User] = {}
        self.ended = anyio.Event()


class Profiles:
    """
    The profiles that a session over a network looks up.

    Args:
        call: calls the server.
    """

    def __init__(self, call: RemoteCall) -> None:
        self._call = call
        self._methods = methods_of(Users)
        self._gathering: _Batch | None = None
        # Each profile with the time until which it is fresh, the oldest first.
        self._kept: OrderedDict[str, tuple[float, User]] = OrderedDict()

    async def __call__(self, method: Method, arguments: Mapping[str, Any]) -> Any:
        """Carry out a method of users."""
        match method.name, arguments:
            case "users.get", {"user_id": str(user_id)}:
                return await self.get(user_id)
        return await self._call(method, arguments)

    async def get(self, user_id: str) -> User:
        """
        Look up a user.

        Raises:
            NotFound: the user does not exist.
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
        # It is missing if one of the users does not exist, or the request was cancelled.
        return batch.users.get(user_id) or await self._ask_one(user_id)

    def changed(self) -> None:
        """Drop the cache: users who change their profile see the change in profiles, too."""
        self._kept.clear()

    async def _ask(self, batch: _Batch) -> None:
        try:
            # Look-ups of the same turn of the event loop join this request.
            await anyio.lowlevel.checkpoint()
            self._stop_gathering(batch)
            if len(batch.ids) > 1:
                users = await self._call(
                    self._methods["users.get_many"], {"user_ids": list(batch.ids)}
                )
                batch.users = dict(zip(batch.ids, users, strict=True))
            else:
                [only] = batch.ids
                batch.users[only] = await self._ask_one(only)
            self._keep(batch.users)
        except NotFound:
            if len(batch.ids) == 1:
                raise
        finally:
            self._stop_gathering(batch)
            batch.ended.set()

    async def _ask_one(self, user_id: str) -> User:
        found: User = await self._call(self._methods["users.get"], {"user_id": user_id})
        return found

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
