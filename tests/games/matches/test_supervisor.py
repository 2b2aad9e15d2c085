"""The supervisor's own work: players who disconnect, and matches whose time is up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.games.matches import supervisor
from hubbub.games.matches.supervisor import RETRY_SECONDS, MatchSupervisor
from tests.games.virtual_hub import Play, match_of_two, moment, seconds, what

HOUR = 3600.0


async def status(hub: hubbub.Hubbub, match: hubbub.Match) -> str:
    """Return the outcome of a match."""
    async with hub.session("witness") as witness:
        return (await witness.games.match(match.id)).status


def test_who_drops_forfeits_after_the_grace_and_not_before(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            async with hub.session("bob"):
                match = await ann.games.start_match(["ann", "bob"])
                await anyio.sleep(5)
            await anyio.sleep(29.999)
            before = await ann.games.match(match.id)
            await anyio.sleep(0.002)
            after = await ann.games.match(match.id)

        assert before.status == "active"
        assert (after.status, after.winner, after.gone) == ("completed", "ann", ["bob"])
        assert await what(hub, match.stream) == [
            (0, "Started"),
            (5, "Dropped"),
            (35, "Forfeited"),
            (35, "Completed"),
        ]

    play(story)


def test_the_grace_is_a_setting(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            async with hub.session("bob"):
                match = await ann.games.start_match(["ann", "bob"])
            await anyio.sleep(60)

        happened = await what(hub, match.stream)
        assert happened[:3] == [(0, "Started"), (0, "Dropped"), (2.5, "Forfeited")]

    play(story, settings=hubbub.Settings(match_grace_seconds=2.5))


def test_who_comes_back_in_time_goes_on(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            async with hub.session("bob"):
                match = await ann.games.start_match(["ann", "bob"])
            await anyio.sleep(29)
            async with hub.session("bob") as bob:
                await anyio.sleep(100)
                scored = await bob.games.add_score(match.id, 1)
            # The next time the grace begins anew.
            await anyio.sleep(29)
            again = await ann.games.match(match.id)
            await anyio.sleep(2)

        assert (scored.status, again.status) == ("active", "active")
        assert await what(hub, match.stream) == [
            (0, "Started"),
            (0, "Dropped"),
            (29, "Returned"),
            (129, "Scored"),
            (129, "Dropped"),
            (159, "Forfeited"),
            (159, "Completed"),
        ]

    play(story)


def test_to_leave_one_of_two_sessions_is_not_to_drop(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub) as (match, *_):
            async with hub.session("bob"):
                pass
            await anyio.sleep(100)

            assert await what(hub, match.stream) == [(0, "Started")]

    play(story)


def test_a_connection_that_is_replaced_at_once_is_not_missed(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            async with hub.session("bob"):
                match = await ann.games.start_match(["ann", "bob"])
            async with hub.session("bob"):
                await anyio.sleep(100)

                assert await status(hub, match) == "active"

    play(story)


def test_who_was_not_there_yet_does_not_drop(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("bob"):
            pass
        async with hub.session("ann") as ann:
            match = await ann.games.start_match(["ann", "bob"])
            await anyio.sleep(100)
            async with hub.session("bob"):
                await anyio.sleep(1)
            await anyio.sleep(100)

        assert await what(hub, match.stream) == [
            (0, "Started"),
            (100, "Returned"),
            (101, "Dropped"),
            (131, "Forfeited"),
            (131, "Completed"),
        ]

    play(story)


def test_the_others_go_on_without_one(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann, hub.session("carol"):
            async with hub.session("bob"):
                match = await ann.games.start_match(["ann", "bob", "carol"])
            await anyio.sleep(100)
            shown = await ann.games.add_score(match.id, 1)

        assert (shown.status, shown.gone) == ("active", ["bob"])

    play(story)


def test_who_has_resigned_does_not_drop(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann, hub.session("carol"):
            async with hub.session("bob") as bob:
                match = await ann.games.start_match(["ann", "bob", "carol"])
                await bob.games.resign(match.id)
            await anyio.sleep(100)

            assert await what(hub, match.stream) == [(0, "Started"), (0, "Resigned")]

    play(story)


def test_a_match_that_everybody_has_left_is_cancelled(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, board="b") as (match, *_):
            await anyio.sleep(1)
        await anyio.sleep(29.9)
        before = await status(hub, match)
        await anyio.sleep(0.2)
        async with hub.session("witness") as witness:
            after = await witness.games.match(match.id)
            players = await witness.users.get_many(["ann", "bob"])
            with pytest.raises(hubbub.NotFound):
                await witness.games.board("b")

        assert before == "active"
        assert (after.status, after.winner) == ("cancelled", None)
        assert after.reason == "Nobody is left to play."
        assert [player.rating for player in players] == [1500, 1500]

    play(story)


def test_the_time_of_a_match_is_up_without_anybody_doing_anything(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, rules=hubbub.Timed(60)) as (match, ann, bob):
            await ann.games.add_score(match.id, 2)
            await bob.games.add_score(match.id, 3)
            await anyio.sleep(59.999)
            before = await status(hub, match)
            await anyio.sleep(0.002)
            after = await ann.games.match(match.id)

        assert before == "active"
        assert (after.status, after.winner) == ("completed", "bob")
        assert after.ended_at is not None
        assert seconds(after.ended_at) == 60

    play(story)


def test_a_timed_match_without_a_leader_is_a_draw(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, rules=hubbub.Timed(0.5)) as (match, ann, _):
            await anyio.sleep(1)
            over = await ann.games.match(match.id)

        assert (over.status, over.winner) == ("completed", None)

    play(story)


def test_who_drops_from_a_timed_match_forfeits_or_loses_at_its_end(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        ends = list[list[tuple[float, str]]]()
        for length in (40, 20):
            start = anyio.current_time()
            async with hub.session("ann") as ann:
                async with hub.session("bob"):
                    rules = hubbub.Timed(length)
                    match = await ann.games.start_match(["ann", "bob"], rules=rules)
                await anyio.sleep(100)
            ends.append([(at - start, kind) for at, kind in await what(hub, match.stream)])

        assert ends == [
            [(0, "Started"), (0, "Dropped"), (30, "Forfeited"), (30, "Completed")],
            [(0, "Started"), (0, "Dropped"), (20, "Completed")],
        ]

    play(story)


def test_many_alarms_ring_each_at_its_time(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann, hub.session("bob"):
            matches = [
                await ann.games.start_match(["ann", "bob"], rules=hubbub.Timed(length))
                for length in (30, 10, 20, 10)
            ]
            await anyio.sleep(100)
            over = [await ann.games.match(match.id) for match in matches]

        assert [seconds(m.ended_at) for m in over if m.ended_at] == [30, 10, 20, 10]

    play(story)


def test_a_season_ends_by_the_clock_without_anybody_submitting(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            await ann.games.create_board("b", reset="0 * * * *")
            await ann.games.submit("b", 7)
            await anyio.sleep(HOUR - 0.001)
            before = await ann.games.top("b")
            await anyio.sleep(0.002)
            after = await ann.games.top("b")
            await anyio.sleep(1.5 * HOUR)
            await ann.games.submit("b", 8)
            await anyio.sleep(10 * HOUR)
            seasons = await ann.games.seasons("b")

            assert ([e.score for e in before], after) == ([7], [])
            assert [(s.number, s.size) for s in seasons] == [(1, 1), (2, 1)]
            assert [seconds(s.ended_at) for s in seasons] == [HOUR, 3 * HOUR]
            assert await ann.games.season("b", 1) == before
        assert await what(hub, "board/b") == [
            (0, "BoardCreated"),
            (0, "Submitted"),
            (HOUR, "Reset"),
            (2.5 * HOUR + 0.001, "Submitted"),
            (3 * HOUR, "Reset"),
        ]

    play(story)


def test_what_could_not_be_looked_at_is_looked_at_again(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    broken = True

    def decide(options: Mapping[str, Any], standing: hubbub.Standing) -> hubbub.Outcome | None:
        if broken:
            raise ValueError("a fault in the application's rules")
        return None

    async def story(hub: hubbub.Hubbub) -> None:
        nonlocal broken
        async with hub.session("ann") as ann, hub.session("carol"):
            async with hub.session("bob"):
                players = ["ann", "bob", "carol"]
                match = await ann.games.start_match(players, rules=hubbub.Custom("odd"))
            await anyio.sleep(1)
            broken = False
            await anyio.sleep(RETRY_SECONDS)

            assert await what(hub, match.stream) == [(0, "Started"), (RETRY_SECONDS, "Dropped")]
        assert "could not be looked at" in caplog.text

    play(story, games={"odd": hubbub.Game(decide=decide)})


def test_a_match_whose_time_was_up_while_the_hub_was_closed_is_over(
    play: Play, tmp_path: Path
) -> None:
    match: hubbub.Match

    async def story(hub: hubbub.Hubbub) -> None:
        nonlocal match
        async with match_of_two(hub, rules=hubbub.Timed(60)) as (match, ann, _):
            await ann.games.add_score(match.id, 1)

    async def later(hub: hubbub.Hubbub) -> None:
        await anyio.sleep(0.1)
        async with hub.session("witness") as witness:
            over = await witness.games.match(match.id)

        assert (over.status, over.winner) == ("completed", "ann")
        assert over.ended_at is not None
        assert seconds(over.ended_at) >= 100

    play(story, url=str(tmp_path / "hub.db"), later=later)


def test_a_season_that_ended_while_the_hub_was_closed_is_over(play: Play, tmp_path: Path) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            await ann.games.create_board("b", reset="* * * * *")
            await ann.games.submit("b", 1)

    async def later(hub: hubbub.Hubbub) -> None:
        await anyio.sleep(0.1)
        async with hub.session("ann") as ann:
            [season] = await ann.games.seasons("b")

        assert (season.number, season.size, seconds(season.ended_at)) == (1, 1, 60)

    play(story, url=str(tmp_path / "hub.db"), later=later)


def test_few_are_looked_at_at_one_time_when_the_hub_is_opened(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most, matches = 0, 0, list[hubbub.Match]()
    look = MatchSupervisor._look

    async def counted(self: MatchSupervisor, stream: str, *, run: bool = False) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            await look(self, stream, run=run)
        finally:
            running -= 1

    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann, hub.session("bob"):
            for _ in range(7):
                rules = hubbub.Timed(60)
                matches.append(await ann.games.start_match(["ann", "bob"], rules=rules))
        await moment()
        monkeypatch.setattr(MatchSupervisor, "_look", counted)
        monkeypatch.setattr(supervisor, "LOOKS_MAX", 2)

    async def later(hub: hubbub.Hubbub) -> None:
        await anyio.sleep(0.1)

        assert most == 2
        assert [await status(hub, match) for match in matches] == ["completed"] * 7

    play(story, url=str(tmp_path / "hub.db"), later=later)
