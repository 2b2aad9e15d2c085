"""Seasons that are over, folded again from their events."""

from __future__ import annotations

from datetime import timedelta

import pytest

import hubbub
from hubbub.games.boards import past_seasons
from tests.games.matches.test_listing import three

DAY = 24 * 3600.0


@pytest.mark.parametrize("page", [1, 3, 100])
async def test_a_season_is_folded_page_by_page(monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(past_seasons, "PAGE", page)
    async with three() as (_, sessions, clock):
        games = sessions[0].games
        await games.create_board("b", operator="sum", reset="0 0 * * *")
        tops = list[list[hubbub.Entry]]()
        for day in range(3):
            clock.passed = day * DAY
            for n, session in enumerate(sessions):
                for _ in range(2):
                    await session.games.submit("b", 10 * day + n)
            tops.append(await games.top("b"))
        clock.passed = 3 * DAY
        await games.submit("b", 1)

        assert [await games.season("b", number) for number in (1, 2, 3)] == tops
        assert [s.size for s in await games.seasons("b")] == [3, 3, 3]
        ends = [s.ended_at for s in await games.seasons("b")]
        assert ends[1] - ends[0] == timedelta(days=1)
