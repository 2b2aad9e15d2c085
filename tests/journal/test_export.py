"""The export of a user has what is theirs, and nothing that is another user's alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

import hubbub
from hubbub.errors import NotFound
from hubbub.feature_set import FeatureSet
from hubbub.features import FEATURES
from hubbub.journal.command import Command
from hubbub.journal.event import Draft, Streams
from hubbub.journal.export import export
from hubbub.journal.stores.contract import Store
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.players import ToldPlayer
from tests.features import READERS, STREAMS
from tests.journal.golden.make import GOLDEN, PASSWORD

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PRIVATE = {kind for kind, grant in READERS.items() if {"owner", "nobody"} & set(grant.who)}


def exported(store: Store, user: str, streams: Streams | None = None) -> list[dict[str, Any]]:
    lines = export(store, streams or Streams(STREAMS), PRIVATE, user, NOON)
    return [msgspec.json.decode(line) for line in lines]


def text_of(lines: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(lines).decode()


@pytest.fixture
def golden(tmp_path: Path) -> Any:
    store = SQLiteStore(shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "hubbub.db"))
    yield store
    store.close()


async def in_a_hub(work: Callable[[hubbub.Hubbub], Coroutine[Any, Any, None]]) -> Store:
    async with hubbub.open("memory://") as hub:
        await work(hub)
        return hub.journal.store


def test_it_begins_with_the_user_and_ends_with_the_counts(golden: Store) -> None:
    lines = exported(golden, "ann")
    head, profile, *_, end = lines

    assert (head["record"], head["user"], head["at"]) == ("export", "ann", "2026-01-01T12:00:00Z")
    assert head["journal_id"] == golden.journal_id
    assert (profile["record"], profile["stream"]) == ("profile", "user/ann")
    assert (profile["state"]["nickname"], profile["state"]["account"]) == ("Ann", "Ann")
    assert end["record"] == "end"
    assert end["events"] == sum(one["record"] == "event" for one in lines) > 280
    assert end["keys"] == sum(one["record"] == "key" for one in lines) == 3
    assert end["skipped"] == {}


def test_all_that_is_the_user_s_is_in_it(golden: Store) -> None:
    lines = exported(golden, "ann")
    kinds = {
        (one["event"]["stream"].partition("/")[0], one["event"]["type"])
        for one in lines
        if one["record"] == "event"
    }
    keys = [one["key"] for one in lines if one["record"] == "key"]

    assert {
        ("user", "registered"),
        ("account", "account_created"),
        ("room", "message"),
        ("room", "reacted"),
        ("direct", "message"),
        ("match", "started"),
        ("match", "scored"),
        ("cart", "item_added"),
        # Nothing but the hub writes these, and they are about the user's order and cart.
        ("order", "paid"),
        ("cart", "checkout_ended"),
    } <= kinds
    assert keys == ["lobby", "match", "order"]
    assert "only for Bob" in text_of(lines)


def test_what_others_said_is_not_in_it(golden: Store) -> None:
    ann, bob = text_of(exported(golden, "ann")), text_of(exported(golden, "bob"))

    assert "only for Ann" not in ann
    assert "a banana a day" not in ann
    assert "only for Bob" not in bob
    assert "item_added" not in bob
    assert '"order/' not in bob


def test_a_message_that_the_user_deleted_is_held_and_so_exported(golden: Store) -> None:
    assert "a mistake" in text_of(exported(golden, "bob"))


def test_no_secret_is_in_it(golden: Store) -> None:
    text = text_of(exported(golden, "ann"))

    assert "argon2" not in text
    assert golden.secret not in text


async def test_what_a_moderator_did_to_the_user_is_in_it() -> None:
    async def work(hub: hubbub.Hubbub) -> None:
        async with hub.session("mod") as mod, hub.session("bob") as bob:
            room = await mod.chat.create_room("r")
            await bob.chat.join(room.id)
            await mod.chat.mute(room.id, "bob", 30)
            await mod.chat.send(room.id, "bob")

    store = await in_a_hub(work)
    events = [one["event"] for one in exported(store, "bob") if one["record"] == "event"]

    assert ("muted", "mod") in {(one["type"], one["by"]) for one in events}
    # A text is no name.
    assert "message" not in {one["type"] for one in events}


async def test_what_only_another_user_may_read_is_not_in_it_though_the_user_wrote_it() -> None:
    async def work(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann", role="admin") as ann, hub.session("bob"):
            hand = Draft("user/bob", ToldPlayer("match/1", {"hand": ["the ace of spades"]}))
            await hub.itself.execute(Command("ann", lambda states: [hand], lambda *_: None))
            await ann.users.create_user("Zacharias", PASSWORD)
            await ann.users.set_role("bob", "moderator")

    store = await in_a_hub(work)
    ann, bob = text_of(exported(store, "ann")), text_of(exported(store, "bob"))

    assert "spades" not in ann
    assert "Zacharias" not in ann
    assert "moderator" not in ann
    assert "spades" in bob
    assert "moderator" in bob


async def test_events_of_features_that_are_not_given_are_counted() -> None:
    async def work(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            await ann.chat.create_room("r")

    store = await in_a_hub(work)
    users_only = Streams(FeatureSet([FEATURES[0]]).streams)
    end = exported(store, "ann", users_only)[-1]

    assert end["skipped"]["room"] == 2


def test_somebody_who_was_never_here_has_no_export(golden: Store) -> None:
    with pytest.raises(NotFound, match="no user 'nobody'"):
        exported(golden, "nobody")
