"""The users that may call the methods of keys, and read its streams. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..permissions import ANYONE, OWN, Grant

__all__ = ["KEYS_GRANTS", "KEYS_READERS"]

OWNER = Grant(("owner",), "A device's keys are read by its user only.")
SHARING = Grant(
    ("sharing",),
    "You share no encrypted room with this user; send a message in one first.",
    but="users who are in an encrypted room with the device's user, and the user's own devices",
)

# A kind of stream -> who may read and follow it.
KEYS_READERS: Mapping[str, Grant] = {"keys": OWNER, "device": OWNER, "backup": OWNER}

# A method -> who may call it.
KEYS_GRANTS: Mapping[str, Grant] = {
    "keys.add_device": OWN,
    "keys.remove_device": OWN,
    "keys.devices": ANYONE,
    "keys.publish": OWN,
    "keys.claim": SHARING,
    "keys.deliver": SHARING,
    "keys.open": OWN,
    "keys.received": OWN,
    "keys.begin_backup": OWN,
    "keys.back_up": OWN,
}
