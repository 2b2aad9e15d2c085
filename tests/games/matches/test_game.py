from __future__ import annotations

from typing import cast

import pytest

import hubbub
from hubbub import Game, Handler, Invalid
from hubbub.games.matches.game import PLAYERS_MAX, TICKS_PER_SECOND_MAX, Table, check_games, outcome
from hubbub.games.matches.rules import POINTS_MAX, Custom, FirstTo, Outcome, Standing
from tests.games.match_kit import GAMES

TWO = Standing(["ann", "bob"], {"ann": 3, "bob": 5}, {"ann": 2, "bob": 2})


@pytest.mark.parametrize(
    "game",
    [
        Game(),
        Game(size=PLAYERS_MAX),
        Game(ticks_per_second=TICKS_PER_SECOND_MAX),
        Game(call_seconds_max=0.001),
        Game(win_points=0, rated=False, resumes=False),
        Game(win_points=POINTS_MAX, rating_range=0, rating_range_per_second=0.5),
    ],
)
def test_a_game_within_its_limits(game: Game) -> None:
    check_games({"it": game})


@pytest.mark.parametrize(
    "game",
    [
        Game(size=1),
        Game(size=PLAYERS_MAX + 1),
        Game(size=2.5),  # type: ignore[arg-type]
        Game(size="2"),  # type: ignore[arg-type]
        Game(ticks_per_second=-1),
        Game(ticks_per_second=TICKS_PER_SECOND_MAX + 1),
        Game(ticks_per_second=float("nan")),
        Game(call_seconds_max=0),
        Game(call_seconds_max=float("nan")),
        Game(rules=FirstTo(0)),
        Game(win_points=-1),
        Game(win_points=POINTS_MAX + 1),
        Game(win_points=True),
        Game(win_points=1.5),  # type: ignore[arg-type]
        Game(rated=None),  # type: ignore[arg-type]
        Game(resumes="often"),  # type: ignore[arg-type]
        Game(rating_range=-1),
        Game(rating_range=float("nan")),
        Game(rating_range_per_second="fast"),  # type: ignore[arg-type]
        Game(rules="first to 100"),  # type: ignore[arg-type]
    ],
)
async def test_a_game_outside_its_limits_is_refused_when_the_hub_is_opened(game: Game) -> None:
    with pytest.raises(Invalid):
        check_games({"it": game})
    with pytest.raises(Invalid):
        async with hubbub.open("memory://", games={"it": game}):
            pass


def test_own_rules_are_decided_by_their_game() -> None:
    assert outcome(Custom("golf", {"holes": 3}), TWO, GAMES) is None
    assert outcome(Custom("golf", {"holes": 2}), TWO, GAMES) == Outcome("ann")


@pytest.mark.parametrize("name", ["default", "chess"])
def test_rules_that_nobody_has_brought_are_refused(name: str) -> None:
    with pytest.raises(Invalid, match="has no rules"):
        outcome(Custom(name), TWO, GAMES)


@pytest.mark.parametrize("winner", ["eve", "cid"])
def test_own_rules_that_name_a_winner_who_is_not_in_the_match_are_at_fault(winner: str) -> None:
    without_cid = Standing(["ann", "bob"], {"ann": 3, "bob": 5, "cid": 9}, {})

    with pytest.raises(ValueError, match=winner):
        outcome(Custom("it"), without_cid, {"it": Game(decide=lambda *_: Outcome(winner))})


async def test_a_handler_need_not_do_anything() -> None:
    handler, nothing = Handler(), cast("Table", None)

    await handler.on_start(nothing)
    await handler.on_message(nothing, "ann", {})
    await handler.on_tick(nothing, 1)
    await handler.on_end(nothing)
