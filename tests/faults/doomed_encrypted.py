"""
A device that kills its process at a chosen step: before or after a call, or a write of its store.

Run as ``python doomed_encrypted.py DIRECTORY BACKEND ROOM STEP``; a line is "number seq".
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

import anyio

import hubbub
from hubbub.encryption import Rotation, encrypted
from hubbub.encryption.store import KeyStore
from tests.encryption.faulty import Fault, FaultySession
from tests.encryption.kit import PASSPHRASE, Party, make_quick
from tests.faults.doomed import announce

MESSAGES = 60


def text_of(number: int) -> str:
    return f"secret number {number}"


class Doom(Fault):
    """Kills the process at a point."""

    def point(self) -> None:
        assert self.left is not None
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def doomed_writes(doom: Doom) -> Iterator[None]:
    """Make each write of a key store have a point before and one after it."""
    write = KeyStore.write

    def doomed(self: KeyStore, *args: Any) -> None:
        doom.point()
        write(self, *args)
        doom.point()

    KeyStore.write = doomed  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        KeyStore.write = write  # type: ignore[method-assign]


async def run(directory: str, room: str, step: int) -> None:
    """Send until killed; another user reads."""
    doom = Doom(step)
    async with Party.opened(Path(directory), f"{directory}/hub.db") as party:
        path = party.store("ann")
        make_quick(path)
        async with party.device("bob") as bob, party.hub.session("ann") as session:
            await bob.chat.join(room)
            faulty = cast(hubbub.Session, FaultySession(session, doom))
            with doomed_writes(doom):
                async with encrypted(
                    faulty, store=path, passphrase=PASSPHRASE, rotation=Rotation(messages=2)
                ) as ann:
                    await ann.chat.join(room)
                    for number in range(MESSAGES):
                        text = text_of(number)
                        sent = await ann.chat.send(room, text, key=text)
                        announce(number, sent.seq)
                        if number % 3 == 0:
                            await bob.chat.history(room)


if __name__ == "__main__":
    _, directory_, backend, room_, step_ = sys.argv
    name: Literal["asyncio", "trio"] = "trio" if backend == "trio" else "asyncio"
    anyio.run(run, directory_, room_, int(step_), backend=name)
