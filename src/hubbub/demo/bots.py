"""The bots of the demo: their names, their scores, and their sessions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec

from ..hub import Hubbub
from ..session import Session

__all__ = ["ROBIN", "SAMPLES", "Bot", "bot_session"]

# The avatar of all bots.
AVATAR = "🤖"


class Bot(msgspec.Struct, frozen=True):
    """
    A user that is a program, and says so in its nickname.

    Args:
        id: the user's id.
        name: what people call it.
        score: its points on the leaderboard.
    """

    id: str
    name: str
    score: int

    @property
    def nickname(self) -> str:
        """The nickname that everybody sees."""
        return f"{self.name} (bot)"


# The bot that talks and plays.
ROBIN = Bot("demo-robin", "Robin", 30)
# Bots that are on the leaderboard, and nowhere else.
SAMPLES = (Bot("demo-ada", "Ada", 50), Bot("demo-grace", "Grace", 40), Bot("demo-alan", "Alan", 20))


@asynccontextmanager
async def bot_session(hub: Hubbub, bot: Bot) -> AsyncGenerator[Session]:
    """Connect a bot; leaving it disconnects."""
    async with hub.session(bot.id, nickname=bot.nickname) as session:
        if session.user.avatar != AVATAR:
            await session.users.update(avatar=AVATAR)
        yield session
