from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from contextvars import copy_context
from itertools import product
from pathlib import Path
from random import Random

import apsw
import pytest

from hubbub.testing.simulation.disk import Disk
from hubbub.testing.simulation.fence import Fence, current_fence
from hubbub.testing.simulation.host import Host
from hubbub.testing.simulation.network import Network
from tests.event_loop import Backend
from tests.testing.simulation.world import in_world


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with Disk(Random(0), tmp_path) as disk:
        yield disk


def opened(disk: Disk, journal_mode: str = "wal") -> apsw.Connection:
    database = apsw.Connection(os.path.join(disk.directory, "a.db"))
    try:
        database.pragma("journal_mode", journal_mode)
        database.pragma("synchronous", "extra")
        database.execute("CREATE TABLE IF NOT EXISTS note (text TEXT)")
    except apsw.Error:
        abandon(database)
        raise
    return database


def write(database: apsw.Connection, text: str) -> None:
    database.execute("INSERT INTO note VALUES (?)", (text,))


def notes(database: apsw.Connection) -> list[str]:
    return [str(text) for (text,) in database.execute("SELECT text FROM note")]


def abandon(database: apsw.Connection) -> None:
    """Close a connection of a program that is dead."""
    with suppress(apsw.IOError):
        database.close()


@pytest.mark.parametrize("journal_mode", ["wal", "delete", "truncate", "persist"])
def test_what_was_committed_survives_a_power_loss(disk: Disk, journal_mode: str) -> None:
    for seed in range(30):
        database = opened(disk, journal_mode)
        before = notes(database)
        write(database, f"note {seed}")
        disk.lose_power()
        abandon(database)
        disk.restore()

        with closing(opened(disk, journal_mode)) as again:
            assert notes(again) == [*before, f"note {seed}"]
            assert again.pragma("integrity_check") == "ok"
    assert disk.stats.power_losses == 30


def test_a_deleted_journal_can_come_back_and_undo_a_commit(tmp_path: Path) -> None:
    # "EXTRA provides additional durability if the commit is followed closely by a power loss."
    lost = dict.fromkeys(("full", "extra"), 0)
    for seed, mode in product(range(20), lost):
        (directory := tmp_path / f"{seed} {mode}").mkdir()
        with Disk(Random(seed), directory) as disk:
            database = opened(disk, "delete")
            database.pragma("synchronous", mode)
            write(database, "note")
            disk.lose_power()
            abandon(database)
            disk.restore()
            with closing(opened(disk, "delete")) as again:
                lost[mode] += notes(again) == []

    assert lost["full"] > 0
    assert lost["extra"] == 0


def test_what_was_not_synced_can_be_gone(disk: Disk) -> None:
    database = opened(disk)
    database.pragma("synchronous", "off")
    for number in range(20):
        write(database, f"note {number}")
    disk.lose_power()
    abandon(database)
    disk.restore()

    with closing(opened(disk)) as again:
        assert len(notes(again)) < 20
    assert disk.stats.writes_dropped > 0


@pytest.mark.parametrize("after", range(0, 40, 3))
def test_the_power_can_go_in_the_middle_of_something(disk: Disk, after: int) -> None:
    disk.lose_power(after=after)
    written = 0
    try:
        database = opened(disk)
        for written in range(100):
            write(database, f"note {written}")
    except apsw.IOError:
        pass
    assert not disk.has_power
    disk.restore()

    with closing(opened(disk)) as again:
        assert len(notes(again)) >= written


def test_without_power_everything_fails(disk: Disk) -> None:
    database = opened(disk)
    disk.lose_power()

    with pytest.raises(apsw.IOError, match="power is gone"):
        write(database, "note")
    with pytest.raises(apsw.Error):
        opened(disk)
    abandon(database)


def test_a_file_that_was_open_before_stays_useless(disk: Disk) -> None:
    database = opened(disk)
    disk.lose_power()
    disk.restore()

    with pytest.raises(apsw.IOError, match="power is gone"):
        write(database, "note")
    with closing(opened(disk)) as again:
        write(again, "the new one works")
        abandon(database)
        assert notes(again) == ["the new one works"]


def test_a_connection_of_before_deletes_no_file_when_it_closes(disk: Disk) -> None:
    database = opened(disk)
    database.execute("PRAGMA wal_checkpoint(truncate)").fetchall()
    disk.lose_power()
    disk.restore()
    with closing(opened(disk)) as again:
        write(again, "first")
        abandon(database)
        write(again, "second")
        disk.lose_power()
        abandon(again)
    disk.restore()

    with closing(opened(disk)) as again:
        assert notes(again) == ["first", "second"]


