"""Matches: starting one, looking at it, giving up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.errors import Invalid, KeyReused, NotAllowed, NotFound
from hubbub.games.matches.methods import OPTIONS_BYTES_MAX
from hubbub.games.matches.rules import AnyRules
from tests.session.worlds import OpenWorld, World

PATIENCE = 10.0


def is_ahead(options: Any, standing: hubbub.Standing) -> hubbub.Outcome | None:
    """Let the first who is so many points ahead win."""
    first, second = sorted(standing.players, key=standing.scores.__getitem__, reverse=True)[:2]
    ahead = standing.scores[first] - standing.scores[second]
    return hubbub.Outcome(first) if ahead >= options["by"] else None


class Stopped(hubbub.Handler):
    """A game that any message ends."""

    async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
        await table.cancel(body["reason"])


GAMES = {
    "default": hubbub.Game(),
    "lead": hubbub.Game(decide=is_ahead),
    "stopped": hubbub.Game(handler=Stopped, board="stops", rules=hubbub.BestOf(5)),
}
RULES: list[AnyRules] = [
    hubbub.FirstTo(7),
    hubbub.BestOf(3),
    hubbub.Timed(60.5),
    hubbub.Rounds(2),
    hubbub.Custom("lead", {"by": 2, "deep": [{"x": None}]}),
]


async def in_a_match(
    w: World, *nicknames: str, rules: AnyRules | None = None, private: bool = False
) -> tuple[hubbub.Match, list[hubbub.Session]]:
    """Start a match of the users of these nicknames."""
    sessions = await w.sessions(*nicknames)
    players = [session.user.id for session in sessions]
    match = await sessions[0].games.start_match(players, rules=rules, private=private)
    return match, sessions


async def ended(events: AsyncIterator[hubbub.Event]) -> list[hubbub.Event]:
    """Take a match's events up to its end."""
    taken = list[hubbub.Event]()
    with anyio.fail_after(PATIENCE):
        async for event in events:
            taken.append(event)
            if type(event.data).__name__ in ("Completed", "MatchCancelled"):
                break
    return taken


def types(events: list[hubbub.Event]) -> list[str]:
    """Name the types of events."""
    return [type(event.data).__name__ for event in events]


