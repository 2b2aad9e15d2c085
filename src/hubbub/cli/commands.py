"""What one can type: text is said, and a line that begins with a slash is a command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from ..chat.rooms.room import direct_stream
from ..errors import Invalid, NotFound
from .conversation import HISTORY, Conversation
from .lines import note, room_line
from .rooms import all_rooms

__all__ = ["CHAT_COMMANDS", "WHO_MAX", "SlashCommand", "carry_out"]

# Members that /who lists.
WHO_MAX = 100


class SlashCommand(NamedTuple):
    """A command: its arguments and what it does, for people, and what carries it out."""

    arguments: str
    does: str
    run: Callable[[Conversation, str], Awaitable[None]]


async def carry_out(conversation: Conversation, line: str) -> None:
    """
    Do what a line says.

    Raises:
        HubbubError: it cannot be done; the message says why.
    """
    line = line.rstrip("\r\n")
    if line.startswith("/") and not line.startswith("//"):
        name, _, rest = line[1:].partition(" ")
        command = CHAT_COMMANDS.get(name.lower())
        if command is None:
            raise Invalid(f"There is no command /{name}; see /help.")
        await command.run(conversation, rest.strip())
    elif line.strip():
        await conversation.say(line.removeprefix("/") if line.startswith("//") else line)


async def _help(conversation: Conversation, rest: str) -> None:
    for name, command in CHAT_COMMANDS.items():
        usage = f"/{name} {command.arguments}".ljust(22)
        conversation.show(note(f"{usage} {command.does}"))
    conversation.show(note("Any other line is said in the room; begin it with // for a slash."))


async def _rooms(conversation: Conversation, rest: str) -> None:
    chat = conversation.session.chat
    rooms = [*await all_rooms(conversation.session), *await chat.directs()]
    unread = await chat.unread()
    if conversation.room is not None:
        unread.pop(conversation.room.id, None)
    for room in rooms:
        title = await conversation.title(room)
        conversation.show(room_line(room, title, unread.get(room.id, 0)))


async def _join(conversation: Conversation, rest: str) -> None:
    await conversation.enter(_given(rest, "join"))


async def _leave(conversation: Conversation, rest: str) -> None:
    room = await conversation.leave()
    conversation.show(note(f"You have left {await conversation.title(room)}."))


async def _who(conversation: Conversation, rest: str) -> None:
    session = conversation.session
    room = await session.chat.join(conversation.in_front.id)
    users = await session.users.get_many(room.members[:WHO_MAX])
    conversation.names.note(users)
    for user in users:
        role = room.roles[user.id]
        labels = {role: role != "member", "guest": user.guest}
        what = ", ".join([user.status, *(label for label, shown in labels.items() if shown)])
        conversation.show(note(f"{user.nickname}  {what}  {user.id}"))
    if more := len(room.members) - len(users):
        conversation.show(note(f"… and {more} more"))


async def _history(conversation: Conversation, rest: str) -> None:
    await conversation.show_older(_number(rest, "history") if rest else HISTORY)


async def _search(conversation: Conversation, rest: str) -> None:
    text = _given(rest, "search")
    found = await conversation.session.chat.search(conversation.in_front.id, text)
    if not found:
        conversation.show(note("Nothing was found."))
    await conversation.show_messages(reversed(found))


async def _reply(conversation: Conversation, rest: str) -> None:
    seq, text = _message_and_text(rest, "reply")
    await conversation.say(text, reply_to=seq)


async def _edit(conversation: Conversation, rest: str) -> None:
    seq, text = _message_and_text(rest, "edit")
    await conversation.session.chat.edit(conversation.in_front.id, seq, text)


async def _delete(conversation: Conversation, rest: str) -> None:
    seq = _number(rest, "delete")
    await conversation.session.chat.delete(conversation.in_front.id, seq)


async def _react(conversation: Conversation, rest: str) -> None:
    seq, emoji = _message_and_text(rest, "react")
    await conversation.session.chat.react(conversation.in_front.id, seq, emoji)


async def _unreact(conversation: Conversation, rest: str) -> None:
    seq, emoji = _message_and_text(rest, "unreact")
    await conversation.session.chat.unreact(conversation.in_front.id, seq, emoji)


async def _dm(conversation: Conversation, rest: str) -> None:
    session = conversation.session
    who, _, text = _given(rest, "dm").partition(" ")
    members = conversation.room.members if conversation.room else []
    partners = [other for room in await session.chat.directs() for other in room.members]
    user = await conversation.names.find(who, also=[*members, *partners])
    if text.strip():
        await session.chat.send_direct(user.id, text.strip())
        return
    try:
        await conversation.enter(direct_stream(session.user.id, user.id))
    except NotFound as error:
        text = f"You have not talked with {user.nickname} yet; /dm {who} TEXT begins."
        raise NotFound(text) from error


async def _quit(conversation: Conversation, rest: str) -> None:
    conversation.over = True


CHAT_COMMANDS = {
    "help": SlashCommand("", "shows this", _help),
    "rooms": SlashCommand("", "lists the rooms, and what is new in them", _rooms),
    "join": SlashCommand("ROOM", "goes into a room, by its name or id; makes it if need be", _join),
    "leave": SlashCommand("", "goes out of the room for good", _leave),
    "who": SlashCommand("", "lists who is in the room", _who),
    "history": SlashCommand("[COUNT]", "shows older messages", _history),
    "search": SlashCommand("WORDS", "finds messages in the room", _search),
    "reply": SlashCommand("N TEXT", "answers message N", _reply),
    "edit": SlashCommand("N TEXT", "changes your message N", _edit),
    "delete": SlashCommand("N", "takes message N back", _delete),
    "react": SlashCommand("N EMOJI", "reacts to message N", _react),
    "unreact": SlashCommand("N EMOJI", "takes a reaction back", _unreact),
    "dm": SlashCommand("USER [TEXT]", "says something to one user, or opens what was said", _dm),
    "quit": SlashCommand("", "ends the chat", _quit),
}


def _given(rest: str, name: str) -> str:
    if not rest:
        raise Invalid(f"Write it like this: /{name} {CHAT_COMMANDS[name].arguments}")
    return rest


def _number(text: str, name: str) -> int:
    # It is shown as [5], so people write that too.
    digits = text.strip("[]")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 15:
        raise Invalid(f"Write it like this: /{name} {CHAT_COMMANDS[name].arguments}")
    return int(digits)


def _message_and_text(rest: str, name: str) -> tuple[int, str]:
    number, _, text = rest.partition(" ")
    return _number(number, name), _given(text.strip(), name)
