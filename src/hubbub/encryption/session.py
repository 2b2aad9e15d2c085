"""A session in which messages are encrypted from end to end."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Self

import anyio
from anyio import AsyncContextManagerMixin, to_thread

from ..chat.rooms.room import ROOM_STREAMS
from ..clock import Clock, SystemClock
from ..errors import Conflict, HubbubError, Overloaded, RateLimited
from ..ids import Ids
from ..journal.event import Event
from ..keys.events import DeviceKeys
from ..session import Session
from ..task_group import open_task_group
from ..wake_up import WakeUp
from .backup import RecoveryKey
from .backups import Backups, Restored
from .chat import EncryptedChat
from .device import OwnDevice
from .disk import Disk
from .following import DecryptedEvents
from .identity import fingerprint_of
from .megolm import Inbound
from .olm import DeviceAddress
from .payloads import AskAgain, Content, RoomKey
from .room_log import RoomLog
from .rooms import EncryptedRooms, Rotation
from .store import KeyStore, RowChange
from .trust import Trust, TrustPolicy
from .verify import Verification, Verifications

__all__ = ["EncryptedSession", "encrypted"]


def encrypted(  # noqa: PLR0913
    session: Session,
    *,
    store: str | Path,
    passphrase: str,
    trust: TrustPolicy = "first_use",
    keep_keys: bool = True,
    recovery_key: str | None = None,
    replace: bool = False,
    device_name: str = "hubbub",
    rotation: Rotation | None = None,
    clock: Clock | None = None,
) -> EncryptedSession:
    """
    Encrypt what a session sends in encrypted rooms, and decrypt what it reads there.

    Use it with ``async with``: what you get has the same methods as the session.

    Args:
        session: of any hub, in the process or over a network.
        store: the file that keeps the device's keys; it is made if it is not there.
        passphrase: opens the file.
        trust: ``first_use`` believes a user's key at first sight, and stops when it changes;
            ``verified`` sends only to users that you have verified.
        keep_keys: False to forget the key of each message once it was read; then history is
            only in this store, and not in the backup.
        recovery_key: restores a new store from the backup; needed if you have other devices.
        replace: True to continue without the recovery key: this removes your other devices, and
            other users must accept your new key.
        device_name: what you call this device; other users do not see it.
        rotation: when messages get a new key.
        clock: where time comes from.

    Raises:
        Conflict: another program has the store open, or it belongs to another user or server.
        OtherDevices: you have other devices, and gave neither a recovery key nor ``replace``.
        StoreTooOld: the store is an older copy of itself.
        Invalid: the passphrase is wrong.
    """
    return EncryptedSession(
        session,
        Path(store),
        passphrase,
        trust,
        keep_keys=keep_keys,
        recovery_key=None if recovery_key is None else RecoveryKey(recovery_key),
        replace=replace,
        device_name=device_name,
        rotation=rotation or Rotation(),
        clock=clock or SystemClock(),
    )


class EncryptedSession(AsyncContextManagerMixin):
    """A session in which messages are encrypted from end to end; see :func:`encrypted`."""

    chat: EncryptedChat

    def __init__(  # noqa: PLR0913
        self,
        session: Session,
        path: Path,
        passphrase: str,
        trust: TrustPolicy,
        *,
        keep_keys: bool,
        recovery_key: RecoveryKey | None,
        replace: bool,
        device_name: str,
        rotation: Rotation,
        clock: Clock,
    ) -> None:
        self._session = session
        self._path = path
        self._passphrase = passphrase
        self._policy = trust
        self._keep_keys = keep_keys
        self._recovery_key = recovery_key
        self._replace = replace
        self._device_name = device_name
        self._rotation = rotation
        self._clock = clock
        self._followers: set[tuple[str, DecryptedEvents]] = set()
        self._came = dict[str, Inbound]()
        self._over: HubbubError | None = None
        self._key_came = WakeUp()

    def __getattr__(self, name: str) -> Any:
        # Encryption does not change the other attributes.
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._session, name)

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        store = await to_thread.run_sync(KeyStore, self._path, self._passphrase)
        try:
            await self._begin(store)
            async with open_task_group() as tasks:
                try:
                    for work in (
                        self._device.inbox.follow,
                        self._device.follow_keys,
                        self._device.rotate_fallback,
                        self._device.ask_again,
                        self._rooms.answer,
                        self._use_new_keys,
                    ):
                        tasks.start_soon(self._run, work, tasks.cancel_scope)
                    yield self
                finally:
                    tasks.cancel_scope.cancel()
            if self._over is not None:
                raise self._over
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(store.close)

    async def _run(self, work: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
        """End the session with the error of one of its tasks, without a group around it."""
        try:
            await work()
        except HubbubError as error:
            self._over = error
            scope.cancel()

    @property
    def fingerprint(self) -> str:
        """Your user key, as you compare it with others."""
        assert self._device.user_key is not None
        return fingerprint_of(self._device.user_key.public)

    def fingerprint_of(self, user_id: str) -> str:
        """Return the key of another user as you compare it; nothing if it is not known."""
        return self._trust.fingerprint(user_id)

    async def devices(self, user_id: str) -> dict[str, DeviceKeys]:
        """Return the devices of a user, by their ids, that the user's key has signed."""
        found = await self._device.devices_of([user_id])
        return {device: keys for (_, device), keys in found.items()}

    @property
    def device_id(self) -> str:
        """This device's id."""
        return self._device.id

    async def remove_device(self, device_id: str) -> None:
        """Remove another of your devices: nothing is encrypted for it from then on."""
        await self._session.keys.remove_device(device_id)

    async def accept(self, user_id: str) -> None:
        """Believe a user's changed key from now on, without having verified it."""
        await self._device.devices_of([user_id])
        await self._trust.accept(user_id)
        known = self._rooms.sessions().values()
        await self._retry([inbound for inbound in known if inbound.owner[0] == user_id])

    def verify(self, user_id: str) -> AbstractAsyncContextManager[Verification]:
        """
        Compare numbers with a user, who does the same at the same time.

        Raises:
            NotFound: the user has no devices.
            Conflict: it took longer than two minutes.
            NotAllowed: the other side is not who it claims to be, or has stopped.
        """
        return self._verifications.verify(user_id)

    async def recovery_key(self) -> str:
        """
        Begin a backup of your keys, and return the recovery key that opens it.

        The key is kept nowhere: write it down. It takes the place of an earlier one.

        Raises:
            Conflict: the server does not give the backup back as it was written.
        """
        assert self._device.user_key is not None
        key = await self._backups.begin(self._device.user_key, self._rooms.sessions())
        return str(key)

    async def restore(self, recovery_key: str) -> int:
        """
        Read the keys in your backup, and the messages that waited for them.

        Returns:
            how many entries of the backup could not be opened.

        Raises:
            NotFound: there is no backup.
            Invalid: the recovery key is wrong.
        """
        restored = await self._backups.restore(RecoveryKey(recovery_key))
        await self._keep(restored)
        await self._retry(restored.sessions.values())
        return restored.unreadable

    @asynccontextmanager
    async def follow(
        self, stream: str, *, after: int | None = None
    ) -> AsyncGenerator[AsyncIterator[Event]]:
        """
        Follow a stream, as any session; encrypted messages come as they are read.

        A message that cannot be read comes as :class:`Unreadable`, and comes once more, with the
        same seq, if its key arrives later.
        """
        log = self._log(stream)
        async with self._session.follow(stream, after=after) as events:
            if log is None:
                yield events
                return
            decrypted = DecryptedEvents(events, log.take)
            self._followers.add((stream, decrypted))
            try:
                async with open_task_group() as tasks:
                    tasks.start_soon(decrypted.run)
                    try:
                        yield decrypted
                    finally:
                        tasks.cancel_scope.cancel()
            finally:
                self._followers.discard((stream, decrypted))

    async def read(self, stream: str, *, after: int = 0, limit: int = 100) -> Sequence[Event]:
        """Read a stream's events, as any session; encrypted messages as they are read."""
        events = await self._session.read(stream, after=after, limit=limit)
        log = self._log(stream)
        return events if log is None else await log.take(events)

    def _log(self, stream: str) -> RoomLog | None:
        return self._rooms.log(stream) if stream.startswith(ROOM_STREAMS) else None

    async def _begin(self, store: KeyStore) -> None:
        # Ids are no secrets; keys come from the system's randomness.
        ids = Ids(self._clock, Random())  # noqa: S311
        # The clock may be one that is read in the event loop only.
        await to_thread.run_sync(self._load, store, ids, ids.new())
        if self._recovery_key is not None and self._device.user_key is None:
            await self._restore(self._recovery_key)
        await self._device.register(self._device_name, replace=self._replace)
        await self._device.inbox.catch_up()
        # Some keys may have come just before an earlier run ended.
        await self._retry(list(self._came.values()))

    def _load(self, store: KeyStore, ids: Ids, new_id: str) -> None:
        """Read everything from the store; it waits for the disk."""
        session, clock = self._session, self._clock
        owner = f"{session.user.id} {session.journal_id}"
        kept = store.get("meta", "owner")
        if kept is not None and kept.decode() != owner:
            raise Conflict("This key store belongs to another user or server; use another file.")
        store.write([RowChange("meta", "owner", owner.encode())])
        disk = self._disk = Disk(store)
        self._trust = Trust(self._policy, session.user.id, session.journal_id, disk)
        self._rooms = EncryptedRooms(
            session, disk, clock, self._trust, self._rotation, keep_keys=self._keep_keys
        )
        self._device = OwnDevice(session, disk, ids, clock, self._trust, self._take, new_id)
        self._rooms.device = self._device
        self._rooms.on_key = self._note_key
        sessions = self._rooms.sessions()
        self._came = {name: sessions[name] for name in store.all("fresh") if name in sessions}
        self.chat = EncryptedChat(session, self._rooms)
        self._backups = Backups(session, disk)
        self._verifications = Verifications(self._device, self._trust, ids)

    async def _restore(self, recovery_key: RecoveryKey) -> None:
        restored = await self._backups.restore(recovery_key)
        self._device.user_key = restored.user_key
        await self._keep(restored)

    async def _keep(self, restored: Restored) -> None:
        changes: list[RowChange] = []
        for inbound in restored.sessions.values():
            await self._trust.remember(inbound.owner[0], inbound.signer)
            changes += self._rooms.restore(inbound)
        await self._disk.write(changes)

    def _take(self, sender: DeviceAddress, signer: str, content: Content) -> Sequence[RowChange]:
        if isinstance(content, RoomKey | AskAgain):
            return self._rooms.take(sender, signer, content)
        self._verifications.take(sender, content)
        return ()

    def _note_key(self, inbound: Inbound) -> None:
        self._came[inbound.name] = inbound
        self._key_came.set()

    async def _use_new_keys(self) -> None:
        """Read what has waited for keys that came, and back them up."""
        while True:
            while self._came:
                came, self._came = self._came, {}
                await self._retry(came.values())
                if self._keep_keys:
                    await self._back_up(came)
                await self._disk.write([RowChange("fresh", name, None) for name in came])
            await self._key_came.wait()

    async def _back_up(self, sessions: Mapping[str, Inbound]) -> None:
        while True:
            try:
                return await self._backups.add(sessions)
            except (RateLimited, Overloaded) as error:
                await anyio.sleep(error.retry_after or 1.0)

    async def _retry(self, sessions: Collection[Inbound]) -> None:
        """Read what has waited for the keys of sessions."""
        for room in dict.fromkeys(inbound.room for inbound in sessions):
            ids = [inbound.id for inbound in sessions if inbound.room == room]
            read = await self._rooms.log(room).retry(ids)
            for stream, follower in list(self._followers):
                if stream == room:
                    follower.put(read)
