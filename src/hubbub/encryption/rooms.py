"""
The encrypted rooms of one device: their keys, and the devices that get them.

A message names the roster that it was encrypted for: the seq of the room's last change of
members or devices. If the roster has changed meanwhile, the server refuses the message, and the
device encrypts it again for the present members.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from math import inf
from typing import TypeVar

import anyio

from ..clock import Clock
from ..errors import HubbubError, NotAllowed, RosterChanged
from ..session import Session
from ..wake_up import WakeUp
from .device import OwnDevice
from .disk import Disk
from .megolm import Inbound, Outbound, session_name
from .olm import DeviceAddress
from .payloads import AskAgain, Content, RoomContent, RoomKey
from .room_log import RoomKeys, RoomLog
from .store import RowChange
from .trust import Trust

__all__ = ["EncryptedRooms", "Rotation"]

T = TypeVar("T")

logger = logging.getLogger("hubbub.encryption")

# How often a message is encrypted because its roster has changed.
TRIES_MAX = 5
# After this time a message is shared again with devices that had no one-time key.
KEYLESS_SECONDS = 600.0
# A device gets its keys again at most once in this time, however often it asks.
ANSWER_SECONDS = 600.0


class Rotation:
    """
    When a device encrypts with a new session, besides when a member or a device is gone.

    Args:
        messages: after so many messages.
        seconds: after so long.
    """

    def __init__(self, messages: int = 100, seconds: float = 7 * 24 * 3_600.0) -> None:
        self.messages = messages
        self.age = timedelta(seconds=seconds)


class EncryptedRooms:
    """
    The rooms, their logs and their sessions.

    Args:
        session: the user's session.
        disk: what the device keeps.
        clock: where time comes from.
        trust: whose keys are believed.
        rotation: when sessions are replaced.
        keep_keys: False to forget the keys of messages that were read.
    """

    def __init__(  # noqa: PLR0913
        self,
        session: Session,
        disk: Disk,
        clock: Clock,
        trust: Trust,
        rotation: Rotation,
        *,
        keep_keys: bool,
    ) -> None:
        self._session = session
        self._disk = disk
        self._clock = clock
        self._trust = trust
        self._rotation = rotation
        self._keep_keys = keep_keys
        self.device: OwnDevice
        self._inbound = {
            name: Inbound.of_kept(value) for name, value in disk.store.all("inbound").items()
        }
        # The ids of the sessions, which may be of several owners.
        self._ids = {inbound.id for inbound in self._inbound.values()}
        # Devices that could not read what they were sent.
        self._asking: dict[DeviceAddress, None] = {}
        self._has_asked = WakeUp()
        self._answered_at: dict[DeviceAddress, float] = {}
        self._kept_rooms = disk.store.all("room")
        self._outbound: dict[str, Outbound] = {}
        self._locks: dict[str, anyio.Lock] = {}
        self._logs: dict[str, RoomLog] = {}
        # Called for each session whose key has arrived, and for each new one.
        self.on_key: Callable[[Inbound], None] = lambda inbound: None

    def log(self, stream: str) -> RoomLog:
        """Return the log of a room."""
        found = self._logs.get(stream)
        if found is None:
            keys = RoomKeys(
                self._reader, self._ids, self._believes, self.device.inbox.catch_up, self._used
            )
            kept = self._kept_rooms.pop(stream, None)
            found = self._logs[stream] = RoomLog(self._session, stream, self._disk, keys, kept)
        return found

    async def send(
        self,
        stream: str,
        data: RoomContent,
        ref: int | None,
        deliver: Callable[[str, str, int], Awaitable[T]],
    ) -> T:
        """
        Encrypt something for a room, and send it.

        Args:
            stream: the room's stream.
            data: what to say.
            ref: the seq of the message that it is about, or None.
            deliver: is given a session, a ciphertext and a roster, and sends them.

        Raises:
            Untrusted: a member's key has changed, or was not verified.
            HubbubError: what ``deliver`` raises.
        """
        log, tries = self.log(stream), 0
        while True:
            tries, roster = tries + 1, log.state.roster
            try:
                outbound = self._current(stream)
                if outbound is None:
                    async with self._locks.setdefault(stream, anyio.Lock()):
                        outbound = await self._ready(stream)
                # Nothing is waited for between choosing a session and using it.
                body, roster = outbound.encrypt(data, ref), outbound.roster
                return await deliver(outbound.id, body, roster)
            except (RosterChanged, NotAllowed):
                # A member who left meanwhile must not get keys any more.
                await log.sync()
                if tries == TRIES_MAX or log.state.roster == roster:
                    raise

    def take(self, sender: DeviceAddress, signer: str, content: Content) -> Sequence[RowChange]:
        """Take a message of another device about rooms; return the changes to store."""
        match content:
            case RoomKey(room, key, exported):
                try:
                    inbound = Inbound.of_key(key, sender, room, signer, exported=exported)
                except ValueError:
                    return ()
                return self._keep(inbound)
            case AskAgain():
                self._asking[sender] = None
                self._has_asked.set()
        return ()

    def restore(self, inbound: Inbound) -> Sequence[RowChange]:
        """Take a session from a backup; return the changes to store."""
        if not inbound.improves(self._inbound.get(inbound.name)):
            return ()
        self._put(inbound)
        return [RowChange("inbound", inbound.name, inbound.kept())]

    def sessions(self) -> dict[str, Inbound]:
        """Return all sessions that read, by their names."""
        return dict(self._inbound)

    async def answer(self) -> None:
        """Hand keys over once more to devices that could not read them, as they ask."""
        while True:
            await self._has_asked.wait()
            while self._asking:
                await self._share_again(self._asking.popitem()[0])

    def _keep(self, inbound: Inbound) -> Sequence[RowChange]:
        changes = self.restore(inbound)
        if not changes:
            return ()
        self.on_key(inbound)
        # It is neither used nor backed up yet; a crash must not forget that.
        return [*changes, RowChange("fresh", inbound.name, b"")]

    def _put(self, inbound: Inbound) -> None:
        self._inbound[inbound.name] = inbound
        self._ids.add(inbound.id)

    def _reader(self, session: str, owner: DeviceAddress) -> Inbound | None:
        return self._inbound.get(session_name(session, owner))

    def _believes(self, user: str, signer: str) -> bool:
        found = self._trust.of(user)
        return found is not None and signer == found.key

    def _used(self, inbound: Inbound, position: int) -> Sequence[RowChange]:
        if self._keep_keys:
            return ()
        key = inbound.exported(position + 1)
        later = Inbound.of_key(key, inbound.owner, inbound.room, inbound.signer, exported=True)
        self._put(later)
        return [RowChange("inbound", later.name, later.kept())]

    async def _ready(self, stream: str) -> Outbound:
        """Return a session whose key exactly the room's present devices have."""
        log = self.log(stream)
        if not log.cursor:
            await log.sync()
        if (outbound := self._current(stream)) is not None:
            return outbound
        outbound = self._outbound.get(stream)
        roster, members = log.state.roster, list(log.state.roles)
        wanted = await self.device.devices_of(members)
        self._trust.check_sending(members)
        wanted.pop(self.device.address, None)
        if outbound is None or self._old(outbound) or outbound.shared.keys() - wanted.keys():
            outbound = await self._new_session(stream)
        missing = [address for address in wanted if address not in outbound.shared]
        key, index = RoomKey(stream, outbound.key), outbound.count
        sent = await self.device.send(dict.fromkeys(missing, key), wanted)
        outbound.shared |= dict.fromkeys(sent, index)
        outbound.roster = roster
        # Later, the device claims a key again from a device that has none now.
        left_out = wanted.keys() - outbound.shared.keys()
        outbound.again_at = self._clock.monotonic() + KEYLESS_SECONDS if left_out else inf
        return outbound

    def _current(self, stream: str) -> Outbound | None:
        """Return a session that is ready to encrypt for the roster as it is known; else None."""
        outbound = self._outbound.get(stream)
        if outbound is None or outbound.roster != self.log(stream).state.roster:
            return None
        return None if self._due(outbound) else outbound

    def _due(self, outbound: Outbound) -> bool:
        return self._old(outbound) or self._clock.monotonic() >= outbound.again_at

    def _old(self, outbound: Outbound) -> bool:
        age = self._clock.now() - outbound.made_at
        return outbound.count >= self._rotation.messages or age >= self._rotation.age

    async def _new_session(self, stream: str) -> Outbound:
        outbound = Outbound(stream, self._session.journal_id, self._clock.now())
        assert self.device.user_key is not None
        own = Inbound.of_key(
            outbound.key,
            self.device.address,
            stream,
            self.device.user_key.public,
            exported=False,
        )
        # The device reads its own messages, after a restart too.
        await self._disk.write(self._keep(own))
        self._outbound[stream] = outbound
        return outbound

    async def _share_again(self, sender: DeviceAddress) -> None:
        now = self._clock.monotonic()
        if now - self._answered_at.get(sender, -inf) < ANSWER_SECONDS:
            self._forget_sharing(sender)
            return
        try:
            known = await self.device.devices_of([sender[0]])
            for stream, outbound in list(self._outbound.items()):
                if (index := outbound.shared.get(sender)) is None:
                    continue
                self._answered_at[sender] = now
                own = session_name(outbound.id, self.device.address)
                key = self._inbound[own].exported(index)
                await self.device.send({sender: RoomKey(stream, key, exported=True)}, known)
        except HubbubError as error:
            # The device's user may have left all rooms of this user.
            logger.warning("a device could not be given its keys again: %s", error)
            self._forget_sharing(sender)

    def _forget_sharing(self, device: DeviceAddress) -> None:
        """Share sessions with a device once more before the next message."""
        for outbound in self._outbound.values():
            if outbound.shared.pop(device, None) is not None:
                outbound.roster = -1
