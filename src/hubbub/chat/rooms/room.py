"""A room: its members, and what each of them can do. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, ClassVar

import msgspec

from ...errors import Banned as BannedError
from ...errors import Conflict, Invalid, NotFound
from ...errors import Muted as MutedError
from ...journal.event import Data, Event
from ...permissions import check
from ...rosters import DevicesChanged, RosterState
from ...service import SEQ_MAX
from ...shown import shown
from .. import events as e
from ..grants import CHAT_READERS
from ..limits import still_muted
from ..messages.current import CurrentEvents

__all__ = [
    "MEMBERS_SHOWN_MAX",
    "ROOM_STREAMS",
    "Member",
    "Room",
    "RoomState",
    "direct_stream",
    "room_of",
    "room_stream",
]

# The public rooms, in shards; earlier releases wrote all of them to this stream itself.
INDEX = "index/rooms"
# The first characters of the streams of rooms.
ROOM_STREAMS = ("room/", "direct/")
_ABOUT_MESSAGES = frozenset(
    {e.Said, e.Edited, e.Deleted, e.Reacted, e.Unreacted, e.SealedMessage, e.SealedChange}
)
# These change for whom a message is encrypted.
_ABOUT_THE_ROSTER = (
    *(e.Joined, e.Left, e.Kicked, e.UserBanned),
    *(e.RoomEncrypted, DevicesChanged),
)

# The members that a room shows; chat.members returns all of them, page by page.
MEMBERS_SHOWN_MAX = 100

# The relations of a member with a role to their room, and of a global role to all rooms.
HELD: Mapping[str, tuple[str, ...]] = {
    "member": ("member",),
    "moderator": ("member", "moderator"),
    "creator": ("member", "moderator", "creator"),
}
HELD_EVERYWHERE: Mapping[str, tuple[str, ...]] = {
    "user": (),
    "moderator": ("moderator",),
    "admin": ("moderator", "admin"),
}


class Room(msgspec.Struct, frozen=True):
    """
    A room as a user sees it.

    Args:
        id: the room_id for the methods of chat; a direct conversation's is its stream's name.
        stream: the stream for ``follow`` and ``read``.
        name: its name; for a direct conversation the other user's nickname.
        creator: the user who created it.
        members: its members, in the order in which they joined; of a large room the first 100,
            and the user who asks, if they are in it.
        private: True if a user needs an invitation to join.
        created_at: UTC.
        roles: each of these members -> ``creator``, ``moderator`` or ``member``.
        closed: True if it takes no more messages.
        encrypted: the algorithm, like ``megolm.1``, of an encrypted room; else empty.
        roster: the seq of the last change of the members or their devices; an encrypted message
            names the roster that it is encrypted for.
        member_count: the number of members, including the members that ``members``
            leaves out.
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
    encrypted: str = ""
    roster: int = 0
    member_count: int = 0


class Member(msgspec.Struct, frozen=True, gc=False):
    """
    A member of a room.

    Args:
        user: the user's id.
        role: ``creator``, ``moderator`` or ``member``.
    """

    user: str
    role: e.Role


