"""The calls of a handler, in order; and its failures."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.errors import Conflict, Overloaded
from hubbub.games.matches.inbox import MESSAGES_MAX
from hubbub.games.matches.runner import REASON_CHARS_MAX
from tests.games.handlers import Calls, Fault, Noted, fail, hang
from tests.games.virtual_hub import Play, match_of_two, moment, senders, what

METHODS = ["on_start", "on_message", "on_tick"]


def noted(calls: Calls, ticks: float = 0.0, **faults: Fault) -> dict[str, hubbub.Game]:
    """Make a game that notes its calls, and goes wrong in ann's matches."""
    handler = partial(Noted, calls, faults)
    return {"noted": hubbub.Game(handler=handler, ticks_per_second=ticks)}


@asynccontextmanager
async def two_matches(
    hub: hubbub.Hubbub,
) -> AsyncIterator[tuple[hubbub.Match, hubbub.Match, dict[str, hubbub.Session]]]:
    """Let ann play bob, and carol play dave."""
    async with AsyncExitStack() as stack:
        names = ("ann", "bob", "carol", "dave")
        sessions = {name: await stack.enter_async_context(hub.session(name)) for name in names}
        start = sessions["ann"].games.start_match
        one = await start(["ann", "bob"], game="noted")
        other = await start(["carol", "dave"], game="noted")
        await moment()
        yield one, other, sessions


async def cancelled(session: hubbub.Session, match: hubbub.Match) -> str | None:
    """Return why a match was cancelled, as its last event says."""
    last = (await session.read(match.stream, limit=500))[-1]
    return getattr(last.data, "reason", None)


async def go_wrong(method: str, match: hubbub.Match, sessions: dict[str, hubbub.Session]) -> None:
    """Let ann's match come to a method that goes wrong, and wait until that is over."""
    if method == "on_message":
        await sessions["bob"].games.message(match.id, {})
    await anyio.sleep(5)


async def go_on(calls: Calls, match: hubbub.Match, sessions: dict[str, hubbub.Session]) -> None:
    """Note only the calls from here on, and let carol's match have some."""
    calls.clear()
    await sessions["dave"].games.message(match.id, {})
    await anyio.sleep(2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("fault", "reason"), [(fail, "ValueError: a fault in the game"), (hang, "TimeoutError: ")]
)
def test_a_method_that_goes_wrong_ends_its_own_match_only(
    play: Play, method: str, fault: Fault, reason: str
) -> None:
    calls: Calls = []

    async def story(hub: hubbub.Hubbub) -> None:
        async with two_matches(hub) as (one, other, sessions):
            await go_wrong(method, one, sessions)
            said = await cancelled(sessions["bob"], one)
            over = await sessions["bob"].games.match(one.id)
            await go_on(calls, other, sessions)

            assert said is not None
            assert said.startswith(f"The game failed: {reason}")
            assert (over.status, over.winner, over.reason) == ("cancelled", None, said)
            assert (await sessions["ann"].games.match(other.id)).status == "active"
            assert {(name, first) for name, first, _ in calls} == {
                ("on_message", "carol"),
                ("on_tick", "carol"),
            }
            with pytest.raises(Conflict):
                await sessions["ann"].games.message(one.id, {})

    play(story, games=noted(calls, ticks=1, **{method: fault}))


@pytest.mark.parametrize(("seconds", "end"), [(0.249, "active"), (0.251, "cancelled")])
def test_how_long_a_method_may_take_is_the_games_to_say(
    play: Play, seconds: float, end: str
) -> None:
    class Slow(hubbub.Handler):
        async def on_start(self, table: hubbub.Table) -> None:
            await anyio.sleep(seconds)

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="slow") as (match, ann, _):
            await anyio.sleep(1)
            over = await ann.games.match(match.id)

        assert over.status == end
        assert over.reason in (
            None,
            "The game failed: TimeoutError: on_start took longer than 0.25 s",
        )

    play(story, games={"slow": hubbub.Game(handler=Slow, call_seconds_max=0.25)})


@pytest.mark.parametrize("fault", [fail, hang])
def test_a_fault_at_the_end_changes_no_result(play: Play, fault: Fault) -> None:
    calls: Calls = []

    async def story(hub: hubbub.Hubbub) -> None:
        async with two_matches(hub) as (one, other, sessions):
            await sessions["bob"].games.resign(one.id)
            await anyio.sleep(5)
            over = await sessions["bob"].games.match(one.id)

            assert (over.status, over.winner, over.reason) == ("completed", "ann", None)
            assert (await sessions["ann"].games.match(other.id)).status == "active"
        assert [kind for _, kind in await what(hub, one.stream)][:3] == [
            "Started",
            "Resigned",
            "Completed",
        ]

    play(story, games=noted(calls, on_end=fault))


def test_a_handler_that_cannot_be_made_ends_its_match(play: Play) -> None:
    def no_handler() -> hubbub.Handler:
        raise RuntimeError("no handler today")

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="odd") as (match, ann, _):
            reason = await cancelled(ann, match)

        assert reason == "The game failed: RuntimeError: no handler today"

    play(story, games={"odd": hubbub.Game(handler=no_handler)})


def test_a_task_of_a_game_that_goes_wrong_ends_its_own_match_only(play: Play) -> None:
    calls: Calls = []

    async def start_a_task(table: hubbub.Table) -> None:
        async def work() -> None:
            await anyio.sleep(1)
            await fail(table)

        table.start_soon(work)

    async def story(hub: hubbub.Hubbub) -> None:
        async with two_matches(hub) as (one, other, sessions):
            before = await sessions["ann"].games.match(one.id)
            await anyio.sleep(2)

            assert before.status == "active"
            reason = await cancelled(sessions["ann"], one)
            assert reason == "The game failed: ValueError: a fault in the game"
            assert (await sessions["ann"].games.match(other.id)).status == "active"

    play(story, games=noted(calls, on_start=start_a_task))