async def test_a_match_begins_as_it_was_asked_for(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        players = [bob.user.id, alice.user.id]
        match = await alice.games.start_match(players, board="chess")

        assert match == hubbub.Match(
            id=match.id,
            stream=f"match/{match.id}",
            players=players,
            scores={bob.user.id: 0, alice.user.id: 0},
            status="active",
            winner=None,
            rules=hubbub.FirstTo(100),
            started_at=w.clock.now(),
            ended_at=None,
            board="chess",
            referee=None,
            private=False,
            game=None,
            gone=[],
            reason=None,
        )
        assert await bob.games.match(match.id) == match


async def test_a_match_is_the_same_in_the_process_and_over_the_network(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob")
        await bob.games.add_score(match.id, 1)
        over = await alice.games.resign(match.id)
        async with w.hub.session("local") as local:
            here = await local.games.match(match.id)

        assert here == over
        assert here.status == "completed"


async def test_rules_of_every_kind_travel(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        players = [alice.user.id, bob.user.id]
        for rules in RULES:
            match = await alice.games.start_match(players, rules=rules)
            [started] = await bob.read(match.stream)

            assert match.rules == (await bob.games.match(match.id)).rules == rules
            assert getattr(started.data, "rules", None) == rules


async def test_a_game_brings_its_rules_and_its_board(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        players = [alice.user.id, bob.user.id]
        match = await alice.games.start_match(players, game="stopped")
        other = await alice.games.start_match(
            players, game="stopped", rules=hubbub.FirstTo(1), board="other"
        )

        assert (match.rules, match.board, match.game) == (hubbub.BestOf(5), "stops", "stopped")
        assert (other.rules, other.board) == (hubbub.FirstTo(1), "other")
        with pytest.raises(NotAllowed, match="referee"):
            await alice.games.add_score(match.id, 1)


async def test_players_have_limits(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice = await w.session("Alice")
        me = alice.user.id
        refused: list[tuple[list[str], type[hubbub.HubbubError]]] = [
            ([], Invalid),
            ([me], Invalid),
            ([me, me], Invalid),
            ([me, *(str(n) for n in range(64))], Invalid),
            ([me, "nobody"], NotFound),
        ]

        for players, error in refused:
            with pytest.raises(error):
                await alice.games.start_match(players)
        assert await alice.games.matches() == []


async def test_what_a_match_is_played_by_has_limits(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        refused: list[dict[str, Any]] = [
            {"rules": hubbub.FirstTo(0)},
            {"rules": hubbub.FirstTo(10**9 + 1)},
            {"rules": hubbub.BestOf(0)},
            {"rules": hubbub.Rounds(1_001)},
            {"rules": hubbub.Timed(0)},
            {"rules": hubbub.Timed(-1.5)},
            {"rules": hubbub.Timed(7 * 24 * 3600 + 1)},
            {"rules": hubbub.Custom("none")},
            {"rules": hubbub.Custom("default")},
            {"rules": hubbub.Custom("lead", {"x": "a" * (OPTIONS_BYTES_MAX - 7)})},
            {"game": "none"},
            {"board": "a/b"},
            {"board": " "},
            {"board": "x" * 101},
        ]

        for arguments in refused:
            with pytest.raises(Invalid):
                await alice.games.start_match([alice.user.id, bob.user.id], **arguments)
        assert await alice.games.matches() == []
        full = hubbub.Custom("lead", {"x": "a" * (OPTIONS_BYTES_MAX - 8)})
        match = await alice.games.start_match([alice.user.id, bob.user.id], rules=full)
        assert match.rules == full


async def test_the_same_key_starts_one_match(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        players = [alice.user.id, bob.user.id]
        once = await alice.games.start_match(players, key="k")
        twice = await alice.games.start_match(players, key="k")
        # A key is one's own.
        other = await bob.games.start_match(players, key="k")
        others: list[dict[str, Any]] = [
            {"rules": hubbub.FirstTo(1)},
            {"private": True},
            {"board": "other"},
        ]
        for arguments in others:
            with pytest.raises(KeyReused):
                await alice.games.start_match(players, key="k", **arguments)

        assert once == twice
        assert await alice.games.matches() == sorted([once, other], key=lambda match: match.id)


async def test_the_match_keeps_to_itself(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        players, options = [alice.user.id, bob.user.id], {"by": 2}
        match = await alice.games.start_match(players, rules=hubbub.Custom("lead", options))
        players.append("somebody else")
        options["by"] = 99
        match.scores["somebody else"] = 1
        assert isinstance(match.rules, hubbub.Custom)
        match.rules.options["by"] = 99
        shown = await alice.games.match(match.id)

        assert shown.players == [alice.user.id, bob.user.id]
        assert shown.rules == hubbub.Custom("lead", {"by": 2})
        assert "somebody else" not in shown.scores


async def test_everybody_may_watch(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob", rules=hubbub.FirstTo(3))
        eve = await w.session("Eve")
        async with eve.follow(match.stream, after=0) as events:
            await alice.games.add_score(match.id, 1)
            await bob.games.add_score(match.id, 3)
            seen = await ended(events)

        assert types(seen) == ["Started", "Scored", "Scored", "Completed"]
        assert [event.seq for event in seen] == [1, 2, 3, 4]
        assert [event.by for event in seen[1:]] == [alice.user.id, bob.user.id, bob.user.id]
        assert seen == await eve.read(match.stream)
        assert (await eve.games.match(match.id)).winner == bob.user.id


async def test_a_private_match_is_its_players_alone(world: OpenWorld) -> None:
    async with world() as w:
        match, (alice, bob) = await in_a_match(w, "Alice", "Bob", private=True)
        eve = await w.session("Eve")
        calls = [
            eve.games.match(match.id),
            eve.games.add_score(match.id, 1),
            eve.games.resign(match.id),
            eve.read(match.stream),
        ]
        for call in calls:
            with pytest.raises(NotAllowed):
                await call
        with pytest.raises(NotAllowed):
            async with eve.follow(match.stream, after=0):
                pytest.fail("she is let in")

        assert await eve.games.matches() == await eve.games.matches(status="active") == []
        assert await bob.games.matches() == [match]
        async with bob.follow(match.stream, after=0) as events:
            await bob.games.resign(match.id)
            seen = await ended(events)
        assert types(seen) == ["Started", "Resigned", "Completed"]
        assert await eve.games.matches() == []
        assert [m.status for m in await alice.games.matches(status="completed")] == ["completed"]


async def test_the_referee_of_a_private_match_may_watch(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob, judge = await w.sessions("Alice", "Bob", "Judge")
        match = await alice.games.start_match(
            [alice.user.id, bob.user.id], referee=judge.user.id, private=True
        )

        assert await judge.games.match(match.id) == match
        assert types(await judge.read(match.stream)) == ["Started"]


async def test_there_is_no_such_match(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        for match_id in ("none", ""):
            calls: list[Callable[[str], Awaitable[object]]] = [
                alice.games.match,
                alice.games.resign,
                lambda one: alice.games.add_score(one, -1),
                lambda one: alice.games.message(one, {}),
                lambda one: alice.read(f"match/{one}"),
            ]
            for call in calls:
                with pytest.raises(NotFound), anyio.fail_after(PATIENCE):
                    await call(match_id)
            with pytest.raises(NotFound):
                async with alice.follow(f"match/{match_id}", after=0):
                    pytest.fail("there is nothing to follow")
