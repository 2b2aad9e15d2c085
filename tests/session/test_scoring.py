"""Points: the permissions, the rules, and the winner."""

from __future__ import annotations

from typing import Any, cast

import anyio
import pytest

import hubbub
from hubbub.errors import Conflict, HubbubError, Invalid, KeyReused, NotAllowed
from tests.session.test_matches import GAMES, in_a_match, types
from tests.session.worlds import OpenWorld


async def test_the_first_to_100_wins(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob")
        await alice.games.add_score(match.id, 60)
        close = await bob.games.add_score(match.id, 99)
        over = await alice.games.add_score(match.id, 40)

        assert (close.status, close.winner) == ("active", None)
        assert (over.status, over.winner) == ("completed", alice.user.id)
        assert over.scores == {alice.user.id: 100, bob.user.id: 99}


async def test_of_two_who_reach_100_at_once_one_has_won(world: OpenWorld) -> None:
    async with world() as w:
        match, players = await in_a_match(w, "Alice", "Bob")
        shown, refused = list[hubbub.Match](), list[HubbubError]()

        async def score(session: hubbub.Session) -> None:
            try:
                shown.append(await session.games.add_score(match.id, 10))
            except HubbubError as error:
                refused.append(error)

        async with anyio.create_task_group() as tasks:
            for n in range(40):
                tasks.start_soon(score, players[n % 2])
        over = await players[0].games.match(match.id)
        told = types(await players[0].read(match.stream, limit=500))

        assert [m for m in shown if m.status == "completed"] == [over]
        assert sorted(over.scores.values())[1] == 100 == over.scores[over.winner or ""]
        assert told.count("Completed") == 1
        assert told.count("Scored") == len(shown) == sum(over.scores.values()) // 10
        assert len(refused) == 40 - len(shown)
        assert {type(error) for error in refused} == {Conflict}
        assert [e.score for e in await players[1].games.top("main")] == [10]


async def test_a_player_scores_for_himself_only(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob")
        eve = await w.session("Eve")
        himself = await alice.games.add_score(match.id, 1, player=alice.user.id)
        calls = [
            alice.games.add_score(match.id, 1, player=bob.user.id),
            alice.games.add_score(match.id, 1, player="nobody"),
            eve.games.add_score(match.id, 1),
            eve.games.add_score(match.id, 1, player=alice.user.id),
        ]

        for call in calls:
            with pytest.raises(NotAllowed):
                await call
        assert himself.scores == {alice.user.id: 1, bob.user.id: 0}
        assert await alice.games.match(match.id) == himself


async def test_a_referee_alone_scores(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob, judge = await w.sessions("Alice", "Bob", "Judge")
        players = [alice.user.id, bob.user.id]
        match = await alice.games.start_match(players, referee=judge.user.id)
        scored = await judge.games.add_score(match.id, 7, player=bob.user.id)

        assert scored.scores == {alice.user.id: 0, bob.user.id: 7}
        with pytest.raises(NotAllowed):
            await alice.games.add_score(match.id, 1)
        for player in (None, "nobody"):
            with pytest.raises(Invalid):
                await judge.games.add_score(match.id, 1, player=player)


async def test_points_have_limits(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob", rules=hubbub.FirstTo(10**9))
        await bob.games.add_score(match.id, 1)
        for points in (0, -1, 10**9 + 1, cast("Any", 1.5), cast("Any", "1"), cast("Any", True)):
            with pytest.raises(Invalid):
                await alice.games.add_score(match.id, points)

        assert (await alice.games.add_score(match.id, 10**9)).winner == alice.user.id


async def test_the_same_key_scores_once(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob")
        once = await alice.games.add_score(match.id, 5, key="k")
        twice = await alice.games.add_score(match.id, 5, key="k")
        await bob.games.add_score(match.id, 5, key="k")
        calls = [
            alice.games.add_score(match.id, 6, key="k"),
            alice.games.add_score(match.id, 5, player=alice.user.id, key="k"),
            alice.games.add_score("none", 5, key="k"),
            alice.games.submit("main", 5, key="k"),
            alice.games.start_match(match.players, key="k"),
        ]

        for call in calls:
            with pytest.raises(KeyReused):
                await call
        assert once == twice
        assert (await alice.games.match(match.id)).scores == dict.fromkeys(match.players, 5)


async def test_the_same_key_wins_once(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob")
        await bob.games.add_score(match.id, 1)
        once = await alice.games.add_score(match.id, 100, key="k")
        twice = await alice.games.add_score(match.id, 100, key="k")

        assert once == twice
        assert twice.status == "completed"
        assert (await alice.games.rank("main")).score == 10


async def test_in_a_best_of_match_a_score_is_a_round(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob", rules=hubbub.BestOf(3))
        with pytest.raises(Invalid):
            await alice.games.add_score(match.id, 2)
        await alice.games.add_score(match.id, 1)
        await bob.games.add_score(match.id, 1)
        over = await alice.games.add_score(match.id, 1)

        assert over.winner == alice.user.id
        assert over.scores == {alice.user.id: 2, bob.user.id: 1}


async def test_everybody_has_a_turn_in_each_round(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob", rules=hubbub.Rounds(2))
        for points in (0, 3):
            await alice.games.add_score(match.id, points)
        with pytest.raises(Conflict, match="wait for the other players"):
            await alice.games.add_score(match.id, 9)
        with pytest.raises(Invalid):
            await bob.games.add_score(match.id, -1)
        await bob.games.add_score(match.id, 2)
        over = await bob.games.add_score(match.id, 2)

        assert (over.winner, over.scores) == (bob.user.id, {alice.user.id: 3, bob.user.id: 4})


async def test_an_application_brings_rules_of_its_own(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        rules = hubbub.Custom("lead", {"by": 3})
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob", rules=rules)
        await alice.games.add_score(match.id, 2)
        await bob.games.add_score(match.id, 2)
        close = await alice.games.add_score(match.id, 2)
        over = await alice.games.add_score(match.id, 1)

        assert close.status == "active"
        assert (over.status, over.winner) == ("completed", alice.user.id)


async def test_who_is_gone_or_too_late_does_not_score(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob, carol) = await in_a_match(w, "Alice", "Bob", "Carol")
        await alice.games.resign(match.id)
        with pytest.raises(Conflict):
            await alice.games.add_score(match.id, 1)
        await bob.games.add_score(match.id, 100)

        with pytest.raises(Conflict):
            await carol.games.add_score(match.id, 1)


async def test_when_the_time_is_up_nobody_scores(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob", rules=hubbub.Timed(60))
        w.clock.passed = 59.9
        scored = await alice.games.add_score(match.id, 1)
        w.clock.passed = 60
        with pytest.raises(Conflict, match="time"):
            await bob.games.add_score(match.id, 2)

        assert scored.status == "active"
        assert (await bob.games.match(match.id)).scores == scored.scores


async def test_the_order_of_checks_is_key_exists_may_valid_state(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob")
        eve = await w.session("Eve")
        await bob.games.add_score(match.id, 100, key="k")

        assert (await bob.games.add_score(match.id, 100, key="k")).status == "completed"
        with pytest.raises(NotAllowed):
            await eve.games.add_score(match.id, -1)
        with pytest.raises(Invalid):
            await alice.games.add_score(match.id, -1)
        with pytest.raises(Conflict):
            await alice.games.add_score(match.id, 1)
