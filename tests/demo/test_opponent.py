from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.demo import opponent
from hubbub.demo.bots import ROBIN
from hubbub.demo.opponent import ALONE_SECONDS, MATCHES_MAX, QUEUE
from hubbub.demo.questions import plan_answer
from hubbub.games.events import Told
from tests.demo.demo_hub import Backend, in_demo, on_each_backend


async def answer_all(session: hubbub.Session, match: hubbub.Match, seconds: float) -> None:
    """Answer each question of a match rightly, some time after it came."""
    async with session.follow(match.stream, after=0) as events:
        async for event in events:
            if type(event.data).__name__ == "Completed":
                return
            if isinstance(event.data, Told) and "text" in event.data.body:
                await anyio.sleep(seconds)
                one, sign, other = event.data.body["text"].split()
                answer = {"+": int(one) + int(other), "-": int(one) - int(other)}.get(
                    sign, int(one) * int(other)
                )
                body = {"question": event.data.body["question"], "answer": answer}
                try:
                    await session.games.message(match.id, body)
                except hubbub.Conflict:
                    return


@on_each_backend
def test_a_user_who_is_alone_plays_with_the_bot_after_some_seconds(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            began = anyio.current_time()
            match = await ann.games.find_match(queue=QUEUE)

            assert anyio.current_time() - began == pytest.approx(ALONE_SECONDS, abs=0.1)
            assert set(match.players) == {"ann", ROBIN.id}

    in_demo(backend, story)


@on_each_backend
def test_the_rating_of_a_user_does_not_keep_the_bot_away(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann, hub.session("bob") as bob:
            for _ in range(5):
                match = await bob.games.start_match(["ann", "bob"], referee="root")
                async with hub.session("root", role="admin") as root:
                    await root.games.add_score(match.id, 100, player="ann")
            assert (await ann.users.get("ann")).rating > 1700
            match = await ann.games.find_match(queue=QUEUE, timeout=ALONE_SECONDS + 0.5)

        assert ROBIN.id in match.players

    in_demo(backend, story)


@on_each_backend
def test_people_play_with_people(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        found: list[hubbub.Match] = []

        async def search(user: str, delay: float) -> None:
            async with hub.session(user) as session:
                await anyio.sleep(delay)
                found.append(await session.games.find_match(queue=QUEUE))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(search, "ann", 0.0)
            tasks.start_soon(search, "bob", ALONE_SECONDS - 1)

        assert [set(match.players) for match in found] == [{"ann", "bob"}] * 2

    in_demo(backend, story)


@on_each_backend
def test_a_user_who_gives_up_leaves_no_match(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            with pytest.raises(hubbub.NoOpponent):
                await ann.games.find_match(queue=QUEUE, timeout=ALONE_SECONDS - 0.1)
            await anyio.sleep(60)

            assert await ann.games.matches() == []

    in_demo(backend, story)


@on_each_backend
def test_the_bot_plays_to_the_end(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            match = await ann.games.find_match(queue=QUEUE)
            await anyio.sleep(600)
            match = await ann.games.match(match.id)

        assert (match.status, match.winner) == ("completed", ROBIN.id)
        assert match.ended_at is not None
        assert 60 < (match.ended_at - match.started_at).total_seconds() < 180

    in_demo(backend, story)


@pytest.mark.parametrize(("seconds", "winner"), [(4.0, "ann"), (12.0, ROBIN.id)])
@on_each_backend
def test_a_quick_person_wins_and_a_slow_one_loses(
    backend: Backend, seconds: float, winner: str
) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            match = await ann.games.find_match(queue=QUEUE)
            await answer_all(ann, match, seconds)
            await anyio.sleep(1)
            match = await ann.games.match(match.id)

        assert match.winner == winner
        if winner == "ann":
            assert match.scores[ROBIN.id] > 0

    in_demo(backend, story)


@on_each_backend
def test_the_bot_goes_on_with_its_match_after_a_restart(tmp_path: Path, backend: Backend) -> None:
    async def begin(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            match = await ann.games.find_match(queue=QUEUE)
            # The bot is sometimes wrong, so it is chance when it has its first point.
            with anyio.fail_after(60):
                while (await ann.games.match(match.id)).scores[ROBIN.id] <= 0:  # noqa: ASYNC110
                    await anyio.sleep(5)

    async def go_on(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            await anyio.sleep(600)
            (match,) = await ann.games.matches()

        assert (match.status, match.winner) == ("completed", ROBIN.id)

    in_demo(backend, begin, go_on, url=str(tmp_path / "hub.db"))


@on_each_backend
def test_the_bot_plays_several_matches_at_once_up_to_a_limit(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opponent, "MATCHES_MAX", 2)
    assert MATCHES_MAX > 2

    async def story(hub: hubbub.Hubbub) -> None:
        async def search(user: str, delay: float) -> None:
            async with hub.session(user) as session:
                await anyio.sleep(delay)
                match = await session.games.find_match(queue=QUEUE, timeout=600)
                begun.append(match)
                await anyio.sleep(1000)

        begun: list[hubbub.Match] = []
        async with anyio.create_task_group() as tasks:
            for number in range(3):
                tasks.start_soon(search, f"user-{number}", number * (ALONE_SECONDS + 1))
            await anyio.sleep(40)
            assert len(begun) == 2
            await anyio.sleep(400)
            assert len(begun) == 3
            tasks.cancel_scope.cancel()

    in_demo(backend, story)


@on_each_backend
def test_a_match_that_the_bot_cannot_play_is_resigned_and_the_next_one_is_played(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = [RuntimeError("a fault of the bot")]

    def faulty(*args: Any) -> Any:
        if faults:
            raise faults.pop()
        return plan_answer(*args)

    monkeypatch.setattr(opponent, "plan_answer", faulty)

    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            first = await ann.games.find_match(queue=QUEUE)
            await anyio.sleep(1)
            assert (await ann.games.match(first.id)).winner == "ann"
            second = await ann.games.find_match(queue=QUEUE)
            await anyio.sleep(30)
            assert (await ann.games.match(second.id)).scores[ROBIN.id] > 0

    with caplog.at_level(logging.ERROR):
        in_demo(backend, story)

    (record,) = caplog.records
    assert "cannot play match/" in record.message
