"""Encrypted sessions that open quickly, and a hub for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from anyio import to_thread

import hubbub
from hubbub.clock import Clock
from hubbub.encryption import EncryptedSession, Rotation, encrypted
from hubbub.encryption.sealing import Passphrase
from hubbub.encryption.store import KeyStore
from hubbub.encryption.trust import TrustPolicy

__all__ = ["PASSPHRASE", "Party", "make_quick"]

PASSPHRASE = "correct horse"


def make_quick(path: Path) -> None:
    """Make a key store whose passphrase is checked in no time, unless it is there."""
    if not path.exists():
        quick = Passphrase(b"0" * 16, memory=8, iterations=1, lanes=1)
        KeyStore(path, PASSPHRASE, quick).close()


class Party:
    """
    A hub and the key stores of its users.

    Args:
        hub: the hub.
        directory: where the stores are.
    """

    def __init__(self, hub: hubbub.Hubbub, directory: Path) -> None:
        self.hub = hub
        self.directory = directory

    @classmethod
    @asynccontextmanager
    async def opened(cls, directory: Path, url: str = "memory://") -> AsyncIterator[Party]:
        """Open a hub without a rate limit that tests would meet."""
        settings = hubbub.Settings(message_limit=10_000_000)
        async with hubbub.open(url, settings=settings) as hub:
            yield cls(hub, directory)

    def store(self, user: str, device: str = "phone") -> Path:
        """Return where a device keeps its keys."""
        return self.directory / f"{user}-{device}.keys"

    @asynccontextmanager
    async def device(
        self,
        user: str,
        device: str = "phone",
        *,
        trust: TrustPolicy = "first_use",
        keep_keys: bool = True,
        recovery_key: str | None = None,
        replace: bool = False,
        rotation: Rotation | None = None,
        clock: Clock | None = None,
    ) -> AsyncIterator[EncryptedSession]:
        """Connect a user with one of their devices."""
        path = self.store(user, device)
        await to_thread.run_sync(make_quick, path)
        async with (
            self.hub.session(user, nickname=user) as session,
            self.encrypted(
                session,
                path,
                trust=trust,
                keep_keys=keep_keys,
                recovery_key=recovery_key,
                replace=replace,
                rotation=rotation,
                clock=clock,
            ) as device_session,
        ):
            yield device_session

    def encrypted(
        self,
        session: hubbub.Session,
        path: Path,
        *,
        trust: TrustPolicy,
        keep_keys: bool,
        recovery_key: str | None,
        replace: bool,
        rotation: Rotation | None = None,
        clock: Clock | None = None,
    ) -> AbstractAsyncContextManager[EncryptedSession]:
        """Encrypt a session."""
        return encrypted(
            session,
            store=path,
            passphrase=PASSPHRASE,
            trust=trust,
            keep_keys=keep_keys,
            recovery_key=recovery_key,
            replace=replace,
            rotation=rotation,
            clock=clock,
        )
