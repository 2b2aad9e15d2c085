"""What takes its time, and what is refused; in virtual time."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Literal

import anyio
import pytest

from hubbub import NotFound, RateLimited
from hubbub.cli.attempt import SLOW_SECONDS, attempt
from hubbub.testing import run_in_virtual_time
from tests.cli.paper import Paper

Backend = Literal["asyncio", "trio"]


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


async def nothing() -> None:
    await anyio.lowlevel.checkpoint()


async def refused() -> None:
    raise NotFound("There is none.")


def test_what_is_done_at_once_says_nothing(backend: Backend) -> None:
    good, paper, _ = attempted(backend, nothing)

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
        "* No answer: the connection is lost, or slow. Coming back …",
        "* Back again.",
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
