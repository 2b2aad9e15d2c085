"""
The roster of an encrypted room, and a user's links to encrypted rooms. Pure.

Chat and keys both write these facts, and neither imports the other.
"""

from __future__ import annotations

from .journal.event import Data, State
from .journal.link import Links

__all__ = ["DeviceLinks", "DevicesChanged", "RosterState", "keys_stream"]


class DevicesChanged(Data, frozen=True, tag="devices"):
    """A member added or removed a device, or a new device published its first keys."""

    user: str


class RosterState(State):
    """
    Whether a room is encrypted, and which members and devices its messages are encrypted for.

    Args:
        encrypted: the algorithm, like ``megolm.1``; empty if the room is not encrypted.
        roster: the seq of the last event that changed the members or their devices.
    """

    encrypted: str = ""
    roster: int = 0


class DeviceLinks(Links):
    """The encrypted rooms that a user is in, and whether a device is one of the user's."""

    def has_device(self, device: str) -> bool:
        """Tell whether the user has a device of this id."""
        raise NotImplementedError


def keys_stream(user_id: str) -> str:
    """Return the name of the stream that has a user's keys and links to encrypted rooms."""
    return f"keys/{user_id}"
