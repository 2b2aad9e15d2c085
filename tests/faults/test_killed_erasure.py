"""A process is killed while it erases a user: the database is whole, and a second try finishes."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from hubbub.journal.erase import erase, plan_erasure
from hubbub.journal.event import Streams
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.upgrade import upgrade
from hubbub.journal.verify import verify
from tests.faults.killing import kill_after
from tests.features import ALL, STREAMS
from tests.journal.golden.make import GOLDEN
from tests.journal.test_export import PRIVATE

ALL_STREAMS = Streams(STREAMS)
# A statement overwrites each of some 270 events; then come the index and VACUUM.
STATEMENTS = (1, 10, 150, 270, 285, 290, 300, 315)
TEXTS = (b"message 25", b"only for Bob", b"account/ann")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("statements", STATEMENTS)
def test_a_killed_erasure_leaves_a_whole_database(statements: int, tmp_path: Path) -> None:
    path = Path(shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "hubbub.db"))
    upgrade(path, keeps_backup=False)
    lines = kill_after(statements, "doomed_erasure.py", path, "ann")
    with closing(SQLiteStore(path)) as store:
        after_the_kill = verify(store, ALL_STREAMS).faults
        plan = plan_erasure(store, ALL_STREAMS, PRIVATE, ALL.erasures, ALL.renamed, "ann")
    erase(path, ALL_STREAMS, plan)
    with closing(SQLiteStore(path)) as store:
        at_the_end = verify(store, ALL_STREAMS).faults
    left = b"".join(one.read_bytes() for one in tmp_path.iterdir())

    assert lines[0] == ["1"]
    assert (after_the_kill, at_the_end) == ([], [])
    assert [text for text in TEXTS if text in left] == []
