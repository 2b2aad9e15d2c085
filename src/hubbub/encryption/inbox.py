"""
The messages of other devices: the inbox reads each of them once, whatever is cancelled.

Olm decrypts a message once only. So nothing can come between that and the step of the store that
has what came of it, the ratchet after it, and how far the inbox was read.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

import anyio
import msgspec

from ..errors import HubbubError
from ..journal.event import Event
from ..keys.events import SealedKey, SignedDevice
from ..keys.state import device_stream
from ..session import Session
from .disk import Disk
from .identity import decoded
from .olm import DeviceAddress, Olm
from .payloads import Content, DevicePayload
from .store import RowChange
from .trust import Trust

__all__ = ["ContentHandler", "DeviceInbox"]

logger = logging.getLogger("hubbub.encryption")

# Is given the sender, the user key that has signed the sender's device, and the content; the key
# is empty if it is not known. Returns the changes to store.
ContentHandler = Callable[[DeviceAddress, str, Content], Sequence[RowChange]]


class Stranger(msgspec.Struct, frozen=True):
    """
    A message that was decrypted, and waits until the server has said who its sender is.

    Args:
        user: the sender's.
        device: the sender's.
        signed: the sender's keys, as the sender says.
        content: what it says.
    """

    user: str
    device: str
    signed: SignedDevice
    content: Content


class DeviceInbox:
    """
    The inbox of one device.

    Args:
        session: the session of its user.
        disk: what the device keeps.
        olm: decrypts.
        device_id: the device's id.
        trust: whose keys are believed.
        handle: takes what other devices say; it waits for nothing.
        look_up: asks the server for the devices of users.
    """

    def __init__(  # noqa: PLR0913
        self,
        session: Session,
        disk: Disk,
        olm: Olm,
        device_id: str,
        trust: Trust,
        handle: ContentHandler,
        look_up: Callable[[Sequence[str]], Awaitable[object]],
    ) -> None:
        self._session = session
        self._disk = disk
        self._olm = olm
        self._address = session.user.id, device_id
        self._stream = device_stream(*self._address)
        self._trust = trust
        self._handle = handle
        self._look_up = look_up
        self._cursor = int(disk.store.get("meta", "cursor") or b"0")
        self._strangers = {
            name: msgspec.json.decode(kept, type=Stranger)
            for name, kept in sorted(disk.store.all("stranger").items())
        }
        self._lock = anyio.Lock()
        # Called with each device whose message no session can read.
        self.on_stuck: Callable[[DeviceAddress], None]

    async def follow(self) -> None:
        """Take in what other devices send, as long as the session lasts."""
        async with self._session.follow(self._stream, after=self._cursor) as events:
            async for event in events:
                await self._take([event])

    async def catch_up(self) -> None:
        """Read everything that was sent so far: a key arrives before its first message."""
        while events := await self._session.read(self._stream, after=self._cursor):
            await self._take(events)
        if self._strangers:
            await self._take(())

    async def _take(self, events: Sequence[Event]) -> None:
        async with self._lock:
            new = [event for event in events if event.seq > self._cursor]
            if new:
                with anyio.CancelScope(shield=True):
                    await self._take_in(new)
            await self._meet_strangers()

    async def _take_in(self, events: Sequence[Event]) -> None:
        changes: list[RowChange] = []
        senders: dict[DeviceAddress, None] = {}
        for event in events:
            if not isinstance(event.data, SealedKey):
                continue
            sender = event.by, event.data.from_device
            plaintext = self._olm.decrypt(sender, event.data)
            if plaintext is None:
                self.on_stuck(sender)
                continue
            senders[sender] = None
            changes += self._opened(event.seq, sender, event.data.sender_key, plaintext)
        cursor = events[-1].seq
        changes += map(self._olm.kept, senders)
        changes += self._olm.kept_account(), RowChange("meta", "cursor", str(cursor).encode())
        await self._disk.write(changes)
        self._cursor = cursor

    def _opened(
        self, seq: int, sender: DeviceAddress, sender_key: str, plaintext: bytes
    ) -> Sequence[RowChange]:
        payload = decoded(DevicePayload, plaintext)
        if payload is None or not self._is_for_me(payload, sender_key):
            return ()
        if signer := self._trust.signer(payload.sender, *sender):
            return self._handle(sender, signer, payload.content)
        # It may be of a user, or signed with a key, that was not seen before.
        stranger = Stranger(*sender, payload.sender, payload.content)
        name = f"{seq:016}"
        self._strangers[name] = stranger
        return [RowChange("stranger", name, msgspec.json.encode(stranger))]

    async def _meet_strangers(self) -> None:
        for name, stranger in list(self._strangers.items()):
            try:
                await self._look_up([stranger.user])
            except HubbubError as error:
                logger.warning("a device that has written could not be looked up: %s", error)
                return
            sender = stranger.user, stranger.device
            signer = self._trust.signer(stranger.signed, *sender)
            changes = self._handle(sender, signer, stranger.content)
            with anyio.CancelScope(shield=True):
                await self._disk.write([*changes, RowChange("stranger", name, None)])
            del self._strangers[name]

    def _is_for_me(self, payload: DevicePayload, sender_key: str) -> bool:
        return (
            payload.sender.keys.curve25519 == sender_key
            and (payload.user, payload.device) == self._address
            and payload.device_key == self._olm.ed25519
            and payload.journal == self._session.journal_id
        )
