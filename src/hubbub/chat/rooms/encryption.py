"""Decisions about a room's encryption. Pure, and without any cryptography."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from ...errors import Conflict, NotFound
from ...journal.decide.states import States
from ...journal.event import Draft
from ...journal.link import Linked, Links, Unlinked
from ...permissions import check
from ...rosters import keys_stream
from ...shown import shown
from ...stream_names import user_stream
from .. import events as e
from ..grants import CHAT_GRANTS
from ..limits import check_directs
from .room import RoomState

__all__ = [
    "ALGORITHM",
    "ENCRYPTED_ROOMS_MAX",
    "begun_direct",
    "check_possible",
    "encrypt",
    "entered",
    "left",
]

# Olm hands over the keys of Megolm, which encrypts the messages.
ALGORITHM = "megolm.1"
# Encrypted rooms and conversations of one user: a new device writes an event to each of them.
ENCRYPTED_ROOMS_MAX = 1_000


def check_possible(kinds: Container[str]) -> None:
    """
    Return if a hub can encrypt rooms.

    Raises:
        Conflict: it was opened without the feature ``keys``.
    """
    if "keys" not in kinds:
        raise Conflict("This server cannot encrypt rooms: it has no feature 'keys'.")


def encrypt(stream: str, by: str, role: str, states: States) -> Sequence[Draft]:
    """
    Encrypt a room from now on; to encrypt it twice is to encrypt it once.

    Raises:
        NotFound: there is no such room or user.
        NotAllowed: ``by`` is not its creator, or not in this direct conversation.
        Conflict: it is closed, or a member is in as many encrypted rooms as they may be.
    """
    room = states.of(RoomState, stream)
    drafts = begun_direct(stream, by, room, states)
    if not drafts:
        room.check_member(by)
        if not room.direct:
            check(CHAT_GRANTS["chat.encrypt"], *room.held(by, role))
    if room.encrypted:
        return ()
    if room.closed:
        raise Conflict("This room is closed; nobody writes in it any more.")
    members = _direct_users(stream) if drafts else tuple(room.roles)
    return [*drafts, Draft(stream, e.RoomEncrypted(ALGORITHM)), *entered(stream, members, states)]


def begun_direct(stream: str, by: str, room: RoomState, states: States) -> list[Draft]:
    """Begin a direct conversation that nobody has begun; nothing for any other room."""
    if room.created_at is not None or not stream.startswith("direct/"):
        return []
    users = _direct_users(stream)
    first, second = users
    if by not in users or first >= second:
        raise NotFound("There is no such direct conversation of yours.")
    for user in users:
        if not states.entry(user_stream(user)).head:
            raise NotFound(f"There is no user {shown(user)}.")
        check_directs(states.of(Links, user_stream(user)))
    created = e.Created("", private=True, direct=(first, second))
    return [Draft(stream, created), *(Draft(user_stream(user), Linked(stream)) for user in users)]


def entered(stream: str, users: Iterable[str], states: States) -> list[Draft]:
    """Note for each user that an encrypted room is one of theirs."""
    states.need(_keys_of(users))
    for user in users:
        if len(states.of(Links, keys_stream(user)).links) >= ENCRYPTED_ROOMS_MAX:
            text = f"{shown(user)} is in {ENCRYPTED_ROOMS_MAX} encrypted rooms, which is the most."
            raise Conflict(text)
    return [Draft(keys, Linked(stream)) for keys in _keys_of(users)]


def left(room: RoomState, stream: str, user: str) -> list[Draft]:
    """Note that an encrypted room is no longer a user's."""
    return [Draft(keys_stream(user), Unlinked(stream))] if room.encrypted else []


def _keys_of(users: Iterable[str]) -> list[str]:
    return [keys_stream(user) for user in users]


def _direct_users(stream: str) -> tuple[str, str]:
    users = stream.split("/")[1:]
    if len(users) != 2:
        raise NotFound("A direct conversation's id is direct/USER/USER.")
    return users[0], users[1]
