"""Limits on what Hubbub stores for rooms, so that users cannot make it grow without end. Pure."""

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
# Direct conversations of one user, whichever user began them.
DIRECTS_MAX = 10_000


def check_members(members: Collection[str], members_max: int) -> None:
    """Raise Conflict if a room is full."""
    if len(members) >= members_max:
        raise Conflict(f"This room is full: it has {members_max} members.")


def check_joined(links: Links, rooms_max: int) -> None:
    """Raise Conflict if a user is in too many rooms."""
    if links.count("room") >= rooms_max:
        raise Conflict(f"You are in {rooms_max} rooms, which is the most; leave one of them first.")


def check_directs(links: Links) -> None:
    """Raise Conflict if a user has too many direct conversations."""
    if links.count("direct") >= DIRECTS_MAX:
        raise Conflict(f"A user can have at most {DIRECTS_MAX} direct conversations.")


def check_invites(invited: Collection[str]) -> None:
    """Raise Conflict if too many users are invited to a room."""
    if len(invited) >= INVITES_MAX:
        raise Conflict(
            f"{INVITES_MAX} invited users have not joined yet; wait until some of them do."
        )


def check_bans(banned: Collection[str]) -> None:
    """Raise Conflict if too many users are banned from a room."""
    if len(banned) >= BANS_MAX:
        raise Conflict(
            f"{BANS_MAX} users are banned, which is the most; lift a ban by inviting its user."
        )


def check_mutes(muted: Mapping[str, datetime], user: str, now: datetime) -> None:
    """Raise Conflict if too many other members are muted now."""
    if user not in muted and sum(until > now for until in muted.values()) >= MUTES_MAX:
        raise Conflict(f"{MUTES_MAX} members are muted, which is the most; lift a mute first.")


def still_muted(muted: Mapping[str, datetime], now: datetime) -> Mapping[str, datetime]:
    """Drop expired mutes when there are many; a few may stay."""
    if len(muted) < MUTES_MAX:
        return muted
    return {user: until for user, until in muted.items() if until > now}
