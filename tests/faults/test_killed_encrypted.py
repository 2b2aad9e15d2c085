"""A program that encrypts and is killed: nothing is lost, sent twice or encrypted twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import vodozemac
from anyio import to_thread

from hubbub import Session
from hubbub.chat.events import SealedMessage
from hubbub.encryption import EncryptedSession, Rotation
from tests.encryption.kit import Party
from tests.event_loop import Backend
from tests.faults.doomed_encrypted import text_of

# Steps of opening a new store, of its first message, and of messages with new and old keys.
STEPS = [1, 6, 11, 14, 19, 23, 40, 90, 171]


def killed_at(step: int, directory: Path, backend: Backend, room: str) -> list[tuple[int, int]]:
    """Run a program until it is killed; return the numbers and seqs that it acknowledged."""
    script = Path(__file__).with_name("doomed_encrypted.py")
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(script), str(directory), backend, room, str(step)]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=False, timeout=30)
    assert done.returncode == -9
    words = [line.split() for line in done.stdout.decode().splitlines()]
    return [(int(number), int(seq)) for number, seq in words]


@pytest.mark.parametrize("step", STEPS)
async def test_the_same_store_goes_on_where_the_killed_program_was(
    tmp_path: Path, backend: Backend, step: int
) -> None:
    url = str(tmp_path / "hub.db")
    async with Party.opened(tmp_path, url) as party, party.hub.session("host") as host:
        room = (await host.chat.create_room("Secrets", encrypted=True)).id
    acknowledged = await to_thread.run_sync(killed_at, step, tmp_path, backend, room)
    expected = [text_of(number) for number in range(len(acknowledged) + 2)]
    async with (
        Party.opened(tmp_path, url) as party,
        party.device("bob") as bob,
        party.device("ann", rotation=Rotation(messages=2)) as ann,
    ):
        await ann.chat.join(room)
        seqs = [(await ann.chat.send(room, text, key=text)).seq for text in expected]

        assert seqs[: len(acknowledged)] == [seq for _, seq in acknowledged]
        for device in (ann, bob):
            read = await device.chat.history(room, limit=500)
            assert [(one.seq, one.text) for one in read] == list(zip(seqs, expected, strict=True))
        await no_state_was_used_twice(ann._session, room)
        await nobody_has_asked_again(bob, ann)


async def no_state_was_used_twice(session: Session, room: str) -> None:
    places = [
        (event.data.session, vodozemac.MegolmMessage.from_base64(event.data.body).message_index())
        for event in await session.read(f"room/{room}", limit=500)
        if isinstance(event.data, SealedMessage)
    ]
    assert len(set(places)) == len(places)


async def nobody_has_asked_again(bob: EncryptedSession, ann: EncryptedSession) -> None:
    """Check that Bob's device could read each key that it was sent, for it has sent none."""
    assert await ann.read(f"device/ann/{ann.device_id}") == []
    assert await bob.read(f"device/bob/{bob.device_id}") != []
