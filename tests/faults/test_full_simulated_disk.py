"""A hub on a disk without room refuses what it cannot store, and continues when there is room."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

import hubbub
from hubbub.errors import StorageError
from hubbub.testing.simulation.disk import Disk
from tests.faults.power import check_events

SETTINGS = hubbub.Settings(message_limit=1_000)


@pytest.mark.parametrize("room_left", [0, 100, 5_000, 20_000, 70_000, 200_000])
async def test_a_command_that_finds_the_disk_full_writes_nothing(
    tmp_path: Path, room_left: int
) -> None:
    with Disk(Random(0), tmp_path) as disk:
        async with (
            hubbub.open(str(tmp_path / "hubbub.db"), settings=SETTINGS) as hub,
            hub.session("ann") as ann,
        ):
            room = (await ann.chat.create_room("Python Chat")).id
            disk.fill(room=room_left)
            sent: list[hubbub.Message] = []
            refusal: StorageError | None = None
            while refusal is None:
                try:
                    sent.append(await ann.chat.send(room, f"{len(sent)} " + "x" * 3_000))
                except StorageError as error:
                    refusal = error
            during = await ann.chat.history(room, limit=200)
            disk.free()
            sent.append(await ann.chat.send(room, "there is room again"))
            after = await ann.chat.history(room, limit=200)

        assert "disk is full" in str(refusal)
        assert during == sent[:-1]
        assert after == sent
        assert disk.stats.refused_full > 0


@pytest.mark.parametrize("room_left", [0, 1_000, 5_000, 30_000])
def test_a_new_database_on_a_full_disk_is_refused_and_made_later(
    tmp_path: Path, room_left: int
) -> None:
    path = tmp_path / "hubbub.db"
    with Disk(Random(0), tmp_path) as disk:
        disk.fill(room=room_left)
        with pytest.raises(StorageError, match="full"):
            check_events(path)
        disk.free()

        assert check_events(path).problem == ""
