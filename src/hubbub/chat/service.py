"""Chat: rooms, direct conversations and messages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..errors import Invalid
from ..journal.actor import Actor
from ..journal.command import Command, nothing
from ..journal.decide.states import States
from ..journal.event import Event
from ..service import check_seq, command, slow_command, slow_query
from ..stream_names import user_stream
from .messages import commands as message_commands
from .messages.commands import MessageChange
from .messages.history import History
from .messages.message import Message
from .rooms import commands as room_commands
from .rooms.room import RoomState, check_number, direct_stream, stream_of
from .sealed_service import SealedChat

__all__ = ["Chat"]


class Chat(SealedChat):
    """
    Rooms, direct conversations and their messages.

    Args:
        actor: the user of the session.
    """

    __slots__ = ("_charges", "_history", "_longest")

    def __init__(self, actor: Actor, runtime: object = None) -> None:
        super().__init__(actor)
        self._longest = actor.settings.text_chars_max
        # The rate limit that a message of this session counts against, if any.
        self._charges = () if actor.is_application else message_commands.charges(actor.user)
        self._history = History(actor)

    @command
    def send(
        self, room_id: str, text: str, *, reply_to: int | None = None, key: str | None = None
    ) -> Command[Message]:
        """
        Send a message to a room.

        Args:
            room_id: a room's id.
            text: up to 4,000 characters.
            reply_to: the seq of the message that this replies to.
            key: an idempotency key.

        Raises:
            NotFound: the room does not exist, or the message to reply to.
            NotMember, Banned: you are not in the room.
            Muted: a moderator has muted you; retry after ``retry_after`` seconds.
            Invalid: the text is empty or too long.
            Conflict: the room is closed.
            RateLimited: you have sent ``message_limit`` messages in ``message_period``.
            KeyReused: you used the key for another command.
        """
        by, stream = self._by, stream_of(room_id)
        if reply_to is not None:
            check_seq(reply_to)
        charged = bool(self._charges)
        decide = partial(
            message_commands.send, stream, by, text, reply_to, self._longest, charged=charged
        )
        return Command(
            by,
            decide,
            message_commands.said,
            reads=(stream,),
            key=key,
            arguments=("send", room_id, text, reply_to),
            charges=self._charges,
        )

    @command
    def send_direct(self, user_id: str, text: str, *, key: str | None = None) -> Command[Message]:
        """
        Send a message to a user; the first message begins the conversation.

        Args:
            user_id: the other user's id.
            text: up to 4,000 characters.
            key: an idempotency key.

        Raises:
            NotFound: the user does not exist.
            Invalid: the text is empty or too long, or the user is yourself.
            Conflict: you or the other user have too many direct conversations.
            RateLimited: you have sent ``message_limit`` messages in ``message_period``.
            KeyReused: you used the key for another command.
        """
        by = self._by
        if not isinstance(user_id, str) or user_id == by:
            raise Invalid("Send a direct message to another user's id, not to your own.")
        reads = (direct_stream(by, user_id), user_stream(by), user_stream(user_id))
        charged = bool(self._charges)
        decide = partial(
            message_commands.send_direct, by, user_id, text, self._longest, charged=charged
        )
        arguments = ("send_direct", user_id, text)
        return Command(
            by,
            decide,
            message_commands.said,
            reads=reads,
            key=key,
            arguments=arguments,
            charges=self._charges,
        )

    @command
    def edit(self, room_id: str, seq: int, text: str) -> Command[Message]:
        """
        Edit one of your messages.

        Raises:
            NotFound: the room or the message does not exist.
            NotMember, Banned: you are not in the room.
            NotAuthor: another user sent the message.
            Muted: a moderator has muted you; retry after ``retry_after`` seconds.
            Invalid: the text is empty or too long.
            Conflict: the message was deleted, or the room is closed.
        """
        by, longest = self._by, self._longest
        return self._message_command(
            room_id,
            seq,
            lambda message, _: message_commands.edit(message, by, text, longest),
        )

    @command
    def delete(self, room_id: str, seq: int) -> Command[Message]:
        """
        Delete a message; for its author and the room's moderators. Again, it changes nothing.

        Raises:
            NotFound: the room or the message does not exist.
            NotMember, Banned: you are not in the room.
            NotAllowed: another user sent the message, and you do not moderate the room.
            Muted: a moderator has muted you; retry after ``retry_after`` seconds.
            Conflict: the room is closed.
        """
        by, role = self._by, self._actor.role
        return self._message_command(
            room_id,
            seq,
            lambda message, room: message_commands.delete(message, by, room.held(by, role)),
            plain=False,
        )

    @command
    def react(self, room_id: str, seq: int, emoji: str) -> Command[Message]:
        """
        React to a message with an emoji. The same emoji again changes nothing.

        Variation selectors make no difference to an emoji; skin tones do.

        Raises:
            NotFound: the room or the message does not exist.
            NotMember, Banned: you are not in the room.
            Muted: a moderator has muted you; retry after ``retry_after`` seconds.
            Invalid: the text is not exactly one emoji.
            Conflict: the message was deleted, or has ``reactions_max`` reactions or 50 different
                emoji; or the room is closed.
        """
        by, most = self._by, self._actor.settings.reactions_max
        return self._message_command(
            room_id, seq, lambda message, _: message_commands.react(message, by, emoji, most)
        )

    @command
    def unreact(self, room_id: str, seq: int, emoji: str) -> Command[Message]:
        """
        Remove a reaction; without one, nothing happens.

        Raises:
            NotFound: the room or the message does not exist.
            NotMember, Banned: you are not in the room.
            Muted: a moderator has muted you; retry after ``retry_after`` seconds.
            Invalid: the text is not exactly one emoji.
            Conflict: the room is closed.
        """
        by = self._by
        return self._message_command(
            room_id, seq, lambda message, _: message_commands.unreact(message, by, emoji)
        )

    @slow_command
    async def typing(self, room_id: str) -> None:
        """
        Send a signal that you are typing to the followers of the room.

        Raises:
            NotFound: the room does not exist.
            NotMember, Banned: you are not in the room.
            Muted: a moderator has muted you; retry after ``retry_after`` seconds.
            Conflict: the room is closed.
        """
        by, stream = self._by, stream_of(room_id)

        def check(states: States, events: Sequence[Event]) -> None:
            states.of(RoomState, stream).check_speaker(by, states.now)

        await self._actor.execute(Command(by, nothing, check, reads=(stream,)))
        self._actor.signal(stream, "typing")

    @command
    def mark_read(self, room_id: str, seq: int) -> Command[None]:
        """
        Mark a room as read up to a message; the mark never moves back.

        Raises:
            NotFound: the room or the seq does not exist.
            NotMember, Banned: you are not in the room.
            Invalid: the seq is not a whole number.
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
        Return messages, the oldest first: the newest ones, or those next to a seq.

        Args:
            room_id: a room's id.
            before: only messages with a smaller seq, the newest of them.
            after: only messages with a larger seq; without ``before`` the oldest of them.
            limit: 1 to 500. A page of more bytes than the setting ``page_bytes_max`` has fewer
                messages, and at least one.

        Raises:
            NotFound: the room does not exist.
            NotMember, Banned: you are not in the room.
            Invalid: an argument is outside its limits.
        """
        return await self._history.page(room_id, before=before, after=after, limit=limit)

    @slow_query
    async def search(self, room_id: str, text: str, *, limit: int = 20) -> list[Message]:
        """
        Search a room for messages with words that begin with the words of a text.

        Case and accents make no difference, vowel signs do. In scripts without spaces, like
        Chinese and Thai, a word matches anywhere. The newest messages come first.

        Args:
            room_id: a room's id.
            text: one to 16 different words or emoji, up to 200 characters.
            limit: 1 to 500.

        Raises:
            NotFound: the room does not exist.
            NotMember, Banned: you are not in the room.
            Invalid: the text has no words or too many, or the limit is not between 1 and 500.
        """
        return await self._history.search(room_id, text, limit=limit)

    @slow_query
    async def unread(self) -> dict[str, int]:
        """Count the unread messages of others in each of your rooms, up to 1,000 in each."""
        return await self._history.unread()

    def _message_command(
        self, room_id: str, seq: int, change: MessageChange, *, plain: bool = True
    ) -> Command[Message]:
        by, stream = self._by, stream_of(room_id)
        number = check_number(seq)
        decide = partial(message_commands.change_message, stream, number, by, change, plain)

        def result(states: States, events: Sequence[Event]) -> Message:
            return message_commands.message_at(stream, seq, states)

        return Command(by, decide, result, reads=(stream,))


def _no_result(states: States, events: Sequence[Event]) -> None:
    return None
