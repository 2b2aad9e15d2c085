"""
One device's Olm account and its sessions with other devices: they hand over keys, no more.

A session's ratchet is written down before what it encrypted is sent, so that no state is used
twice. Several sessions with one device may stand beside each other, for both sides may begin at
once; the one that has received last is used.
"""

from __future__ import annotations

from typing import Any

import msgspec
import vodozemac as vz

from ..keys.device import OneTimeKey, SealedBody
from ..keys.events import DeviceKeys, SealedKey, SignedKey
from .encoding import from_base64, to_base64
from .identity import believed_key, one_time_message
from .store import KeyStore, RowChange

__all__ = ["ONE_TIME_KEYS", "SESSIONS_MAX", "DeviceAddress", "Olm"]

# A user's id and a device's.
DeviceAddress = tuple[str, str]

# One-time keys that a device keeps in stock; vodozemac keeps the private halves of so many.
ONE_TIME_KEYS = 50
# Sessions with one device that are kept, the last used first.
SESSIONS_MAX = 4
# The store seals what vodozemac pickles; this key protects nothing.
PICKLE_KEY = bytes(32)


class Olm:
    """
    An account and its sessions.

    Args:
        store: what was kept of them; a new account is made where nothing was.
    """

    def __init__(self, store: KeyStore) -> None:
        kept = store.get("meta", "account")
        self.account = (
            vz.Account() if kept is None else vz.Account.from_pickle(kept.decode(), PICKLE_KEY)
        )
        self._sessions: dict[DeviceAddress, list[vz.Session]] = {}
        for name, value in store.all("olm").items():
            pickles = msgspec.json.decode(value, type=list[str])
            sessions = [vz.Session.from_pickle(pickle, PICKLE_KEY) for pickle in pickles]
            self._sessions[address_of(name)] = sessions

    @property
    def curve25519(self) -> str:
        """The key that others open sessions to."""
        return self.account.curve25519_key.to_base64()

    @property
    def ed25519(self) -> str:
        """The key that the device signs with."""
        return self.account.ed25519_key.to_base64()

    def kept_account(self) -> RowChange:
        """Return the account as a row."""
        return RowChange("meta", "account", self.account.pickle(PICKLE_KEY).encode())

    def kept(self, address: DeviceAddress) -> RowChange:
        """Return the sessions with a device as a row."""
        pickles = [one.pickle(PICKLE_KEY) for one in self._sessions.get(address, ())]
        value = msgspec.json.encode(pickles) if pickles else None
        return RowChange("olm", "/".join(address), value)

    def new_keys(self, device: str, stock: int) -> dict[str, SignedKey]:
        """Make as many one-time keys as are missing, and return those not published yet."""
        if stock < ONE_TIME_KEYS:
            self.account.generate_one_time_keys(ONE_TIME_KEYS - stock)
        keys = {number_of(one): key for one, key in self.account.one_time_keys.items()}
        return {one: self._signed(key, device) for one, key in sorted_by_number(keys)}

    def new_fallback(self, device: str) -> tuple[str, SignedKey]:
        """Make another fallback key; the one before is good until the next."""
        # These are missing in vodozemac's stubs.
        account: Any = self.account
        account.generate_fallback_key()
        [(one, key)] = account.fallback_key.items()
        return number_of(one), self._signed(key, device)

    def has_session(self, address: DeviceAddress) -> bool:
        """Tell whether there is a session with a device."""
        return bool(self._sessions.get(address))

    def begin(self, address: DeviceAddress, keys: DeviceKeys, claimed: OneTimeKey) -> bool:
        """Begin a session with a device by one of its keys; False if the key is not its own."""
        one_time = believed_key(claimed.key, keys)
        if one_time is None:
            return False
        try:
            identity = vz.Curve25519PublicKey.from_base64(keys.curve25519)
            session = self.account.create_outbound_session(identity, one_time)
        except ValueError:
            # A key that is no point, or a point of small order, is nobody's.
            return False
        self._put_first(address, session)
        return True

    def encrypt(self, address: DeviceAddress, plaintext: bytes) -> SealedBody:
        """Encrypt something for a device that there is a session with."""
        kind, body = self._sessions[address][0].encrypt(plaintext).to_parts()
        return SealedBody(kind, to_base64(body))

    def decrypt(self, sender: DeviceAddress, sealed: SealedKey) -> bytes | None:
        """Decrypt what a device has sent; None if no session, old or new, can read it."""
        try:
            message = vz.AnyOlmMessage.from_parts(sealed.kind, from_base64(sealed.body))
        except ValueError:
            return None
        for session in self._sessions.get(sender, ()):
            try:
                plaintext = session.decrypt(message)
            except vz.OlmDecryptionException:
                continue
            self._put_first(sender, session)
            return plaintext
        return self._decrypt_first(sender, sealed, message)

    def _decrypt_first(
        self, sender: DeviceAddress, sealed: SealedKey, message: vz.AnyOlmMessage
    ) -> bytes | None:
        first = message.to_pre_key()
        if first is None:
            return None
        try:
            key = vz.Curve25519PublicKey.from_base64(sealed.sender_key)
            session, plaintext = self.account.create_inbound_session(key, first)
        except ValueError:
            return None
        self._put_first(sender, session)
        return plaintext

    def _put_first(self, address: DeviceAddress, session: vz.Session) -> None:
        others = [one for one in self._sessions.get(address, ()) if one is not session]
        self._sessions[address] = [session, *others][:SESSIONS_MAX]

    def _signed(self, key: vz.Curve25519PublicKey, device: str) -> SignedKey:
        text = key.to_base64()
        signature = self.account.sign(one_time_message(text, device))
        return SignedKey(text, signature.to_base64())


def address_of(name: str) -> DeviceAddress:
    """Return the user and the device of ``USER/DEVICE``."""
    user, _, device = name.rpartition("/")
    return user, device


def number_of(key_id: str) -> str:
    """Return vodozemac's id of a key as a number."""
    return str(int.from_bytes(from_base64(key_id), "big"))


def sorted_by_number(
    keys: dict[str, vz.Curve25519PublicKey],
) -> list[tuple[str, vz.Curve25519PublicKey]]:
    """Return keys in the order that they were made in."""
    return sorted(keys.items(), key=lambda item: int(item[0]))
