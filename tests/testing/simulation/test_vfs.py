from __future__ import annotations

from contextlib import closing
from pathlib import Path
from random import Random

import apsw

from hubbub.testing.simulation.disk import Disk
from hubbub.testing.simulation.vfs import NAME


def test_it_is_the_default_while_there_is_a_disk(tmp_path: Path) -> None:
    before = apsw.vfs_names()[0]
    with Disk(Random(0), tmp_path):
        within = apsw.vfs_names()[0]

    assert within == NAME
    assert apsw.vfs_names()[0] == before != NAME


def test_databases_elsewhere_are_on_no_disk(tmp_path: Path) -> None:
    for name in ("one", "two", "elsewhere"):
        (tmp_path / name).mkdir()
    with Disk(Random(0), tmp_path / "one") as one, Disk(Random(0), tmp_path / "two") as two:
        one.lose_power()
        for name in ("two", "elsewhere"):
            with closing(apsw.Connection(str(tmp_path / name / "a.db"))) as database:
                database.execute("CREATE TABLE note (text TEXT)")
        with closing(apsw.Connection(":memory:")) as database:
            database.execute("CREATE TABLE note (text TEXT)")

        assert one.stats.writes == 0
        assert two.stats.writes > 0


def test_a_database_can_be_opened_by_a_url(tmp_path: Path) -> None:
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
    with Disk(Random(0), tmp_path) as disk:
        with closing(apsw.Connection(f"file:{tmp_path}/a.db", flags=flags)) as database:
            database.execute("CREATE TABLE note (text TEXT)")

        assert disk.stats.writes > 0
