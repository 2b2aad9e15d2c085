"""The lines of a chat: messages, and commands that begin with a slash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from ..chat.rooms.room import direct_stream
from ..errors import Invalid, NotFound
from .conversation import HISTORY, Conversation
from .encryption_commands import ENCRYPTION_COMMANDS
from .lines import note, room_line
from .rooms import all_rooms
from .suggestions import did_you_mean

__all__ = ["CHAT_COMMANDS", "WHO_MAX", "SlashCommand", "carry_out"]

# Members that /who lists.
WHO_MAX = 100


class SlashCommand(NamedTuple):
    """
    A command of a chat.

    Args:
        arguments: for the list of commands.
        does: for the list of commands.
        run: carries it out, with the text behind its name.
    """

    arguments: str
    does: str
    run: Callable[[Conversation, str], Awaitable[None]]


async def carry_out(conversation: Conversation, line: str) -> None:
    """
    Send a message, or carry a command out.

    Args:
        conversation: the user's.
        line: what they typed.

    Raises:
        HubbubError: the server refuses it, or there is no such command.
    """
    line = line.rstrip("\r\n")
    if line.startswith("/") and not line.startswith("//"):
        name, _, rest = line[1:].partition(" ")
        command = CHAT_COMMANDS.get(name.lower())
        if command is None:
            hint = did_you_mean(f"/{name}", [f"/{known}" for known in CHAT_COMMANDS])
            raise Invalid(f"There is no command /{name}.{hint or ' /help lists the commands.'}")
        await command.run(conversation, rest.strip())
    elif line.strip():
        await conversation.say(line.removeprefix("/") if line.startswith("//") else line)


async def _help(conversation: Conversation, rest: str) -> None:
    for name, command in CHAT_COMMANDS.items():
        usage = f"/{name} {command.arguments}".ljust(22)
        conversation.show(note(f"{usage} {command.does}"))
    conversation.show(note("Any other line is a message. Begin it with // to send a slash."))


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
    if more := room.member_count - len(users):
        conversation.show(note(f"… and {more} more"))


async def _history(conversation: Conversation, rest: str) -> None:
    await conversation.show_older(_number(rest, "history") if rest else HISTORY)


async def _search(conversation: Conversation, rest: str) -> None:
    text = _given(rest, "search")
    found = await conversation.session.chat.search(conversation.in_front.id, text)
    if not found:
        conversation.show(note("No message was found."))
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
        text = f"You have no conversation with {user.nickname}; begin it with /dm {who} TEXT."
        raise NotFound(text) from error


async def _quit(conversation: Conversation, rest: str) -> None:
    conversation.over = True


CHAT_COMMANDS = {
    "help": SlashCommand("", "list the commands", _help),
    "rooms": SlashCommand("", "list the rooms and their unread messages", _rooms),
    "join": SlashCommand("ROOM", "join a room by its name or id, or create it", _join),
    "leave": SlashCommand("", "leave the room", _leave),
    "who": SlashCommand("", "list the members of the room", _who),
    "history": SlashCommand("[COUNT]", "show older messages", _history),
    "search": SlashCommand("WORDS", "search for messages in the room", _search),
    "reply": SlashCommand("N TEXT", "reply to message N", _reply),
    "edit": SlashCommand("N TEXT", "edit your message N", _edit),
    "delete": SlashCommand("N", "delete message N", _delete),
    "react": SlashCommand("N EMOJI", "react to message N", _react),
    "unreact": SlashCommand("N EMOJI", "remove your reaction", _unreact),
    "dm": SlashCommand("USER [TEXT]", "send a direct message, or open the conversation", _dm),
    **{name: SlashCommand(*command) for name, command in ENCRYPTION_COMMANDS.items()},
    "quit": SlashCommand("", "quit, like Ctrl+C and Ctrl+D", _quit),
}


def _given(rest: str, name: str) -> str:
    if not rest:
        raise Invalid(f"Usage: /{name} {CHAT_COMMANDS[name].arguments}")
    return rest


def _number(text: str, name: str) -> int:
    # A message's number is shown as [5], so users type the brackets too.
    digits = text.strip("[]")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 15:
        raise Invalid(f"Usage: /{name} {CHAT_COMMANDS[name].arguments}")
    return int(digits)


def _message_and_text(rest: str, name: str) -> tuple[int, str]:
    number, _, text = rest.partition(" ")
    return _number(number, name), _given(text.strip(), name)
