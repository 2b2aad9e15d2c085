"""Databases of earlier releases, whose schedules have one stream each."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import anyio

import hubbub
from hubbub.games.matches.ending import MATCH_SCHEDULE
from hubbub.journal.command import Command, nothing
from hubbub.journal.decide.states import States
from hubbub.journal.event import Draft
from hubbub.journal.schedule import HUB, Schedule, Scheduled, unscheduled
from hubbub.journal.shards import stream_shards
from tests.games.virtual_hub import Play


def test_a_match_of_an_earlier_release_ends_in_time(play: Play, tmp_path: Path) -> None:
    started: list[hubbub.Match] = []

    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann, hub.session("bob"):
            match = await ann.games.start_match(["ann", "bob"], rules=hubbub.Timed(150))
            due = match.started_at + timedelta(seconds=150)
            # As the earlier release has written it.
            drafts = [
                unscheduled(MATCH_SCHEDULE, match.stream),
                Draft(MATCH_SCHEDULE, Scheduled(match.stream, due)),
            ]
            await hub.journal.execute(Command(HUB, lambda _: drafts, lambda _, __: None))
            started.append(match)

    async def later(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann, hub.session("bob"):
            assert (await ann.games.match(started[0].id)).status == "active"
            await anyio.sleep(51)
            assert (await ann.games.match(started[0].id)).status == "completed"
        assert await entries(hub) == []

    play(story, later=later, url=f"{tmp_path}/hub.db")


def test_a_match_that_has_ended_meanwhile_leaves_the_schedule(play: Play, tmp_path: Path) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann, hub.session("bob"):
            match = await ann.games.start_match(["ann", "bob"], rules=hubbub.FirstTo(1))
            await ann.games.add_score(match.id, 1)
        late = Draft(MATCH_SCHEDULE, Scheduled(match.stream))
        await hub.journal.execute(Command(HUB, lambda _: [late], lambda _, __: None))

    async def later(hub: hubbub.Hubbub) -> None:
        await anyio.sleep(1)
        assert await entries(hub) == []

    play(story, later=later, url=f"{tmp_path}/hub.db")


async def entries(hub: hubbub.Hubbub) -> list[str]:
    shards = (MATCH_SCHEDULE, *stream_shards(MATCH_SCHEDULE))

    def found(states: States, _: object) -> list[str]:
        return [to for shard in shards for to in states.of(Schedule, shard).due]

    return await hub.journal.execute(Command(HUB, nothing, found, reads=shards))
