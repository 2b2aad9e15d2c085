"""The demo's bot in direct conversations: it tells where it talks, once to each user."""

from __future__ import annotations

import logging

from ..clock import Clock
from ..errors import Closed, HubbubError, StorageError
from ..journal.link import Linked
from ..ratelimit import SlidingWindow
from ..session import Session
from ..stream_names import user_stream

__all__ = ["answer_directs"]

logger = logging.getLogger("hubbub.demo")

# Direct messages of the demo's bot in 20 seconds.
DIRECTS_MAX = 4
DIRECTS_SECONDS = 20.0
TEXT = "I talk in the Lobby only, where everybody can see that I am a bot. See you there!"


async def answer_directs(bot: Session, clock: Clock) -> None:
    """
    Answer the first message of each direct conversation until cancelled.

    Args:
        bot: the bot's session.
        clock: the hub's.
    """
    limit = SlidingWindow(DIRECTS_MAX, DIRECTS_SECONDS)
    async with bot.follow(user_stream(bot.user.id)) as events:
        async for event in events:
            match event.data:
                case Linked(to) if to.startswith("direct/") and event.by != bot.user.id:
                    try:
                        limit.charge(clock.monotonic())
                        await bot.chat.send_direct(event.by, TEXT, key=f"demo-{to}")
                    except (Closed, StorageError):
                        raise
                    except HubbubError as error:
                        logger.debug("%s gets no answer: %s", event.by, error.message)
