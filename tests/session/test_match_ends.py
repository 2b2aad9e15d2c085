"""How a match ends, what is written then, and which matches are listed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import pytest

import hubbub
from hubbub.errors import Conflict, Invalid, NotAllowed, NotFound, Overloaded
from tests.session.test_matches import GAMES, ended, in_a_match, types
from tests.session.test_matchmaking import found
from tests.session.worlds import OpenWorld, until


async def ratings(session: hubbub.Session, match: hubbub.Match) -> list[float]:
    """Return how well the players of a match play."""
    return [user.rating for user in await session.users.get_many(match.players)]


async def test_who_is_left_has_won(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob, carol) = await in_a_match(w, "Alice", "Bob", "Carol")
        await alice.games.add_score(match.id, 50)
        await bob.games.add_score(match.id, 1)
        first = await alice.games.resign(match.id)
        w.clock.passed = 7
        last = await carol.games.resign(match.id)

        assert (first.status, first.gone, first.winner) == ("active", [alice.user.id], None)
        assert (last.status, last.winner) == ("completed", bob.user.id)
        assert last.gone == [alice.user.id, carol.user.id]
        assert last.ended_at == w.clock.now()
        assert last.scores[alice.user.id] == 50


async def test_to_resign_twice_is_to_resign_once(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, *_) = await in_a_match(w, "Alice", "Bob", "Carol")
        once = await alice.games.resign(match.id)

        assert await alice.games.resign(match.id) == once
        assert types(await alice.read(match.stream)) == ["Started", "Resigned"]


async def test_only_players_resign_and_only_while_it_goes_on(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob")
        eve = await w.session("Eve")
        with pytest.raises(NotAllowed):
            await eve.games.resign(match.id)
        over = await alice.games.resign(match.id)

        assert await alice.games.resign(match.id) == over
        with pytest.raises(Conflict):
            await bob.games.resign(match.id)
        with pytest.raises(NotAllowed):
            await eve.games.resign(match.id)


async def test_the_end_is_written_to_the_match_the_board_and_the_players(
    world: OpenWorld,
) -> None:
    async with world(games={"default": hubbub.Game(rules=hubbub.FirstTo(5))}) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        match = await found(alice, bob)
        await bob.games.add_score(match.id, 1)
        before = await ratings(alice, match)
        over = await alice.games.add_score(match.id, 5)
        players = await bob.users.get_many([alice.user.id, bob.user.id])
        winner, loser = [player.rating for player in players]
        entry = await bob.games.rank("main", alice.user.id)

        assert before == [1500, 1500]
        assert winner > 1500 > loser
        assert (over.status, over.winner) == ("completed", alice.user.id)
        assert (entry.score, entry.rank, entry.nickname) == (10, 1, "Alice")
        assert await bob.games.top("main") == [entry]
        assert await bob.games.matches(status="active") == []


async def test_a_draw_gives_nobody_points(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob", rules=hubbub.Rounds(1))
        await alice.games.add_score(match.id, 3)
        over = await bob.games.add_score(match.id, 3)

        assert (over.status, over.winner) == ("completed", None)
        assert await alice.games.top("main") == []
        assert len(set(await ratings(alice, match))) == 1


async def test_the_match_says_which_board_its_winner_gets_points_on(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        players = [alice.user.id, bob.user.id]
        for _ in range(2):
            match = await alice.games.start_match(players, board="chess")
            await bob.games.resign(match.id)
        board = await bob.games.board("chess")

        assert (board.operator, board.order, board.reset) == ("sum", "desc", None)
        assert [entry.score for entry in await bob.games.top("chess")] == [20]
        with pytest.raises(NotFound):
            await alice.games.rank("main")


async def test_what_a_win_gives_is_a_setting(world: OpenWorld) -> None:
    async with world(hubbub.Settings(match_win_points=0)) as w:
        match, (alice, _) = await in_a_match(w, "Alice", "Bob")
        await alice.games.resign(match.id)

        assert await alice.games.top("main") == []


async def test_who_wins_is_rated_higher_each_time_and_less_so(world: OpenWorld) -> None:
    # They find each other whatever their ratings are.
    async with world(hubbub.Settings(rating_range=10_000)) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        rated = [1500.0]
        for _ in range(3):
            match = await found(alice, bob)
            await bob.games.resign(match.id)
            rated.append((await bob.users.get(alice.user.id)).rating)
        gains = [after - before for before, after in pairwise(rated)]

        assert gains[0] > gains[1] > gains[2] > 0


async def test_a_cancelled_match_has_a_reason_and_no_result(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        match = await alice.games.start_match([alice.user.id, bob.user.id], game="stopped")
        async with bob.follow(match.stream, after=0) as events:
            await send_when_it_runs(alice, match, {"reason": "it rains"})
            seen = await ended(events)
        over = await alice.games.match(match.id)

        assert types(seen) == ["Started", "MatchCancelled"]
        assert (over.status, over.winner, over.reason) == ("cancelled", None, "it rains")
        assert over.ended_at is not None
        assert await ratings(alice, match) == [1500, 1500]
        with pytest.raises(NotFound):
            await alice.games.board("stops")


async def send_when_it_runs(
    session: hubbub.Session, match: hubbub.Match, body: dict[str, Any]
) -> None:
    """Send a message as soon as the hub has begun to run the match."""

    async def sent() -> bool:
        try:
            await session.games.message(match.id, body)
        except (Conflict, Overloaded):
            # Overloaded comes from the node that is going to run it.
            return False
        return True

    await until(sent)


async def test_matches_are_listed_by_what_has_become_of_them(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        players = [alice.user.id, bob.user.id]
        active, done = [await alice.games.start_match(players) for _ in range(2)]
        stopped = await alice.games.start_match(players, game="stopped")
        eve = await w.session("Eve")
        over = await bob.games.resign(done.id)
        async with bob.follow(stopped.stream, after=0) as events:
            await send_when_it_runs(alice, stopped, {"reason": "it rains"})
            await ended(events)
        gone = await alice.games.match(stopped.id)

        for watcher in (alice, bob, eve):
            assert await watcher.games.matches() == [active, over, gone]
            assert await watcher.games.matches(status="active") == [active]
            assert await watcher.games.matches(status="completed") == [over]
            assert await watcher.games.matches(status="cancelled") == [gone]


async def test_the_newest_matches_are_listed(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        players = [alice.user.id, bob.user.id]
        started = [await alice.games.start_match(players) for _ in range(5)]
        over = [await bob.games.resign(match.id) for match in started[:4]]

        assert await bob.games.matches(limit=2) == [over[3], started[4]]
        assert await bob.games.matches(status="completed", limit=2) == over[2:]
        assert await bob.games.matches(status="active", limit=2) == started[4:]
        assert len(await bob.games.matches(limit=500)) == 5


async def test_a_list_of_matches_has_limits(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")

        for limit in (0, -1, 501):
            with pytest.raises(Invalid):
                await alice.games.matches(limit=limit)
        with pytest.raises(Invalid):
            await alice.games.matches(status=cast("Any", "nonsense"))
