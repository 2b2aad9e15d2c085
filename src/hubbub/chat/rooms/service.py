"""The methods of chat that are about rooms and their members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ...journal.actor import Actor
from ...journal.command import Command
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...journal.shards import stream_shard
from ...service import Service, check_user_id, command, query
from ...stream_names import user_stream
from . import commands as room_commands
from .encryption import check_possible
from .listing import list_directs, list_members, list_rooms
from .room import INDEX, Member, Room, RoomState, room_of, room_stream, stream_of

__all__ = ["RoomService"]


class RoomService(Service):
    """
    Rooms and direct conversations.

    Args:
        actor: the user of the session.
    """

    name = "chat"

    __slots__ = ("_actor", "_by")

    def __init__(self, actor: Actor, runtime: object = None) -> None:
        super().__init__(actor)
        self._actor = actor
        self._by = actor.user

    @command
    def create_room(
        self,
        name: str,
        *,
        private: bool = False,
        encrypted: bool = False,
        key: str | None = None,
    ) -> Command[Room]:
        """
        Create a room and join it.

        Args:
            name: up to 100 characters in one line.
            private: True to let only invited users join, and not list the room.
            encrypted: True to accept only encrypted messages; see :meth:`encrypt`.
            key: an idempotency key.

        Raises:
            Invalid: the name is empty or too long.
            Conflict: you are in ``rooms_joined_max`` rooms, or ``encrypted`` is True and the
                server has no feature ``keys``.
            KeyReused: you used the key for another command.
        """
        by, stream = self._by, room_stream(self._actor.ids.new())
        if encrypted:
            check_possible(self._actor.journal.streams)
        settings = self._actor.settings
        decide = partial(room_commands.create_room, stream, by, name, private, encrypted, settings)

        def result(states: States, events: Sequence[Event]) -> Room:
            made = events[0].stream
            return room_of(made, states.of(RoomState, made), by)

        reads, creates = [user_stream(by), stream_shard(INDEX, stream)], [stream]
        # Calls of clients that know no encryption keep their fingerprint.
        arguments = ("create_room", name, private, *([encrypted] if encrypted else []))
        return Command(
            by, decide, result, reads=reads, key=key, arguments=arguments, creates=creates
        )

    @query
    def rooms(
        self, *, after: str | None = None, limit: int = 50, joined: bool = False
    ) -> Command[list[Room]]:
        """
        List the public rooms, and the private rooms that you have joined.

        Args:
            after: a room's id: list only rooms created after it.
            limit: 1 to 500.
            joined: True to list only rooms that you have joined.

        Raises:
            Invalid: an argument is outside its limits.
        """
        return list_rooms(self._actor, after=after, limit=limit, joined=joined)

    @query
    def members(
        self, room_id: str, *, after: str | None = None, limit: int = 100
    ) -> Command[list[Member]]:
        """
        List the members of a room, in the order of their ids.

        Args:
            room_id: a room's id.
            after: a user's id: list only members whose ids come after it.
            limit: 1 to 500.

        Raises:
            NotFound: the room does not exist.
            NotMember, Banned: the room is private, and you are not in it.
            Invalid: an argument is outside its limits.
        """
        return list_members(self._actor, room_id, after=after, limit=limit)

    @query
    def directs(
        self, *, before: str | None = None, limit: int | None = None
    ) -> Command[list[Room]]:
        """
        List your direct conversations, in the order in which they began.

        Args:
            before: a conversation's id: list only conversations that began before it.
            limit: 1 to 500, the newest of them; by default 500.

        Raises:
            NotFound: ``before`` is not one of your conversations.
            Invalid: the limit is not between 1 and 500.
        """
        return list_directs(self._actor, before=before, limit=limit)

    @command
    def join(self, room_id: str) -> Command[Room]:
        """
        Join a room. Joining again changes nothing.

        Raises:
            NotFound: the room does not exist.
            Banned: a moderator has banned you.
            NotAllowed: the room is private, and nobody has invited you.
            Conflict: the room is closed or full, or you are in ``rooms_joined_max`` rooms.
            NotMember: it is a direct conversation of other users.
        """
        by, stream = self._by, stream_of(room_id)

        def result(states: States, events: Sequence[Event]) -> Room:
            return room_of(stream, states.of(RoomState, stream), by)

        decide = partial(room_commands.join_room, stream, by, self._actor.settings)
        return Command(by, decide, result, reads=(stream, user_stream(by)))

    @command
    def leave(self, room_id: str) -> Command[None]:
        """
        Leave a room.

        Raises:
            NotFound: the room does not exist.
            NotMember, Banned: you are not in the room.
            NotAllowed: it is a direct conversation.
        """
        by, stream = self._by, stream_of(room_id)
        return self._room_command(room_id, lambda room, _: room_commands.leave(room, stream, by))

    @command
    def invite(self, room_id: str, user_id: str) -> Command[None]:
        """
        Invite a user, even to a private room. If a moderator does it, this lifts a ban.

        Raises:
            NotFound: the room or the user does not exist.
            NotMember, Banned: you are not in the room.
            NotAllowed: the user is banned, and you are not a moderator; or it is a direct
                conversation.
            Conflict: too many invited users have not joined yet.
        """
        by, role, stream = self._by, self._actor.role, stream_of(room_id)
        check_user_id(user_id)
        return self._room_command(
            room_id, lambda _, states: room_commands.invite_user(stream, by, user_id, role, states)
        )

    @command
    def kick(self, room_id: str, user_id: str) -> Command[None]:
        """
        Kick a member, who can join again; for the room's moderators.

        Raises:
            NotFound: the room does not exist, or the user is not in it.
            NotMember, Banned: you are not in the room.
            NotAllowed: you do not moderate the room, the user has as high a role as you, or
                it is a direct conversation.
        """
        by, role, stream = self._by, self._actor.role, stream_of(room_id)
        check_user_id(user_id)
        return self._room_command(
            room_id, lambda room, _: room_commands.kick(room, stream, by, user_id, role)
        )

    @command
    def ban(self, room_id: str, user_id: str) -> Command[None]:
        """
        Ban a user until a moderator invites them again; for the room's moderators.

        Raises:
            NotFound: the room or the user does not exist.
            NotMember, Banned: you are not in the room.
            NotAllowed: you do not moderate the room, the user has as high a role as you, or
                it is a direct conversation.
            Conflict: too many users are banned.
        """
        by, role, stream = self._by, self._actor.role, stream_of(room_id)
        check_user_id(user_id)
        return self._room_command(
            room_id, lambda _, states: room_commands.ban_user(stream, by, user_id, role, states)
        )

    @command
    def mute(self, room_id: str, user_id: str, seconds: float) -> Command[None]:
        """
        Mute a member; for the room's moderators.

        Args:
            room_id: a room's id.
            user_id: the member.
            seconds: 0 to 31,536,000, which is a year; 0 unmutes the member.

        Raises:
            NotFound: the room does not exist, or the user is not in it.
            NotMember, Banned: you are not in the room.
            NotAllowed: you do not moderate the room, the user has as high a role as you, or
                it is a direct conversation.
            Invalid: the seconds are outside their limits.
            Conflict: too many members are muted.
        """
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
        """
        Make a member a ``moderator``, or a moderator a ``member``; for the room's creator.

        Raises:
            NotFound: the room does not exist, or the user is not in it.
            NotMember, Banned: you are not in the room.
            NotAllowed: you are neither the room's creator nor an admin.
            Invalid: the role is neither of them.
            Conflict: the user is the creator, whose role cannot be changed.
        """
        by, own, stream = self._by, self._actor.role, stream_of(room_id)
        check_user_id(user_id)
        return self._room_command(
            room_id,
            lambda room, _: room_commands.set_role(room, stream, by, user_id, role, own),
        )

    @command
    def close_room(self, room_id: str) -> Command[None]:
        """
        Close a room to messages and new members; for its creator and admins.

        Raises:
            NotFound: the room does not exist.
            NotMember, Banned: you are not in the room.
            NotAllowed: you are neither its creator nor an admin, or it is a direct conversation.
        """
        by, role, stream = self._by, self._actor.role, stream_of(room_id)
        return self._room_command(
            room_id,
            lambda room, states: room_commands.close(states, room, stream, by, role),
            also=(INDEX, stream_shard(INDEX, stream)),
        )

    def _room_command(
        self,
        room_id: str,
        decide: Callable[[RoomState, States], Sequence[Draft]],
        *,
        also: Sequence[str] = (),
    ) -> Command[None]:
        stream = stream_of(room_id)
        reads = (stream, *also)
        return Command(
            self._by,
            lambda states: decide(states.of(RoomState, stream), states),
            _no_result,
            reads=reads,
        )


def _no_result(states: States, events: Sequence[Event]) -> None:
    return None
