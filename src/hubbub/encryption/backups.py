"""Keeping a backup up to date, and restoring a device from it."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec

from ..errors import Conflict, Invalid, NotFound
from ..journal.event import Event
from ..keys.events import BackedUp, BackupBegun
from ..keys.state import backup_stream
from ..session import Session
from .backup import (
    USER_KEY,
    BackupSealer,
    RecoveryKey,
    calls_of,
    new_salt,
    new_version,
)
from .disk import Disk
from .encoding import from_base64, to_base64
from .identity import UserKey
from .megolm import Inbound
from .store import RowChange

__all__ = ["Backups", "Restored"]

logger = logging.getLogger("hubbub.encryption")

EVENTS_AT_ONCE = 100


class Standing(msgspec.Struct, frozen=True):
    """The backup that this device writes to, with the key of this backup only."""

    version: str
    key: bytes


class Restored(msgspec.Struct, frozen=True):
    """
    The contents of a backup.

    Args:
        user_key: signs the user's devices.
        sessions: what reads messages, by session.
        unreadable: how many entries could not be opened.
    """

    user_key: UserKey
    sessions: Mapping[str, Inbound]
    unreadable: int


class Backups:
    """
    The backup of one user.

    Args:
        session: the user's session.
        disk: where the key of the backup is kept.
    """

    def __init__(self, session: Session, disk: Disk) -> None:
        self._session = session
        self._disk = disk
        kept = disk.store.get("meta", "backup")
        self._standing = None if kept is None else msgspec.json.decode(kept, type=Standing)

    @property
    def stands(self) -> bool:
        """True if this device writes to a backup."""
        return self._standing is not None

    async def begin(self, user_key: UserKey, sessions: Mapping[str, Inbound]) -> RecoveryKey:
        """
        Begin a new backup in the place of the one before.

        Returns:
            the recovery key, which is kept nowhere: show it to the user once.
        """
        recovery, version, salt = RecoveryKey(), new_version(), new_salt()
        sealer = self._sealer(recovery, version, salt)
        service = self._session.keys
        await service.begin_backup(version, to_base64(salt), sealer.check(), key=version)
        entries = {USER_KEY: sealer.user_key(user_key.seed)}
        entries |= {name: sealer.session(name, inbound) for name, inbound in sessions.items()}
        await self._write(version, entries)
        await self._check(sealer, entries)
        await self._stand(recovery, version, salt)
        return recovery

    async def add(self, sessions: Mapping[str, Inbound]) -> None:
        """Add sessions to the backup, if this device writes to one."""
        if self._standing is None or not sessions:
            return
        sealer = BackupSealer(self._standing.key, self._standing.version)
        entries = {name: sealer.session(name, inbound) for name, inbound in sessions.items()}
        try:
            await self._write(sealer.version, entries)
        except Conflict as error:
            # The backup is full, or another device has begun another, whose key is not known here.
            logger.warning("this device no longer writes to a backup: %s", error)
            self._standing = None
            await self._disk.write([RowChange("meta", "backup", None)])

    async def restore(self, recovery: RecoveryKey) -> Restored:
        """
        Read the backup that stands.

        Raises:
            NotFound: there is none.
            Invalid: it was made with another recovery key.
        """
        begun, entries = await self._read()
        salt = from_base64(begun.salt)
        sealer = self._sealer(recovery, begun.version, salt)
        if not sealer.opens(begun.check) or USER_KEY not in entries:
            raise Invalid("The recovery key is wrong for this backup.")
        user_key = UserKey(sealer.opened_user_key(entries.pop(USER_KEY)))
        sessions, unreadable = dict[str, Inbound](), 0
        for name, sealed in entries.items():
            try:
                sessions[name] = sealer.opened_session(name, sealed)
            except Invalid:
                unreadable += 1
        await self._stand(recovery, begun.version, salt)
        return Restored(user_key, sessions, unreadable)

    def _sealer(self, recovery: RecoveryKey, version: str, salt: bytes) -> BackupSealer:
        session = self._session
        return recovery.sealer(session.user.id, session.journal_id, version, salt)

    async def _stand(self, recovery: RecoveryKey, version: str, salt: bytes) -> None:
        session = self._session
        key = recovery.key(session.user.id, session.journal_id, version, salt)
        standing = self._standing = Standing(version, key)
        await self._disk.write([RowChange("meta", "backup", msgspec.json.encode(standing))])

    async def _write(self, version: str, entries: Mapping[str, str]) -> None:
        for part in calls_of(entries):
            await self._session.keys.back_up(version, part)

    async def _check(self, sealer: BackupSealer, entries: Mapping[str, str]) -> None:
        """Read back what was written: a backup that cannot be read is none."""
        begun, found = await self._read()
        if begun.version != sealer.version or not sealer.opens(begun.check) or found != entries:
            raise Conflict("The server does not give the backup back as it was written.")

    async def _read(self) -> tuple[BackupBegun, dict[str, str]]:
        begun: BackupBegun | None = None
        entries: dict[str, str] = {}
        for event in await self._events():
            match event.data:
                case BackupBegun():
                    begun, entries = event.data, {}
                case BackedUp(version, more) if begun is not None and version == begun.version:
                    entries |= more
        if begun is None:
            raise NotFound("You have no backup; begin one with recovery_key().")
        return begun, entries

    async def _events(self) -> list[Event]:
        found: list[Event] = []
        stream = backup_stream(self._session.user.id)
        while events := await self._session.read(
            stream, after=found[-1].seq if found else 0, limit=EVENTS_AT_ONCE
        ):
            found += events
        return found
