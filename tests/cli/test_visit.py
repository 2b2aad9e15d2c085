"""A server that answers late, or never any more; in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import anyio
import pytest

from hubbub import Closed, NotFound
from hubbub.cli.attempt import SLOW_SECONDS
from hubbub.cli.visit import AWAY_SECONDS_MAX, LOOK_SECONDS, in_reach
from hubbub.testing import run_in_virtual_time
from tests.cli.paper import Paper

Backend = Literal["asyncio", "trio"]
Work = Callable[[], Awaitable[None]]


def visited(backend: Backend, ask: Work, work: Work) -> tuple[list[str], float, Exception | None]:
    """Do something in reach of a server; return what was shown, the seconds, and the error."""

    async def run() -> tuple[list[str], float, Exception | None]:
        paper, error, began = Paper(), None, anyio.current_time()
        try:
            await in_reach(paper, ask, work)
        except Exception as raised:
            error = raised
        return paper.shown + paper.complaints, anyio.current_time() - began, error

    return run_in_virtual_time(run, backend=backend)


async def at_once() -> None:
    await anyio.lowlevel.checkpoint()


def test_what_takes_long_is_left_alone_while_the_server_answers(backend: Backend) -> None:
    shown, seconds, error = visited(backend, at_once, lambda: anyio.sleep(1_000))

    assert (shown, error) == ([], None)
    assert seconds == pytest.approx(1_000)


def test_a_refusal_is_an_answer(backend: Backend) -> None:
    async def refused() -> None:
        raise NotFound("There is none.")

    shown, seconds, error = visited(backend, refused, lambda: anyio.sleep(1_000))

    assert (shown, error) == ([], None)
    assert seconds == pytest.approx(1_000)


def test_a_server_that_is_away_is_told_and_that_it_is_back(backend: Backend) -> None:
    answers = iter([AWAY_SECONDS_MAX - 0.1])

    async def away_once() -> None:
        await anyio.sleep(next(answers, 0))

    shown, seconds, error = visited(backend, away_once, lambda: anyio.sleep(1_000))

    assert error is None
    assert seconds == pytest.approx(1_000)
    assert shown == [
        "* No answer: the connection is lost, or slow. Coming back …",
        "* Back again.",
    ]


def test_a_server_that_stays_away_is_given_up(backend: Backend) -> None:
    shown, seconds, error = visited(backend, anyio.sleep_forever, anyio.sleep_forever)

    assert isinstance(error, Closed)
    assert error.message == "The server has not answered for 60 s; is it still running?"
    assert seconds == pytest.approx(LOOK_SECONDS + AWAY_SECONDS_MAX)
    assert shown == ["* No answer: the connection is lost, or slow. Coming back …"]


def test_what_the_work_raises_ends_the_visit(backend: Backend) -> None:
    async def refused() -> None:
        await anyio.sleep(SLOW_SECONDS)
        raise NotFound("There is none.")

    shown, seconds, error = visited(backend, at_once, refused)

    assert isinstance(error, NotFound)
    assert shown == []
    assert seconds == pytest.approx(SLOW_SECONDS)
