"""The supervisor as one of several nodes: each alarm rings at one of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.errors import Overloaded
from hubbub.games.matches.claims import claim_match
from hubbub.games.matches.supervisor import LATE_LOOK_SECONDS, MatchSupervisor
from hubbub.journal.cluster.nodes import Nodes
from hubbub.journal.command import Command
from hubbub.journal.decide.states import States
from hubbub.journal.event import Draft
from hubbub.journal.schedule import HUB
from hubbub.stores import MemoryStore
from hubbub.testing import VirtualClock, run_in_virtual_time
from tests.event_loop import Backend
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


class Counting(hubbub.Handler):
    """A game that gives a point for each message, and counts its starts."""

    starts = 0

    async def on_start(self, table: hubbub.Table) -> None:
        type(self).starts += 1

    async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
        await table.add_score(player, 1)


@pytest.fixture
def games() -> dict[str, hubbub.Game]:
    class Fresh(Counting):
        pass

    return {"counting": hubbub.Game(handler=Fresh)}


async def claimed_by(hub: hubbub.Hubbub, match: hubbub.Match, node: str) -> None:
    """Let another node claim a match, as if this one had been taken for dead."""

    def decide(states: States) -> Sequence[Draft]:
        return claim_match(states, match.stream, node, lambda _: True)

    await hub.journal.execute(Command(HUB, decide, lambda _, __: None))
    await moment()


def test_a_node_that_lost_a_match_leaves_it_alone(
    play: Play, others: Others, games: dict[str, hubbub.Game], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(nodes: Nodes, node: str, kind: str, body: bytes, seconds: float) -> bytes:
        raise Overloaded("Another server of this cluster did not answer; try again.")

    monkeypatch.setattr(Nodes, "ask", ask)
    monkeypatch.setattr(Nodes, "is_live", lambda nodes, node: node in nodes.live())

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="counting") as (match, ann, _):
            await ann.games.message(match.id, {})
            await claimed_by(hub, match, "other")
            # It is the other node's to answer now.
            with pytest.raises(Overloaded):
                await ann.games.message(match.id, {})

            assert (await ann.games.match(match.id)).status == "active"
            assert len(hub.runtime(MatchSupervisor).running) == 0
            others.die(hub)
            await moment()
            await ann.games.message(match.id, {})
            happened = [kind for _, kind in await what(hub, match.stream)]
        assert happened == ["Started", "Scored", "MatchClaimed", "MatchClaimed", "Scored"]

    play(story, games=games)


def test_a_match_goes_on_after_a_restart_under_a_new_claim(
    play: Play, games: dict[str, hubbub.Game], tmp_path: Path
) -> None:
    started: list[hubbub.Match] = []

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="counting") as (match, ann, _):
            started.append(match)
            await ann.games.message(match.id, {})

    async def later(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann, hub.session("bob"):
            await anyio.sleep(1)
            await ann.games.message(started[0].id, {})

        kinds = [kind for _, kind in await what(hub, started[0].stream)]
        assert kinds.count("MatchClaimed") == 1
        assert kinds.count("Scored") == 2

    later_settings = hubbub.Settings(match_grace_seconds=300)
    play(story, later=later, games=games, url=f"{tmp_path}/hub.db", settings=later_settings)


class LateClock(VirtualClock):
    """The clock of a node that is an hour behind."""

    def now(self) -> datetime:
        return super().now() - timedelta(hours=1)


def test_the_clock_of_the_store_ends_a_match(backend: Backend) -> None:
    async def story() -> list[tuple[float, str]]:
        store = MemoryStore(Random(1), shared=True, clock=VirtualClock())
        settings = hubbub.Settings(clock=LateClock(), random=Random(1))
        async with (
            hubbub.open(store=store, settings=settings) as hub,
            match_of_two(hub, rules=hubbub.Timed(10)) as (match, *_),
        ):
            await anyio.sleep(12)
            return await what(hub, match.stream)

    assert run_in_virtual_time(story, backend=backend)[-1] == (10, "Completed")
