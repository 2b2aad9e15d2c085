"""What is decided when somebody speaks. Pure: it asks the states, and returns drafts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...errors import NotFound
from ...journal.command import Command, nothing
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...journal.link import Linked, Links
from ...shown import shown
from ...text import check_text
from ..events import Created, Said
from ..limits import check_directs
from ..rooms.room import Room, RoomState, direct_of, room_of
from .message import Message, message_of

__all__ = ["check_user", "direct_room_of", "other_of", "said", "send", "send_direct", "speaking_in"]


def send(  # noqa: PLR0913
    stream: str, by: str, text: str, reply_to: int | None, chars_max: int, states: States
) -> Sequence[Draft]:
    """Say something in a room; see :meth:`hubbub.chat.service.Chat.send`."""
    states.of(RoomState, stream).check_speaker(by, states.now)
    data = Said(check_text(text, chars_max), reply_to)
    if reply_to is not None:
        message_of(states.event(stream, reply_to))
    states.charge("messages", by)
    return (Draft(stream, data),)


def send_direct(by: str, other: str, text: str, chars_max: int, states: States) -> Sequence[Draft]:
    """Say something to one user; see :meth:`hubbub.chat.service.Chat.send_direct`."""
    check_user(states, other)
    stream = direct_of(by, other)
    first, second = sorted((by, other))
    drafts = [Draft(stream, Said(check_text(text, chars_max)))]
    if states.of(RoomState, stream).created_at is None:
        for user in (by, other):
            check_directs(states.of(Links, f"user/{user}"))
        drafts.insert(0, Draft(stream, Created("", private=True, direct=(first, second))))
        drafts += [Draft(f"user/{user}", Linked(stream)) for user in (by, other)]
    states.charge("messages", by)
    return drafts


def speaking_in(stream: str, by: str) -> Command[None]:
    """Make the command that changes nothing, and is refused to those who may not speak."""

    def check(states: States, events: Sequence[Event]) -> None:
        states.of(RoomState, stream).check_speaker(by, states.now)

    return Command(by, nothing, check, reads=(stream,))


def said(states: States, events: Sequence[Event]) -> Message:
    """Show the message that was just sent."""
    for event in events:
        if type(event.data) is Said:
            return message_of(event)
    raise AssertionError("nothing was said")


def direct_room_of(stream: str, user: str, states: States) -> Room:
    """Show a direct conversation to one of its users: it is called as the other is."""
    room = room_of(stream, states.of(RoomState, stream))
    nickname = states.of(Links, f"user/{other_of(stream, user)}").nickname
    return msgspec.structs.replace(room, name=nickname)


def other_of(stream: str, user: str) -> str:
    """Return the other one of the two users of a direct conversation."""
    _, one, other = stream.split("/")
    return one if other == user else other


def check_user(states: States, user: str) -> None:
    """Raise NotFound if nobody of that id was ever seen."""
    if not states.entry(f"user/{user}").head:
        raise NotFound(f"There is no user {shown(user)}.")
