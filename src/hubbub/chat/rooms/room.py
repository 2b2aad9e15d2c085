"""A room: who is in it and who may do what. Pure: states and times come in, drafts come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec

from ...errors import Banned as BannedError
from ...errors import Conflict, Invalid, NotAllowed, NotFound
from ...errors import Muted as MutedError
from ...journal.event import Data, Draft, Event, State
from ...journal.link import Linked, Offered, Unlinked
from ...permissions import COMMANDS, Who, check, check_reading
from ...service import SEQ_MAX
from ...shown import shown
from .. import events as e
from .. import limits
from ..limits import still_muted
from ..messages.message import current

__all__ = [
    "Room",
    "RoomState",
    "ban",
    "close",
    "create",
    "direct_of",
    "invite",
    "join",
    "kick",
    "leave",
    "mute",
    "room_of",
    "set_role",
]

INDEX = "index/rooms"
# The longest mute, in seconds: a year.
MUTE_SECONDS_MAX = 365 * 24 * 3600
_ABOUT_MESSAGES = frozenset({e.Said, e.Edited, e.Deleted, e.Reacted, e.Unreacted})
RANK = {"member": 0, "moderator": 1, "creator": 2}

# What a member of some role is to the room, and what a role of everything is to all rooms.
HELD: Mapping[str, tuple[Who, ...]] = {
    "member": ("member",),
    "moderator": ("member", "moderator"),
    "creator": ("member", "moderator", "creator"),
}
HELD_EVERYWHERE: Mapping[str, tuple[Who, ...]] = {
    "user": (),
    "moderator": ("moderator",),
    "admin": ("moderator", "admin"),
}


class Room(msgspec.Struct, frozen=True):
    """
    A room as one sees it.

    Args:
        id: what the chat methods take; for a direct conversation its stream's name.
        stream: what ``follow`` and ``read`` take.
        name: what it is called; for a direct conversation the other's nickname.
        creator: who made it.
        members: who is in it, the first first.
        private: True if one must be invited.
        created_at: UTC.
        roles: a member -> ``creator``, ``moderator`` or ``member``.
        closed: True if nothing more is said in it.
    """

    id: str
    stream: str
    name: str
    creator: str
    members: list[str]
    private: bool
    created_at: datetime
    roles: dict[str, e.Role]
    closed: bool = False


class RoomState(State):
    """The fold of a ``room/ID`` or ``direct/A/B`` stream."""

    data_type: ClassVar[Any] = e.RoomEvent
    takes_back: ClassVar[bool] = True

    name: str = ""
    creator: str = ""
    private: bool = False
    direct: bool = False
    created_at: datetime | None = None
    roles: dict[str, e.Role] = {}
    invited: set[str] = set()
    banned: set[str] = set()
    muted: dict[str, datetime] = {}
    closed: bool = False

    def apply(self, event: Event) -> None:
        """Take one event in."""
        data = event.data
        # Nearly all events are these, and no decision needs to remember them.
        if type(data) not in _ABOUT_MESSAGES:
            self._apply_membership(event, data)

    def _apply_membership(self, event: Event, data: Data) -> None:
        match data:
            case e.Created(name, private, direct):
                self.name, self.private, self.creator = name, private, event.by
                self.created_at, self.direct = event.at, direct is not None
                self.roles = dict.fromkeys(direct or (), "member")
            case e.Joined():
                self.roles[event.by] = "creator" if event.by == self.creator else "member"
                self.invited.discard(event.by)
            case e.Left():
                del self.roles[event.by]
            case e.Kicked(user):
                del self.roles[user]
            case e.UserBanned(user):
                self.roles.pop(user, None)
                self.invited.discard(user)
                self.banned.add(user)
            case e.Invited(user):
                self.invited.add(user)
                self.banned.discard(user)
            case e.UserMuted(user, until):
                self.muted = {**still_muted(self.muted, event.at), user: until}
            case e.RoleSet(user, role):
                self.roles[user] = role
            case e.RoomClosed():
                self.closed = True
            case unknown:
                raise AssertionError(f"not a room's event: {unknown!r}")

    def check_reader(self, stream: str, user: str) -> None:
        """Only members read."""
        self.check_member(user)

    @classmethod
    def current(cls, about: Sequence[Event]) -> Sequence[Event]:
        """Return what counts of the events about a message; see :func:`message.current`."""
        return current(about)

    @classmethod
    def redacted(cls, data: Data) -> Data:
        """Leave out the words of a deleted message, and of its edits."""
        match data:
            case e.Said(_, reply_to):
                return e.Said("", reply_to)
            case e.Edited():
                return e.Edited("")
        return data

    @classmethod
    def revoked(cls, event: Event) -> str | None:
        """Return who is no longer a member."""
        match event.data:
            case e.Left():
                return event.by
            case e.Kicked(user) | e.UserBanned(user):
                return user
        return None

    def check_exists(self) -> None:
        """Raise NotFound if nobody has made this room."""
        if self.created_at is None:
            raise NotFound("There is no such room; see chat.rooms() for those there are.")

    def check_member(self, user: str) -> None:
        """Raise NotFound, Banned or NotMember if a user is not in the room."""
        self.check_exists()
        if user in self.roles:
            return
        if user in self.banned:
            raise BannedError("You are banned from this room; ask a moderator to invite you.")
        check_reading("direct" if self.direct else "room")

    def check_speaker(self, user: str, now: datetime) -> None:
        """Raise as :meth:`check_member` does, or Conflict or Muted if one may not speak now."""
        self.check_member(user)
        if self.closed:
            raise Conflict("This room is closed; nothing more is said in it.")
        until = self.muted.get(user)
        if until is not None and now < until:
            wait = (until - now).total_seconds()
            raise MutedError(f"You are muted for {wait:.0f} s more; wait.", retry_after=wait)

    def held(self, user: str, role: str) -> tuple[Who, ...]:
        """Return what a user of some role of everything is to the room."""
        return HELD.get(self.roles.get(user, ""), ()) + HELD_EVERYWHERE[role]


def room_of(stream: str, state: RoomState) -> Room:
    """Show a room."""
    state.check_exists()
    assert state.created_at is not None
    return Room(
        id_of(stream),
        stream,
        state.name,
        state.creator,
        list(state.roles),
        state.private,
        state.created_at,
        dict(state.roles),
        state.closed,
    )


def stream_of(room_id: str) -> str:
    """Return the stream of a room's id; a direct conversation's id is its stream's name."""
    if not isinstance(room_id, str):
        raise Invalid(f"A room's id is a string, not {shown(room_id)}.")
    return room_id if room_id.startswith("direct/") else f"room/{room_id}"


