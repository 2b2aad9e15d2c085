"""A file that was cut short, has flipped bits or a lost page: the damage is named and repaired."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import anyio
import pytest
from typer.testing import CliRunner, Result

from hubbub.cli.app import app
from hubbub.errors import StorageError
from hubbub.journal.repair import RepairReport, repair
from tests.journal.damaged import Events, damage, events_of, flips_between
from tests.journal.test_verify import REGISTRY, fill

SEEDS = int(os.environ.get("HUBBUB_DAMAGE_SEEDS", "6"))
FIRST_SEED = int(os.environ.get("HUBBUB_DAMAGE_FIRST", "0"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Events]:
    """The file of a sound database, and its events."""
    path = tmp_path_factory.mktemp("sound") / "hubbub.db"
    anyio.run(fill, path)
    return path.read_bytes(), events_of(path)


def verified(db: Path) -> Result:
    result = CliRunner().invoke(app, ["verify", str(db)])
    assert isinstance(result.exception, SystemExit | None)
    return result


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
def test_damage_is_named_and_whatever_is_sound_is_kept(
    tmp_path: Path, sound: tuple[bytes, Events], seed: int
) -> None:
    file, events = sound
    data = bytearray(file)
    done = damage(data, Random(seed))
    db, copy = tmp_path / "hubbub.db", tmp_path / "copy.db"
    db.write_bytes(data)
    try:
        report = repair(db, copy, REGISTRY)
    except StorageError:
        # Not one event can be read.
        assert verified(db).exit_code == 1
        return
    kept = events_of(copy)

    assert db.read_bytes() == bytes(data)
    assert verified(copy).exit_code == 0
    # Nothing but a checksum could see that a text has another letter.
    changed = flips_between(events, kept)
    assert changed is not None
    assert changed <= done.flips
    assert_only_ends_are_missing(events, kept, report)
    if verified(db).exit_code == 0:
        assert kept.keys() == events.keys()


def assert_only_ends_are_missing(events: Events, kept: Events, report: RepairReport) -> None:
    """Each stream is there up to some event, and its end is reported if it was readable."""
    dropped = {one.stream: one for one in report.dropped}
    for stream in {stream for stream, _ in events}:
        seqs = [seq for name, seq in events if name == stream]
        head = sum(name == stream for name, _ in kept)
        assert [seq for name, seq in kept if name == stream] == list(range(1, head + 1))
        if head < max(seqs) and stream in dropped:
            assert dropped[stream].first == head + 1


def test_a_sound_database_is_kept_as_it_is(tmp_path: Path, sound: tuple[bytes, Events]) -> None:
    db, copy = tmp_path / "hubbub.db", tmp_path / "copy.db"
    db.write_bytes(sound[0])
    report = repair(db, copy, REGISTRY)

    assert report.dropped == []
    assert report.damaged_pages == []
    assert events_of(copy) == sound[1]
