"""Users who search for a match, and find one another."""

from __future__ import annotations

from typing import Any, cast

import anyio
import pytest

import hubbub
from hubbub.errors import Conflict, HubbubError, Invalid, NoOpponent, NotFound
from hubbub.games.matches.methods import FIND_SECONDS_MAX
from hubbub.games.matches.supervisor import MatchSupervisor
from tests.session.worlds import OpenWorld, World, until

PATIENCE = 10.0
GAMES = {
    "default": hubbub.Game(),
    "trio": hubbub.Game(size=3, rules=hubbub.BestOf(3), board="trios"),
    "duel": hubbub.Game(rules=hubbub.FirstTo(1)),
}


class Search:
    """One search, run beside the test."""

    def __init__(self, session: hubbub.Session) -> None:
        self.session = session
        self.match: hubbub.Match | None = None
        self.error: HubbubError | None = None
        self.scope = anyio.CancelScope()

    async def run(self, queue: str = "default", key: str | None = None) -> None:
        """Look for a match; note what came of it."""
        with self.scope:
            try:
                with anyio.fail_after(PATIENCE):
                    self.match = await self.session.games.find_match(queue=queue, key=key)
            except HubbubError as error:
                self.error = error

    def found(self) -> hubbub.Match:
        """Return the match."""
        assert self.match is not None
        return self.match


async def found(*sessions: hubbub.Session, queue: str = "default") -> hubbub.Match:
    """Let users find a match with each other."""
    searches = [Search(session) for session in sessions]
    async with anyio.create_task_group() as tasks:
        for search in searches:
            tasks.start_soon(search.run, queue)
    return searches[0].found()


async def until_waiting(w: World, count: int) -> None:
    """Wait until so many look for a match."""

    async def are_there() -> bool:
        queues = w.hub.runtime(MatchSupervisor).matchmaker._queues
        return sum(len(queue.tickets) for queue in queues.values()) == count

    await until(are_there)


