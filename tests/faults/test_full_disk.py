"""A server with a full disk refuses to write, serves on, and writes again when there is space."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from hubbub.journal.event import Streams
from hubbub.journal.stores.integrity import integrity_faults
from hubbub.journal.upgrade import open_as_it_is
from hubbub.journal.verify import verify
from tests.blackbox.raw import Raw
from tests.blackbox.served import Backend, Served, served
from tests.features import STREAMS

DISK_BYTES = 4 * 1024 * 1024
# The log of the database grows by it before the limit is reached.
ROOM_BYTES = 64 * 1024
TEXT = "x" * 3_900
RECOVERY_SECONDS_MAX = 15.0
MESSAGES_MAX = 2_000
# For root, to try the other way as well.
ONLY_LIMITED = bool(os.environ.get("HUBBUB_LIMITED_DISK"))

pytestmark = pytest.mark.timeout(90)


class SmallDisk(Protocol):
    """A place for a database, with little space."""

    db: Path

    def fill(self, server: Served) -> None:
        """Leave (nearly) no space."""

    def make_room(self, server: Served) -> None:
        """Leave some space again."""


class MountedDisk:
    """A file system of its own, of a few megabytes; only root can mount it."""

    def __init__(self, place: Path) -> None:
        self.db = place / "hubbub.db"
        self._filler = place / "filler"

    def fill(self, server: Served) -> None:
        with self._filler.open("wb") as filler:
            free = shutil.disk_usage(self.db.parent).free
            os.posix_fallocate(filler.fileno(), 0, free)

    def make_room(self, server: Served) -> None:
        self._filler.unlink()


class LimitedFiles:
    """The operating system refuses the server files that are longer."""

    def __init__(self, place: Path) -> None:
        self.db = place / "hubbub.db"

    def fill(self, server: Served) -> None:
        log = self.db.with_name(f"{self.db.name}-wal")
        longest = max(self.db.stat().st_size, log.stat().st_size) + ROOM_BYTES
        unlimited = resource.RLIM_INFINITY
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (longest, unlimited))

    def make_room(self, server: Served) -> None:
        unlimited = resource.RLIM_INFINITY
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Mount a small file system; where only root can do that, limit the size of files."""
    place = tmp_path / "disk"
    place.mkdir()
    if is_mounted(place):
        try:
            yield MountedDisk(place)
        finally:
            subprocess.run(["umount", str(place)], check=True)
    elif hasattr(resource, "prlimit"):
        yield LimitedFiles(place)
    else:
        pytest.skip("this system can neither mount a small file system nor limit another process")


def is_mounted(place: Path) -> bool:
    if ONLY_LIMITED or os.geteuid() or shutil.which("mount") is None:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)]
    return subprocess.run(command, check=False).returncode == 0


class Sender:
    """A user who sends, and remembers the messages that were acknowledged."""

    def __init__(self, client: Raw, room: str) -> None:
        self.client = client
        self.room = room
        self.sent = list[int]()
        self._number = 0

    def send(self) -> dict[str, Any]:
        """Send a message; return the error, or an empty dict."""
        self._number += 1
        answer = self.client.call(
            "chat.send", room_id=self.room, text=f"{self._number} {TEXT}", key=str(self._number)
        )
        if "result" in answer:
            self.sent.append(self._number)
        return dict(answer.get("error", {}))

    def until(self, *, refused: bool) -> dict[str, Any]:
        """Send until a message is refused, or is not; return the last answer's error."""
        ends = time.perf_counter() + RECOVERY_SECONDS_MAX
        for _ in range(MESSAGES_MAX):
            error = self.send()
            if bool(error) == refused:
                return error
            assert time.perf_counter() < ends, error
            if not refused:
                time.sleep(0.05)
        raise AssertionError("the disk has too much space")


def test_a_full_disk_stops_only_what_writes(
    backend: Backend, tmp_path: Path, disk: SmallDisk
) -> None:
    environment = {"HUBBUB_MESSAGE_LIMIT": "1000000"}
    with (
        served(backend, tmp_path, "--db", str(disk.db), environment=environment) as server,
        Raw(server.port) as client,
    ):
        client.sign_in("Ann")
        sender = Sender(client, client.result("chat.create_room", name="Room")["id"])
        sender.send()
        disk.fill(server)
        error = sender.until(refused=True)
        history = client.result("chat.history", room_id=sender.room, limit=1)
        alive = server.alive and server.accepts()
        before = len(sender.sent)
        disk.make_room(server)
        sender.until(refused=False)
        code = server.stop()

    assert error["data"]["code"] == "storage"
    assert "Nothing of this command was written" in error["message"]
    assert history[0]["text"].startswith(f"{before} ")
    assert alive
    assert code == 0
    assert_all_is_there(disk.db, sender)


def assert_all_is_there(db: Path, sender: Sender) -> None:
    """The database is sound, and has the acknowledged messages and no refused one."""
    with open_as_it_is(db) as store:
        report = verify(store, Streams(STREAMS))
        bodies = store.read(f"room/{sender.room}", 0, 10_000)
    texts = [body.partition(b'"text":"')[2].partition(b" ")[0] for body in bodies]

    assert report.faults == []
    assert integrity_faults(db) == []
    assert [int(text) for text in texts if text.isdigit()] == sender.sent
