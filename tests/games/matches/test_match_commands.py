"""The hub's commands for a match that it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import hubbub
from hubbub.errors import Conflict, Invalid, NotFound
from hubbub.games.events import MatchClaimed
from hubbub.games.matches.claims import ClaimLost
from hubbub.games.matches.match_commands import MatchCommands
from hubbub.games.matches.supervisor import MatchSupervisor
from hubbub.journal.command import Command
from hubbub.journal.event import Draft
from hubbub.journal.schedule import HUB


@asynccontextmanager
async def two() -> AsyncIterator[tuple[MatchCommands, hubbub.Session, hubbub.Session]]:
    """Let ann play bob in a match that the test runs."""
    async with (
        hubbub.open("memory://", games={"own": hubbub.Game()}) as hub,
        hub.session("ann") as ann,
        hub.session("bob") as bob,
    ):
        await ann.games.create_board("speed", order="asc")
        match = await ann.games.start_match(["ann", "bob"], game="own", referee="/hub")
        yield hub.runtime(MatchSupervisor).running.commands(match.stream, 0), ann, bob


async def test_a_score_of_a_players_counts_on_any_board() -> None:
    async with two() as (commands, ann, _):
        entry = await commands.submit("speed", "bob", 12.5, {"level": 3})

        assert entry == await ann.games.rank("speed", "bob")
        assert (entry.score, entry.metadata) == (12.5, {"level": 3})
        assert (await commands.submit("main", "ann", 3, None)).score == 3
        with pytest.raises(NotFound):
            await commands.submit("chess", "bob", 1, None)
        with pytest.raises(Invalid, match="does not play"):
            await commands.submit("speed", "eve", 1, None)


async def test_a_score_counts_when_the_match_is_over_too() -> None:
    async with two() as (commands, _, bob):
        over = await commands.finish("bob")
        entry = await commands.submit("speed", "bob", 1, None)

        assert (over.status, over.winner) == ("completed", "bob")
        assert entry.rank == 1
        with pytest.raises(Conflict):
            await commands.finish("ann")
        with pytest.raises(Conflict):
            await commands.tell_player("bob", {})
        assert (await bob.games.rank("main")).score == 10


async def test_only_that_player_reads_what_they_are_told() -> None:
    async with two() as (commands, ann, bob):
        await commands.tell_player("bob", {"hand": [7]})
        [told] = [one for one in await bob.read("user/bob", limit=500) if one.type == "told_player"]

        assert msg_of(told) == ((await commands.show()).stream, {"hand": [7]}, "/hub")
        with pytest.raises(hubbub.NotAllowed):
            await ann.read("user/bob")
        assert not [one for one in await ann.read("user/ann") if one.type == "told_player"]


def msg_of(event: hubbub.Event) -> tuple[object, object, str]:
    return getattr(event.data, "match", None), getattr(event.data, "body", None), event.by


async def test_a_node_whose_claim_is_lost_changes_nothing_any_more() -> None:
    async with two() as (commands, ann, _):
        hub = commands._hub
        stream = (await commands.show()).stream
        claimed = Draft(stream, MatchClaimed("another node"))
        await hub.journal.execute(Command(HUB, lambda _: [claimed], lambda _, __: None))
        for work in (
            commands.finish("ann"),
            commands.add_score("ann", 1, None),
            commands.submit("main", "ann", 1, None),
            commands.cancel("it rains"),
            commands.show(),
        ):
            with pytest.raises(ClaimLost):
                await work

        assert (await ann.games.match(stream.removeprefix("match/"))).status == "active"
