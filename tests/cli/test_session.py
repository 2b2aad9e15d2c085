"""Slow and refused work, and servers that answer late or never; mostly in virtual time."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Literal

import anyio
import pytest

from hubbub import Closed, Conflict, NotFound, RateLimited
from hubbub.cli.session import (
    AWAY_SECONDS_MAX,
    LOOK_SECONDS,
    SLOW_SECONDS,
    attempt,
    first_to_end,
    while_reachable,
)
from hubbub.testing import run_in_virtual_time
from tests.cli.paper import Paper

Backend = Literal["asyncio", "trio"]
Work = Callable[[], Awaitable[None]]


def worked(backend: Backend, ask: Work, work: Work) -> tuple[list[str], float, Exception | None]:
    """Do something in reach of a server; return what was shown, the seconds, and the error."""

    async def run() -> tuple[list[str], float, Exception | None]:
        paper, error, began = Paper(), None, anyio.current_time()
        try:
            await while_reachable(paper, ask, work)
        except Exception as raised:
            error = raised
        return paper.shown + paper.complaints, anyio.current_time() - began, error

    return run_in_virtual_time(run, backend=backend)


def attempted(
    backend: Backend,
    work: Callable[[], Awaitable[None]],
    *,
    patient: bool = False,
    slow_seconds: float = SLOW_SECONDS,
) -> tuple[bool, Paper, float]:
    """Attempt something; return how it went, what was shown, and the seconds it took."""

    async def run() -> tuple[bool, Paper, float]:
        paper = Paper(patient=patient)
        began = anyio.current_time()
        good = await attempt(paper, work, slow_seconds=slow_seconds)
        return good, paper, anyio.current_time() - began

    return run_in_virtual_time(run, backend=backend)


async def at_once() -> None:
    await anyio.lowlevel.checkpoint()


async def refused() -> None:
    raise NotFound("There is none.")


def test_what_takes_long_is_left_alone_while_the_server_answers(backend: Backend) -> None:
    shown, seconds, error = worked(backend, at_once, lambda: anyio.sleep(1_000))

    assert (shown, error) == ([], None)
    assert seconds == pytest.approx(1_000)


def test_a_refusal_is_an_answer(backend: Backend) -> None:
    shown, seconds, error = worked(backend, refused, lambda: anyio.sleep(1_000))

    assert (shown, error) == ([], None)
    assert seconds == pytest.approx(1_000)


def test_a_server_that_is_away_is_told_and_that_it_is_back(backend: Backend) -> None:
    answers = iter([AWAY_SECONDS_MAX - 0.1])

    async def away_once() -> None:
        await anyio.sleep(next(answers, 0))

    shown, seconds, error = worked(backend, away_once, lambda: anyio.sleep(1_000))

    assert error is None
    assert seconds == pytest.approx(1_000)
    assert shown == [
        "* No answer: the connection is lost or slow. Reconnecting …",
        "* Connected again.",
    ]


def test_a_server_that_stays_away_is_given_up(backend: Backend) -> None:
    shown, seconds, error = worked(backend, anyio.sleep_forever, anyio.sleep_forever)

    assert isinstance(error, Closed)
    assert error.message == "The server has not answered for 60 s. Is it still running?"
    assert seconds == pytest.approx(LOOK_SECONDS + AWAY_SECONDS_MAX)
    assert shown == ["* No answer: the connection is lost or slow. Reconnecting …"]


def test_what_the_work_raises_ends_the_session(backend: Backend) -> None:
    async def refused_later() -> None:
        await anyio.sleep(SLOW_SECONDS)
        raise NotFound("There is none.")

    shown, seconds, error = worked(backend, at_once, refused_later)

    assert isinstance(error, NotFound)
    assert shown == []
    assert seconds == pytest.approx(SLOW_SECONDS)


async def test_the_first_to_end_ends_the_others() -> None:
    done: list[str] = []

    async def quick() -> None:
        done.append("quick")

    async def endless() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            done.append("endless")

    await first_to_end(endless, quick)

    assert done == ["quick", "endless"]


async def test_a_refusal_comes_out_by_itself() -> None:
    with pytest.raises(NotFound):
        await first_to_end(anyio.sleep_forever, refused)


async def test_of_two_refusals_the_first_is_told() -> None:
    async def refused_later() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise Conflict("Not now.")

    with pytest.raises(NotFound):
        await first_to_end(refused_later, refused)


async def test_a_fault_is_not_hidden() -> None:
    async def faulty() -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as raised:
        await first_to_end(anyio.sleep_forever, faulty)

    assert raised.group_contains(ZeroDivisionError)


def test_what_is_done_at_once_says_nothing(backend: Backend) -> None:
    good, paper, _ = attempted(backend, at_once)

    assert good
    assert paper.shown == paper.complaints == []


def test_a_refusal_is_shown(backend: Backend) -> None:
    good, paper, _ = attempted(backend, refused)

    assert not good
    assert paper.complaints == ["There is none."]


def test_that_there_is_no_answer_is_told_and_when_there_is(backend: Backend) -> None:
    good, paper, seconds = attempted(backend, lambda: anyio.sleep(10 * SLOW_SECONDS))

    assert good
    assert seconds == pytest.approx(10 * SLOW_SECONDS)
    assert paper.shown == [
        "* No answer: the connection is lost or slow. Reconnecting …",
        "* Connected again.",
    ]


def test_what_is_only_a_little_slow_is_not_told(backend: Backend) -> None:
    _, paper, _ = attempted(backend, lambda: anyio.sleep(0.9 * SLOW_SECONDS))

    assert paper.shown == []


def test_it_need_not_be_told_that_there_is_no_answer(backend: Backend) -> None:
    good, paper, _ = attempted(backend, lambda: anyio.sleep(1_000), slow_seconds=math.inf)

    assert good
    assert paper.shown == []


@pytest.mark.parametrize("patient", [True, False])
def test_who_is_patient_waits_for_the_rate_limit(backend: Backend, *, patient: bool) -> None:
    tries = iter([30.0, 30.0])

    async def limited() -> None:
        for seconds in tries:
            raise RateLimited("Too many messages.", retry_after=seconds)

    good, paper, seconds = attempted(backend, limited, patient=patient)

    assert good is patient
    assert seconds == pytest.approx(60 if patient else 0)
    assert paper.complaints == ["Too many messages."] * (2 if patient else 1)