def test_the_locks_of_the_dead_hold_nothing(disk: Disk) -> None:
    database = opened(disk)
    database.execute("BEGIN EXCLUSIVE")
    disk.lose_power()
    disk.restore()

    with closing(opened(disk)) as again:
        write(again, "nobody is in the way")
    abandon(database)


def test_a_write_can_be_torn(disk: Disk) -> None:
    database = opened(disk)
    write(database, "first")
    disk.tear()
    with pytest.raises(apsw.IOError):
        write(database, "second" * 1_000)
    abandon(database)
    disk.restore()

    with closing(opened(disk)) as again:
        assert notes(again) == ["first"]
    assert disk.stats.writes_torn == 1


def test_a_new_file_can_be_gone_if_its_directory_was_not_synced(tmp_path: Path) -> None:
    lost = set()
    for seed in range(20):
        (directory := tmp_path / str(seed)).mkdir()
        with Disk(Random(seed), directory) as disk:
            database = apsw.Connection(str(directory / "a.db"))
            database.pragma("journal_mode", "off")
            database.execute("CREATE TABLE note (text TEXT)")
            disk.lose_power()
            database.close()
            disk.restore()
            lost.add(disk.stats.names_lost)
            assert (directory / "a.db").exists() != bool(disk.stats.names_lost)

    assert lost == {0, 1}


def test_a_full_disk_says_so_until_there_is_room(disk: Disk) -> None:
    with closing(opened(disk)) as database:
        disk.fill(room=10_000)
        with pytest.raises(apsw.FullError):
            write(database, "x" * 30_000)
        kept = notes(database)
        disk.free()
        write(database, "again")

        assert notes(database) == [*kept, "again"]
    assert disk.stats.refused_full == 1


def test_calls_can_fail_by_chance(disk: Disk) -> None:
    failed, written = 0, 0
    with closing(opened(disk)) as database:
        for number in range(200):
            disk.fail(0.1)
            try:
                write(database, f"note {number}")
                written += 1
            except apsw.IOError:
                failed += 1
        disk.fail(0.0)

        assert len(notes(database)) >= written > 0
    assert disk.stats.failures >= failed > 0


def test_what_a_failing_disk_acknowledged_survives_a_power_loss(tmp_path: Path) -> None:
    for seed in range(20):
        (directory := tmp_path / str(seed)).mkdir()
        with Disk(Random(seed), directory) as disk:
            database, written = opened(disk), []
            disk.fail(0.05)
            for number in range(30):
                try:
                    write(database, f"note {number}")
                except apsw.Error:
                    continue
                written.append(f"note {number}")
            disk.fail(0.0)
            disk.lose_power()
            abandon(database)
            disk.restore()
            with closing(opened(disk)) as again:
                assert set(written) <= set(notes(again))


def test_a_task_of_a_crashed_host_opens_nothing(disk: Disk) -> None:
    fence, context = Fence("server", 1), copy_context()
    context.run(current_fence.set, fence)
    fence.is_down = True

    with pytest.raises(apsw.Error):
        context.run(opened, disk)
    opened(disk).close()


def test_power_comes_back_only_after_it_was_lost(disk: Disk) -> None:
    with pytest.raises(RuntimeError, match="has power"):
        disk.restore()


def test_each_disk_has_its_directory(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()

    with pytest.raises(ValueError, match="its own directory"), Disk(Random(0), tmp_path / "inner"):
        pass


def test_threads_share_it(disk: Disk) -> None:
    def work(name: str) -> None:
        with closing(apsw.Connection(os.path.join(disk.directory, name))) as database:
            database.pragma("journal_mode", "wal")
            database.execute("CREATE TABLE note (text TEXT)")
            for number in range(20):
                write(database, f"note {number}")
            assert len(notes(database)) == 20

    threads = [threading.Thread(target=work, args=[f"{n}.db"]) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert disk.stats.syncs >= 60


def test_it_is_the_disk_of_a_host(backend: Backend, tmp_path: Path) -> None:
    async def test(network: Network) -> None:
        lives = []

        async def fn(host: Host) -> None:
            database = opened(own)
            lives.append(notes(database))
            write(database, f"life {host.lives}")
            if host.lives < 3:
                host.restart()
                # The tasks of this life cannot reach it any more.
                abandon(database)
            else:
                database.close()

        await Host("server", network, own).run(fn)

        assert lives == [[], ["life 1"], ["life 1", "life 2"]]

    with Disk(Random(0), tmp_path) as own:
        in_world(test, backend)
