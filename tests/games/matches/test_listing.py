"""Matches that are over, read page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

import hubbub
from hubbub.games.matches import ending, listing
from hubbub.games.matches.match import MatchState, match_of
from hubbub.games.matches.supervisor import MatchSupervisor
from tests.session.worlds import SetClock


@asynccontextmanager
async def three() -> AsyncIterator[tuple[hubbub.Hubbub, list[hubbub.Session], SetClock]]:
    """Open a hub; connect two players and a spectator."""
    clock = SetClock()
    settings = hubbub.Settings(clock=clock, random=Random(1))
    async with (
        hubbub.open("memory://", settings=settings) as hub,
        hub.session("ann") as ann,
        hub.session("bob") as bob,
        hub.session("eve") as eve,
    ):
        yield hub, [ann, bob, eve], clock


async def played(ann: hubbub.Session, count: int) -> list[hubbub.Match]:
    """Let ann start matches against bob, and resign."""
    started = [await ann.games.start_match(["ann", "bob"]) for _ in range(count)]
    return [await ann.games.resign(match.id) for match in started]


async def cancel(hub: hubbub.Hubbub, match: hubbub.Match) -> None:
    """Let the hub end a match without a result."""
    await hub.runtime(MatchSupervisor).running.commands(match.stream, 0).cancel("it rains")


@pytest.mark.parametrize("page", [1, 2, 3, 100])
async def test_what_is_over_is_read_page_by_page(
    monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(listing, "PAGE", page)
    async with three() as (_, [ann, bob, eve], _):
        over = await played(ann, 5)

        for session in (ann, bob, eve):
            assert await session.games.matches(status="completed") == over
        assert await eve.games.matches(limit=2) == over[-2:]


async def test_what_has_another_status_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    async with three() as (hub, [ann, _, eve], _):
        [done] = await played(ann, 1)
        for _ in range(5):
            await cancel(hub, await ann.games.start_match(["ann", "bob"]))
        for session in (ann, eve):
            assert await session.games.matches(status="completed", limit=1) == [done]
            assert len(await session.games.matches(status="cancelled")) == 5
            assert await session.games.matches(status="active") == []


async def test_what_is_long_over_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async with three() as (_, [ann, *_], _):
        players = ["ann", "bob"]
        # Private matches are only in the players' own streams.
        over = [await ann.games.start_match(players, private=True) for _ in range(4)]
        over = [await ann.games.resign(match.id) for match in over]
        going_on = [await ann.games.start_match(players, private=True) for _ in range(3)]
        # The last 3 events are of those that go on; each match that is over ended with one, and
        # before that all had begun with one.
        for limit, expected in ((5, over[-2:]), (4, over[-1:]), (3, [])):
            monkeypatch.setattr(listing, "EVENTS_READ_MAX", limit)

            assert await ann.games.matches(status="completed") == expected
            assert await ann.games.matches() == expected + going_on


async def test_matches_of_an_earlier_release_are_listed_and_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with three() as (_, [ann, _, eve], _):
        monkeypatch.setattr(ending, "stream_shard", lambda stream, about: stream)
        early = await ann.games.start_match(["ann", "bob"])
        monkeypatch.undo()
        late = await ann.games.start_match(["ann", "bob"])

        assert await eve.games.matches() == [early, late]
        over = [await ann.games.resign(match.id) for match in (early, late)]
        assert await eve.games.matches(status="active") == []
        assert await eve.games.matches(status="completed") == over


async def test_a_private_match_is_listed_to_its_players() -> None:
    async with three() as (_, [ann, bob, eve], _):
        private = await ann.games.start_match(["ann", "bob"], private=True)
        public = await ann.games.start_match(["ann", "eve"])
        over = await bob.games.resign(private.id)

        assert await ann.games.matches() == [over, public]
        assert await bob.games.matches() == [over, public]
        assert await eve.games.matches() == [public]
        assert await eve.games.matches(status="completed") == []


async def test_what_is_no_match_is_not_listed() -> None:
    async with three() as (_, [ann, *_], _):
        room = await ann.chat.create_room("Lobby")
        await ann.chat.leave(room.id)

        assert await ann.games.matches() == []


async def test_a_page_of_matches_costs_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = 0

    def counted(stream: str, state: MatchState) -> hubbub.Match:
        nonlocal shown
        shown += 1
        return match_of(stream, state)

    async with three() as (_, [ann, _, eve], _):
        over = await played(ann, 100)
        active = [await ann.games.start_match(["ann", "bob"]) for _ in range(100)]
        monkeypatch.setattr(listing, "match_of", counted)

        assert await eve.games.matches(status="active", limit=3) == active[-3:]
        assert shown <= 3
        assert await eve.games.matches(status="completed", limit=3) == over[-3:]
        assert shown <= 3 + 2 * listing.FEW


async def test_of_what_has_another_status_so_much_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "MATCHES_SHOWN_MAX", 10)
    monkeypatch.setattr(listing, "FEW", 3)
    async with three() as (hub, [ann, _, eve], _):
        await cancel(hub, await ann.games.start_match(["ann", "bob"]))
        await played(ann, 9)
        seen = await eve.games.matches(status="cancelled", limit=1)
        await played(ann, 1)

        assert len(seen) == 1
        assert await eve.games.matches(status="cancelled", limit=1) == []
