"""What is decided when somebody enters a room, or has read it. Pure, as speaking is."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import Invalid, NotFound
from ...journal.decide.states import States
from ...journal.event import Draft
from ...journal.link import Links, Marked
from ...settings import Settings
from ...shown import shown
from ...text import check_name
from ..limits import check_joined
from . import room as r
from .room import RoomState

__all__ = ["create_room", "join_room", "mark_read"]


def create_room(  # noqa: PLR0913
    stream: str, by: str, name: str, private: bool, settings: Settings, states: States
) -> Sequence[Draft]:
    """Make a room; see :meth:`hubbub.chat.service.Chat.create_room`."""
    if not isinstance(private, bool):
        raise Invalid(f"A room is private or not: True or False, not {shown(private)}.")
    checked = check_name(name, settings.name_chars_max)
    check_joined(states.of(Links, f"user/{by}"), settings.rooms_joined_max)
    return r.create(stream, by, checked, private=private)


def join_room(stream: str, by: str, settings: Settings, states: States) -> Sequence[Draft]:
    """Go into a room; see :meth:`hubbub.chat.service.Chat.join`."""
    room, head = states.of(RoomState, stream), states.entry(stream).head
    drafts = r.join(room, stream, by, head, settings.room_members_max)
    if drafts:
        check_joined(states.of(Links, f"user/{by}"), settings.rooms_joined_max)
    return drafts


def mark_read(stream: str, by: str, seq: int, states: States) -> Sequence[Draft]:
    """Note how far somebody has read; see :meth:`hubbub.chat.service.Chat.mark_read`."""
    mine = f"user/{by}"
    states.of(RoomState, stream).check_member(by)
    if not 0 <= seq <= states.entry(stream).head:
        raise NotFound(f"There is no message {shown(seq)} in this room.")
    if seq <= states.of(Links, mine).links.get(stream, 0):
        return ()
    return (Draft(mine, Marked(stream, seq)),)
