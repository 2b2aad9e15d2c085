"""Megolm sessions: each encrypts one device's messages in one room. No I/O."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from math import inf
from typing import NamedTuple

import msgspec
import vodozemac as vz

from ..chat.events import Said, SealedChange, SealedMessage
from ..journal.event import Event
from ..wire.messages import UNREADABLE
from .identity import canonical
from .olm import PICKLE_KEY, DeviceAddress
from .payloads import RoomContent, RoomPayload

__all__ = ["Inbound", "KeptInbound", "MessageRefused", "Outbound", "Read", "session_name"]

# Names of sessions that are remembered: nearly every message has that of the one before.
NAMES_MAX = 1_024

_decode_payload = msgspec.json.Decoder(RoomPayload).decode
_encode = msgspec.json.Encoder().encode


class Outbound:
    """
    A session that this device encrypts with. It is never written down: after a restart there is
    a new one, so that no state is used twice.

    Args:
        room: the room's stream.
        journal: the journal's id.
        made_at: UTC.
    """

    __slots__ = ("_group", "_journal", "_room", "again_at", "made_at", "roster", "shared")

    def __init__(self, room: str, journal: str, made_at: datetime) -> None:
        self._group = vz.GroupSession()
        self._room = room
        self._journal = journal
        self.made_at = made_at
        # The devices that have the key, and from which index on.
        self.shared: dict[DeviceAddress, int] = {}
        # The roster of the room that exactly these devices are.
        self.roster = -1
        # When it is shared again with those devices that had no key, by the monotonic clock.
        self.again_at = inf

    @property
    def id(self) -> str:
        """The session's id."""
        return self._group.session_id

    @property
    def count(self) -> int:
        """How many messages it has encrypted."""
        return self._group.message_index

    @property
    def key(self) -> str:
        """The key that reads the session from the present index on."""
        return self._group.session_key.to_base64()

    def encrypt(self, data: RoomContent, ref: int | None = None) -> str:
        """Encrypt a message, or a change of the message ``ref``."""
        payload = RoomPayload(self._room, self._journal, data, ref)
        return self._group.encrypt(_encode(payload)).to_base64()


class KeptInbound(msgspec.Struct, frozen=True):
    """
    How a session that reads is written down.

    Args:
        pickle: the session.
        user: whose messages it reads.
        device: of which device.
        room: in which room's stream.
        signer: the user key that had signed the device; empty if none is known.
    """

    pickle: str
    user: str
    device: str
    room: str
    signer: str


class Read(NamedTuple):
    """A decrypted event."""

    data: RoomContent
    position: int


class MessageRefused(Exception):
    """An event cannot be read; ``reason`` as in :class:`Unreadable`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Inbound:
    """
    A session that reads another device's messages, or this device's own.

    Args:
        session: vodozemac's.
        owner: the device whose messages it reads.
        room: in which room's stream.
        signer: the user key that had signed the device.
    """

    __slots__ = ("owner", "room", "session", "signer")

    def __init__(
        self, session: vz.InboundGroupSession, owner: DeviceAddress, room: str, signer: str
    ) -> None:
        self.session = session
        self.owner = owner
        self.room = room
        self.signer = signer

    @classmethod
    def of_key(
        cls, key: str, owner: DeviceAddress, room: str, signer: str, *, exported: bool
    ) -> Inbound:
        """
        Make a session of a key that was handed over.

        Raises:
            ValueError: it is no such key.
        """
        session = (
            vz.InboundGroupSession.import_session(vz.ExportedSessionKey(key))
            if exported
            else vz.InboundGroupSession(vz.SessionKey(key))
        )
        return cls(session, owner, room, signer)

    @classmethod
    def of_kept(cls, value: bytes) -> Inbound:
        """Make a session from its stored form."""
        kept = msgspec.json.decode(value, type=KeptInbound)
        session = vz.InboundGroupSession.from_pickle(kept.pickle, PICKLE_KEY)
        return cls(session, (kept.user, kept.device), kept.room, kept.signer)

    @property
    def id(self) -> str:
        """The session's id."""
        return self.session.session_id

    @property
    def name(self) -> str:
        """The name of the session of this owner; see :func:`session_name`."""
        return session_name(self.id, self.owner)

    def kept(self) -> bytes:
        """Return its stored form."""
        pickle = self.session.pickle(PICKLE_KEY)
        return msgspec.json.encode(KeptInbound(pickle, *self.owner, self.room, self.signer))

    def improves(self, other: Inbound | None) -> bool:
        """Tell whether it reads more of the same session than another, which may be none."""
        if other is None:
            return True
        same = (self.owner, self.room) == (other.owner, other.room)
        return same and (
            self.session.first_known_index < other.session.first_known_index
            or (not other.signer and bool(self.signer))
        )

    def exported(self, index: int | None = None) -> str:
        """Return the key that reads the session from an index on; by default, from its first."""
        first = self.session.first_known_index
        key = self.session.export_at(first if index is None else max(index, first))
        assert key is not None
        return key.to_base64()

    def read(self, event: Event, journal: str) -> Read:
        """
        Decrypt an event of a room.

        Raises:
            MessageRefused: it was altered, moved, or is of somebody else.
        """
        sealed = event.data
        assert isinstance(sealed, SealedMessage | SealedChange)
        if self.room != event.stream:
            raise MessageRefused("readdressed")
        if self.owner != (event.by, sealed.device):
            raise MessageRefused("forged")
        try:
            message = vz.MegolmMessage.from_base64(sealed.body)
            if message.message_index() < self.session.first_known_index:
                raise MessageRefused("no_key")
            found = self.session.decrypt(message)
            payload = _decode_payload(found.plaintext)
        except (ValueError, *UNREADABLE) as error:
            raise MessageRefused("altered") from error
        if (payload.room, payload.journal, payload.ref) != (event.stream, journal, event.ref):
            raise MessageRefused("readdressed")
        if isinstance(payload.data, Said) != isinstance(sealed, SealedMessage):
            raise MessageRefused("altered")
        return Read(payload.data, found.message_index)


@lru_cache(maxsize=NAMES_MAX)
def session_name(session: str, owner: DeviceAddress) -> str:
    """
    Return what names a session of a device, wherever it is kept.

    A user who has a session's key can hand it over as their own; that replaces no other session.
    """
    return hashlib.sha256(canonical([session, *owner])).hexdigest()
