"""Messages, events and rooms as lines of text. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime

from rich.text import Text

from ..chat import events as e
from ..chat.messages.message import Message, message_of
from ..chat.rooms.room import Room
from ..journal.event import Data, Event
from ..rosters import DevicesChanged
from .names import Names, clean

__all__ = [
    "direct_line",
    "event_line",
    "message_line",
    "note",
    "room_line",
    "room_title",
    "users_in",
]

_COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_red", "bright_cyan")
# Aligns the further lines of a message with its first.
_INDENT = "\n    "

_PHRASES: dict[type[Data], str] = {
    e.Edited: "{by} edited [{ref}]: {text}",
    e.Deleted: "{by} deleted [{ref}]",
    e.Reacted: "{by} reacted to [{ref}] with {emoji}",
    e.Unreacted: "{by} removed {emoji} from [{ref}]",
    e.Created: "{by} created this room",
    e.Joined: "{by} joined",
    e.Left: "{by} left",
    e.Invited: "{by} invited {user}",
    e.Kicked: "{by} kicked {user}",
    e.UserBanned: "{by} banned {user}",
    e.UserMuted: "{by} muted {user} until {until:%H:%M}",
    e.RoleSet: "{by} made {user} a {role}",
    e.RoomClosed: "{by} closed this room",
    e.RoomEncrypted: "{by} encrypted this room from end to end",
    e.SealedMessage: "{by} sent an encrypted message; read it with --encrypted",
    e.SealedChange: "{by} changed [{ref}], an encrypted message",
    DevicesChanged: "{user} added or removed a device",
}
_REASONS = {
    "no_key": "its key has not come",
    "replayed": "it was sent before",
    "altered": "it was altered",
    "readdressed": "it was written elsewhere",
    "forged": "another device wrote it",
    "unsigned_device": "its device is not verified by its user",
}


def users_in(event: Event) -> Iterator[str]:
    """Yield the ids of the users that an event's line names."""
    yield event.by
    if isinstance(user := getattr(event.data, "user", None), str):
        yield user


def note(text: str) -> Text:
    """Show a line that is not a user's message."""
    return Text(f"* {clean(text)}", style="dim")


def message_line(message: Message, names: Names) -> Text:
    """Show a message as it is now."""
    line = _head(message.at, f"[{message.seq}] ", message.by, names)
    if message.reply_to is not None:
        line.append(f" (to [{message.reply_to}])", style="dim")
    if message.deleted:
        return line.append(": (deleted)", style="dim")
    line.append(": ").append(_text_of(message))
    if message.edited_at is not None:
        line.append(" (edited)", style="dim")
    for emoji, users in message.reactions.items():
        line.append(f"  {clean(emoji)} {len(users)}", style="dim")
    return line


def event_line(event: Event, names: Names) -> Text | None:
    """Show an event of a room; None if it has no line."""
    if isinstance(event.data, e.Said):
        return message_line(message_of(event), names)
    if event.type == "unreadable":
        reason = str(getattr(event.data, "reason", ""))
        which = f"[{event.seq}] "
        return _head(event.at, which, event.by, names).append(": ").append(_unreadable(reason))
    phrase = _PHRASES.get(type(event.data))
    if phrase is None:
        return None
    values = {name: _value(name, v, names) for name, v in _fields(event.data).items()}
    text = phrase.format(by=names.of(event.by), ref=event.ref, **values)
    return Text(f"{_clock(event.at)} * {text}", style="dim")


def direct_line(event: Event, other: str, own: str, names: Names) -> Text | None:
    """Show a message of a direct conversation that is not open; None for other events."""
    if not isinstance(event.data, e.Said):
        return None
    which = f"(direct to {names.of(other)}) " if event.by == own else "(direct) "
    return _head(event.at, which, event.by, names).append(f": {_body(event.data.text)}")


def room_title(room: Room, own: str, names: Names) -> str:
    """Return a room's title; a direct conversation has the other user's nickname."""
    if not room.stream.startswith("direct/"):
        return clean(room.name)
    others = [names.of(member) for member in room.members if member != own]
    return f"direct with {', '.join(others)}"


def room_line(room: Room, title: str, unread: int) -> Text:
    """Show a room in a list of rooms."""
    # Older servers send no count, and all members.
    count = room.member_count or len(room.members)
    members = f"{count} member" + ("" if count == 1 else "s")
    line = Text(title, style="bold")
    line.append(f"  {members}{', private' if room.private else ''}", style="not bold dim")
    if unread:
        line.append(f", {unread} new", style="not bold green")
    return line.append(f"  {clean(room.id)}", style="not bold dim")


def _text_of(message: Message) -> Text:
    if (reason := getattr(message, "reason", None)) is not None:
        return _unreadable(str(reason))
    if message.sealed is not None:
        return Text("(encrypted)", style="dim")
    return Text(_body(message.text))


def _unreadable(reason: str) -> Text:
    return Text(f"(cannot be read: {_REASONS.get(reason, clean(reason))})", style="dim")


def _head(at: datetime, which: str, by: str, names: Names) -> Text:
    # Anybody can be a guest of that nickname.
    label = "(guest) " if names.is_guest(by) else ""
    line = Text(f"{_clock(at)} {label}{which}", style="dim")
    colour = _COLOURS[zlib.crc32(by.encode()) % len(_COLOURS)]
    whole = Text()
    return whole.append(line).append(names.of(by), style=colour)


def _clock(at: datetime) -> str:
    return f"{at.astimezone():%H:%M}"


def _body(text: str) -> str:
    return clean(text).replace("\n", _INDENT)


def _fields(data: Data) -> dict[str, object]:
    return {name: getattr(data, name) for name in data.__struct_fields__}


def _value(name: str, value: object, names: Names) -> object:
    match value:
        case str() if name == "user":
            return names.of(value)
        case str():
            return _body(value)
        case datetime():
            return value.astimezone()
        case _:
            return value
