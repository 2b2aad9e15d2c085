"""Chat: what a session can do with encrypted rooms. The server reads none of their messages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..journal.command import Command
from ..journal.decide.states import States
from ..journal.event import Event
from ..rosters import keys_stream
from ..service import check_seq, command
from .messages import commands as message_commands
from .messages import sealed as sealed_commands
from .messages.message import Message, Sealed
from .messages.sealed import check_roster, check_sealed_body
from .rooms import encryption
from .rooms.room import Room, RoomState, check_number, room_of, stream_of
from .rooms.service import RoomService

__all__ = ["SealedChat"]


class SealedChat(RoomService):
    """
    Encrypted rooms and their messages; a part of :class:`Chat`.

    Args:
        actor: the user whose commands these are.
    """

    __slots__ = ()

    @command
    def encrypt(self, room_id: str) -> Command[Room]:
        """
        Encrypt a room from end to end: from now on it takes only encrypted messages.

        Its members write and read them with :mod:`hubbub.encryption`. To encrypt a room twice is
        to encrypt it once. A direct conversation that nobody has begun begins with this.

        Args:
            room_id: a room that you have made, or a direct conversation of yours.

        Raises:
            NotFound: there is no such room or user.
            NotAllowed: you are not the room's creator.
            Conflict: it is closed, a member is in as many encrypted rooms as they may be, or
                the server has no feature ``keys``.
        """
        by, role, stream = self._by, self._actor.role, stream_of(room_id)
        encryption.check_possible(self._actor.journal.streams)

        def result(states: States, events: Sequence[Event]) -> Room:
            return room_of(stream, states.of(RoomState, stream), by)

        return Command(by, partial(encryption.encrypt, stream, by, role), result, reads=(stream,))

    @command
    def send_sealed(
        self,
        room_id: str,
        device: str,
        session: str,
        body: str,
        *,
        roster: int,
        reply_to: int | None = None,
        key: str | None = None,
    ) -> Command[Message]:
        """
        Send an encrypted message.

        Args:
            room_id: an encrypted room's id.
            device: the device of yours that sends it.
            session: the session whose key reads it.
            body: the ciphertext, in base64, up to 32,768 characters.
            roster: the room's ``roster`` that it is encrypted for.
            reply_to: the seq of the message that this answers.
            key: makes it exactly-once, whatever the ciphertext is.

        Raises:
            NotFound: there is no such room, or no such message to answer.
            NotMember, Banned: you are not in the room.
            Muted: a moderator has muted you; retry after ``retry_after`` seconds.
            NotAllowed: you have no such device.
            Invalid: an argument is outside its limits.
            NotEncrypted: the room is not encrypted.
            RosterChanged: the room has other members or devices by now; encrypt again.
            KeyReused: you used the key for another command.
            RateLimited: more than 10 messages in 60 seconds.
        """
        by, stream = self._by, stream_of(room_id)
        sealed = check_sealed_body(Sealed(device, session, body))
        if reply_to is not None:
            check_seq(reply_to)
        decide = partial(
            sealed_commands.send_sealed, stream, by, sealed, check_roster(roster), reply_to
        )
        # A repeated message has another ciphertext.
        arguments = ("send_sealed", room_id, device, reply_to)
        return Command(
            by,
            decide,
            message_commands.said,
            reads=(stream, keys_stream(by)),
            key=key,
            arguments=arguments,
            charges=message_commands.charges(by),
        )

    @command
    def change_sealed(
        self, room_id: str, seq: int, device: str, session: str, body: str, *, roster: int
    ) -> Command[Message]:
        """
        Send an encrypted edit of, or reaction to, an encrypted message.

        Args:
            room_id: an encrypted room's id.
            seq: the message's.
            device: the device of yours that sends it.
            session: the session whose key reads it.
            body: the ciphertext, in base64, up to 32,768 characters.
            roster: the room's ``roster`` that it is encrypted for.

        Raises:
            NotFound: there is no such room or message.
            NotMember, Banned: you are not in the room.
            Muted: a moderator has muted you; retry after ``retry_after`` seconds.
            NotAllowed: you have no such device.
            Invalid: an argument is outside its limits.
            NotEncrypted: the room is not encrypted.
            RosterChanged: the room has other members or devices by now; encrypt again.
            Conflict: the message was deleted, or has 1,000 changes.
        """
        by, stream = self._by, stream_of(room_id)
        sealed = check_sealed_body(Sealed(device, session, body))
        decide = partial(
            sealed_commands.change_sealed,
            stream,
            by,
            check_number(seq),
            sealed,
            check_roster(roster),
        )

        def result(states: States, events: Sequence[Event]) -> Message:
            return message_commands.message_at(stream, seq, states)

        return Command(by, decide, result, reads=(stream, keys_stream(by)))
