"""The supervisor when a hub is opened again: nobody could reconnect before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

import hubbub
from hubbub.games.matches.supervisor import MatchSupervisor
from tests.games.matches.test_supervisor import status
from tests.games.virtual_hub import Play, match_of_two, seconds


def test_the_grace_begins_anew_when_the_hub_is_opened_again(play: Play, tmp_path: Path) -> None:
    match: hubbub.Match

    async def story(hub: hubbub.Hubbub) -> None:
        nonlocal match
        async with match_of_two(hub) as (match, *_):
            pass

    async def later(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            await anyio.sleep(29)
            before = await ann.games.match(match.id)
            await anyio.sleep(2)
            after = await ann.games.match(match.id)

        assert before.status == "active"
        assert (after.status, after.winner) == ("completed", "ann")
        assert after.ended_at is not None
        assert seconds(after.ended_at) == pytest.approx(130, abs=0.1)

    play(story, url=str(tmp_path / "hub.db"), later=later)


def test_a_player_who_reconnects_at_once_does_not_win_by_it(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    match: hubbub.Match
    look_at_all = MatchSupervisor._look_at_all

    async def slowly(self: MatchSupervisor, streams: Sequence[str]) -> None:
        await anyio.sleep(1)
        await look_at_all(self, streams)

    async def story(hub: hubbub.Hubbub) -> None:
        nonlocal match
        async with match_of_two(hub) as (match, *_):
            pass
        monkeypatch.setattr(MatchSupervisor, "_look_at_all", slowly)

    async def later(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann"):
            await anyio.sleep(20)

        assert await status(hub, match) == "active"

    play(story, url=str(tmp_path / "hub.db"), later=later)
