from __future__ import annotations

import anyio
import pytest
from typer.testing import CliRunner

import hubbub
from hubbub.cli.app import app
from hubbub.errors import Conflict
from hubbub.journal.stores.contract import ErasurePlan
from hubbub.journal.stores.postgres.store import PostgresStore
from tests.journal.stores.kinds import emptied


async def fill(url: str) -> str:
    async with (
        hubbub.open(url, features=[hubbub.USERS, hubbub.CHAT]) as hub,
        hub.session("ann", nickname="Ann") as ann,
    ):
        room = await ann.chat.create_room("lobby")
        await ann.chat.send(room.id, "only for Bob", key="k")
        return room.stream


def test_an_erased_user_has_no_text_in_any_table(request: pytest.FixtureRequest) -> None:
    url = emptied(request)
    stream = anyio.run(fill, url)

    erased = CliRunner().invoke(app, ["erase", "ann", url, "--yes"])
    verified = CliRunner().invoke(app, ["verify", url])

    assert erased.exit_code == 0, erased.output
    assert "ann is erased" in erased.stdout
    assert verified.exit_code == 0, verified.output
    store = PostgresStore(url)
    try:
        assert not any(b"only for Bob" in body for body in store.read(stream, 0, 100))
        assert store.search(stream, ["bob"], 1 << 40, 10) == []
        assert store.used("ann", "k") is None
    finally:
        store.close()


def test_nothing_is_erased_while_a_server_runs(request: pytest.FixtureRequest) -> None:
    store = PostgresStore(emptied(request))
    try:
        store.beat("node-1", "host-1", "1", leaving=False)
        with pytest.raises(Conflict, match="host-1"):
            store.erase(ErasurePlan("ann", {}, [], {}, store.last_place(), {}))
    finally:
        store.close()
