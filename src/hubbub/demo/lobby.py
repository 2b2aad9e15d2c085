"""The lobby of the demo: a public room that is made once, and what its bot says first."""

from __future__ import annotations

from collections.abc import Sequence

from ..chat.rooms.room import Room
from ..session import Session

__all__ = ["LOBBY", "open_lobby"]

LOBBY = "Lobby"
# Rooms and messages that are read at once.
PAGE = 100
WELCOME = "Welcome to Hubbub! I am Robin, a bot. Say “help” to see what I can do."
WELCOME_TO_CHAT = (
    "Chat: join from a second window too, and reply, edit and react. "
    "I return each emoji that you put on my messages."
)
WELCOME_TO_GAMES = (
    "Games: press “Play quick arithmetic”, or run “hubbub play”. If nobody else plays, I do."
)
WELCOME_TO_SHOP = (
    "Shop: pay with a test card; nobody is charged. The coupon WELCOME takes 10 % off."
)


async def open_lobby(bot: Session, *, games: bool, shop: bool) -> Room | None:
    """
    Return the lobby; make it, and say the welcome, if that was not done before.

    Args:
        bot: the session of the bot whose room it is.
        games: True if there are games to try.
        shop: True if there is a shop to try.

    Returns:
        The lobby, or None if an admin has closed it.
    """
    room = await _find(bot)
    if room is None:
        room = await bot.chat.create_room(LOBBY, key="demo-lobby")
    if room.closed:
        return None
    room = await bot.chat.join(room.id)
    texts = [WELCOME, WELCOME_TO_CHAT]
    texts += [WELCOME_TO_GAMES] if games else []
    texts += [WELCOME_TO_SHOP] if shop else []
    await _say_once(bot, room, texts)
    return room


async def _find(bot: Session) -> Room | None:
    after: str | None = None
    while page := await bot.chat.rooms(after=after, limit=PAGE):
        for room in page:
            if room.creator == bot.user.id and room.name == LOBBY:
                return room
        after = page[-1].id
    return None


async def _say_once(bot: Session, room: Room, texts: Sequence[str]) -> None:
    # A key is remembered for some days, the messages are there for good. The bot says nothing
    # else before these, so a process that was killed in between has said the first of them.
    first = await bot.chat.history(room.id, after=0, limit=PAGE)
    said = sum(message.by == bot.user.id for message in first)
    for number, text in enumerate(texts[said:], said):
        await bot.chat.send(room.id, text, key=f"demo-welcome-{number}")