def id_of(stream: str) -> str:
    """Return the id of a room's stream."""
    return stream.removeprefix("room/")


def direct_of(one: str, other: str) -> str:
    """Return the stream of two users' direct conversation."""
    first, second = sorted((one, other))
    return f"direct/{first}/{second}"


def create(stream: str, by: str, name: str, *, private: bool) -> list[Draft]:
    """Make a room, go in, and list it unless it is private."""
    drafts = [
        Draft(stream, e.Created(name, private)),
        Draft(stream, e.Joined()),
        Draft(f"user/{by}", Linked(stream, 2)),
    ]
    return drafts if private else [*drafts, Draft(INDEX, Linked(stream))]


def check_number(seq: object) -> int:
    """
    Return a message's seq, whether there is such a message or not.

    Raises:
        Invalid: it is no whole number, or one that no seq can be.
    """
    if not isinstance(seq, int) or isinstance(seq, bool) or abs(seq) > SEQ_MAX:
        raise Invalid(f"A message's seq is a whole number, not {shown(seq)}.")
    return seq


def join(room: RoomState, stream: str, by: str, head: int, members_max: int) -> list[Draft]:
    """
    Go into a room. To join twice is to join once.

    Args:
        room: as it is.
        stream: its stream.
        by: the user who joins.
        head: the seq of its last event.
        members_max: how many members it may have.

    Raises:
        NotFound: there is no such room.
        Banned: a moderator has put ``by`` out.
        NotAllowed: the room is private, and ``by`` was not invited.
        Conflict: it is closed, or full.
    """
    room.check_exists()
    if by in room.roles:
        return []
    if by in room.banned or room.direct:
        room.check_member(by)
    if room.private and by not in room.invited:
        grant = COMMANDS["chat.join"]
        raise grant.error(grant.refusal)
    if room.closed:
        raise Conflict("This room is closed; nobody comes in any more.")
    limits.check_members(room.roles, members_max)
    return [Draft(stream, e.Joined()), Draft(f"user/{by}", Linked(stream, head + 1))]


