"""The decisions about rooms and their members. Pure: they take states and return drafts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ...errors import Conflict, Invalid, NotAllowed, NotFound
from ...journal.decide.states import States
from ...journal.event import Draft
from ...journal.link import Linked, Links, Marked, Offered, Unlinked
from ...journal.shards import stream_shard
from ...permissions import check
from ...settings import Settings
from ...shown import shown
from ...stream_names import user_stream
from ...text import check_name
from .. import events as e
from .. import limits
from ..grants import CHAT_GRANTS
from ..messages.commands import check_user
from .encryption import ALGORITHM, entered, left
from .room import HELD_EVERYWHERE, INDEX, RoomState

__all__ = [
    "ban",
    "ban_user",
    "close",
    "create",
    "create_room",
    "invite",
    "invite_user",
    "join",
    "join_room",
    "kick",
    "leave",
    "mark_read",
    "mute",
    "set_role",
]

# The longest mute, in seconds: a year.
MUTE_SECONDS_MAX = 365 * 24 * 3600
RANK = {"member": 0, "moderator": 1, "creator": 2}


def create_room(  # noqa: PLR0913
    stream: str,
    by: str,
    name: str,
    private: bool,
    encrypted: bool,
    settings: Settings,
    states: States,
) -> Sequence[Draft]:
    """Create a room; see :meth:`hubbub.chat.service.Chat.create_room`."""
    for name_, given in (("private", private), ("encrypted", encrypted)):
        if not isinstance(given, bool):
            raise Invalid(f"{name_} must be True or False, not {shown(given)}.")
    checked = check_name(name, settings.name_chars_max)
    limits.check_joined(states.of(Links, user_stream(by)), settings.rooms_joined_max)
    drafts = create(stream, by, checked, private=private)
    if not encrypted:
        return drafts
    return [*drafts, Draft(stream, e.RoomEncrypted(ALGORITHM)), *entered(stream, (by,), states)]


def join_room(stream: str, by: str, settings: Settings, states: States) -> Sequence[Draft]:
    """Join a room; see :meth:`hubbub.chat.service.Chat.join`."""
    room, head = states.of(RoomState, stream), states.entry(stream).head
    drafts = join(room, stream, by, head, settings.room_members_max)
    if drafts:
        limits.check_joined(states.of(Links, user_stream(by)), settings.rooms_joined_max)
        if room.encrypted:
            drafts += entered(stream, (by,), states)
    return drafts


def invite_user(stream: str, by: str, user: str, role: str, states: States) -> Sequence[Draft]:
    """Invite a user, if they exist; see :meth:`hubbub.chat.service.Chat.invite`."""
    drafts = invite(states.of(RoomState, stream), stream, by, user, role)
    check_user(states, user)
    return drafts


def ban_user(stream: str, by: str, user: str, role: str, states: States) -> Sequence[Draft]:
    """Ban a user, if they exist; see :meth:`hubbub.chat.service.Chat.ban`."""
    drafts = ban(states.of(RoomState, stream), stream, by, user, role)
    check_user(states, user)
    return drafts


def mark_read(stream: str, by: str, seq: int, states: States) -> Sequence[Draft]:
    """Record how far a user has read; see :meth:`hubbub.chat.service.Chat.mark_read`."""
    mine = user_stream(by)
    states.of(RoomState, stream).check_member(by)
    if not 0 <= seq <= states.entry(stream).head:
        raise NotFound(f"There is no message {shown(seq)} in this room.")
    if seq <= states.of(Links, mine).links.get(stream, 0):
        return ()
    return (Draft(mine, Marked(stream, seq)),)


def create(stream: str, by: str, name: str, *, private: bool) -> list[Draft]:
    """Create a room, join it, and list it unless it is private."""
    drafts = [
        Draft(stream, e.Created(name, private)),
        Draft(stream, e.Joined()),
        Draft(user_stream(by), Linked(stream, 2)),
    ]
    return drafts if private else [*drafts, Draft(stream_shard(INDEX, stream), Linked(stream))]


def join(room: RoomState, stream: str, by: str, head: int, members_max: int) -> list[Draft]:
    """
    Join a room. Joining again changes nothing.

    Args:
        room: the room.
        stream: its stream.
        by: the user who joins.
        head: the seq of its last event.
        members_max: how many members it can have.

    Raises:
        NotFound: the room does not exist.
        Banned: a moderator has banned ``by``.
        NotAllowed: the room is private, and ``by`` was not invited.
        Conflict: the room is closed or full.
    """
    room.check_exists()
    if by in room.roles:
        return []
    if by in room.banned or room.direct:
        room.check_member(by)
    if room.private and by not in room.invited:
        grant = CHAT_GRANTS["chat.join"]
        raise grant.error(grant.refusal)
    if room.closed:
        raise Conflict("This room is closed; nobody can join it.")
    limits.check_members(room.roles, members_max)
    return [Draft(stream, e.Joined()), Draft(user_stream(by), Linked(stream, head + 1))]


def leave(room: RoomState, stream: str, by: str) -> list[Draft]:
    """Leave a room."""
    room.check_member(by)
    _check_not_direct(room)
    drafts = [Draft(stream, e.Left()), Draft(user_stream(by), Unlinked(stream))]
    return [*drafts, *left(room, stream, by)]


def invite(room: RoomState, stream: str, by: str, user: str, role: str) -> list[Draft]:
    """
    Invite a user. Any member can; only a moderator can invite a banned user.

    Raises:
        NotAllowed: ``by`` does not have permission.
        Conflict: too many invited users have not joined yet.
    """
    _check_inside(room, by, role)
    _check_not_direct(room)
    if user in room.banned:
        check(CHAT_GRANTS["chat.ban"], *room.held(by, role))
    if user in room.roles or user in room.invited:
        return []
    limits.check_invites(room.invited)
    return [Draft(stream, e.Invited(user)), Draft(user_stream(user), Offered(stream))]


def kick(room: RoomState, stream: str, by: str, user: str, role: str) -> list[Draft]:
    """Kick a member, who can join again; for moderators."""
    _check_above(room, by, user, role)
    _check_target(room, user)
    drafts = [Draft(stream, e.Kicked(user)), Draft(user_stream(user), Unlinked(stream))]
    return [*drafts, *left(room, stream, user)]


def ban(room: RoomState, stream: str, by: str, user: str, role: str) -> list[Draft]:
    """Ban a user until a moderator invites them; for moderators."""
    _check_above(room, by, user, role)
    if user in room.banned:
        return []
    limits.check_bans(room.banned)
    drafts = [Draft(stream, e.UserBanned(user))]
    if user not in room.roles:
        return drafts
    return [*drafts, Draft(user_stream(user), Unlinked(stream)), *left(room, stream, user)]


def mute(  # noqa: PLR0913
    room: RoomState, stream: str, by: str, user: str, seconds: float, role: str, now: datetime
) -> list[Draft]:
    """Mute a member for some seconds; 0 unmutes them. For moderators."""
    _check_above(room, by, user, role)
    _check_target(room, user)
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 <= seconds <= MUTE_SECONDS_MAX:
        given = shown(seconds)
        raise Invalid(f"A mute must have 0 to {MUTE_SECONDS_MAX} seconds, not {given}.")
    limits.check_mutes(room.muted, user, now)
    return [Draft(stream, e.UserMuted(user, now + timedelta(seconds=seconds)))]


def set_role(  # noqa: PLR0913
    room: RoomState, stream: str, by: str, user: str, new: object, role: str
) -> list[Draft]:
    """Make a member a moderator, or a moderator a member; for the creator."""
    _check_inside(room, by, role)
    check(CHAT_GRANTS["chat.set_role"], *room.held(by, role))
    _check_target(room, user)
    if new not in ("moderator", "member"):
        raise Invalid(f"A role must be 'moderator' or 'member', not {shown(new)}.")
    if user == room.creator:
        raise Conflict("The creator's role cannot be changed.")
    return [] if room.roles[user] == new else [Draft(stream, e.RoleSet(user, new))]


def close(states: States, room: RoomState, stream: str, by: str, role: str) -> list[Draft]:
    """Close a room to messages and members; for the creator. Closing it again is a no-op."""
    _check_inside(room, by, role)
    _check_not_direct(room)
    check(CHAT_GRANTS["chat.close_room"], *room.held(by, role))
    if room.closed:
        return []
    drafts = [Draft(stream, e.RoomClosed())]
    if room.private:
        return drafts
    listed = stream in states.of(Links, INDEX).links
    return [*drafts, Draft(INDEX if listed else stream_shard(INDEX, stream), Unlinked(stream))]


def _check_inside(room: RoomState, by: str, role: str) -> None:
    room.check_exists()
    if not HELD_EVERYWHERE[role]:
        room.check_member(by)


def _check_above(room: RoomState, by: str, user: str, role: str) -> None:
    _check_inside(room, by, role)
    _check_not_direct(room)
    check(CHAT_GRANTS["chat.kick"], *room.held(by, role))
    rank = 3 if HELD_EVERYWHERE[role] else RANK[room.roles[by]]
    if RANK[room.roles.get(user, "member")] >= rank:
        raise NotAllowed("A moderator cannot do this to the creator or another moderator.")


def _check_not_direct(room: RoomState) -> None:
    if room.direct:
        raise NotAllowed("A direct conversation has exactly its two users; you cannot change them.")


def _check_target(room: RoomState, user: str) -> None:
    if user not in room.roles:
        raise NotFound(f"{shown(user)} is not a member of this room.")
