"""Chat: what a session can do with rooms and messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ..errors import Invalid
from ..journal.actor import Actor
from ..journal.command import Command, nothing
from ..journal.decide.states import States
from ..journal.event import Draft, Event
from ..service import Service, check_seq, check_user_id, command, query, slow_command, slow_query
from ..stream_names import user_stream
from .messages import commands as message_commands
from .messages.commands import MessageChange
from .messages.history import History
from .messages.message import Message
from .rooms import commands as room_commands
from .rooms.listing import list_directs, list_rooms
from .rooms.room import (
    INDEX,
    Room,
    RoomState,
    check_number,
    direct_stream,
    room_of,
    room_stream,
    stream_of,
)

__all__ = ["Chat"]


class Chat(Service):
    """
    Rooms, direct conversations and their messages.

    Args:
        actor: the user whose commands these are.
    """

    name = "chat"

    __slots__ = ("_actor", "_by", "_history", "_longest")

    def __init__(self, actor: Actor, runtime: object = None) -> None:
        super().__init__(actor)
        self._actor = actor
        self._by = actor.user
        self._longest = actor.settings.text_chars_max
        self._history = History(actor)

    @command
    def create_room(
        self, name: str, *, private: bool = False, key: str | None = None
    ) -> Command[Room]:
        """
        Make a room and join it.

        Args:
            name: up to 100 characters in one line.
            private: only those who are invited may join, and it is not listed.
            key: makes it exactly-once.

        Raises:
            Invalid: the name is empty or too long.
            Conflict: you are in as many rooms as you may be.
        """
        by, stream = self._by, room_stream(self._actor.ids.new())
        decide = partial(room_commands.create_room, stream, by, name, private, self._actor.settings)

        def result(states: States, events: Sequence[Event]) -> Room:
            made = events[0].stream
            return room_of(made, states.of(RoomState, made))

        reads = [stream, user_stream(by), INDEX]
        arguments = ("create_room", name, private)
        return Command(by, decide, result, reads=reads, key=key, arguments=arguments)

    @query
    def rooms(
        self, *, after: str | None = None, limit: int = 50, joined: bool = False
    ) -> Command[list[Room]]:
        """
        List the rooms that one may find: all public ones, and the private ones one is in.

        Args:
            after: the id of a room: those made after it.
            limit: 1 to 500.
            joined: True for those only that one is in.
        """
        return list_rooms(self._actor, after=after, limit=limit, joined=joined)

    @query
    def directs(
        self, *, before: str | None = None, limit: int | None = None
    ) -> Command[list[Room]]:
        """
        List your direct conversations, the first to begin first.

        Args:
            before: the id of a conversation: only those that began before it.
            limit: how many, the newest of them: 1 to 500; by default 500.
        """
        return list_directs(self._actor, before=before, limit=limit)

    @command
    def join(self, room_id: str) -> Command[Room]:
        """
        Join a room. To join twice is to join once.

        Raises:
            NotFound: there is no such room.
            Banned: a moderator has banned you.
            NotAllowed: it is private, and nobody has invited you.
            Conflict: it is closed or full, or you are in as many rooms as you may be.
        """
        by, stream = self._by, stream_of(room_id)

        def result(states: States, events: Sequence[Event]) -> Room:
            return room_of(stream, states.of(RoomState, stream))

        decide = partial(room_commands.join_room, stream, by, self._actor.settings)
        return Command(by, decide, result, reads=(stream, user_stream(by)))

    @command
    def leave(self, room_id: str) -> Command[None]:
        """Leave a room."""
        by, stream = self._by, stream_of(room_id)
        return self._room_command(room_id, lambda room, _: room_commands.leave(room, stream, by))

    @command
    def invite(self, room_id: str, user_id: str) -> Command[None]:
        """
        Let a user join, even if the room is private; a moderator so lifts a ban.

        Raises:
            NotFound: there is no such room or user.
            NotMember: you are not in it yourself.
        """
        by, role, stream = self._by, self._actor.role, stream_of(room_id)
        check_user_id(user_id)
        return self._room_command(
            room_id, lambda _, states: room_commands.invite_user(stream, by, user_id, role, states)
        )

    @command
    def kick(self, room_id: str, user_id: str) -> Command[None]:
        """Kick a member, who may join again; for the room's moderators."""
        by, role, stream = self._by, self._actor.role, stream_of(room_id)
        check_user_id(user_id)
        return self._room_command(
            room_id, lambda room, _: room_commands.kick(room, stream, by, user_id, role)
        )

    @command
    def ban(self, room_id: str, user_id: str) -> Command[None]:
        """Ban a user until a moderator invites them again; for the room's moderators."""
        by, role, stream = self._by, self._actor.role, stream_of(room_id)
        check_user_id(user_id)
        return self._room_command(
            room_id, lambda _, states: room_commands.ban_user(stream, by, user_id, role, states)
        )

    @command
    def mute(self, room_id: str, user_id: str, seconds: float) -> Command[None]:
        """Let a member not speak for some seconds, 0 lifts it; for the room's moderators."""
        by, role, stream = self._by, self._actor.role, stream_of(room_id)
        check_user_id(user_id)
        return self._room_command(
            room_id,
            lambda room, states: room_commands.mute(
                room, stream, by, user_id, seconds, role, states.now
            ),
        )

    @command
    def set_role(self, room_id: str, user_id: str, role: str) -> Command[None]:
        """Make a member a ``moderator``, or a moderator a ``member``; for the room's creator."""
        by, own, stream = self._by, self._actor.role, stream_of(room_id)
        check_user_id(user_id)
        return self._room_command(
            room_id,
            lambda room, _: room_commands.set_role(room, stream, by, user_id, role, own),
        )

    @command
    def close_room(self, room_id: str) -> Command[None]:
        """
        Let nobody say anything more in a room, nor join it; for its creator and admins.

        Raises:
            NotFound: there is no such room.
            NotAllowed: you are not its creator.
        """
        by, role, stream = self._by, self._actor.role, stream_of(room_id)
        return self._room_command(
            room_id,
            lambda room, _: room_commands.close(room, stream, by, role),
            also=INDEX,
        )

    @command
    def send(
        self, room_id: str, text: str, *, reply_to: int | None = None, key: str | None = None
    ) -> Command[Message]:
        """
        Say something in a room.

        Args:
            room_id: a room's id.
            text: up to 4,000 characters.
            reply_to: the seq of the message that this answers.
            key: makes it exactly-once.

        Raises:
            NotFound: there is no such room, or no such message to answer.
            NotMember, Banned, Muted: you may not speak here.
            Invalid: the text is empty or too long.
            RateLimited: more than 10 messages in 60 seconds.
        """
        by, stream = self._by, stream_of(room_id)
        if reply_to is not None:
            check_seq(reply_to)
        charged = not self._actor.is_application
        decide = partial(
            message_commands.send, stream, by, text, reply_to, self._longest, charged=charged
        )
        arguments = ("send", room_id, text, reply_to)
        return Command(
            by, decide, message_commands.said, reads=(stream,), key=key, arguments=arguments
        )

    @command
    def send_direct(self, user_id: str, text: str, *, key: str | None = None) -> Command[Message]:
        """
        Say something to one user; the conversation begins with the first message.

        Raises:
            NotFound: there is no such user.
            Invalid: the text is empty or too long, or the user is yourself.
            RateLimited: more than 10 messages in 60 seconds.
        """
        by = self._by
        if not isinstance(user_id, str) or user_id == by:
            raise Invalid("Send a direct message to another user's id.")
        reads = (direct_stream(by, user_id), user_stream(by), user_stream(user_id))
        charged = not self._actor.is_application
        decide = partial(
            message_commands.send_direct, by, user_id, text, self._longest, charged=charged
        )
        arguments = ("send_direct", user_id, text)
        return Command(by, decide, message_commands.said, reads=reads, key=key, arguments=arguments)

    @command
    def edit(self, room_id: str, seq: int, text: str) -> Command[Message]:
        """
        Change what one said.

        Raises:
            NotFound: there is no such room or message.
            NotAuthor: somebody else said it.
            Invalid: the text is empty or too long.
            Conflict: it was deleted.
        """
        by, longest = self._by, self._longest
        return self._message_command(
            room_id,
            seq,
            lambda message, _: message_commands.edit(message, by, text, longest),
        )

    @command
    def delete(self, room_id: str, seq: int) -> Command[Message]:
        """Take a message back; for its author and the room's moderators."""
        by, role = self._by, self._actor.role
        return self._message_command(
            room_id,
            seq,
            lambda message, room: message_commands.delete(message, by, room.held(by, role)),
        )

    @command
    def react(self, room_id: str, seq: int, emoji: str) -> Command[Message]:
        """
        React to a message with one emoji. The same one twice counts once.

        An emoji is the same with and without variation selectors; skin tones differ.

        Raises:
            NotFound: there is no such room or message.
            Invalid: it is not exactly one emoji.
            Conflict: the message was deleted, or has too many reactions.
        """
        by, most = self._by, self._actor.settings.reactions_max
        return self._message_command(
            room_id, seq, lambda message, _: message_commands.react(message, by, emoji, most)
        )

    @command
    def unreact(self, room_id: str, seq: int, emoji: str) -> Command[Message]:
        """Take a reaction back; if there is none, nothing happens."""
        by = self._by
        return self._message_command(
            room_id, seq, lambda message, _: message_commands.unreact(message, by, emoji)
        )

    @slow_command
    async def typing(self, room_id: str) -> None:
        """Let those who follow the room know that you are typing; it is not kept."""
        by, stream = self._by, stream_of(room_id)

        def check(states: States, events: Sequence[Event]) -> None:
            states.of(RoomState, stream).check_speaker(by, states.now)

        await self._actor.execute(Command(by, nothing, check, reads=(stream,)))
        self._actor.signal(stream, "typing")

    @command
    def mark_read(self, room_id: str, seq: int) -> Command[None]:
        """
        Note that one has read a room up to a message; it never goes back.

        Raises:
            NotFound: the room has no such seq.
        """
        by, stream = self._by, stream_of(room_id)
        decide = partial(room_commands.mark_read, stream, by, check_number(seq))
        return Command(by, decide, _no_result, reads=(stream, user_stream(by)))

    @slow_query
    async def history(
        self,
        room_id: str,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
    ) -> list[Message]:
        """
        Read messages, the oldest first: the newest ones, or those beside a seq.

        Args:
            room_id: a room's id.
            before: only messages with a smaller seq, the newest of them.
            after: only messages with a larger seq; without ``before`` the oldest of them.
            limit: 1 to 500; a page that would be larger than the setting
                ``page_bytes_max`` has fewer, and at least one.
        """
        return await self._history.page(room_id, before=before, after=after, limit=limit)

    @slow_query
    async def search(self, room_id: str, text: str, *, limit: int = 20) -> list[Message]:
        """
        Find messages that have words beginning with all the words of a text.

        Letters' case and accents do not matter, vowel signs do. In scripts without spaces, like
        Chinese and Thai, what you look for is found anywhere. The newest come first.

        Args:
            room_id: a room's id.
            text: one to 16 different words or emoji, up to 200 characters.
            limit: 1 to 500.
        """
        return await self._history.search(room_id, text, limit=limit)

    @slow_query
    async def unread(self) -> dict[str, int]:
        """Count, for each room one is in, others' messages since one's mark: up to 1,000."""
        return await self._history.unread()

    def _room_command(
        self,
        room_id: str,
        decide: Callable[[RoomState, States], Sequence[Draft]],
        *,
        also: str = "",
    ) -> Command[None]:
        stream = stream_of(room_id)
        reads = (stream, also) if also else (stream,)
        return Command(
            self._by,
            lambda states: decide(states.of(RoomState, stream), states),
            _no_result,
            reads=reads,
        )

    def _message_command(self, room_id: str, seq: int, change: MessageChange) -> Command[Message]:
        by, stream = self._by, stream_of(room_id)
        decide = partial(message_commands.change_message, stream, check_number(seq), by, change)

        def result(states: States, events: Sequence[Event]) -> Message:
            return message_commands.message_at(stream, seq, states)

        return Command(by, decide, result, reads=(stream,))


def _no_result(states: States, events: Sequence[Event]) -> None:
    return None
