"""Leaderboards: what counts on them, and who stands where."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any, cast

import anyio
import pytest

import hubbub
from hubbub.errors import Conflict, Invalid, KeyReused, NotFound
from hubbub.games.events import Operator
from tests.session.worlds import OpenWorld, World

PATIENCE = 10.0
LAST = 1 << 53


async def with_scores(w: World, *scores: int) -> list[hubbub.Session]:
    """Make the board ``b``, and let somebody have each of these scores."""
    sessions = await w.sessions(*(f"player {n}" for n in range(len(scores))))
    await sessions[0].games.create_board("b")
    for session, score in zip(sessions, scores, strict=True):
        await session.games.submit("b", score)
    return sessions


def ranked(entries: list[hubbub.Entry]) -> list[tuple[int, float]]:
    """Return ranks and scores."""
    return [(entry.rank, entry.score) for entry in entries]


async def test_a_board_is_as_it_was_made(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        board = await alice.games.create_board(
            "times", operator="latest", order="asc", reset="0 0 * * MON"
        )

        assert board == hubbub.Board(
            name="times",
            stream="board/times",
            operator="latest",
            order="asc",
            reset="0 0 * * MON",
            season=1,
            size=0,
            created_at=w.clock.now(),
        )
        assert await bob.games.board("times") == board


async def test_to_make_a_board_twice_is_to_make_it_once(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        once = await alice.games.create_board("b", operator="sum")
        twice = await bob.games.create_board("b", operator="sum")

        assert once == twice
        for arguments in ({"operator": "best"}, {"order": "asc"}, {"reset": "0 0 * * *"}):
            given = cast("Any", {"operator": "sum", **arguments})
            with pytest.raises(Conflict, match="another name"):
                await bob.games.create_board("b", **given)


async def test_a_board_has_limits(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        refused: list[dict[str, Any]] = [
            {"name": ""},
            {"name": "a/b"},
            {"name": "x" * 101},
            {"name": "b", "operator": "worst"},
            {"name": "b", "order": "up"},
            {"name": "b", "reset": "sometimes"},
            {"name": "b", "reset": "0 0 0 * * *"},
            {"name": "b", "reset": "0 0 31 2 *"},
        ]

        for arguments in refused:
            with pytest.raises(Invalid):
                await alice.games.create_board(**arguments)
        assert (await alice.games.create_board("x" * 100)).name == "x" * 100


async def test_a_name_has_one_form(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        made = await alice.games.create_board(" Cafe\N{COMBINING ACUTE ACCENT} ")
        again = await alice.games.create_board("Cafe\N{COMBINING ACUTE ACCENT}")
        entry = await alice.games.submit("Cafe\N{COMBINING ACUTE ACCENT}", 1)

        assert made == again
        assert made.name == entry.board == "Café"
        assert await alice.games.top("Café ") == [entry]


async def test_an_entry_says_who_has_what_since_when(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        await alice.games.create_board("b")
        w.clock.passed = 5
        entry = await alice.games.submit("b", 42, metadata={"level": [1, {"x": None}]})
        async with w.hub.session("local") as local:
            here = await local.games.rank("b", alice.user.id)

        assert entry == hubbub.Entry(
            board="b",
            user_id=alice.user.id,
            nickname="Alice",
            score=42,
            rank=1,
            at=w.clock.now(),
            metadata={"level": [1, {"x": None}]},
            cursor=entry.cursor,
        )
        assert entry.cursor
        assert here == entry == (await bob.games.top("b"))[0]


async def test_the_operator_says_what_counts(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        counts: dict[Operator, list[float]] = {
            "best": [5, 7, 7],
            "sum": [5, 12, 10],
            "latest": [5, 7, -2],
        }
        for operator, expected in counts.items():
            await alice.games.create_board(operator, operator=operator)
            found = [(await alice.games.submit(operator, score)).score for score in (5, 7, -2)]

            assert found == expected


async def test_the_lowest_may_be_the_best(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        await alice.games.create_board("golf", order="asc")
        for score in (72, 70.5, 71):
            await alice.games.submit("golf", score)
        await bob.games.submit("golf", 70)

        assert ranked(await bob.games.top("golf")) == [(1, 70), (2, 70.5)]


async def test_of_equals_the_first_to_get_there_is_first(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await with_scores(w, 3, 5)
        await alice.games.submit("b", 5)
        await bob.games.submit("b", 5)

        assert [e.user_id for e in await bob.games.top("b")] == [bob.user.id, alice.user.id]
        assert (await alice.games.rank("b")).rank == 2


async def test_scores_have_limits(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        await alice.games.create_board("b", operator="latest")
        wrong = cast("Any", ["1", True, None])
        for score in (LAST + 1, -LAST - 1, 1e300, math.inf, math.nan, *wrong):
            with pytest.raises(Invalid):
                await alice.games.submit("b", score)

        assert await alice.games.top("b") == []
        assert (await alice.games.submit("b", -LAST)).score == -LAST
        assert (await alice.games.submit("b", LAST)).score == LAST


async def test_a_sum_stays_exact(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        await alice.games.create_board("b", operator="sum")
        await alice.games.submit("b", LAST)
        with pytest.raises(Conflict):
            await alice.games.submit("b", 1)

        assert (await alice.games.submit("b", -1)).score == LAST - 1


async def test_metadata_is_of_the_score_that_counts(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        await alice.games.create_board("b")
        await alice.games.submit("b", 5, metadata={"run": 1})
        worse = await alice.games.submit("b", 4, metadata={"run": 2})
        better = await alice.games.submit("b", 6, metadata={"run": 3})
        without = await alice.games.submit("b", 7)

        assert [e.metadata for e in (worse, better, without)] == [{"run": 1}, {"run": 3}, None]


async def test_metadata_has_limits(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        await alice.games.create_board("b")
        full = {"x": "a" * (4_096 - len('{"x":""}'))}
        wrong = cast("Any", [[1], "x", {"x": "a" * 4_089}, {"x": "é" * 2_045}])
        for metadata in wrong:
            with pytest.raises(Invalid):
                await alice.games.submit("b", 1, metadata=metadata)

        assert (await alice.games.submit("b", 1, metadata=full)).metadata == full


async def test_the_board_keeps_to_itself(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        await alice.games.create_board("b")
        metadata: dict[str, Any] = {"list": [1], "nan": math.nan, "pair": (1, 2)}
        entry = await alice.games.submit("b", 1, metadata=metadata)
        metadata["list"].append(2)
        assert entry.metadata is not None
        entry.metadata["list"].append(3)

        shown = await alice.games.rank("b")
        assert shown.metadata == {"list": [1], "nan": None, "pair": [1, 2]}


async def test_the_same_key_submits_once(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        await alice.games.create_board("b", operator="sum")
        once = await alice.games.submit("b", 5, metadata={"x": 1}, key="k")
        twice = await alice.games.submit("b", 5, metadata={"x": 1}, key="k")
        await bob.games.submit("b", 5, key="k")
        calls = [
            alice.games.submit("b", 6, metadata={"x": 1}, key="k"),
            alice.games.submit("b", 5, metadata={"x": 2}, key="k"),
            alice.games.submit("main", 5, metadata={"x": 1}, key="k"),
        ]

        for call in calls:
            with pytest.raises(KeyReused):
                await call
        assert once == twice
        assert ranked(await bob.games.top("b")) == [(1, 5), (2, 5)]


async def test_all_that_is_submitted_at_once_counts(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        async with anyio.create_task_group() as tasks:
            for n in range(50):
                tasks.start_soon((alice, bob)[n % 2].games.submit, "main", n)

        totals = {e.user_id: e.score for e in await alice.games.top("main")}
        assert totals == {alice.user.id: sum(range(0, 50, 2)), bob.user.id: sum(range(1, 50, 2))}


async def test_the_main_board_is_always_there(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        assert await alice.games.top("main") == []
        assert await alice.games.seasons("main") == []

        await alice.games.submit("main", 3)
        board = await alice.games.board("main")
        assert (board.operator, board.order, board.size) == ("sum", "desc", 1)


async def test_there_is_no_such_board(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        for name in ("none", "x" * 100):
            calls: list[Callable[[str], Awaitable[object]]] = [
                lambda board: alice.games.submit(board, 1),
                alice.games.top,
                alice.games.rank,
                alice.games.around,
                alice.games.board,
                alice.games.seasons,
                lambda board: alice.games.season(board, 1),
            ]
            for call in calls:
                with pytest.raises(NotFound):
                    await call(name)


async def test_what_is_no_name_is_refused(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        for name in ("", "a/b", "x" * 101, "a\nb"):
            calls: list[Callable[[str], Awaitable[object]]] = [
                lambda board: alice.games.submit(board, 1),
                alice.games.top,
                lambda board: alice.games.season(board, 1),
            ]
            for call in calls:
                with pytest.raises(Invalid), anyio.fail_after(PATIENCE):
                    await call(name)


async def test_the_top_is_read_page_by_page(world: OpenWorld) -> None:
    async with world() as w:
        players = await with_scores(w, 10, 50, 30, 20, 40)
        games = players[0].games
        first = await games.top("b", limit=2)
        by_rank = await games.top("b", limit=2, after=2)
        by_user = await games.top("b", limit=2, after=first[-1].user_id)

        assert ranked(first) == [(1, 50), (2, 40)]
        assert ranked(by_rank) == [(3, 30), (4, 20)]
        assert by_user == by_rank
        assert first + by_rank + await games.top("b", after=4) == await games.top("b")
        assert await games.top("b", after=5) == await games.top("b", after=99) == []


async def test_a_page_has_limits(world: OpenWorld) -> None:
    async with world() as w:
        [alice] = await with_scores(w, 1)
        for limit in (0, 501):
            with pytest.raises(Invalid):
                await alice.games.top("b", limit=limit)
            with pytest.raises(Invalid):
                await alice.games.around("b", limit=limit)
            with pytest.raises(Invalid):
                await alice.games.season("b", 1, limit=limit)
        for after in (-1, LAST + 1, cast("Any", 1.5)):
            with pytest.raises(Invalid):
                await alice.games.top("b", after=after)

        with pytest.raises(NotFound, match="begin at the top"):
            await alice.games.top("b", after="nobody")
        assert len(await alice.games.top("b", limit=500)) == 1


async def test_one_looks_up_oneself_or_others(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await with_scores(w, 1, 2)
        eve = await w.session("Eve")

        assert (await alice.games.rank("b")).rank == 2
        assert (await eve.games.rank("b", bob.user.id)).rank == 1
        for user_id in (None, "nobody"):
            with pytest.raises(NotFound):
                await eve.games.rank("b", user_id)
            with pytest.raises(NotFound):
                await eve.games.around("b", user_id)


async def test_around_one_are_the_nearest(world: OpenWorld) -> None:
    async with world() as w:
        players = await with_scores(w, *range(7, 0, -1))
        eve = await w.session("Eve")

        async def around(n: int, limit: int) -> list[int]:
            entries = await eve.games.around("b", players[n].user.id, limit=limit)
            return [entry.rank for entry in entries]

        assert await around(3, 3) == [3, 4, 5]
        assert await around(0, 3) == [1, 2, 3]
        assert await around(6, 3) == [5, 6, 7]
        assert await around(6, 500) == list(range(1, 8))
        assert await around(4, 1) == [5]
        assert len(await players[3].games.around("b")) == 5


async def test_a_nickname_is_what_it_was_at_the_time(world: OpenWorld) -> None:
    async with world() as w:
        [player] = await with_scores(w, 1)
        await player.users.update(nickname="Champion")
        before = await player.games.rank("b")
        after = await player.games.submit("b", 2)

        assert (before.nickname, after.nickname) == ("player 0", "Champion")


async def test_everybody_may_follow_a_board(world: OpenWorld) -> None:
    async with world() as w:
        [alice] = await with_scores(w, 1)
        eve = await w.session("Eve")
        async with eve.follow("board/b", after=0) as events:
            await alice.games.submit("b", 2)
            with anyio.fail_after(PATIENCE):
                seen = [type((await anext(events)).data).__name__ for _ in range(3)]

        assert seen == ["BoardCreated", "Submitted", "Submitted"]
