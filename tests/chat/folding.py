"""Fold drafts into states, as the journal would."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hubbub.chat.rooms import commands
from hubbub.chat.rooms.room import RoomState
from hubbub.journal.event import Draft, Event

__all__ = ["NOW", "STREAM", "event_of", "fold", "room_with"]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STREAM = "room/1"


def event_of(seq: int, by: str, draft: Draft) -> Event:
    """Make the event that a draft becomes."""
    return Event(draft.stream, seq, NOW + timedelta(seconds=seq), by, draft.ref, draft.data)


def fold(room: RoomState, by: str, drafts: Iterable[Draft]) -> RoomState:
    """Apply what concerns the room."""
    for draft in drafts:
        if draft.stream == STREAM:
            room.apply(event_of(1, by, draft))
    return room


def room_with(*members: str, private: bool = False) -> RoomState:
    """Make a room whose creator is the first of its members."""
    creator, *others = members
    room = fold(RoomState(), creator, commands.create(STREAM, creator, "Room", private=private))
    for other in others:
        room.invited.add(other)
        fold(room, other, commands.join(room, STREAM, other, 2, 1_000))
    return room
