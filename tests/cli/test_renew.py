"""``hubbub renew``, for both kinds of database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import anyio
import psycopg
import pytest
from anyio import to_thread
from typer.testing import CliRunner, Result

import hubbub
from hubbub import Conflict
from hubbub.cli.app import app
from hubbub.journal.stores.postgres.store import PostgresStore
from hubbub.journal.stores.sqlite import SQLiteStore
from tests.client.test_remote import Restarted
from tests.client.test_restored import grow
from tests.journal.golden.make import GOLDEN

# After a restore, another history becomes longer than what the client has seen.
MORE = 20


class Place(Protocol):
    """A database, and the backup of it that other tools make; no server may have it open."""

    url: str

    def back_up(self) -> None: ...

    def put_back(self) -> None: ...


class FilePlace:
    def __init__(self, folder: Path) -> None:
        self.url = str(folder / "hubbub.db")

    def back_up(self) -> None:
        shutil.copy(self.url, f"{self.url}.copy")

    def put_back(self) -> None:
        for more in ("-wal", "-shm"):
            Path(self.url + more).unlink(missing_ok=True)
        shutil.copy(f"{self.url}.copy", self.url)


class PostgresPlace:
    def __init__(self, url: str) -> None:
        self._all = url
        self.url = f"{url.rpartition('/')[0]}/renewed"
        self._run("DROP DATABASE IF EXISTS renewed", "CREATE DATABASE renewed")

    def back_up(self) -> None:
        self._run("CREATE DATABASE kept TEMPLATE renewed")

    def put_back(self) -> None:
        self._run("DROP DATABASE renewed", "CREATE DATABASE renewed TEMPLATE kept")

    def close(self) -> None:
        self._run("DROP DATABASE IF EXISTS renewed", "DROP DATABASE IF EXISTS kept")

    def _run(self, *statements: str) -> None:
        with psycopg.connect(self._all, autocommit=True) as connection:
            for one in statements:
                connection.execute(one.encode())


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        yield FilePlace(tmp_path)
        return
    made = PostgresPlace(request.getfixturevalue("postgres_url"))
    yield made
    made.close()


def run(db: object) -> Result:
    return CliRunner().invoke(app, ["renew", str(db)])


def opened(place: Place) -> PostgresStore | SQLiteStore:
    return PostgresStore(place.url) if "://" in place.url else SQLiteStore(place.url)


async def test_a_client_that_has_seen_more_than_was_restored_is_told(place: Place) -> None:
    async with (
        Restarted(place.url) as server,
        hubbub.connect(server.address, nickname="Alice") as alice,
    ):
        room = await alice.chat.create_room("r")
        user = alice.user.id
        await server.stop()
        await to_thread.run_sync(place.back_up)
        await server.start()
        lost = [await alice.chat.send(room.id, f"lost {number}") for number in range(3)]
        async with alice.follow(room.stream, after=0) as events:
            for _ in range(lost[-1].seq):
                await anext(events)
            await server.stop()
            await to_thread.run_sync(place.put_back)
            renewed = await to_thread.run_sync(run, place.url)
            await grow(place.url, room.id, user, MORE)
            await server.start()
            with anyio.fail_after(10), pytest.raises(Conflict, match="history was reset"):
                await anext(events)
        texts = [message.text for message in await alice.chat.history(room.id)]

    # She is signed in still, and sees what there is.
    assert renewed.exit_code == 0, renewed.output
    assert alice.user.id == user
    assert texts == [f"other {number}" for number in range(MORE)]


def test_it_says_what_it_did(place: Place) -> None:
    store = opened(place)
    before = store.journal_id
    store.close()
    result = run(place.url)
    store = opened(place)
    now = store.journal_id
    store.close()

    shown = place.url.partition("@")[2] and f"postgresql://{place.url.partition('@')[2]}"
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        f"{shown or place.url}: its journal_id was {before}, and is {now} now. "
        "Clients learn that the history was reset when they reconnect.\n"
    )
    assert now != before


def test_it_refuses_while_a_server_runs(place: Place) -> None:
    store = opened(place)
    before = store.journal_id
    if isinstance(store, PostgresStore):
        store.beat("node-1", "host-1", "1", leaving=False)
    refused = run(place.url)
    store.close()
    store = opened(place)

    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1
    assert ("host-1" if "://" in place.url else "open") in refused.stderr
    assert store.journal_id == before
    store.close()


def test_a_file_that_is_not_there_and_an_older_one_are_refused(tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    shutil.copy(GOLDEN / "0.1.0.db", old)
    before = old.read_bytes()
    missing, older = run(tmp_path / "none.db"), run(old)

    assert (missing.exit_code, older.exit_code) == (1, 1)
    assert not (tmp_path / "none.db").exists()
    assert older.stderr.endswith(f"run `hubbub migrate {old}` first.\n")
    assert old.read_bytes() == before
