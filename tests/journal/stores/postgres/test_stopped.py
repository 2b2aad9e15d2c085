"""A node that stops while it holds locks holds nobody up for long."""

from __future__ import annotations

import logging

import psycopg
import pytest

from hubbub.journal.stores.contract import Batch, Stale
from hubbub.journal.stores.postgres import stopped
from hubbub.journal.stores.postgres import store as store_module
from hubbub.journal.stores.postgres.stopped import HOLDER_SECONDS_MAX
from hubbub.journal.stores.sharing import Wanted
from tests.journal.stores.postgres.conftest import OpenStore
from tests.journal.tally import record

ROOM = Wanted({"room/1": 1})


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= HOLDER_SECONDS_MAX <= 3
    quick = {"lock_timeout": "100ms"}
    monkeypatch.setattr(store_module, "WRITING", store_module.WRITING | quick)
    end = stopped.END.replace(f"{HOLDER_SECONDS_MAX} seconds", "90 milliseconds")
    monkeypatch.setattr(stopped, "END", end)


@pytest.mark.usefixtures("_impatient")
def test_a_holder_that_stopped_in_a_copy_is_ended_by_whoever_waits(
    opened: OpenStore, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened()
    store.commit(Batch([record("room/1", 1)]))
    holder = psycopg.connect(url)
    holder.execute("SELECT 1 FROM stream FOR UPDATE")
    copying = holder.cursor().copy("COPY event (stream, seq, type, by, body) FROM STDIN")
    copying.__enter__()
    with caplog.at_level(logging.WARNING, "hubbub"):
        with pytest.raises(Stale):
            store.hold(ROOM)
        store.hold(ROOM).commit(Batch([record("room/1", 2)]))

    assert "ended 1 transactions" in caplog.text
    assert store.heads(["room/1"]) == {"room/1": 2}
    holder.close()


@pytest.mark.usefixtures("_impatient")
def test_a_session_that_has_locked_nothing_of_ours_is_left_alone(
    opened: OpenStore, url: str
) -> None:
    store = opened()
    store.commit(Batch([record("room/1", 1)]))
    with psycopg.connect(url) as idle, psycopg.connect(url) as holder:
        idle.execute("SELECT name FROM stream")
        holder.execute("SELECT 1 FROM stream FOR UPDATE")
        with pytest.raises(Stale):
            store.hold(ROOM)
        with pytest.raises(psycopg.OperationalError):
            holder.execute("SELECT 1")

        assert idle.execute("SELECT 1").fetchall() == [(1,)]
        holder.close()
