"""The supervisor as one of several nodes: each alarm rings at one of them."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

import hubbub
from hubbub.games.matches.supervisor import LATE_LOOK_SECONDS
from hubbub.journal.cluster.nodes import Nodes
from tests.games.virtual_hub import Play, match_of_two, moment, what


class Others:
    """Pretends that another node lives, and does every job."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dead = False
        owner, live = Nodes.owner, Nodes.live
        monkeypatch.setattr(Nodes, "owner", lambda n, job: owner(n, job) if self.dead else "other")
        monkeypatch.setattr(Nodes, "live", lambda n: live(n) if self.dead else live(n) | {"other"})

    def die(self, hub: hubbub.Hubbub) -> None:
        self.dead = True
        for changed in hub.journal.nodes.changed:
            changed()


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> Others:
    return Others(monkeypatch)


def test_the_alarms_of_a_node_that_has_died_ring_at_another(play: Play, others: Others) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, rules=hubbub.Timed(10)) as (match, *_):
            await anyio.sleep(12)
            before = await what(hub, match.stream)
            others.die(hub)
            await anyio.sleep(1)
            happened = await what(hub, match.stream)

        assert before == [(0, "Started")]
        assert happened[1:] == [(12, "Completed")]

    play(story)


def test_an_alarm_that_its_node_misses_rings_at_the_others(play: Play, others: Others) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, rules=hubbub.Timed(10)) as (match, *_):
            await anyio.sleep(20)
            happened = await what(hub, match.stream)

        assert happened == [(0, "Started"), (10 + LATE_LOOK_SECONDS, "Completed")]

    play(story)


def test_an_alarm_that_rang_elsewhere_does_not_ring_here(play: Play, others: Others) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, rules=hubbub.FirstTo(1)) as (match, ann, _):
            await anyio.sleep(1)
            await ann.games.add_score(match.id, 1)
            others.die(hub)
            await anyio.sleep(20)

            assert [kind for _, kind in await what(hub, match.stream)] == [
                "Started", "Scored", "Completed",
            ]  # fmt: skip

    play(story)


def test_nobody_drops_because_a_node_joins(play: Play, others: Others, tmp_path: Path) -> None:
    played: list[tuple[str, list[tuple[float, str]]]] = []

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, rules=hubbub.Timed(200)) as (match, *_):
            pass
        await moment()
        played.append((match.stream, await what(hub, match.stream)))

    async def later(hub: hubbub.Hubbub) -> None:
        await anyio.sleep(1)
        [(stream, before)] = played

        # A node that is alone has to assume that nobody has come back.
        assert await what(hub, stream) == before

    play(
        story,
        later=later,
        url=f"{tmp_path}/hub.db",
        settings=hubbub.Settings(match_grace_seconds=300),
    )
