"""A game refuses a message with an error for its sender; the match continues."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.errors import Closed, Conflict, HubbubError, Invalid, KeyReused, RateLimited
from hubbub.games.matches.inbox import REPEATS_MAX
from tests.games.virtual_hub import Play, Send, match_of_two, moment, senders, told

REFUSALS: list[HubbubError] = [
    Invalid("It is not your turn."),
    Conflict("The board has this stone already."),
    RateLimited("One move a second.", retry_after=1.0),
]


class Strict(hubbub.Handler):
    """A game that says what it has read, refuses some of it, and takes its time for the rest."""

    refusal: HubbubError = REFUSALS[0]

    async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
        if body.get("foul"):
            raise self.refusal
        await anyio.sleep(body.get("seconds", 0))
        await table.tell({"by": player, **body})


STRICT = {"strict": hubbub.Game(handler=Strict)}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda error: type(error).__name__)
def test_who_sends_what_the_game_refuses_is_told_and_the_match_goes_on(
    play: Play, refusal: HubbubError, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing(Strict):
        pass

    Refusing.refusal = refusal

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="refusing") as (match, ann, bob):
            with pytest.raises(type(refusal)) as caught:
                await ann.games.message(match.id, {"foul": True})
            await bob.games.message(match.id, {"n": 1})
            await ann.games.message(match.id, {"n": 2})

            assert (await ann.games.match(match.id)).status == "active"
        assert (caught.value.message, caught.value.retry_after) == (
            refusal.message,
            refusal.retry_after,
        )
        assert await told(hub, match.stream) == [{"by": "bob", "n": 1}, {"by": "ann", "n": 2}]

    play(story, games={"refusing": hubbub.Game(handler=Refusing)})
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_message_returns_when_the_game_has_taken_it(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="strict") as (match, ann, _):
            began = anyio.current_time()
            await ann.games.message(match.id, {"seconds": 0.5})

            assert round(anyio.current_time() - began, 3) == 0.5
            assert await told(hub, match.stream) == [{"by": "ann", "seconds": 0.5}]

    play(story, games=STRICT)


def test_a_refusal_by_a_command_of_the_games_own_is_one_of_the_message(play: Play) -> None:
    class Careless(hubbub.Handler):
        async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
            await table.add_score(body["to"], 1)

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="careless") as (match, ann, _):
            with pytest.raises(Invalid, match="does not play"):
                await ann.games.message(match.id, {"to": "eve"})
            await ann.games.message(match.id, {"to": "bob"})

            assert (await ann.games.match(match.id)).scores == {"ann": 0, "bob": 1}

    play(story, games={"careless": hubbub.Game(handler=Careless)})


def test_only_on_message_refuses(play: Play) -> None:
    class Odd(hubbub.Handler):
        async def on_tick(self, table: hubbub.Table, tick: int) -> None:
            raise Invalid("nobody has asked")

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="odd") as (match, ann, _):
            await anyio.sleep(2)

            assert (await ann.games.match(match.id)).status == "cancelled"

    play(story, games={"odd": hubbub.Game(handler=Odd, ticks_per_second=1)})


# Senders who do not get a verdict of the game's


async def three_wait(
    send: Send, match: hubbub.Match, ann: hubbub.Session, bob: hubbub.Session
) -> list[list[HubbubError | None]]:
    """Let the game have one message in hand, and two wait."""
    return [
        await send(ann, match, {"seconds": 0.9, "n": 0}),
        await send(ann, match, {"n": 1}),
        await send(bob, match, {"n": 2}),
    ]


def test_who_waits_when_the_match_ends_is_told_that_it_was_not_read(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="strict") as (match, ann, bob), senders() as send:
            outcomes = await three_wait(send, match, ann, bob)
            assert outcomes == [[], [], []]
            await bob.games.resign(match.id)
            await moment()

            # Nobody has refused the first: the game had it in hand.
            assert outcomes[0] == [None]
            assert [type(error) for [error] in outcomes[1:]] == [Conflict, Conflict]

    play(story, games=STRICT)


def test_who_waits_when_the_game_fails_is_told_too(play: Play) -> None:
    class Failing(hubbub.Handler):
        async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
            await anyio.sleep(0.5)
            raise ValueError("a fault in the game")

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="failing") as (match, ann, bob), senders() as send:
            outcomes = await three_wait(send, match, ann, bob)
            await anyio.sleep(1)

            assert outcomes[0] == [None]
            assert [type(error) for [error] in outcomes[1:]] == [Conflict, Conflict]

    play(story, games={"failing": hubbub.Game(handler=Failing)})


def test_who_waits_when_the_hub_is_left_is_told_to_send_it_again(play: Play) -> None:
    outcomes = list[HubbubError]()

    async def send(player: hubbub.Session, match: hubbub.Match, n: int) -> None:
        with pytest.raises(HubbubError) as refused:
            await player.games.message(match.id, {"seconds": 0.9, "n": n})
        outcomes.append(refused.value)

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="strict") as (match, ann, bob):
            async with anyio.create_task_group() as tasks:
                for n, player in enumerate((ann, ann, bob)):
                    tasks.start_soon(send, player, match, n)
                    await moment()
                # As when the hub is left, which this task would have to wait for.
                hub._stop()

            assert [type(error) for error in outcomes] == [Closed, Closed, Closed]

    play(story, games=STRICT)


def test_a_message_is_read_though_its_sender_has_gone_away(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="strict") as (match, ann, bob):
            for n in range(3):
                with anyio.move_on_after(0.05):
                    await ann.games.message(match.id, {"n": n, "seconds": 0.2})
            await bob.games.message(match.id, {"n": 3})

            assert [said["n"] for said in await told(hub, match.stream)] == [0, 1, 2, 3]

    play(story, games=STRICT)


# Messages that are repeated


def test_a_message_that_is_repeated_with_its_key_is_read_once(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="strict") as (match, ann, bob), senders() as send:
            slow = {"n": 1, "seconds": 0.5}
            again = [await send(ann, match, slow, key="a") for _ in range(3)]
            other = await send(bob, match, {"n": 2}, key="a")
            await anyio.sleep(1)
            await ann.games.message(match.id, slow, key="a")

            assert again == [[None], [None], [None]]
            assert other == [None]
            assert [said["n"] for said in await told(hub, match.stream)] == [1, 2]

    play(story, games=STRICT)


def test_what_was_refused_is_refused_again_by_its_key(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="strict") as (match, ann, _):
            for _ in range(2):
                with pytest.raises(Invalid, match="your turn"):
                    await ann.games.message(match.id, {"foul": True}, key="a")
            with pytest.raises(KeyReused):
                await ann.games.message(match.id, {"n": 1}, key="a")
            with pytest.raises(Invalid, match="key"):
                await ann.games.message(match.id, {"n": 1}, key="")

            assert await told(hub, match.stream) == []

    play(story, games=STRICT)


def test_a_message_is_repeated_only_so_often_at_one_time(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="strict") as (match, ann, _), senders() as send:
            slow = {"n": 1, "seconds": 0.9}
            for _ in range(REPEATS_MAX):
                await send(ann, match, slow, key="a")
            with pytest.raises(hubbub.Overloaded, match="repeated"):
                await send(ann, match, slow, key="a")

    play(story, games=STRICT)
