"""Matches stand still while the store fails, and continue when it works."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.errors import Overloaded, StorageError
from hubbub.games.matches.call_limit import COUNTED_SECONDS_MAX
from hubbub.games.matches.match_commands import MatchCommands
from hubbub.games.matches.running import AGAIN_SECONDS, AGAIN_SECONDS_MAX
from hubbub.journal.command import Call
from hubbub.testing import VirtualClock, run_in_virtual_time
from tests.event_loop import Backend
from tests.games.virtual_hub import Play, match_of_two, moment, what
from tests.journal.troubled import AwayStore

OUTAGE_SECONDS = 60.0


class Rounds(hubbub.Handler):
    """A game that says something at its start, for each message and, if it ticks, each tick."""

    async def on_start(self, table: hubbub.Table) -> None:
        await table.tell({"said": "start"})

    async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
        if body.get("fail"):
            raise ValueError("a fault in the game")
        await table.tell({"said": "message"})

    async def on_tick(self, table: hubbub.Table, tick: int) -> None:
        await table.tell({"said": "tick"})


GAMES = {
    "rounds": hubbub.Game(rules=hubbub.FirstTo(10), handler=Rounds),
    "ticking": hubbub.Game(rules=hubbub.FirstTo(10), handler=Rounds, ticks_per_second=1),
}

Story = Callable[[hubbub.Hubbub, AwayStore], Awaitable[None]]


def play_on_a_store(backend: Backend, story: Story) -> None:
    async def run() -> None:
        store, settings = AwayStore(), hubbub.Settings(clock=VirtualClock())
        async with hubbub.open(store=store, settings=settings, games=GAMES) as hub:
            await story(hub, store)

    run_in_virtual_time(run, backend=backend)


async def said(session: hubbub.Session, match: hubbub.Match) -> list[str]:
    """Return what the game has said since the match began."""
    events = await session.read(match.stream)
    return [event.data.body["said"] for event in events if hasattr(event.data, "body")]


@pytest.mark.parametrize("game", ["rounds", "ticking"])
def test_a_match_goes_on_when_the_store_works_again(backend: Backend, game: str) -> None:
    async def story(hub: hubbub.Hubbub, store: AwayStore) -> None:
        async with match_of_two(hub, game=game) as (match, ann, _):
            store.writes = False
            with pytest.raises((StorageError, Overloaded)):
                await ann.games.message(match.id, {})
            await anyio.sleep(OUTAGE_SECONDS)
            with pytest.raises(Overloaded, match="send the message again"):
                await ann.games.message(match.id, {})
            store.writes = True
            await anyio.sleep(AGAIN_SECONDS_MAX)
            await ann.games.message(match.id, {})

            spoken = await said(ann, match)
            assert [one for one in spoken if one != "tick"] == ["start", "start", "message"]
            assert (await ann.games.match(match.id)).status == "active"

    play_on_a_store(backend, story)


def test_a_match_that_cannot_be_read_at_its_start_begins_later(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(hub: hubbub.Hubbub, store: AwayStore) -> None:
        wait_for = hub.journal.wait_for
        failures = 0

        async def fail_at_first(call: Call[Any]) -> Any:
            nonlocal failures
            reads = call.command.reads
            if reads and reads[0].startswith("match/") and failures < 3:
                failures += 1
                raise StorageError("The database failed: it cannot be reached.")
            return await wait_for(call)

        async with hub.session("ann") as ann, hub.session("bob"):
            match = await ann.games.start_match(["ann", "bob"], game="rounds")
            monkeypatch.setattr(hub.journal, "wait_for", fail_at_first)
            await anyio.sleep(4 * AGAIN_SECONDS_MAX)

            assert failures == 3
            assert await said(ann, match) == ["start"]

    play_on_a_store(backend, story)


def test_a_match_is_interrupted_in_the_log_once(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(hub: hubbub.Hubbub, store: AwayStore) -> None:
        async with match_of_two(hub, game="ticking"):
            store.writes = False
            await anyio.sleep(OUTAGE_SECONDS)
            store.writes = True
            await anyio.sleep(AGAIN_SECONDS_MAX)

    play_on_a_store(backend, story)

    logged = [r for r in caplog.records if r.name == "hubbub.games" and r.levelno > logging.INFO]
    assert [record.message.partition(" ")[2] for record in logged] == [
        "is interrupted until the store works"
    ]


def test_a_match_whose_game_fails_while_the_store_does_is_cancelled_later(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub, store: AwayStore) -> None:
        async with match_of_two(hub, game="rounds") as (match, ann, _):
            store.writes = False
            with pytest.raises(Overloaded):
                await ann.games.message(match.id, {"fail": True})
            store.writes = True
            await anyio.sleep(2 * AGAIN_SECONDS)
            await ann.games.message(match.id, {"fail": True})
            await moment()

            assert (await ann.games.match(match.id)).status == "cancelled"

    play_on_a_store(backend, story)


def test_a_user_who_leaves_while_the_store_fails_is_dropped_later(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub, store: AwayStore) -> None:
        async with hub.session("ann") as ann:
            async with hub.session("bob"):
                match = await ann.games.start_match(["ann", "bob"], rules=hubbub.FirstTo(1))
                await moment()
                store.writes = False
            await anyio.sleep(OUTAGE_SECONDS)
            store.writes = True
            await anyio.sleep(10)

            assert [kind for _, kind in await what(hub, match.stream)] == ["Started", "Dropped"]

    play_on_a_store(backend, story)


def test_a_write_that_takes_long_does_not_cancel_a_match(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = MatchCommands.tell

    async def tell_slowly(commands: MatchCommands, body: dict[str, Any]) -> None:
        await anyio.sleep(20 * COUNTED_SECONDS_MAX)
        await tell(commands, body)

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="rounds") as (match, ann, _):
            monkeypatch.setattr(MatchCommands, "tell", tell_slowly)
            await ann.games.message(match.id, {})

            assert await said(ann, match) == ["start", "message"]
            assert (await ann.games.match(match.id)).status == "active"

    play(story, games=GAMES)