async def test_two_who_look_for_a_match_find_each_other(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob = [Search(session) for session in await w.sessions("Alice", "Bob")]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(alice.run)
            await until_waiting(w, 1)
            tasks.start_soon(bob.run)
        match = alice.found()

        assert bob.found() == match == await bob.session.games.match(match.id)
        # Who waited first is named first.
        assert match.players == [alice.session.user.id, bob.session.user.id]
        assert (match.rules, match.board, match.game) == (hubbub.FirstTo(100), "main", "default")
        assert (match.referee, match.private, match.status) == (None, False, "active")
        assert await alice.session.games.matches() == [match]


async def test_a_match_that_was_found_is_played(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob = [Search(session) for session in await w.sessions("Alice", "Bob")]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(alice.run, "duel")
            tasks.start_soon(bob.run, "duel")
        over = await alice.session.games.add_score(alice.found().id, 1)

        assert (over.status, over.winner) == ("completed", alice.session.user.id)


async def test_three_play_a_game_for_three(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        searches = [Search(session) for session in await w.sessions(*"ABCDEF")]
        async with anyio.create_task_group() as tasks:
            for search in searches:
                tasks.start_soon(search.run, "trio")
        matches = {search.found().id: search.found() for search in searches}

        assert len(matches) == 2
        assert {len(match.players) for match in matches.values()} == {3}
        players = [player for match in matches.values() for player in match.players]
        assert sorted(players) == sorted(search.session.user.id for search in searches)
        assert {(m.rules, m.board) for m in matches.values()} == {(hubbub.BestOf(3), "trios")}


async def test_who_plays_another_game_is_no_opponent(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob, carol = [Search(s) for s in await w.sessions("Alice", "Bob", "Carol")]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(alice.run, "duel")
            await until_waiting(w, 1)
            with pytest.raises(NoOpponent):
                await bob.session.games.find_match(timeout=0.05)
            tasks.start_soon(carol.run, "duel")

        assert carol.found() == alice.found()


async def test_nobody_comes_in_time(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice = await w.session("Alice")
        with pytest.raises(NoOpponent) as refused, anyio.fail_after(PATIENCE):
            await alice.games.find_match(timeout=0.05)

        assert isinstance(refused.value, NotFound)
        assert await alice.games.matches() == []


async def test_who_came_too_early_is_no_ghost(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob, carol = [Search(s) for s in await w.sessions("Alice", "Bob", "Carol")]
        with pytest.raises(NoOpponent):
            await alice.session.games.find_match(timeout=0.01)
        with pytest.raises(NoOpponent):
            await bob.session.games.find_match(timeout=0.05)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bob.run)
            tasks.start_soon(carol.run)

        assert sorted(bob.found().players) == sorted([bob.session.user.id, carol.session.user.id])


async def test_who_was_cancelled_is_no_ghost(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob, carol = [Search(s) for s in await w.sessions("Alice", "Bob", "Carol")]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(alice.run)
            await until_waiting(w, 1)
            alice.scope.cancel()
            await until_waiting(w, 0)
            with pytest.raises(NoOpponent):
                await bob.session.games.find_match(timeout=0.05)
            tasks.start_soon(bob.run)
            tasks.start_soon(carol.run)

        assert (alice.match, alice.error) == (None, None)
        assert bob.found() == carol.found()
        assert await alice.session.games.matches() == [bob.found()]


async def test_one_looks_for_one_match_at_a_time(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob = [Search(session) for session in await w.sessions("Alice", "Bob")]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(alice.run)
            await until_waiting(w, 1)
            for queue in ("default", "duel"):
                with pytest.raises(Conflict, match="already"):
                    await alice.session.games.find_match(queue=queue)
            tasks.start_soon(bob.run)

        assert alice.found() == bob.found()


async def test_the_same_key_is_the_same_search(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        searches = [Search(alice), Search(alice), Search(bob)]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(searches[0].run, "default", "k")
            await until_waiting(w, 1)
            tasks.start_soon(searches[1].run, "default", "k")
            tasks.start_soon(searches[2].run)
        later = await alice.games.find_match(key="k")

        assert [search.found() for search in searches] == [later] * 3
        assert await alice.games.matches() == [later]


async def test_a_search_with_a_new_key_finds_the_running_match_again(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        searches = [Search(alice), Search(bob)]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(searches[0].run, "default", "k")
            tasks.start_soon(searches[1].run)
        found = searches[0].found()
        again = await alice.games.find_match(key="another")

        assert again == found
        # Neither of them is in another game's match.
        with pytest.raises(NoOpponent):
            await alice.games.find_match(queue="duel", timeout=0.05)

        await alice.games.resign(found.id)
        with pytest.raises(NoOpponent):
            await alice.games.find_match(timeout=0.05)
        assert [match.id for match in await alice.games.matches()] == [found.id]


async def test_a_game_can_let_users_play_several_matches_at_once(world: OpenWorld) -> None:
    async with world(games={"default": hubbub.Game(resumes=False)}) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        matches = set()
        for _ in range(2):
            searches = [Search(alice), Search(bob)]
            async with anyio.create_task_group() as tasks:
                for search in searches:
                    tasks.start_soon(search.run)
            assert searches[0].found() == searches[1].found()
            matches.add(searches[0].found().id)

        assert len(matches) == 2


async def test_the_same_key_for_another_game_is_refused(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        first, other = Search(alice), Search(bob)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first.run, "duel", "k")
            await until_waiting(w, 1)
            with pytest.raises(Conflict), anyio.fail_after(PATIENCE):
                await alice.games.find_match(queue="default", timeout=0.05, key="k")
            tasks.start_soon(other.run, "duel")

        assert first.found() == other.found()


async def test_those_whose_ratings_are_apart_wait_until_they_are_not(world: OpenWorld) -> None:
    settings = hubbub.Settings(rating_range=100, rating_range_per_second=50)
    async with world(settings, games=GAMES) as w:
        alice, bob, carol, dave = await w.sessions("Alice", "Bob", "Carol", "Dave")
        match = await found(alice, bob)
        await bob.games.resign(match.id)
        high, low = await alice.users.get_many([alice.user.id, bob.user.id])
        searches = [Search(session) for session in (alice, bob, carol, dave)]
        async with anyio.create_task_group() as tasks:
            for search in searches[:2]:
                tasks.start_soon(search.run)
            await until_waiting(w, 2)
            tasks.start_soon(searches[2].run)
            await until_waiting(w, 3)
            tasks.start_soon(searches[3].run)
            await until_waiting(w, 2)
            apart = searches[0].match, searches[1].match
            # As the clock stands, somebody who comes makes the hub look at it again.
            w.clock.passed = (high.rating - low.rating) / 50
            with pytest.raises(NoOpponent):
                await carol.games.find_match(queue="trio", timeout=0.01)

        assert high.rating - low.rating > 100
        assert apart == (None, None)
        assert searches[2].found().players == [carol.user.id, dave.user.id]
        assert searches[0].found() == searches[1].found()


async def test_a_search_has_limits(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice = await w.session("Alice")
        refused: list[dict[str, Any]] = [
            {"queue": "none"},
            {"queue": ""},
            {"timeout": 0},
            {"timeout": -1},
            {"timeout": FIND_SECONDS_MAX + 0.1},
            {"timeout": float("inf")},
            {"timeout": float("nan")},
            {"timeout": cast("Any", "1")},
            {"key": "x" * 201, "timeout": 0.01},
        ]

        for arguments in refused:
            with pytest.raises(Invalid):
                await alice.games.find_match(**arguments)
        with anyio.move_on_after(0.05) as scope:
            await alice.games.find_match(timeout=FIND_SECONDS_MAX)
        assert scope.cancelled_caught


async def test_many_who_come_at_once_all_play(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        searches = [Search(session) for session in await w.sessions(*map(str, range(12)))]
        async with anyio.create_task_group() as tasks:
            for search in searches:
                tasks.start_soon(search.run)
        matches = [search.found() for search in searches]

        assert len({match.id for match in matches}) == 6
        for search, match in zip(searches, matches, strict=True):
            assert search.session.user.id in match.players
