"""
One device: its keys at the server, and what other devices send to it.

The order of things, so that a crash between any two of them loses nothing: keys are written
down before they are published, and published again as the same bytes; a ratchet is written down
before what it encrypted is sent; what came of a message and how far the inbox was read are one
step of the store.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import anyio
import msgspec

from ..clock import Clock
from ..errors import Conflict, HubbubError, NotAllowed, NotFound, OtherDevices
from ..ids import Ids
from ..keys.device import SealedBody, UserKeys
from ..keys.events import (
    DeviceKeys,
    DeviceRemoved,
    KeyClaimed,
    SignedDevice,
    SignedKey,
    UserKeySet,
)
from ..rosters import keys_stream
from ..session import Session
from ..wake_up import WakeUp
from .disk import Disk
from .identity import UserKey
from .inbox import ContentHandler, DeviceInbox
from .olm import ONE_TIME_KEYS, DeviceAddress, Olm
from .payloads import AskAgain, Content, DevicePayload
from .store import RowChange
from .trust import Trust

__all__ = ["OwnDevice"]

logger = logging.getLogger("hubbub.encryption")

# One-time keys are made when there are fewer than this.
STOCK_MIN = 25
# How long a fallback key is used, in seconds. After a shorter time a device that has claimed it
# might not have written yet.
FALLBACK_SECONDS = 7 * 24 * 3_600.0
# How often a new session with one device is begun because a message could not be read.
AGAIN_SECONDS = 3_600.0
# Users whose devices one call lists, and devices that one call writes to.
USERS_AT_ONCE = 100
DEVICES_AT_ONCE = 50
# Characters of ciphertext in one call.
CHARS_AT_ONCE = 40_000


class Publication(msgspec.Struct, frozen=True):
    """Keys that were written down and perhaps not published yet, with the key of the call."""

    key: str
    one_time: dict[str, SignedKey]
    fallback: tuple[str, SignedKey] | None


class OwnDevice:
    """
    A device of the session's user.

    Args:
        session: the session, which this device's calls go through.
        disk: what the device keeps.
        ids: where new ids come from.
        clock: where time comes from.
        trust: whose keys are believed.
        handle: takes the messages of other devices.
        new_id: the id of the device, if it is a new one.
    """

    def __init__(  # noqa: PLR0913
        self,
        session: Session,
        disk: Disk,
        ids: Ids,
        clock: Clock,
        trust: Trust,
        handle: ContentHandler,
        new_id: str,
    ) -> None:
        self._session = session
        self._disk = disk
        self._ids = ids
        self._clock = clock
        self._trust = trust
        store = disk.store
        self.olm = Olm(store)
        self.user = session.user.id
        self.id = (store.get("meta", "device") or new_id.encode()).decode()
        seed = store.get("meta", "user_key")
        self.user_key = None if seed is None else UserKey(seed)
        self.signed: SignedDevice | None = None
        self._fallback_at = float(store.get("meta", "fallback_at") or b"0")
        pending = store.get("meta", "pending")
        self._pending = None if pending is None else msgspec.json.decode(pending, type=Publication)
        self._generation = int(store.get("meta", "generation") or b"0")
        self._opening = store.get("meta", "opening")
        self._again_at: dict[DeviceAddress, float] = {}
        self.inbox = DeviceInbox(session, disk, self.olm, self.id, trust, handle, self.devices_of)
        self.inbox.on_stuck = self._note_stuck
        # Devices of which a message could not be read.
        self._stuck: dict[DeviceAddress, None] = {}
        self._is_stuck = WakeUp()
        self._replenishing = anyio.Lock()
        self._sending = anyio.Lock()

    @property
    def address(self) -> DeviceAddress:
        """The ids of the user and of the device."""
        return self.user, self.id

    @property
    def journal(self) -> str:
        """The journal that the device belongs to."""
        return self._session.journal_id

    # At the server.

    async def register(self, name: str, *, replace: bool = False) -> None:
        """
        Add the device at the server, if it is not there, and publish its keys.

        Args:
            name: what the user calls the device.
            replace: True if other devices with another user key are removed.
        """
        if self.user_key is None:
            self.user_key = await self._first_user_key(replace=replace)
        keys = DeviceKeys(
            self.user, self.id, self._session.journal_id, self.olm.ed25519, self.olm.curve25519
        )
        self.signed = self.user_key.signed_device(keys, self.olm.account)
        await self._disk.write(
            [
                RowChange("meta", "device", self.id.encode()),
                RowChange("meta", "user_key", self.user_key.seed),
                self.olm.kept_account(),
            ]
        )
        try:
            await self._session.keys.add_device(
                self.id,
                name,
                self.signed,
                self.user_key.public,
                replace=replace,
                key=f"{self.id}.add",
            )
        except (NotFound, Conflict) as error:
            if self._generation:
                raise removed() from error
            raise
        await self._open()
        await self._trust.mark_verified(self.user, self.user_key.public)
        await self.replenish()

    async def replenish(self) -> None:
        """Publish the pending keys, and then new ones if few are left."""
        async with self._replenishing:
            if self._pending is not None:
                await self._publish(self._pending)
            stock = await self._session.keys.publish(self.id, {})
            now = self._clock.now().timestamp()
            rotates = now - self._fallback_at >= FALLBACK_SECONDS
            if stock >= STOCK_MIN and not rotates:
                return
            # The account is written down with its new keys, marked as published, and they with it.
            one_time = self.olm.new_keys(self.id, stock)
            fallback = self.olm.new_fallback(self.id) if rotates else None
            self.olm.account.mark_keys_as_published()
            pending = self._pending = Publication(self._ids.new(), one_time, fallback)
            if rotates:
                self._fallback_at = now
            await self._disk.write(
                [
                    self.olm.kept_account(),
                    RowChange("meta", "pending", msgspec.json.encode(pending)),
                    RowChange("meta", "fallback_at", str(self._fallback_at).encode()),
                ]
            )
            await self._publish(pending)

    async def ask_again(self) -> None:
        """Ask devices for their keys again when a message of theirs could not be read."""
        while True:
            await self._is_stuck.wait()
            while self._stuck:
                await self._ask_again(self._stuck.popitem()[0])

    async def rotate_fallback(self) -> None:
        """Make another fallback key each week, as long as the session lasts."""
        while True:
            age = self._clock.now().timestamp() - self._fallback_at
            await anyio.sleep(max(0.0, FALLBACK_SECONDS - age))
            await self.replenish()

    async def devices_of(self, users: Sequence[str]) -> dict[DeviceAddress, DeviceKeys]:
        """Return the devices of users that the users' keys have signed."""
        found: dict[str, UserKeys] = {}
        for at in range(0, len(users), USERS_AT_ONCE):
            found |= await self._session.keys.devices(list(users[at : at + USERS_AT_ONCE]))
        return await self._trust.see(found)

    # Messages between devices.

    async def send(
        self,
        contents: Mapping[DeviceAddress, Content],
        known: Mapping[DeviceAddress, DeviceKeys],
        *,
        fresh: bool = False,
    ) -> set[DeviceAddress]:
        """
        Send a message to each of some devices; return the devices that got one.

        Args:
            contents: a message for each device.
            known: the devices' keys, as they are believed; others are passed over.
            fresh: True to begin a new session with each of them.
        """
        assert self.signed is not None
        async with self._sending:
            wanted = [address for address in contents if address in known]
            await self._begin_sessions(
                [one for one in wanted if fresh or not self.olm.has_session(one)], known
            )
            sealed = {
                address: self._sealed(address, known[address], contents[address])
                for address in wanted
                if self.olm.has_session(address)
            }
            await self._disk.write([self.olm.kept(address) for address in sealed])
            refused: list[HubbubError] = []
            async with anyio.create_task_group() as tasks:
                for part in parts_of(sealed):
                    tasks.start_soon(self._deliver, part, refused)
            if refused:
                raise refused[0]
            return set(sealed)

    async def follow_keys(self) -> None:
        """
        Make new one-time keys when others have claimed most of those there are.

        Raises:
            NotAllowed: the user has removed this device.
        """
        claimed = 0
        async with self._session.follow(keys_stream(self.user)) as events:
            async for event in events:
                match event.data:
                    case KeyClaimed(device) if device == self.id:
                        claimed += 1
                    case DeviceRemoved(device) if device == self.id:
                        raise removed()
                    case UserKeySet():
                        raise removed()
                if claimed > ONE_TIME_KEYS - STOCK_MIN:
                    claimed = 0
                    await self.replenish()

    async def _first_user_key(self, *, replace: bool) -> UserKey:
        known = await self._session.keys.devices([self.user])
        if known and known[self.user].devices and not replace:
            raise OtherDevices(
                "You have other devices. Restore this one with your recovery key, or remove them "
                "all with replace=True: then others must trust your new key."
            )
        return UserKey()

    async def _open(self) -> None:
        number = self._generation + 1
        if self._opening is None:
            self._opening = self._ids.new().encode()
            await self._disk.write([RowChange("meta", "opening", self._opening)])
        try:
            await self._session.keys.open(self.id, number, key=self._opening.decode())
        except NotFound as error:
            raise removed() from error
        generation = RowChange("meta", "generation", str(number).encode())
        await self._disk.write([generation, RowChange("meta", "opening", None)])
        self._generation, self._opening = number, None

    async def _publish(self, pending: Publication) -> None:
        try:
            await self._session.keys.publish(
                self.id, pending.one_time, pending.fallback, key=pending.key
            )
        except Conflict:
            # They were published, so long ago that the server has forgotten the call's key.
            logger.info("one-time keys of an earlier run had been published")
        self._pending = None
        await self._disk.write([RowChange("meta", "pending", None)])

    async def _begin_sessions(
        self, wanted: Sequence[DeviceAddress], known: Mapping[DeviceAddress, DeviceKeys]
    ) -> None:
        for at in range(0, len(wanted), DEVICES_AT_ONCE):
            part = wanted[at : at + DEVICES_AT_ONCE]
            names = ["/".join(address) for address in part]
            claimed = await self._session.keys.claim(names, key=self._ids.new())
            for name, address in zip(names, part, strict=True):
                key = claimed.get(name)
                if key is None or not self.olm.begin(address, known[address], key):
                    logger.warning("no session with a device could begin: it has no key of its own")

    def _sealed(self, address: DeviceAddress, keys: DeviceKeys, content: Content) -> SealedBody:
        assert self.signed is not None
        journal = self._session.journal_id
        payload = DevicePayload(self.signed, *address, keys.ed25519, journal, content)
        return self.olm.encrypt(address, msgspec.json.encode(payload))

    async def _deliver(
        self, sealed: Mapping[DeviceAddress, SealedBody], refused: list[HubbubError]
    ) -> None:
        named = {"/".join(address): body for address, body in sealed.items()}
        try:
            await self._session.keys.deliver(self.id, named, key=self._ids.new())
        except HubbubError as error:
            refused.append(error)

    def _note_stuck(self, sender: DeviceAddress) -> None:
        self._stuck[sender] = None
        self._is_stuck.set()

    async def _ask_again(self, sender: DeviceAddress) -> None:
        now = self._clock.monotonic()
        if now - self._again_at.get(sender, float("-inf")) < AGAIN_SECONDS:
            return
        try:
            known = await self.devices_of([sender[0]])
            await self.send({sender: AskAgain()}, known, fresh=True)
            self._again_at[sender] = now
        except HubbubError as error:
            # The next unreadable message of the device asks again.
            logger.warning("the request for a device's keys failed: %s", error)


def removed() -> NotAllowed:
    """Return the error of a device that its user has removed."""
    return NotAllowed(
        "This device was removed. Give another key store, with your recovery key, to add a new one."
    )


def parts_of(sealed: Mapping[DeviceAddress, SealedBody]) -> list[dict[DeviceAddress, SealedBody]]:
    """Split messages into calls that fit a frame."""
    parts: list[dict[DeviceAddress, SealedBody]] = []
    room = 0
    for address, body in sealed.items():
        if not parts or len(parts[-1]) == DEVICES_AT_ONCE or room < len(body.body):
            parts.append({})
            room = CHARS_AT_ONCE
        parts[-1][address] = body
        room -= len(body.body)
    return parts