class RoomState(RosterState):
    """The fold of a ``room/ID`` or ``direct/A/B`` stream."""

    data_type: ClassVar[Any] = e.RoomEvent
    # Snapshots of the first version have no roster.
    version: ClassVar[int] = 1
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
        """Fold one event."""
        data = event.data
        # Nearly all events are messages, and no decision needs to remember them.
        if type(data) not in _ABOUT_MESSAGES:
            if isinstance(data, _ABOUT_THE_ROSTER):
                self.roster = event.seq
            if isinstance(data, e.RoomEncrypted):
                self.encrypted = data.algorithm
            elif not isinstance(data, DevicesChanged):
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
        """Refuse every reader who is not a member."""
        self.check_member(user)

    @classmethod
    def current(cls, about: Sequence[Event]) -> Sequence[Event]:
        """Return the events about a message that still count."""
        return CurrentEvents(about)

    @classmethod
    def redacted(cls, data: Data) -> Data:
        """Remove the text of a deleted message, and of its edits."""
        match data:
            case e.Said(_, reply_to):
                return e.Said("", reply_to)
            case e.Edited():
                return e.Edited("")
            case e.SealedMessage(device, session, _, reply_to):
                return e.SealedMessage(device, session, "", reply_to)
            case e.SealedChange(device, session):
                return e.SealedChange(device, session, "")
        return data

    @classmethod
    def revoked(cls, event: Event) -> str | None:
        """Return the user who is no longer a member."""
        match event.data:
            case e.Left():
                return event.by
            case e.Kicked(user) | e.UserBanned(user):
                return user
        return None

    def check_exists(self) -> None:
        """Raise NotFound if the room does not exist."""
        if self.created_at is None:
            raise NotFound("This room does not exist; see chat.rooms() for the rooms you can join.")

    def check_member(self, user: str) -> None:
        """Raise NotFound, Banned or NotMember if a user is not in the room."""
        self.check_exists()
        if user in self.roles:
            return
        if user in self.banned:
            raise BannedError("You are banned from this room; ask a moderator to invite you.")
        check(CHAT_READERS["direct" if self.direct else "room"])

    def check_shown(self, user: str) -> None:
        """Raise NotFound, Banned or NotMember if a user cannot see the members of the room."""
        if self.private or self.direct:
            self.check_member(user)
        else:
            self.check_exists()

    def check_speaker(self, user: str, now: datetime) -> None:
        """Raise as :meth:`check_member` does, or Conflict or Muted if they cannot send now."""
        if user not in self.roles:
            self.check_member(user)
        if self.closed:
            raise Conflict("This room is closed; it takes no more messages.")
        until = self.muted.get(user)
        if until is not None and now < until:
            wait = (until - now).total_seconds()
            raise MutedError(f"You are muted for {wait:.0f} more seconds.", retry_after=wait)

    def held(self, user: str, role: str) -> tuple[str, ...]:
        """Return the relations of a user with a global role to the room."""
        return HELD.get(self.roles.get(user, ""), ()) + HELD_EVERYWHERE[role]


def room_of(stream: str, state: RoomState, user: str) -> Room:
    """Return the public form of a room, as a user sees it."""
    state.check_exists()
    assert state.created_at is not None
    roles = state.roles
    if len(roles) > MEMBERS_SHOWN_MAX:
        roles = dict(islice(roles.items(), MEMBERS_SHOWN_MAX))
        if user in state.roles:
            roles[user] = state.roles[user]
    return Room(
        id_of(stream),
        stream,
        state.name,
        state.creator,
        list(roles),
        state.private,
        state.created_at,
        dict(roles),
        state.closed,
        state.encrypted,
        state.roster,
        len(state.roles),
    )


def stream_of(room_id: str) -> str:
    """Return the stream of a room's id; a direct conversation's id is its stream's name."""
    if not isinstance(room_id, str):
        raise Invalid(f"A room id must be a string, not {shown(room_id)}.")
    return room_id if room_id.startswith("direct/") else room_stream(room_id)


def room_stream(room_id: str) -> str:
    """Return the stream of a room that is not a direct conversation."""
    return f"room/{room_id}"


def id_of(stream: str) -> str:
    """Return the id of a room's stream."""
    return stream.removeprefix("room/")


def direct_stream(one: str, other: str) -> str:
    """Return the stream of two users' direct conversation."""
    first, second = sorted((one, other))
    return f"direct/{first}/{second}"


def check_number(seq: object) -> int:
    """
    Return a message's seq, whether the message exists or not.

    Raises:
        Invalid: it is not a whole number, or too large for a seq.
    """
    if not isinstance(seq, int) or isinstance(seq, bool) or abs(seq) > SEQ_MAX:
        raise Invalid(f"A message's seq must be a whole number, not {shown(seq)}.")
    return seq
