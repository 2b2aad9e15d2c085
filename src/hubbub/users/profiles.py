"""Profiles that are asked for in one moment, asked for together, and kept for a short time."""

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
        call: asks the server.
    """

    def __init__(self, call: RemoteCall) -> None:
        self._call = call
        self._methods = methods_of(Users)
        self._gathering: _Batch | None = None
        # Each with the time until which it is fresh, the oldest first.
        self._kept: OrderedDict[str, tuple[float, User]] = OrderedDict()

    async def __call__(self, method: Method, arguments: Mapping[str, Any]) -> Any:
        """Carry out a method of users."""
        match method.name, arguments:
            case "users.get", {"user_id": str(user_id)}:
                return await self.get(user_id)
        return await self._call(method, arguments)

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
        return batch.users.get(user_id) or await self._ask_one(user_id)

    def changed(self) -> None:
        """Ask again for everybody: a user who changes something sees it in profiles, too."""
        self._kept.clear()

    async def _ask(self, batch: _Batch) -> None:
        try:
            # Whoever asks in this turn of the event loop joins.
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
