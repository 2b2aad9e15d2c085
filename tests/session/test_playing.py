"""Games that the hub runs: quick arithmetic, and what players send to a game."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, cast

import anyio
import pytest

import hubbub
from hubbub.errors import Conflict, Invalid, NotAllowed, NotFound
from hubbub.games.matches.runner import GAME_BODY_BYTES_MAX
from tests.session.test_match_ends import send_when_it_runs
from tests.session.test_matchmaking import Search
from tests.session.worlds import OpenWorld, World

PATIENCE = 10.0


class Echo(hubbub.Handler):
    """A game that says again what it was sent."""

    async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
        await table.tell({"by": player, "body": body})


ECHO = {
    "echo": hubbub.Game(handler=Echo),
    "plain": hubbub.Game(),
    "quiet": hubbub.Game(handler=hubbub.Handler),
}


async def told(events: AsyncIterator[hubbub.Event]) -> dict[str, Any]:
    """Wait for what the game says next."""
    with anyio.fail_after(PATIENCE):
        async for event in events:
            if (body := getattr(event.data, "body", None)) is not None:
                return cast("dict[str, Any]", body)
    pytest.fail("the stream has ended")


async def question(events: AsyncIterator[hubbub.Event]) -> tuple[int, int]:
    """Wait for the next question; return its number and its answer."""
    while "text" not in (body := await told(events)):
        pass
    found = re.fullmatch(r"(\d+) ([-+×]) (\d+)", body["text"])
    assert found is not None
    one, sign, other = int(found[1]), found[2], int(found[3])
    return body["question"], {"+": one + other, "-": one - other, "×": one * other}[sign]


async def arithmetic(w: World) -> tuple[hubbub.Match, hubbub.Session, hubbub.Session]:
    """Let two find a match of quick arithmetic."""
    alice, bob = [Search(session) for session in await w.sessions("Alice", "Bob")]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(alice.run, "arithmetic")
        tasks.start_soon(bob.run, "arithmetic")
    return alice.found(), alice.session, bob.session


async def echoing(w: World) -> tuple[hubbub.Match, hubbub.Session, hubbub.Session]:
    """Start a match that says again what it was sent."""
    alice, bob = await w.sessions("Alice", "Bob")
    match = await alice.games.start_match([alice.user.id, bob.user.id], game="echo")
    return match, alice, bob


async def test_quick_arithmetic_is_played_to_100(world: OpenWorld) -> None:
    async with world() as w:
        match, alice, bob = await arithmetic(w)
        async with alice.follow(match.stream, after=0) as events:
            for _ in range(10):
                number, answer = await question(events)
                await bob.games.message(match.id, {"question": number, "answer": answer + 1})
                await alice.games.message(match.id, {"question": number, "answer": answer})
                assert await told(events) == {
                    "question": number,
                    "answer": answer,
                    "by": alice.user.id,
                }
            with anyio.fail_after(PATIENCE):
                while type((await anext(events)).data).__name__ != "Completed":
                    pass
        over = await bob.games.match(match.id)

        assert match.rules == hubbub.FirstTo(100)
        assert (over.status, over.winner) == ("completed", alice.user.id)
        assert over.scores == {alice.user.id: 100, bob.user.id: 0}
        assert (await bob.games.rank("main", alice.user.id)).score == 10
        assert (await bob.users.get(bob.user.id)).rating < 1500


async def test_when_nobody_knows_it_another_question_comes(world: OpenWorld) -> None:
    async with world() as w:
        match, alice, bob = await arithmetic(w)
        async with alice.follow(match.stream, after=0) as events:
            number, answer = await question(events)
            for player in (alice, bob):
                await player.games.message(match.id, {"question": number, "answer": None})
            said = await told(events)
            following, _ = await question(events)

        assert said == {"question": number, "answer": answer, "by": None}
        assert following == number + 1


async def test_each_has_one_try_at_a_question(world: OpenWorld) -> None:
    async with world() as w:
        match, alice, bob = await arithmetic(w)
        async with alice.follow(match.stream, after=0) as events:
            number, answer = await question(events)
            tries: list[tuple[hubbub.Session, dict[str, Any]]] = [
                (alice, {"question": number - 1, "answer": answer}),
                (alice, {"answer": answer}),
                (alice, {"question": number, "answer": "wrong"}),
                (alice, {"question": number, "answer": answer}),
                (bob, {"question": number, "answer": answer}),
                (bob, {"question": number, "answer": answer}),
            ]
            for player, body in tries:
                await player.games.message(match.id, body)
            said = await told(events)
            await question(events)
        over = await bob.games.match(match.id)

        assert said["by"] == bob.user.id
        assert over.scores == {alice.user.id: 0, bob.user.id: 10}


async def test_the_hub_is_the_referee_of_a_game_that_it_runs(world: OpenWorld) -> None:
    async with world() as w:
        match, alice, _ = await arithmetic(w)

        for player in (None, alice.user.id):
            with pytest.raises(NotAllowed):
                await alice.games.add_score(match.id, 100, player=player)


async def test_messages_come_in_the_order_in_which_they_were_sent(world: OpenWorld) -> None:
    async with world(games=ECHO) as w:
        match, alice, bob = await echoing(w)
        async with bob.follow(match.stream, after=0) as events:
            await send_when_it_runs(alice, match, {"n": 0})
            for n in range(1, 20):
                await alice.games.message(match.id, {"n": n, "deep": [{"x": None, "é": 1.5}]})
            said = [await told(events) for _ in range(20)]

        assert [body["body"]["n"] for body in said] == list(range(20))
        assert said[-1] == {
            "by": alice.user.id,
            "body": {"n": 19, "deep": [{"x": None, "é": 1.5}]},
        }


async def test_spectators_see_what_the_game_says(world: OpenWorld) -> None:
    async with world(games=ECHO) as w:
        match, alice, _ = await echoing(w)
        eve = await w.session("Eve")
        async with eve.follow(match.stream, after=0) as events:
            await send_when_it_runs(alice, match, {"hello": "world"})
            said = await told(events)

        assert said == {"by": alice.user.id, "body": {"hello": "world"}}
        assert said in [getattr(event.data, "body", None) for event in await eve.read(match.stream)]


async def test_only_players_send_to_a_game_and_only_while_it_goes_on(world: OpenWorld) -> None:
    async with world(games=ECHO) as w:
        match, alice, bob = await echoing(w)
        plain = await alice.games.start_match([alice.user.id, bob.user.id], game="plain")
        eve = await w.session("Eve")
        await send_when_it_runs(alice, match, {})

        with pytest.raises(NotAllowed):
            await eve.games.message(match.id, {})
        with pytest.raises(NotFound):
            await alice.games.message("none", {})
        with pytest.raises(Conflict, match="no game runs it"):
            await alice.games.message(plain.id, {})
        await bob.games.resign(match.id)
        for player in (alice, bob):
            with pytest.raises(Conflict):
                await player.games.message(match.id, {})


async def test_a_message_has_limits(world: OpenWorld) -> None:
    async with world(games=ECHO) as w:
        match, alice, bob = await echoing(w)
        await send_when_it_runs(alice, match, {})
        full = {"x": "a" * (GAME_BODY_BYTES_MAX - len('{"x":""}'))}
        too_large = {"x": full["x"] + "a"}
        for body in (too_large, cast("Any", [1]), cast("Any", "x"), cast("Any", None)):
            with pytest.raises(Invalid):
                await alice.games.message(match.id, body)
        eve = await w.session("Eve")
        with pytest.raises(NotAllowed):
            await eve.games.message(match.id, too_large)
        async with bob.follow(match.stream, after=0) as events:
            await alice.games.message(match.id, {"x": "small"})
            said = [(await told(events))["body"] for _ in range(2)]

        assert said == [{}, {"x": "small"}]
        # To say it again would take more than a game may say.
        quiet = await alice.games.start_match(match.players, game="quiet")
        await send_when_it_runs(alice, quiet, full)


async def test_a_game_gets_a_message_as_it_was_sent(world: OpenWorld) -> None:
    async with world(games=ECHO) as w:
        match, alice, bob = await echoing(w)
        await send_when_it_runs(alice, match, {})
        async with bob.follow(match.stream, after=0) as events:
            body: dict[str, Any] = {"pair": (1, 2), "nan": float("nan"), "list": [1]}
            await alice.games.message(match.id, body)
            body["list"].append(2)
            said = [(await told(events))["body"] for _ in range(2)]

        assert said[1] == {"pair": [1, 2], "nan": None, "list": [1]}


async def test_a_private_game_is_heard_by_its_players_alone(world: OpenWorld) -> None:
    async with world(games=ECHO) as w:
        alice, bob, eve = await w.sessions("Alice", "Bob", "Eve")
        players = [alice.user.id, bob.user.id]
        match = await alice.games.start_match(players, game="echo", private=True)
        await send_when_it_runs(bob, match, {"secret": 1})

        with pytest.raises(NotAllowed):
            await eve.read(match.stream)
        with pytest.raises(NotAllowed):
            await eve.games.message(match.id, {})