def test_a_task_of_a_game_ends_with_its_match(play: Play) -> None:
    ends: list[str] = []

    async def start_a_task(table: hubbub.Table) -> None:
        async def work(name: str) -> None:
            try:
                await anyio.sleep_forever()
            finally:
                ends.append(name)

        table.start_soon(work, "given")

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="noted") as (match, ann, _):
            before = list(ends)
            await ann.games.resign(match.id)
            await moment()

            assert (before, ends) == ([], ["given"])

    play(story, games=noted([], on_start=start_a_task))


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("this error cannot be told")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("\ud800"), "ValueError: "),
        (Unprintable(), "Unprintable"),
        (Conflict("the game's own"), "Conflict: the game's own"),
        (KeyError("x"), "KeyError: 'x'"),
        (ExceptionGroup("several", [ExceptionGroup("", [OSError("disk")])]), "OSError: disk"),
        (TimeoutError(), "TimeoutError"),
    ],
    ids=["surrogate", "unprintable", "own", "builtin", "group", "timeout"],
)
def test_whatever_goes_wrong_is_told(
    play: Play, error: Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    # What the log has of it, half a surrogate, no report can carry.
    caplog.set_level(logging.CRITICAL, logger="hubbub.games")

    async def raise_it(table: hubbub.Table) -> None:
        raise error

    async def story(hub: hubbub.Hubbub) -> None:
        async with two_matches(hub) as (one, other, sessions):
            await moment()

            said = await cancelled(sessions["ann"], one)
            assert said is not None
            assert said.startswith(f"The game failed: {reason}")
            assert (await sessions["ann"].games.match(other.id)).status == "active"

    play(story, games=noted([], on_start=raise_it))


def test_a_reason_is_cut(play: Play) -> None:
    async def fail_at_length(table: hubbub.Table) -> None:
        raise ValueError("x" * 10_000)

    async def cancel_at_length(table: hubbub.Table) -> None:
        await table.cancel("y" * 10_000)

    for fault in (fail_at_length, cancel_at_length):

        async def story(hub: hubbub.Hubbub) -> None:
            async with match_of_two(hub, game="noted") as (match, ann, _):
                reason = await cancelled(ann, match)

            assert reason is not None
            assert len(reason) == REASON_CHARS_MAX

        play(story, games=noted([], on_start=fault))


def test_ticks_come_at_their_rate(play: Play) -> None:
    calls: Calls = []

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="noted") as (match, _, bob):
            for _ in range(10):
                await bob.games.message(match.id, {})
                await anyio.sleep(0.1)

        ticks = [at for name, _, at in calls if name == "on_tick"]
        assert ticks == [0.25, 0.5, 0.75, 1.0]
        assert len([name for name, *_ in calls if name == "on_message"]) == 10

    play(story, games=noted(calls, ticks=4))


def test_a_tick_that_was_missed_is_left_out(play: Play) -> None:
    ticks: list[tuple[int, float]] = []

    class Slow(hubbub.Handler):
        async def on_tick(self, table: hubbub.Table, tick: int) -> None:
            ticks.append((tick, round(anyio.current_time(), 3)))
            if tick == 2:
                await anyio.sleep(0.7)

        async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
            await anyio.sleep(0.6)

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="slow") as (match, ann, _), senders() as send:
            await anyio.sleep(1.9)
            await send(ann, match, {})
            await anyio.sleep(1)

        # The second took from 0.5 to 1.2, and the message from 1.9 to 2.5.
        assert ticks == [(1, 0.25), (2, 0.5), (5, 1.25), (6, 1.5), (7, 1.75), (8, 2.5), (11, 2.75)]

    play(story, games={"slow": hubbub.Game(handler=Slow, ticks_per_second=4)})


def test_messages_come_in_the_order_in_which_they_were_sent_one_at_a_time(play: Play) -> None:
    log: list[object] = []

    class Orderly(hubbub.Handler):
        async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
            log.append((player, body["n"]))
            await anyio.sleep(0.01)
            log.append("done")

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="orderly") as (match, ann, bob):
            for n in range(20):
                await (ann, bob)[n % 3 == 0].games.message(match.id, {"n": n})
            await anyio.sleep(1)

        messages = [("bob" if n % 3 == 0 else "ann", n) for n in range(20)]
        assert log == [one for message in messages for one in (message, "done")]

    play(story, games={"orderly": hubbub.Game(handler=Orderly)})


def test_a_game_that_is_slower_than_its_messages_refuses_some(play: Play) -> None:
    gate, got = list[anyio.Event](), list[int]()

    class Busy(hubbub.Handler):
        async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
            got.append(body["n"])
            await gate[0].wait()

    async def story(hub: hubbub.Hubbub) -> None:
        gate.append(anyio.Event())
        async with match_of_two(hub, game="busy") as (match, ann, bob), senders() as send:
            for n in range(MESSAGES_MAX + 1):
                await send(ann, match, {"n": n})
            for player in (ann, bob):
                with pytest.raises(Overloaded):
                    await send(player, match, {"n": -1})
            gate[0].set()
            await moment()
            await bob.games.message(match.id, {"n": MESSAGES_MAX + 1})
            await moment()

        assert got == list(range(MESSAGES_MAX + 2))

    play(story, games={"busy": hubbub.Game(handler=Busy)})
