"""Chat: rooms, direct conversations, and their messages."""

from __future__ import annotations

from ..feature import Erasure, Feature
from ..journal.event import Data, State
from ..quotas import CHANGES, SIGNALS, Quota
from ..ratelimit import RateLimit, rate_limit
from ..settings import Settings
from .events import Edited, Said, SealedChange, SealedMessage
from .grants import CHAT_GRANTS, CHAT_READERS
from .rooms.room import RoomState
from .service import Chat

__all__ = ["CHAT"]

ROOMS = Quota("new rooms", "rooms_per_user")
DIRECTS = Quota("new conversations", "directs_per_user", creates="direct")


def _message_limit(settings: Settings) -> RateLimit:
    limit, period = settings.message_limit, settings.message_period
    return rate_limit(settings.message_limiter, limit, period, what="messages")


def _name_of(room: State) -> str | None:
    return room.name if isinstance(room, RoomState) and not room.closed else None


def _without_words(data: Data, user: str) -> Data:
    return RoomState.redacted(data)


CHAT = Feature(
    name="chat",
    service=Chat,
    streams={"room": RoomState, "direct": RoomState},
    grants=CHAT_GRANTS,
    readers=CHAT_READERS,
    quotas={
        "chat.create_room": ROOMS,
        "chat.join": CHANGES,
        "chat.leave": CHANGES,
        "chat.invite": CHANGES,
        "chat.kick": CHANGES,
        "chat.ban": CHANGES,
        "chat.mute": CHANGES,
        "chat.set_role": CHANGES,
        # Messages have a rate limit of their own.
        "chat.send_direct": DIRECTS,
        "chat.encrypt": DIRECTS,
        "chat.change_sealed": CHANGES,
        "chat.edit": CHANGES,
        "chat.delete": CHANGES,
        "chat.react": CHANGES,
        "chat.unreact": CHANGES,
        "chat.mark_read": CHANGES,
        "chat.typing": SIGNALS,
    },
    limits={"messages": _message_limit},
    traffic={"room": _name_of},
    erasure=Erasure(dict.fromkeys((Said, Edited, SealedMessage, SealedChange), _without_words)),
)
