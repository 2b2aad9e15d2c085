"""Erasing a user: their texts and names are gone from the file; everything else is as before."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import anyio
import apsw
import pytest

import hubbub
from hubbub.chat.events import RoomEvent
from hubbub.chat.rooms.room import RoomState
from hubbub.errors import Conflict, NotFound
from hubbub.journal.erase import erase, plan_erasure
from hubbub.journal.event import Data, Streams
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.upgrade import upgrade
from hubbub.journal.verify import verify
from hubbub.users.erasing import ERASED_NICKNAME
from tests.features import ALL, STREAMS
from tests.journal.golden.make import GOLDEN, PASSWORD, folded_states
from tests.journal.test_export import PRIVATE
from tests.session.test_keys import KEY, signed

ALL_STREAMS = Streams(STREAMS)
SECRET = "xylophone"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = Path(shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "hubbub.db"))
    upgrade(path, keeps_backup=False)
    return path


def plan_of(path: Path, user: str) -> Any:
    with closing(SQLiteStore(path)) as store:
        return plan_erasure(store, ALL_STREAMS, PRIVATE, ALL.erasures, ALL.renamed, user)


def erase_in(path: Path, user: str) -> None:
    erase(path, ALL_STREAMS, plan_of(path, user))


def states_of(path: Path) -> dict[str, Any]:
    with closing(SQLiteStore(path)) as store:
        assert verify(store, ALL_STREAMS).faults == []
        return folded_states(store)


def bytes_of(path: Path) -> bytes:
    return b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))


def test_what_the_user_wrote_is_nowhere_in_the_file(db: Path) -> None:
    written = [b"message 25", b"only for Bob", b'"Ann"', b"account/ann", b"$argon2id"]
    before = [text in bytes_of(db) for text in written]
    erase_in(db, "ann")
    erase_in(db, "root")

    assert before == [True] * len(written)
    assert [text for text in written if text in bytes_of(db)] == []


def test_the_events_keep_their_places_and_fold(db: Path) -> None:
    before = states_of(db)
    erase_in(db, "ann")
    after = states_of(db)

    assert len(after) == len(before)
    kept = [one for one in before if one.partition("/")[0] not in {"account", "user"}]
    assert {one: after[one] for one in kept} == {one: before[one] for one in kept}
    [ann] = after["user/ann"]
    assert (ann["nickname"], ann["account"]) == (ERASED_NICKNAME, "")
    assert ann["links"] == before["user/ann"][0]["links"]


def test_others_lose_nothing(db: Path) -> None:
    before = states_of(db)
    erase_in(db, "ann")
    after = states_of(db)

    others = [one for one in before if "bob" in one and one != "direct/ann/bob"]
    assert [one for one in others if after[one] != before[one]] == []
    assert b"only for Ann" in bytes_of(db)
    with closing(SQLiteStore(db)) as store:
        [room] = [name for name, _ in store.streams() if name.startswith("room/")]
        assert len(store.search(room, ["BANANA"], 1 << 40, 10)) == 1
        assert store.search(room, ["MESSAGE"], 1 << 40, 10) == []
        assert {one.by for one in store.keys(("", ""), 100)} == {"bob"}


def test_a_second_time_there_is_nothing_to_rename(db: Path) -> None:
    erase_in(db, "ann")
    plan = plan_of(db, "ann")
    erase(db, ALL_STREAMS, plan)

    assert plan.renamed == {}
    assert states_of(db)["user/ann"][0]["nickname"] == ERASED_NICKNAME


def test_the_name_of_the_account_is_free_again(db: Path) -> None:
    async def take() -> str:
        async with hubbub.open(str(db)) as hub, hub.session("new", nickname="New") as new:
            await new.users.create_account("Ann", PASSWORD)
            room = await new.chat.join((await new.chat.rooms())[0].id)
            history = await new.chat.history(room.id, limit=500)
            return next(one.text for one in history if one.by == "ann")

    erase_in(db, "ann")

    assert anyio.run(take) == ""


def test_a_name_that_another_user_claims_by_now_stays_claimed(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"

    async def fill() -> None:
        async with hubbub.open(str(path)) as hub, hub.session("mod", role="admin") as mod:
            await mod.users.update(nickname="Captain")
            await mod.users.update(nickname="Sailor")
            async with hub.session("zoe", nickname="Zoe") as zoe:
                await zoe.users.create_account("Captain", PASSWORD)

    async def imitate() -> None:
        async with hubbub.open(str(path)) as hub, hub.session("eve") as eve:
            with pytest.raises(Conflict, match="looks like"):
                await eve.users.create_account("Capta1n", PASSWORD)

    anyio.run(fill)
    erase_in(path, "mod")

    anyio.run(imitate)


@pytest.mark.parametrize("kind", get_args(RoomEvent), ids=lambda kind: kind.__name__)
def test_what_a_deletion_takes_away_an_erasure_takes_away(kind: type[Data]) -> None:
    data = kind(**dict.fromkeys(kind.__struct_fields__, "x"))
    redacted = RoomState.redacted(data)

    assert (redacted == data) or ALL.erasures[kind](data, "ann") == redacted


async def test_what_the_user_encrypted_and_called_a_device_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    words = [b"Anns-telephone", b"c2VhbGVkIHdvcmRz", b"c2VhbGVkIGVkaXQ", b"YmFja2VkIHVw"]
    phone, telephone, sealed, edit, backed_up = "phone", *[word.decode() for word in words]
    async with hubbub.open(str(path)) as hub, hub.session("ann", nickname="Ann") as ann:
        await ann.keys.add_device(phone, telephone, signed(ann), KEY)
        room = await ann.chat.create_room("Room", encrypted=True)
        said = await ann.chat.send_sealed(room.id, phone, "s", sealed, roster=room.roster)
        await ann.chat.change_sealed(room.id, said.seq, phone, "s", edit, roster=room.roster)
        await ann.keys.begin_backup("one", "c2FsdA", "Y2hlY2s")
        await ann.keys.back_up("one", {"entry": backed_up})
    before = [word in bytes_of(path) for word in words]
    await anyio.to_thread.run_sync(erase_in, path, "ann")

    assert before == [True] * len(words)
    assert [word for word in words if word in bytes_of(path)] == []
    assert "keys/ann" in await anyio.to_thread.run_sync(states_of, path)


async def test_scores_of_other_players_keep_their_nicknames(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    async with (
        hubbub.open(str(path)) as hub,
        hub.session("ann", nickname="Ann") as ann,
        hub.session("bob", nickname="Bob") as bob,
    ):
        match = await ann.games.start_match(["ann", "bob"])
        await bob.games.add_score(match.id, 10)
        await ann.games.add_score(match.id, 100)
        again = await ann.games.start_match(["ann", "bob"])
        # The player who loses ends the match, so the winner's score is in an event of theirs.
        await ann.games.resign(again.id)
    await anyio.to_thread.run_sync(erase_in, path, "ann")
    async with hubbub.open(str(path)) as hub, hub.session("cid") as cid:
        entries = await cid.games.top("main")

    assert {one.user_id: one.nickname for one in entries} == {"ann": "ann", "bob": "Bob"}


def test_a_database_that_has_changed_is_not_overwritten(db: Path) -> None:
    plan = plan_of(db, "ann")
    erase_in(db, "bob")
    database = apsw.Connection(str(db))
    database.execute("DELETE FROM event WHERE id = (SELECT max(id) FROM event)")
    database.close()

    with pytest.raises(Conflict, match="changed"):
        erase(db, ALL_STREAMS, plan)
    with pytest.raises(NotFound, match="no user"):
        plan_of(db, "nobody")
