"""Boards whose seasons end."""

from __future__ import annotations

from datetime import timedelta

import pytest

import hubbub
from hubbub.errors import NotFound
from tests.session.test_boards import ranked
from tests.session.worlds import NOON, OpenWorld, World

DAY = 24 * 3600.0
MIDNIGHT = NOON + timedelta(hours=12)


async def daily(w: World, *nicknames: str) -> list[hubbub.Session]:
    """Make the board ``b`` that is empty every midnight."""
    sessions = await w.sessions(*nicknames)
    await sessions[0].games.create_board("b", operator="sum", reset="0 0 * * *")
    return sessions


async def test_a_season_ends_and_the_next_begins_empty(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await daily(w, "Alice", "Bob")
        await alice.games.submit("b", 5)
        await bob.games.submit("b", 9)
        w.clock.passed = DAY / 2 - 0.001
        last = await alice.games.submit("b", 5)
        w.clock.passed = DAY / 2
        first = await alice.games.submit("b", 1)

        assert (last.score, last.rank) == (10, 1)
        assert (first.score, first.rank) == (1, 1)
        assert ranked(await bob.games.top("b")) == [(1, 1)]
        with pytest.raises(NotFound):
            await bob.games.rank("b")
        board = await bob.games.board("b")
        assert (board.season, board.size) == (2, 1)


async def test_a_season_that_is_over_is_read_as_it_was_at_its_end(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob, carol = await daily(w, "Alice", "Bob", "Carol")
        for n, session in enumerate((alice, bob, carol, alice)):
            await session.games.submit("b", n + 1, metadata={"n": n})
        at_the_end = await bob.games.top("b")
        w.clock.passed = DAY
        await bob.games.submit("b", 100)

        assert await carol.games.season("b", 1) == at_the_end
        assert ranked(at_the_end) == [(1, 5), (2, 3), (3, 2)]
        page = await carol.games.season("b", 1, limit=1, after=1)
        assert page == await carol.games.season("b", 1, limit=1, after=alice.user.id)
        assert page == at_the_end[1:2]


async def test_seasons_are_listed(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await daily(w, "Alice", "Bob")
        none = await bob.games.seasons("b")
        await alice.games.submit("b", 1)
        w.clock.passed = DAY
        await alice.games.submit("b", 2)
        await bob.games.submit("b", 2)
        # Days in which nobody looked are one season.
        w.clock.passed = 4 * DAY
        await bob.games.submit("b", 3)
        first, second = await bob.games.seasons("b")

        assert none == []
        assert [(s.number, s.size) for s in (first, second)] == [(1, 1), (2, 2)]
        assert (first.started_at, first.ended_at) == (NOON, MIDNIGHT)
        assert second.started_at == MIDNIGHT
        assert second.ended_at == MIDNIGHT + timedelta(days=3)
        assert ranked(await bob.games.season("b", 2)) == [(1, 2), (2, 2)]


async def test_there_is_no_such_season(world: OpenWorld) -> None:
    async with world() as w:
        [alice] = await daily(w, "Alice")

        for number in (-1, 0, 1, 2):
            with pytest.raises(NotFound):
                await alice.games.season("b", number)


async def test_a_season_is_the_same_in_the_process_and_over_the_network(world: OpenWorld) -> None:
    async with world() as w:
        [alice] = await daily(w, "Alice")
        await alice.games.submit("b", 0.5)
        w.clock.passed = DAY
        await alice.games.submit("b", 1)
        async with w.hub.session("local") as local:
            assert await local.games.seasons("b") == await alice.games.seasons("b")
            assert await local.games.season("b", 1) == await alice.games.season("b", 1)


async def test_a_win_counts_in_the_season_in_which_it_was_won(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await daily(w, "Alice", "Bob")
        await bob.games.submit("b", 1)
        match = await alice.games.start_match([alice.user.id, bob.user.id], board="b")
        await bob.games.add_score(match.id, 1)
        # No timer has rung: the clock stands, and is set.
        w.clock.passed = DAY
        await alice.games.resign(match.id)

        assert ranked(await alice.games.season("b", 1)) == [(1, 1)]
        assert ranked(await alice.games.top("b")) == [(1, 10)]


async def test_the_same_key_counts_once_over_the_end_of_a_season(world: OpenWorld) -> None:
    async with world() as w:
        [alice] = await daily(w, "Alice")
        await alice.games.submit("b", 1)
        w.clock.passed = DAY
        once = await alice.games.submit("b", 7, key="k")
        twice = await alice.games.submit("b", 7, key="k")

        assert once == twice
        assert len(await alice.games.seasons("b")) == 1
