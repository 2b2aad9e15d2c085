"""Trust: the device remembers the key of each user at first sight, or verifies it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from ..errors import Untrusted
from ..keys.device import UserKeys
from ..keys.events import DeviceKeys, SignedDevice
from .disk import Disk
from .identity import believed_device, fingerprint_of
from .store import RowChange

__all__ = ["CHECKED_MAX", "Believed", "Trust", "TrustPolicy"]

# Devices whose signatures are remembered; at this many all are forgotten.
CHECKED_MAX = 20_000

TrustPolicy = Literal["first_use", "verified"]


class Believed(msgspec.Struct, frozen=True):
    """
    The trusted key of a user.

    Args:
        key: the user's key.
        verified: True if the key was compared with the user.
        offered: another key that the server names, until you accept it; else empty.
    """

    key: str
    verified: bool = False
    offered: str = ""


class Trust:
    """
    The keys of users, as this device believes them.

    Args:
        policy: ``first_use`` believes a key at first sight; ``verified`` sends to verified
            users only.
        own: the user whose device this is.
        journal: the journal's id.
        disk: where it is kept.
    """

    def __init__(self, policy: TrustPolicy, own: str, journal: str, disk: Disk) -> None:
        self._policy = policy
        self._own = own
        self._journal = journal
        self._disk = disk
        # Devices whose signatures were checked: what was signed, by which key, and the outcome.
        self._checked: dict[tuple[str, str], tuple[SignedDevice, str, DeviceKeys | None]] = {}
        kept = disk.store.all("user")
        self._users = {name: msgspec.json.decode(kept[name], type=Believed) for name in kept}

    def of(self, user: str) -> Believed | None:
        """Return what is believed of a user; None if they were never seen."""
        return self._users.get(user)

    def fingerprint(self, user: str) -> str:
        """Return a user's key as people compare it; nothing if it is not known."""
        found = self._users.get(user)
        return fingerprint_of(found.key) if found is not None else ""

    async def see(self, keys: Mapping[str, UserKeys]) -> dict[tuple[str, str], DeviceKeys]:
        """
        Take the server's word for nothing: return those devices that their users have signed.

        A key that is seen for the first time is remembered; another one is noted, not believed.
        """
        for user, offered in keys.items():
            await self._see(user, offered.user_key)
        return {
            (user, device): believed
            for user, offered in keys.items()
            for device, signed in offered.devices.items()
            if (believed := self.believes(signed, user, device)) is not None
        }

    def believes(self, signed: SignedDevice, user: str, device: str) -> DeviceKeys | None:
        """Return a device's keys if the user's key, as it is known, has signed them."""
        found = self._users.get(user)
        if found is None:
            return None
        before = self._checked.get((user, device))
        if before is not None and before[:2] == (signed, found.key):
            # Two signatures of each device are dear, and a large room has many devices.
            return before[2]
        believed = believed_device(signed, user, device, found.key, self._journal)
        if len(self._checked) >= CHECKED_MAX:
            self._checked.clear()
        self._checked[user, device] = (signed, found.key, believed)
        return believed

    def signer(self, signed: SignedDevice, user: str, device: str) -> str:
        """Return which key of a user has signed a device: known or offered; else nothing."""
        found = self._users.get(user)
        keys = (found.key, found.offered) if found is not None else ()
        for key in filter(None, keys):
            if believed_device(signed, user, device, key, self._journal) is not None:
                return key
        return ""

    def check_sending(self, users: Iterable[str]) -> None:
        """
        Return if it may be encrypted for some users.

        Raises:
            Untrusted: a user's key has changed, or was not verified.
        """
        for user in users:
            found = self._users.get(user)
            if found is None or user == self._own:
                continue
            if found.offered:
                raise Untrusted(
                    f"The key of {user} has changed. Ask them whether they have a new key, and "
                    f"compare fingerprints; then call accept({user!r})."
                )
            if self._policy == "verified" and not found.verified:
                raise Untrusted(f"You have not verified {user}; call verify({user!r}).")

    async def remember(self, user: str, key: str) -> None:
        """Believe a key that a former device of yours believed, if the user was never seen."""
        if key and user not in self._users:
            await self._keep(user, Believed(key))

    async def accept(self, user: str) -> None:
        """Believe the key that the server names for a user from now on; it is not verified."""
        found = self._users.get(user)
        if found is not None and found.offered:
            await self._keep(user, Believed(found.offered))

    async def mark_verified(self, user: str, key: str) -> None:
        """Note that a user's key was compared."""
        await self._keep(user, Believed(key, verified=True))

    async def _see(self, user: str, key: str) -> None:
        found = self._users.get(user)
        if found is None:
            await self._keep(user, Believed(key))
        elif key not in (found.key, found.offered):
            await self._keep(user, msgspec.structs.replace(found, offered=key))
        elif key == found.key and found.offered:
            await self._keep(user, msgspec.structs.replace(found, offered=""))

    async def _keep(self, user: str, believed: Believed) -> None:
        await self._disk.write([RowChange("user", user, msgspec.json.encode(believed))])
        self._users[user] = believed
