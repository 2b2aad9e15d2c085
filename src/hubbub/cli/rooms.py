"""Find a room by its name or id."""

from __future__ import annotations

from ..chat.rooms.room import Room
from ..ids import is_id
from ..session import Session

__all__ = ["all_rooms", "open_room"]

PAGE = 100


async def all_rooms(session: Session) -> list[Room]:
    """Return all public rooms, and the private rooms that the user has joined."""
    rooms: list[Room] = []
    while page := await session.chat.rooms(after=rooms[-1].id if rooms else None, limit=PAGE):
        rooms += page
    return rooms


async def open_room(session: Session, called: str) -> Room:
    """
    Join a room; create it if there is none of that name.

    Args:
        session: the user's.
        called: the room's id or name, in any case if no room has exactly this name; of several
            rooms of that name, the oldest.

    Raises:
        HubbubError: there is no room of that id, or the user is not allowed to join.
    """
    if is_id(called) or called.startswith("direct/"):
        return await session.chat.join(called)
    if (room := await _oldest(session, called)) is not None:
        return await session.chat.join(room.id)
    # An encrypted session creates encrypted rooms.
    encrypted = hasattr(session, "fingerprint")
    made = await session.chat.create_room(called, encrypted=encrypted)
    # Another user may have created one at the same moment: both use the older.
    room = await _oldest(session, called)
    if room is None or room.id == made.id:
        return made
    await session.chat.leave(made.id)
    return await session.chat.join(room.id)


async def _oldest(session: Session, name: str) -> Room | None:
    # Times of one journal never go back, but an id is made before the room is created.
    rooms = await all_rooms(session)
    of_name = [room for room in rooms if room.name == name]
    of_name = of_name or [room for room in rooms if room.name.casefold() == name.casefold()]
    return min(of_name, key=lambda room: (room.created_at, room.id), default=None)
