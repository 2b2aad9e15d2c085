"""Connects users to a hub for as long as a test runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

from anyio import AsyncContextManagerMixin

from ..hub import Hubbub
from ..session import Session

__all__ = ["Sessions"]


class Sessions(AsyncContextManagerMixin):
    """
    Connects users; leaving its ``async with`` block disconnects them, the last first.

    Args:
        hub: an open hub.
    """

    def __init__(self, hub: Hubbub) -> None:
        self._hub = hub
        self._entered: AsyncExitStack

    async def __call__(
        self,
        user_id: str,
        *,
        nickname: str | None = None,
        role: str = "user",
        guest: str | None = None,
    ) -> Session:
        """
        Connect a user.

        Args:
            user_id: the application's id of the user: 1 to 100 characters, no slash.
            nickname: the name to show; by default the previous one, or the id.
            role: the user's global role: ``user``, ``moderator`` or ``admin``.
            guest: the guest that the user was before; this user takes over the guest's cart.

        Raises:
            Invalid: an argument is outside its limits.
            NotAllowed: ``guest`` is a user with an account.
        """
        session = self._hub.session(user_id, nickname=nickname, role=role, guest=guest)
        return await self._entered.enter_async_context(session)

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        async with AsyncExitStack() as self._entered:
            yield self
