"""Quick arithmetic by itself: what it asks, and when."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.games.matches import arithmetic
from hubbub.games.matches.arithmetic import ARITHMETIC, POINTS, TICKS_MAX
from tests.games.virtual_hub import Play, match_of_two, moment, told, what


def answer_of(asked: dict[str, Any]) -> int:
    """Work a question out."""
    one, sign, other = asked["text"].split()
    return {"+": int(one) + int(other), "-": int(one) - int(other), "×": int(one) * int(other)}[
        sign
    ]


async def last_question(hub: hubbub.Hubbub, match: hubbub.Match) -> dict[str, Any]:
    """Return the last question."""
    await moment()
    return [said for said in await told(hub, match.stream) if "text" in said][-1]


async def answer(hub: hubbub.Hubbub, match: hubbub.Match, player: hubbub.Session) -> int:
    """Let a player answer the last question; return its number."""
    asked = await last_question(hub, match)
    body = {"question": asked["question"], "answer": answer_of(asked)}
    await player.games.message(match.id, body)
    await moment()
    return int(asked["question"])


def test_questions_can_be_worked_out_in_the_head(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="arithmetic") as (match, *_):
            await anyio.sleep(100 * TICKS_MAX)
            asked = [said for said in await told(hub, match.stream) if "text" in said]

        answers = [answer_of(one) for one in asked]
        assert len(asked) == 101
        assert all(0 <= one <= 144 for one in answers)
        assert {one["text"].split()[1] for one in asked} == {"+", "-", "×"}
        assert all(2 <= int(n) <= 12 for one in asked for n in one["text"].split()[::2])

    play(story)


def test_each_question_has_a_number_of_its_own(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="arithmetic") as (match, ann, _):
            numbers = [await answer(hub, match, ann) for _ in range(5)]

        assert numbers == list(range(numbers[0], numbers[0] + 5))

    play(story)


def test_the_first_right_answer_gets_ten_points(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="arithmetic") as (match, ann, bob):
            asked = await last_question(hub, match)
            body = {"question": asked["question"], "answer": answer_of(asked)}
            for player in (bob, ann):
                await player.games.message(match.id, body)
            await moment()
            shown = await ann.games.match(match.id)

        assert shown.scores == {"ann": 0, "bob": POINTS}

    play(story)


def test_when_the_time_of_a_question_is_up_another_comes(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="arithmetic") as (match, *_):
            asked = await last_question(hub, match)
            await anyio.sleep(TICKS_MAX - 0.01)
            before = await told(hub, match.stream)
            await anyio.sleep(0.02)
            _, given, following = await told(hub, match.stream)

        assert before == [asked]
        assert given == {
            "question": asked["question"],
            "answer": answer_of(asked),
            "by": None,
        }
        assert following["question"] == asked["question"] + 1

    play(story)


def test_an_answer_gives_the_next_question_its_full_time(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arithmetic, "TICKS_MAX", 3)

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="arithmetic") as (match, ann, _):
            await anyio.sleep(2.5)
            await answer(hub, match, ann)
            await anyio.sleep(2.9)

        # Asked at 0; at 2.5, after the answer; and at 5, three ticks later.
        said = [at for at, kind in await what(hub, match.stream) if kind == "Told"]
        assert said == [0, 2.5, 2.5, 5, 5]

    play(story)


def test_who_gives_up_right_after_an_answer_stops_nobody(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with AsyncExitStack() as stack:
            players = ["ann", "bob", "carol"]
            ann, bob, carol = [await stack.enter_async_context(hub.session(p)) for p in players]
            match = await ann.games.start_match(players, game="arithmetic")
            asked = await last_question(hub, match)
            body = {"question": asked["question"], "answer": answer_of(asked)}
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(carol.games.message, match.id, body)
                await anyio.lowlevel.checkpoint()
                # It comes before the handler has given the points.
                tasks.start_soon(carol.games.resign, match.id)
            await moment()
            await answer(hub, match, bob)
            shown = await ann.games.match(match.id)

        assert (shown.status, shown.reason, shown.gone) == ("active", None, ["carol"])
        assert shown.scores == {"ann": 0, "bob": POINTS, "carol": 0}

    play(story)


def test_an_answer_to_a_question_before_a_restart_does_not_count(
    play: Play, tmp_path: Path
) -> None:
    match: hubbub.Match
    asked: dict[str, Any]

    async def story(hub: hubbub.Hubbub) -> None:
        nonlocal match, asked
        async with match_of_two(hub, game="arithmetic") as (match, *_):
            asked = await last_question(hub, match)

    async def later(hub: hubbub.Hubbub) -> None:
        hub.settings.random.seed(2)
        async with hub.session("ann"), hub.session("bob"):
            await anyio.sleep(0.1)
            again = await last_question(hub, match)

        assert again != asked
        assert again["question"] != asked["question"]

    play(story, url=str(tmp_path / "hub.db"), later=later)


def test_it_is_a_game_for_two_to_100() -> None:
    assert (ARITHMETIC.size, ARITHMETIC.rules) == (2, hubbub.FirstTo(100))
