"""Chat: what a session can do with rooms and messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from ..errors import Invalid
from ..journal.actor import Actor
from ..journal.command import Command
from ..journal.decide.states import States
from ..journal.event import Draft, Event, Signal
from ..service import Service, check_seq, check_user_id, command, query, slow_command, slow_query
from ..text import check_emoji, check_text
from .messages import commands as speaking
from .messages import message as m
from .messages.commands import check_user
from .messages.history import History
from .messages.message import Message, message_of
from .rooms import commands as entering
from .rooms import room as r
from .rooms.listing import list_directs, list_rooms
from .rooms.room import INDEX, Room, RoomState, check_number, room_of, stream_of

__all__ = ["Chat"]

R = TypeVar("R")

Change = Callable[[Message, RoomState], Sequence[Draft]]


class Chat(Service):
    """
    Rooms, direct conversations and their messages.

    Args:
        caller: whose commands these are.
    """

    name = "chat"

    __slots__ = ("_actor", "_by", "_history", "_longest")

    def __init__(self, actor: Actor) -> None:
        super().__init__(actor.execute, actor.refused)
        self._actor = actor
        self._by = actor.user
        self._longest = actor.settings.text_chars_max
        self._history = History(actor)

    @command
    def create_room(
        self, name: str, *, private: bool = False, key: str | None = None
    ) -> Command[Room]:
        """
        Make a room and go in.

        Args:
            name: up to 100 characters in one line.
            private: only those who are invited may join, and it is not listed.
            key: makes it exactly-once.

        Raises:
            Invalid: the name is empty or too long.
            Conflict: you are in as many rooms as you may be.
        """
        by, stream = self._by, stream_of(self._actor.ids.new())
        decide = partial(entering.create_room, stream, by, name, private, self._actor.settings)

        def result(states: States, events: Sequence[Event]) -> Room:
            made = events[0].stream
            return room_of(made, states.of(RoomState, made))

        reads = [stream, f"user/{by}", INDEX]
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
        Go into a room. To join twice is to join once.

        Raises:
            NotFound: there is no such room.
            Banned: a moderator has put you out.
            NotAllowed: it is private, and nobody has invited you.
            Conflict: it is closed or full, or you are in as many rooms as you may be.
        """
        by, stream = self._by, stream_of(room_id)

        def result(states: States, events: Sequence[Event]) -> Room:
            return room_of(stream, states.of(RoomState, stream))

        decide = partial(entering.join_room, stream, by, self._actor.settings)
        return Command(by, decide, result, reads=(stream, f"user/{by}"))

    @command
    def leave(self, room_id: str) -> Command[None]:
        """Go out of a room."""
        by, stream = self._by, stream_of(room_id)
        return self._room_command(room_id, lambda room, _: r.leave(room, stream, by), _no_result)

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

        def decide(room: RoomState, states: States) -> Sequence[Draft]:
            drafts = r.invite(room, stream, by, user_id, role)
            check_user(states, user_id)
            return drafts

        return self._room_command(room_id, decide, _no_result)

    @command
    def kick(self, room_id: str, user_id: str) -> Command[None]:
        """Put a member out, who may come back; for the room's moderators."""
        by, role, stream = self._by, self._actor.role, stream_of(room_id)
        check_user_id(user_id)
        return self._room_command(
            room_id, lambda room, _: r.kick(room, stream, by, user_id, role), _no_result
        )

    @command
    def ban(self, room_id: str, user_id: str) -> Command[None]:
        """Ban a user until a moderator invites them again; for the room's moderators."""
        by, role, stream = self._by, self._actor.role, stream_of(room_id)
        check_user_id(user_id)

        def decide(room: RoomState, states: States) -> Sequence[Draft]:
            drafts = r.ban(room, stream, by, user_id, role)
            check_user(states, user_id)
            return drafts

        return self._room_command(room_id, decide, _no_result)

    @command
    def mute(self, room_id: str, user_id: str, seconds: float) -> Command[None]:
        """Let a member not speak for some seconds, 0 lifts it; for the room's moderators."""
        by, role, stream = self._by, self._actor.role, stream_of(room_id)
        check_user_id(user_id)
        return self._room_command(
            room_id,
            lambda room, states: r.mute(room, stream, by, user_id, seconds, role, states.now),
            _no_result,
        )

    @command
    def set_role(self, room_id: str, user_id: str, role: str) -> Command[None]:
        """Make a member a ``moderator``, or a moderator a ``member``; for the room's creator."""
        by, own, stream = self._by, self._actor.role, stream_of(room_id)
        check_user_id(user_id)
        return self._room_command(
            room_id, lambda room, _: r.set_role(room, stream, by, user_id, role, own), _no_result
        )

    @command
    def close_room(self, room_id: str) -> Command[None]:
        """
        Let nobody say anything more in a room, nor come in; for its creator and admins.

        Raises:
            NotFound: there is no such room.
            NotAllowed: you are not its creator.
        """
        by, role, stream = self._by, self._actor.role, stream_of(room_id)
        return self._room_command(
            room_id, lambda room, _: r.close(room, stream, by, role), _no_result, also=INDEX
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
        decide = partial(speaking.send, stream, by, text, reply_to, self._longest)
        arguments = ("send", room_id, text, reply_to)
        return Command(by, decide, speaking.said, reads=(stream,), key=key, arguments=arguments)

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
        reads = (r.direct_of(by, user_id), f"user/{by}", f"user/{user_id}")
        decide = partial(speaking.send_direct, by, user_id, text, self._longest)
        arguments = ("send_direct", user_id, text)
        return Command(by, decide, speaking.said, reads=reads, key=key, arguments=arguments)

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
            lambda message, _: m.edit(message, by, check_text(text, longest)),
        )

    @command
    def delete(self, room_id: str, seq: int) -> Command[Message]:
        """Take a message back; for its author and the room's moderators."""
        by, role = self._by, self._actor.role
        return self._message_command(
            room_id,
            seq,
            lambda message, room: m.delete(message, by, room.held(by, role)),
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
            room_id, seq, lambda message, _: m.react(message, by, check_emoji(emoji), most)
        )

    @command
    def unreact(self, room_id: str, seq: int, emoji: str) -> Command[Message]:
        """Take a reaction back; if there is none, nothing happens."""
        by = self._by
        return self._message_command(
            room_id, seq, lambda message, _: m.unreact(message, by, check_emoji(emoji))
        )

    @slow_command
    async def typing(self, room_id: str) -> None:
        """Let those who follow the room know that you are typing; it is not kept."""
        stream = stream_of(room_id)
        await self._actor.execute(speaking.speaking_in(stream, self._by))
        self._actor.journal.signal(Signal(stream, self._by, "typing"))

    @command
    def mark_read(self, room_id: str, seq: int) -> Command[None]:
        """
        Note that one has read a room up to a message; it never goes back.

        Raises:
            NotFound: the room has no such seq.
        """
        by, stream = self._by, stream_of(room_id)
        decide = partial(entering.mark_read, stream, by, check_number(seq))
        return Command(by, decide, _no_result, reads=(stream, f"user/{by}"))

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
        result: Callable[[States, Sequence[Event]], R],
        *,
        also: str = "",
    ) -> Command[R]:
        stream = stream_of(room_id)
        reads = (stream, also) if also else (stream,)
        return Command(
            self._by,
            lambda states: decide(states.of(RoomState, stream), states),
            result,
            reads=reads,
        )

    def _message_command(self, room_id: str, seq: int, change: Change) -> Command[Message]:
        by, stream = self._by, stream_of(room_id)
        check_number(seq)

        def now(states: States) -> Message:
            return message_of(states.event(stream, seq), states.about(stream, seq))

        def decide(states: States) -> Sequence[Draft]:
            room = states.of(RoomState, stream)
            room.check_speaker(by, states.now)
            return change(now(states), room)

        def result(states: States, events: Sequence[Event]) -> Message:
            return now(states)

        return Command(by, decide, result, reads=(stream,))


def _no_result(states: States, events: Sequence[Event]) -> None:
    return None