def leave(room: RoomState, stream: str, by: str) -> list[Draft]:
    """Go out of a room."""
    room.check_member(by)
    _check_not_direct(room)
    return [Draft(stream, e.Left()), Draft(f"user/{by}", Unlinked(stream))]


def invite(room: RoomState, stream: str, by: str, user: str, role: str) -> list[Draft]:
    """
    Let a user join. Any member may; only a moderator may invite whom one has banned.

    Raises:
        NotAllowed: ``by`` may not.
        Conflict: as many are invited as may be.
    """
    _check_inside(room, by, role)
    _check_not_direct(room)
    if user in room.banned:
        check("chat.ban", *room.held(by, role))
    if user in room.roles or user in room.invited:
        return []
    limits.check_invites(room.invited)
    return [Draft(stream, e.Invited(user)), Draft(f"user/{user}", Offered(stream))]


def kick(room: RoomState, stream: str, by: str, user: str, role: str) -> list[Draft]:
    """Put a member out, who may come back; for moderators."""
    _check_above(room, by, user, role)
    _check_target(room, user)
    return [Draft(stream, e.Kicked(user)), Draft(f"user/{user}", Unlinked(stream))]


def ban(room: RoomState, stream: str, by: str, user: str, role: str) -> list[Draft]:
    """Ban a user for good, or until a moderator invites them; for moderators."""
    _check_above(room, by, user, role)
    if user in room.banned:
        return []
    limits.check_bans(room.banned)
    drafts = [Draft(stream, e.UserBanned(user))]
    return [*drafts, Draft(f"user/{user}", Unlinked(stream))] if user in room.roles else drafts


def mute(  # noqa: PLR0913
    room: RoomState, stream: str, by: str, user: str, seconds: float, role: str, now: datetime
) -> list[Draft]:
    """Mute a member for some seconds; 0 lets them speak again. For moderators."""
    _check_above(room, by, user, role)
    _check_target(room, user)
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 <= seconds <= MUTE_SECONDS_MAX:
        given = shown(seconds)
        raise Invalid(f"A member is muted for 0 to {MUTE_SECONDS_MAX} seconds, not {given}.")
    limits.check_mutes(room.muted, user, now)
    return [Draft(stream, e.UserMuted(user, now + timedelta(seconds=seconds)))]


def set_role(  # noqa: PLR0913
    room: RoomState, stream: str, by: str, user: str, new: object, role: str
) -> list[Draft]:
    """Make a member a moderator, or a moderator a member; for the creator."""
    _check_inside(room, by, role)
    check("chat.set_role", *room.held(by, role))
    _check_target(room, user)
    if new not in ("moderator", "member"):
        raise Invalid(f"A role is 'moderator' or 'member', not {shown(new)}.")
    if user == room.creator:
        raise Conflict("The creator stays the creator.")
    return [] if room.roles[user] == new else [Draft(stream, e.RoleSet(user, new))]


def close(room: RoomState, stream: str, by: str, role: str) -> list[Draft]:
    """Let nobody say anything more, nor come in; for the creator. To close twice is once."""
    _check_inside(room, by, role)
    _check_not_direct(room)
    check("chat.close_room", *room.held(by, role))
    if room.closed:
        return []
    drafts = [Draft(stream, e.RoomClosed())]
    return drafts if room.private else [*drafts, Draft(INDEX, Unlinked(stream))]


def _check_inside(room: RoomState, by: str, role: str) -> None:
    room.check_exists()
    if not HELD_EVERYWHERE[role]:
        room.check_member(by)


def _check_above(room: RoomState, by: str, user: str, role: str) -> None:
    _check_inside(room, by, role)
    _check_not_direct(room)
    check("chat.kick", *room.held(by, role))
    rank = 3 if HELD_EVERYWHERE[role] else RANK[room.roles[by]]
    if RANK[room.roles.get(user, "member")] >= rank:
        raise NotAllowed("A moderator may not do this to the creator or another moderator.")


def _check_not_direct(room: RoomState) -> None:
    if room.direct:
        raise NotAllowed("A direct conversation always has its two users, and no others.")


def _check_target(room: RoomState, user: str) -> None:
    if user not in room.roles:
        raise NotFound(f"{shown(user)} is not a member of this room.")
