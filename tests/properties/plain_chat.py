"""
Chat in its simplest form: dictionaries, lists, and errors.

It has no journal, no store and no event loop; what a hub does is compared with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hubbub.errors import Conflict, KeyReused, NotAllowed, NotAuthor, NotFound, NotMember

__all__ = ["PlainChat", "PlainMessage", "PlainRoom"]

# Asks for an emoji's picture, and does not make another emoji of it.
SELECTOR = "\ufe0f"


@dataclass
class PlainMessage:
    """A message as it is now."""

    seq: int
    at: datetime
    by: str
    text: str
    reply_to: int | None = None
    edited_at: datetime | None = None
    deleted: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)

    def said(self) -> PlainMessage:
        """The message as it was when it was sent."""
        return PlainMessage(self.seq, self.at, self.by, self.first_text, self.reply_to)

    def __post_init__(self) -> None:
        self.first_text = self.text


@dataclass
class PlainRoom:
    """A room; ``events`` is how many there were."""

    creator: str
    members: list[str]
    events: int = 2
    messages: dict[int, PlainMessage] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)

    def check_member(self, user: str) -> None:
        if user not in self.members:
            raise NotMember("not in")

    def message(self, user: str, seq: int) -> PlainMessage:
        self.check_member(user)
        if seq not in self.messages:
            raise NotFound("no such message")
        return self.messages[seq]

    def put_out(self, user: str) -> None:
        self.members.remove(user)
        del self.marks[user]
        self.events += 1


class PlainChat:
    """All rooms, by their numbers, and all used keys."""

    def __init__(self) -> None:
        self.rooms: list[PlainRoom] = []
        self.used: dict[tuple[str, str], tuple[object, PlainMessage]] = {}

    def create_room(self, user: str) -> int:
        self.rooms.append(PlainRoom(user, [user], marks={user: 2}))
        return len(self.rooms) - 1

    def join(self, user: str, number: int) -> list[str]:
        room = self.rooms[number]
        if user not in room.members:
            room.events += 1
            room.members.append(user)
            room.marks[user] = room.events
        return room.members

    def leave(self, user: str, number: int) -> None:
        room = self.rooms[number]
        room.check_member(user)
        room.put_out(user)

    def kick(self, user: str, number: int, other: str) -> None:
        room = self.rooms[number]
        room.check_member(user)
        if user != room.creator or other == room.creator:
            raise NotAllowed("not the creator, or the creator")
        if other not in room.members:
            raise NotFound("not in")
        room.put_out(other)

    def send(
        self, user: str, number: int, text: str, reply_to: int | None, key: str | None, at: datetime
    ) -> PlainMessage:
        room, arguments = self.rooms[number], (number, text, reply_to)
        if key is not None and (user, key) in self.used:
            first, message = self.used[user, key]
            if first != arguments:
                raise KeyReused("used for another")
            return message.said()
        room.check_member(user)
        if reply_to is not None:
            room.message(user, reply_to)
        room.events += 1
        message = room.messages[room.events] = PlainMessage(room.events, at, user, text, reply_to)
        if key is not None:
            self.used[user, key] = arguments, message
        return message

    def edit(self, user: str, number: int, seq: int, text: str, at: datetime) -> PlainMessage:
        room = self.rooms[number]
        message = room.message(user, seq)
        if message.by != user:
            raise NotAuthor("another's")
        if message.deleted:
            raise Conflict("deleted")
        if message.text != text:
            message.text, message.edited_at = text, at
            room.events += 1
        return message

    def delete(self, user: str, number: int, seq: int) -> PlainMessage:
        room = self.rooms[number]
        message = room.message(user, seq)
        if user not in (message.by, room.creator):
            raise NotAllowed("another's")
        if not message.deleted:
            message.text, message.deleted, message.reactions = "", True, {}
            room.events += 1
        return message

    def react(self, user: str, number: int, seq: int, emoji: str) -> PlainMessage:
        room = self.rooms[number]
        message, emoji = room.message(user, seq), emoji.removesuffix(SELECTOR)
        if message.deleted:
            raise Conflict("deleted")
        if user not in message.reactions.get(emoji, []):
            message.reactions.setdefault(emoji, []).append(user)
            room.events += 1
        return message

    def unreact(self, user: str, number: int, seq: int, emoji: str) -> PlainMessage:
        room = self.rooms[number]
        message, emoji = room.message(user, seq), emoji.removesuffix(SELECTOR)
        if user in message.reactions.get(emoji, []):
            message.reactions[emoji].remove(user)
            if not message.reactions[emoji]:
                del message.reactions[emoji]
            room.events += 1
        return message

    def mark_read(self, user: str, number: int, seq: int) -> None:
        room = self.rooms[number]
        room.check_member(user)
        if not 0 <= seq <= room.events:
            raise NotFound("no such seq")
        room.marks[user] = max(seq, room.marks[user])

    def unread(self, user: str) -> dict[int, int]:
        return {
            number: sum(
                m.seq > room.marks[user] and m.by != user and not m.deleted
                for m in room.messages.values()
            )
            for number, room in enumerate(self.rooms)
            if user in room.members
        }

    def history(
        self, user: str, number: int, before: int | None, after: int | None, limit: int
    ) -> list[PlainMessage]:
        room = self.rooms[number]
        room.check_member(user)
        between = [
            message
            for seq, message in room.messages.items()
            if (before is None or seq < before) and (after is None or seq > after)
        ]
        return between[:limit] if after is not None and before is None else between[-limit:]

    def search(self, user: str, number: int, word: str, limit: int) -> list[PlainMessage]:
        room = self.rooms[number]
        room.check_member(user)
        found = [m for m in room.messages.values() if word in m.text.split()]
        return found[::-1][:limit]
