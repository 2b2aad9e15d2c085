"""How far users can make grow what is kept of rooms. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from ..errors import Conflict
from ..journal.link import Links

__all__ = [
    "BANS_MAX",
    "DIRECTS_MAX",
    "INVITES_MAX",
    "MUTES_MAX",
    "check_bans",
    "check_directs",
    "check_invites",
    "check_joined",
    "check_members",
    "check_mutes",
    "still_muted",
]

# Users who are banned from one room at a time.
BANS_MAX = 10_000
# Users who are invited to one room and have not joined it.
INVITES_MAX = 1_000
# Members of one room who are muted at a time.
MUTES_MAX = 1_000
# Direct conversations of one user, whichever side began them.
DIRECTS_MAX = 10_000


def check_members(members: Collection[str], members_max: int) -> None:
    """Raise Conflict if a room has as many members as it may have."""
    if len(members) >= members_max:
        raise Conflict(f"This room is full: it has {members_max} members.")


def check_joined(links: Links, rooms_max: int) -> None:
    """Raise Conflict if a user is in as many rooms as they may be in."""
    if links.count("room") >= rooms_max:
        raise Conflict(f"You are in {rooms_max} rooms, which is the most; leave one of them.")


def check_directs(links: Links) -> None:
    """Raise Conflict if a user has as many direct conversations as there may be."""
    if links.count("direct") >= DIRECTS_MAX:
        raise Conflict(f"A user has at most {DIRECTS_MAX} direct conversations.")


def check_invites(invited: Collection[str]) -> None:
    """Raise Conflict if as many users are invited into a room as may be."""
    if len(invited) >= INVITES_MAX:
        raise Conflict(f"{INVITES_MAX} users are invited and have not joined; wait for them.")


def check_bans(banned: Collection[str]) -> None:
    """Raise Conflict if as many users are banned from a room as may be."""
    if len(banned) >= BANS_MAX:
        raise Conflict(f"{BANS_MAX} users are banned, which is the most; invite one of them.")


def check_mutes(muted: Mapping[str, datetime], user: str, now: datetime) -> None:
    """Raise Conflict if as many others are muted now as may be."""
    if user not in muted and sum(until > now for until in muted.values()) >= MUTES_MAX:
        raise Conflict(f"{MUTES_MAX} members are muted, which is the most; lift a mute first.")


def still_muted(muted: Mapping[str, datetime], now: datetime) -> Mapping[str, datetime]:
    """Leave out mutes that are over when there are many; few may stay for ever."""
    if len(muted) < MUTES_MAX:
        return muted
    return {user: until for user, until in muted.items() if until > now}
