"""An encrypted text is in no file, in no frame and in no log."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from anyio import to_thread

import hubbub
from hubbub.encryption import EncryptedSession, encrypted
from hubbub.errors import HubbubError, Invalid, KeyReused, NotAuthor
from hubbub.keys.device import SealedBody
from hubbub.server import Gateway
from tests.encryption.kit import PASSPHRASE, make_quick
from tests.encryption.recorded import files_in, forms_of, found_in, recording_dialer
from tests.session.worlds import own_server

PLAIN = "the weather is fine over there"
SAID = "meet me behind the windmill"
EDITED = "meet me under the aqueduct"
DIRECT = "nobody else knows of the violin"
LONG = "a list of many ingredients " * 200
DELETED = "the vault opens with seventeen"
WORDS = (SAID, EDITED, DIRECT, LONG[:26], DELETED)


class Watched:
    """
    A hub on disk behind a socket, and everything that the network and the disk see.

    Args:
        directory: where the files are.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.frames: list[bytes] = []
        self.errors: list[str] = []
        self.address = ""

    @classmethod
    @asynccontextmanager
    async def opened(cls, directory: Path) -> AsyncIterator[Watched]:
        watched = cls(directory)
        async with (
            hubbub.open(str(directory / "hub.db")) as hub,
            own_server(Gateway(hub)) as watched.address,
        ):
            yield watched

    @asynccontextmanager
    async def device(self, name: str) -> AsyncIterator[EncryptedSession]:
        """Connect a new guest with a device."""
        path = self.directory / f"{name}.keys"
        await to_thread.run_sync(make_quick, path)
        dialer = recording_dialer(self.frames)
        async with (
            hubbub.connect(self.address, nickname=name, dialer=dialer) as session,
            encrypted(session, store=path, passphrase=PASSPHRASE) as device,
        ):
            yield device

    @contextmanager
    def refused(self, kind: type[HubbubError]):  # type: ignore[no-untyped-def]
        """Note everything that an error tells."""
        with pytest.raises(kind) as raised:
            yield
        error = raised.value
        self.errors += [repr(error), *traceback.format_exception(error)]

    def seen(self, logs: str) -> dict[str, bytes]:
        """Return everything, by where it is."""
        said = [line for error in self.errors for line in error.splitlines()]
        # A traceback shows the lines of this test, which names what it sends.
        told = "\n".join(line for line in said if not line.startswith("    "))
        frames = {f"frame {number}": frame for number, frame in enumerate(self.frames)}
        return {
            **files_in(self.directory),
            **frames,
            "logs": logs.encode(),
            "errors": told.encode(),
        }


async def live(watched: Watched) -> list[bytes | str]:
    """Say things in all ways there are; return the secrets of the devices."""
    async with AsyncExitStack() as stack:
        ann = await stack.enter_async_context(watched.device("ann"))
        bob = await stack.enter_async_context(watched.device("bob"))
        secrets: list[bytes | str] = [PASSPHRASE, await bob.recovery_key()]
        secrets.append(str(secrets[-1]).replace(" ", ""))
        plain = await ann.chat.create_room("Square")
        await ann.chat.send(plain.id, PLAIN)
        room = (await ann.chat.create_room("Secrets", encrypted=True)).id
        await bob.chat.join(room)
        sent = await ann.chat.send(room, SAID, key="once")
        await ann.chat.edit(room, sent.seq, EDITED)
        await bob.chat.react(room, sent.seq, "🦀")
        deleted = await bob.chat.send(room, DELETED, reply_to=sent.seq)
        await bob.chat.delete(room, deleted.seq)
        await bob.chat.send_direct(ann.user.id, DIRECT)
        assert [one.text for one in await bob.chat.search(room, "aqueduct")] == [EDITED]
        with watched.refused(Invalid):
            await ann.chat.send(room, LONG)
        with watched.refused(KeyReused):
            await ann.chat.send(room, DELETED, key="once")
        with watched.refused(NotAuthor):
            await bob.chat.edit(room, sent.seq, DELETED)
        with watched.refused(Invalid):
            await bob.restore("a" * 52)
        # What cannot be read is logged.
        junk = {f"{ann.user.id}/{ann.device_id}": SealedBody(1, "AwogZm9vYmFy")}
        await bob._session.keys.deliver(bob.device_id, junk)
        await ann.chat.history(room)
        secrets += secrets_of(ann) + secrets_of(bob)
        # While all is open there are the write-ahead logs as well.
        assert not found_in(await to_thread.run_sync(files_in, watched.directory), secrets)
        assert not found_in(await to_thread.run_sync(files_in, watched.directory), WORDS)
        return secrets


def secrets_of(device: EncryptedSession) -> list[bytes | str]:
    """Return what must not leave a device in the clear."""
    assert device._device.user_key is not None
    keys = [inbound.exported() for inbound in device._rooms.sessions().values()]
    standing = device._backups._standing
    return [device._device.user_key.seed, *keys, *([standing.key] if standing is not None else [])]


async def test_no_word_is_in_any_file_frame_or_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with Watched.opened(tmp_path) as watched:
        secrets = await live(watched)
    seen = watched.seen(caplog.text)

    assert found_in(seen, WORDS) == []
    assert found_in(seen, secrets) == []
    # The search finds what is there: the words of the plain room.
    where = {name.split()[0] for name, _ in found_in(seen, [PLAIN])}
    assert where >= {"frame", "hub.db"}
    assert caplog.text
    assert len(watched.errors) >= 4


@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"xyz"])
def test_the_search_finds_a_secret_in_any_place_of_a_base64_text(before: bytes) -> None:
    import base64  # noqa: PLC0415  (only to make the text)

    text = base64.b64encode(before + SAID.encode() + b" and more")

    assert found_in({"there": text}, [SAID])
    assert SAID.encode("utf-16-le") in forms_of(SAID)
