"""The limits on games over a network; the application has none."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

import hubbub
from hubbub.errors import Conflict, Invalid, NotAllowed, Overloaded
from tests.session import test_matches
from tests.session.test_boards import ranked, with_scores
from tests.session.test_match_ends import send_when_it_runs
from tests.session.test_matches import ended, in_a_match
from tests.session.test_matchmaking import GAMES, Search, found, until_waiting
from tests.session.worlds import OpenWorld, World, until


class Points(hubbub.Handler):
    """A game that gives a player the points that they ask for."""

    async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
        if points := body.get("points"):
            await table.add_score(player, points)


def is_remote(w: World) -> bool:
    return w.gateway is not None


async def gone(w: World, nickname: str) -> str:
    """Return the id of a user who has signed in."""
    async with w.visit(nickname) as session:
        user = session.user.id

    async def is_gone() -> bool:
        return not w.hub.presence.is_connected(user)

    await until(is_gone)
    return user


async def test_pages_of_a_board_neither_repeat_nor_miss(world: OpenWorld) -> None:
    async with world() as w:
        players = await with_scores(w, 50, 40, 30, 20, 10)
        games = players[0].games
        first = await games.top("b", limit=2)
        await players[1].games.submit("b", 60)
        second = await games.top("b", limit=2, after=first[-1].cursor)
        third = await games.top("b", limit=2, after=second[-1].cursor)
        back = await games.top("b", limit=2, before=third[0].cursor)

        assert [e.score for e in (*first, *second, *third)] == [50, 40, 30, 20, 10]
        assert back == second
        assert ranked(await games.top("b", before=3)) == [(1, 60), (2, 50)]
        for cursor in ("/", "/x", "/" + "A" * 1_000):
            with pytest.raises(Invalid):
                await games.top("b", after=cursor)


async def test_sums_are_exact(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        await alice.games.create_board("b", operator="sum")
        for score in (0.1, 0.1, 0.1):
            await alice.games.submit("b", score)
        await bob.games.submit("b", 0.3)
        zero = await alice.games.submit("main", -0.0)

        assert ranked(await bob.games.top("b")) == [(1, 0.3), (2, 0.3)]
        assert [e.user_id for e in await bob.games.top("b")] == [alice.user.id, bob.user.id]
        assert str(zero.score).strip("0.") == ""


async def test_a_match_over_a_network_begins_with_players_who_are_there(world: OpenWorld) -> None:
    async with world() as w:
        victim = await gone(w, "Victim")
        mallory = await w.session("Mallory")
        players = [mallory.user.id, victim]
        if is_remote(w):
            with pytest.raises(Conflict, match="not connected"):
                await mallory.games.start_match(players, board="b")
            assert await mallory.games.matches() == []
        else:
            match = await mallory.games.start_match(players, rules=hubbub.FirstTo(1))
            over = await mallory.games.add_score(match.id, 1)
            assert (over.status, over.winner) == ("cancelled", None)

        assert await mallory.games.top("main") == []
        ratings = [user.rating for user in await mallory.users.get_many(players)]
        assert ratings == [1500, 1500]


async def test_a_player_who_was_not_asked_loses_nothing_and_gives_nothing(
    world: OpenWorld,
) -> None:
    async with world() as w:
        mallory, victim, friend = await w.sessions("Mallory", "Victim", "Friend")
        if not is_remote(w):
            return
        players = [mallory.user.id, victim.user.id]
        rules = hubbub.FirstTo(1)
        for referee in (None, mallory, friend):
            judge = None if referee is None else referee.user.id
            match = await mallory.games.start_match(players, rules=rules, referee=judge)
            by = referee or mallory
            over = await by.games.add_score(match.id, 1, player=mallory.user.id)
            assert (over.status, over.winner) == ("cancelled", None)
        given_up = await mallory.games.start_match(players)
        over = await mallory.games.resign(given_up.id)

        assert (over.status, over.winner) == ("cancelled", None)
        assert await mallory.games.top("main") == []
        assert [user.rating for user in await mallory.users.get_many(players)] == [1500, 1500]


async def test_to_score_is_to_take_part(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob", rules=hubbub.FirstTo(5))
        await bob.games.add_score(match.id, 1)
        over = await alice.games.add_score(match.id, 5)

        assert (over.status, over.winner) == ("completed", alice.user.id)


async def test_to_send_a_message_to_the_game_is_to_take_part(world: OpenWorld) -> None:
    async with world(games={"points": hubbub.Game(handler=Points)}) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        players, rules = [alice.user.id, bob.user.id], hubbub.FirstTo(1)
        won = list[str | None]()
        for speaks in (True, False):
            match = await alice.games.start_match(players, rules=rules, game="points")
            async with alice.follow(match.stream, after=0) as events:
                if speaks:
                    await send_when_it_runs(bob, match, {})
                await send_when_it_runs(alice, match, {"points": 1})
                await ended(events)
            won.append((await alice.games.match(match.id)).winner)

        assert won == [alice.user.id, None if is_remote(w) else alice.user.id]


async def test_over_a_network_a_user_starts_only_matches_of_their_own(world: OpenWorld) -> None:
    async with world() as w:
        mallory, alice, bob = await w.sessions("Mallory", "Alice", "Bob")
        judge = await w.session("Judge", role="moderator")
        players = [alice.user.id, bob.user.id]
        for referee in (None, mallory.user.id):
            if is_remote(w):
                with pytest.raises(NotAllowed, match="add yourself"):
                    await mallory.games.start_match(players, referee=referee)
            else:
                await mallory.games.start_match(players, referee=referee)
        match = await judge.games.start_match(players)
        over = await alice.games.resign(match.id)

        assert (over.status, over.winner) == ("completed", bob.user.id)


async def test_a_moderators_program_may_start_any_match(world: OpenWorld) -> None:
    async with world() as w:
        players = [await gone(w, "Alice"), await gone(w, "Bob")]
        judge = await w.session("Judge", role="moderator")
        rules = hubbub.FirstTo(5)
        match = await judge.games.start_match(players, rules=rules, referee=judge.user.id)
        over = await judge.games.add_score(match.id, 5, player=players[0])

        assert (over.status, over.winner) == ("completed", players[0])


async def test_the_same_two_are_rated_so_often_in_a_day(world: OpenWorld) -> None:
    # They find each other whatever their ratings are.
    settings = hubbub.Settings(rated_matches_max=2, rating_range=10_000)
    async with world(settings) as w:
        alice, bob, carol = await w.sessions("Alice", "Bob", "Carol")

        async def gain(other: hubbub.Session) -> float:
            before = (await alice.users.get(alice.user.id)).rating
            match = await found(alice, other)
            await other.games.resign(match.id)
            return (await alice.users.get(alice.user.id)).rating - before

        gains = [await gain(bob) for _ in range(4)]
        with_another = await gain(carol)
        w.clock.passed = 24 * 3_600.0
        tomorrow = await gain(bob)

        assert [moved > 0 for moved in gains] == [True, True, False, False]
        assert with_another > 0
        assert tomorrow > 0
        assert ranked(await bob.games.top("main")) == [(1, 60)]


async def test_so_many_matches_of_ones_own_go_on(world: OpenWorld) -> None:
    async with world(hubbub.Settings(matches_begun_max=2)) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        players = [alice.user.id, bob.user.id]
        started = [await alice.games.start_match(players) for _ in range(2)]
        if not is_remote(w):
            await alice.games.start_match(players)
            return
        with pytest.raises(Conflict, match="2 running matches"):
            await alice.games.start_match(players)
        with pytest.raises(Conflict, match="2 running matches"):
            await alice.games.find_match(timeout=0.05)

        # What others have begun is not on one's own account.
        await bob.games.start_match(players)
        await alice.games.resign(started[0].id)
        await alice.games.start_match(players)


async def test_so_many_look_for_a_match(world: OpenWorld) -> None:
    async with world(hubbub.Settings(searches_max=1), games=GAMES) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        search = Search(alice)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(search.run)
            await until_waiting(w, 1)
            with pytest.raises(Overloaded):
                await bob.games.find_match()
            search.scope.cancel()


async def test_a_user_makes_so_many_boards(world: OpenWorld) -> None:
    async with world(hubbub.Settings(boards_made_max=2, boards_max=3)) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        for name in ("a", "b", "a"):
            await alice.games.create_board(name)
        if not is_remote(w):
            for name in "cdefg":
                await alice.games.create_board(name)
            return
        players = [alice.user.id, bob.user.id]
        with pytest.raises(Conflict, match="You have created 2 boards"):
            await alice.games.create_board("c")
        with pytest.raises(Conflict, match="You have created 2 boards"):
            await alice.games.start_match(players, board="c")
        await alice.games.start_match(players, board="a")

        # A board that a match will make counts as made, once.
        for _ in range(2):
            await bob.games.start_match(players, board="c")
        with pytest.raises(Conflict, match="There are 3 boards"):
            await bob.games.create_board("d")
        await bob.games.create_board("c", operator="sum")


async def test_a_season_takes_a_while(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        root = await w.session("Root", role="admin")
        await alice.games.create_board("hours", reset="0 * * * *")
        await root.games.create_board("minutes", reset="* * * * *")
        if is_remote(w):
            for reset in ("* * * * *", "0,59 * * * *", "0-1 0 1 1 *"):
                with pytest.raises(Invalid, match="a season lasts"):
                    await alice.games.create_board("x", reset=reset)


async def test_what_is_deep_is_refused(world: OpenWorld) -> None:
    async with world(games=test_matches.GAMES) as w:
        match, (alice, _) = await in_a_match(w, "Alice", "Bob")
        deep: dict[str, Any] = {}
        for _ in range(40):
            deep = {"a": deep}
        players = list(match.players)
        calls = [
            alice.games.submit("main", 1, metadata=deep, key="k"),
            alice.games.message(match.id, deep),
            alice.games.start_match(players, rules=hubbub.Custom("lead", deep)),
        ]
        for call in calls:
            with pytest.raises(Invalid, match="nested"):
                await call
