"""A failure in one match, queue or timer stays there; and one flood fills one inbox."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.errors import Overloaded
from hubbub.games.matches import commands as decisions
from hubbub.games.matches.inbox import INBOX_BYTES_MAX
from hubbub.games.matches.runner import GAME_BODY_BYTES_MAX
from hubbub.games.matches.supervisor import LOOK_AGAIN_SECONDS, RETRY_SECONDS, MatchSupervisor
from hubbub.journal.containment import RESTART_SECONDS_MAX
from hubbub.journal.decide.states import States
from hubbub.journal.event import Draft
from tests.games.handlers import Calls, hang
from tests.games.matches.test_runner import cancelled, go_on, go_wrong, noted, two_matches
from tests.games.virtual_hub import Play, match_of_two, moment, senders


async def recurse(table: hubbub.Table) -> None:
    await recurse(table)


async def raise_a_group(table: hubbub.Table) -> None:
    raise ExceptionGroup("several", [ValueError("one"), RecursionError("two")])


async def cancel_itself(table: hubbub.Table) -> None:
    # As by awaiting a task of asyncio's that somebody has cancelled; trio refuses to make one.
    raise anyio.get_cancelled_exc_class()


async def start_a_task_that_cancels_itself(table: hubbub.Table) -> None:
    table.start_soon(cancel_itself, table)


@pytest.mark.parametrize("method", ["on_start", "on_message", "on_tick"])
@pytest.mark.parametrize(
    "fault", [recurse, raise_a_group, cancel_itself, start_a_task_that_cancels_itself, hang]
)
def test_whatever_a_handler_does_ends_its_own_match_and_is_logged_once(
    play: Play, method: str, fault: Any, caplog: pytest.LogCaptureFixture
) -> None:
    calls: Calls = []

    async def story(hub: hubbub.Hubbub) -> None:
        async with two_matches(hub) as (one, other, sessions):
            await go_wrong(method, one, sessions)

            reason = await cancelled(sessions["ann"], one)
            assert reason is not None
            assert reason.startswith("The game failed: ")
            assert (await sessions["ann"].games.match(other.id)).status == "active"
            await go_on(calls, other, sessions)
            assert ("on_message", "carol") in [(name, first) for name, first, _ in calls]
            # The hub goes on too: with matches, searches and clocks.
            again = await sessions["ann"].games.start_match(["ann", "bob"], rules=hubbub.Timed(1))
            await anyio.sleep(2)
            assert (await sessions["ann"].games.match(again.id)).status == "completed"

    play(story, games=noted(calls, ticks=1, **{method: fault}))

    assert [r.message for r in caplog.records if r.levelno >= logging.ERROR] == [
        next(r.message for r in caplog.records if "has failed" in r.message)
    ]


def test_a_blocking_handler_is_named_in_the_log(
    play: Play, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = 0.0

    class Blocking(hubbub.Handler):
        async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
            nonlocal blocked
            blocked += 0.75

    async def story(hub: hubbub.Hubbub) -> None:
        clock = hub.settings.clock
        now = clock.monotonic
        monkeypatch.setattr(clock, "monotonic", lambda: now() + blocked, raising=False)
        async with match_of_two(hub, game="slow") as (match, ann, _):
            await ann.games.message(match.id, {})
            await moment()

            assert caplog.messages == [
                f"on_message of match {match.id} (slow) blocked the event loop for 0.75 s"
            ]

    play(story, games={"slow": hubbub.Game(handler=Blocking)})


# Floods


def test_a_player_fills_no_more_than_their_part_of_the_inbox(play: Play) -> None:
    gate = list[anyio.Event]()
    got = dict[str, int]()

    class Busy(hubbub.Handler):
        async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
            got[player] = got.get(player, 0) + 1
            await gate[0].wait()

    async def story(hub: hubbub.Hubbub) -> None:
        gate.append(anyio.Event())
        large = {"x": "y" * (GAME_BODY_BYTES_MAX - 8)}
        async with match_of_two(hub, game="busy") as (match, ann, bob), senders() as send:
            await send(ann, match, {})
            accepted = 0
            for _ in range(100):
                try:
                    await send(ann, match, large)
                except Overloaded:
                    continue
                accepted += 1
            for _ in range(3):
                await send(bob, match, large)

            assert accepted * GAME_BODY_BYTES_MAX <= INBOX_BYTES_MAX // 2
            assert accepted > 1
            gate[0].set()
            await moment()
            assert got == {"ann": 1 + accepted, "bob": 3}
            # What was read is room again.
            await ann.games.message(match.id, large)

    play(story, games={"busy": hubbub.Game(handler=Busy)})


def test_however_many_play_one_message_of_each_is_taken(play: Play) -> None:
    class Busy(hubbub.Handler):
        async def on_start(self, table: hubbub.Table) -> None:
            await anyio.sleep(1)

    async def story(hub: hubbub.Hubbub) -> None:
        names = [f"p{number}" for number in range(64)]
        async with hub.session("p0") as first:
            for name in names[1:]:
                async with hub.session(name):
                    pass
            match = await first.games.start_match(names, game="busy")
            await moment()
            async with senders() as send:
                await send(first, match, {"x": "y" * (GAME_BODY_BYTES_MAX - 8)})
                with pytest.raises(Overloaded):
                    await send(first, match, {"x": "y" * (GAME_BODY_BYTES_MAX - 8)})

    play(story, games={"busy": hubbub.Game(handler=Busy, call_seconds_max=2)})


# The hub's own work


def test_a_look_that_fails_is_tried_again_and_others_go_on(
    play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    look = decisions.look_at_match
    broken = set[str]()

    def faulty(states: States, stream: str, *more: Any, **named: Any) -> Any:
        if stream in broken:
            raise RecursionError("a fault in a decision")
        return look(states, stream, *more, **named)

    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann, hub.session("bob"):
            start = ann.games.start_match
            one, other = [await start(["ann", "bob"], rules=hubbub.Timed(1)) for _ in range(2)]
            broken.add(one.stream)
            await anyio.sleep(2)
            during = [(await ann.games.match(m.id)).status for m in (one, other)]
            broken.clear()
            await anyio.sleep(RETRY_SECONDS)

            assert during == ["active", "completed"]
            assert (await ann.games.match(one.id)).status == "completed"
        assert caplog.text.count("could not be looked at") == 1

    monkeypatch.setattr(decisions, "look_at_match", faulty)
    play(story)


def test_an_agenda_that_cannot_be_read_is_read_again(
    play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    take, faults = MatchSupervisor._take, list[str]()

    def faulty(self: MatchSupervisor, event: hubbub.Event) -> None:
        if not faults:
            faults.append("one")
            raise KeyError("a fault of the hub's own")
        take(self, event)

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, rules=hubbub.Timed(1)) as (match, ann, _):
            await anyio.sleep(RESTART_SECONDS_MAX + 1)

            assert (await ann.games.match(match.id)).status == "completed"
        assert "following agenda/matches has failed" in caplog.text

    monkeypatch.setattr(MatchSupervisor, "_take", faulty)
    play(story)


def test_a_match_that_cannot_be_begun_does_not_stop_the_queues(
    play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    start, faults = decisions.start, list[str]()

    def faulty(*args: Any) -> Sequence[Draft]:
        if not faults:
            faults.append("one")
            raise RecursionError("a fault of the hub's own")
        return start(*args)

    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann, hub.session("bob") as bob:
            found = list[str]()

            async def find(session: hubbub.Session) -> None:
                found.append((await session.games.find_match()).status)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(find, ann)
                await moment()
                with pytest.raises(RecursionError):
                    await bob.games.find_match()
                tasks.start_soon(find, bob)

        assert found == ["active", "active"]

    monkeypatch.setattr(decisions, "start", faulty)
    play(story)


def test_what_stays_due_does_not_keep_the_hub_from_working(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def never_done(states: States, stream: str, *more: Any, **named: Any) -> Any:
        nonlocal looks
        looks += 1
        return []

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, rules=hubbub.Timed(1)) as (match, ann, _):
            await anyio.sleep(1 + 10 * LOOK_AGAIN_SECONDS)

            assert (await ann.games.match(match.id)).status == "active"
            assert 1 < looks <= 12

    monkeypatch.setattr(decisions, "look_at_match", never_done)
    play(story)


def test_a_board_that_nobody_submits_to_is_not_looked_at_for_ever(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = list[str]()
    look = MatchSupervisor._look

    async def counted(self: MatchSupervisor, stream: str, *, run: bool = False) -> None:
        looks.append(stream)
        await look(self, stream, run=run)

    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            for number in range(20):
                await ann.games.create_board(f"b{number}", reset="* * * * *")
        await anyio.sleep(24 * 3_600)

        # Each when the end of its first season had been planned, and at most at the opening.
        assert set(looks) == {f"board/b{number}" for number in range(20)}
        assert len(looks) <= 40

    monkeypatch.setattr(MatchSupervisor, "_look", counted)
    play(story)
