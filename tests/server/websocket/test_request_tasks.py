"""Requests that are answered by tasks: a few at one time, none while the client does not read."""

from __future__ import annotations

import anyio
import msgspec
import pytest

from hubbub.server.websocket.request_tasks import RUNNING_MAX, RequestTasks
from hubbub.wire.peer import Request


class Answers:
    """A connection that keeps its answers, and the tasks that were started for it."""

    def __init__(self) -> None:
        self.paused = False
        self.answers: list[tuple[object, object]] = []
        self.started: list[tuple[object, ...]] = []
        self.tasks = RequestTasks(self, self.start)

    def start(self, *work: object) -> None:
        """Record the tasks to start."""
        self.started.append(work)

    def answer(self, asked: Request, result: object) -> None:
        """Keep an answer."""
        self.answers.append((asked.id, result))

    def refuse(self, asked: Request, error: Exception) -> None:
        """Keep an error."""
        self.answers.append((asked.id, type(error).__name__))

    def flush(self) -> None:
        """Nothing gathers here."""

    def add(self, number: int) -> None:
        """Ask for something."""

        async def work() -> int:
            await anyio.lowlevel.checkpoint()
            return number

        self.tasks.add(Request(number, "a.b", msgspec.Raw(b"{}"), None), work)

    async def run(self) -> None:
        """Run everything that was started, and what it starts."""
        while self.started:
            work, *args = self.started.pop(0)
            await work(*args)  # type: ignore[operator]


async def test_a_few_run_at_one_time_and_all_are_answered() -> None:
    connection = Answers()
    for number in range(3 * RUNNING_MAX):
        connection.add(number)
    at_first = len(connection.started)
    await connection.run()

    assert at_first == RUNNING_MAX
    assert connection.answers == [(number, number) for number in range(3 * RUNNING_MAX)]


async def test_none_begins_while_the_client_does_not_read() -> None:
    connection = Answers()
    connection.paused = True
    connection.add(1)
    in_the_pause = len(connection.started)
    connection.paused = False
    connection.tasks.begin()
    await connection.run()

    assert in_the_pause == 0
    assert connection.answers == [(1, 1)]


@pytest.mark.parametrize("number", [0, RUNNING_MAX])
async def test_what_is_cancelled_is_answered_by_an_error(number: int) -> None:
    """The first runs, and the last waits for its turn."""
    connection = Answers()
    for each in range(RUNNING_MAX + 1):
        connection.add(each)
    connection.tasks.cancel(number)
    await connection.run()

    assert connection.answers.count((number, "Conflict")) == 1
    assert sum(answer[0] == number for answer in connection.answers) == 1
    assert len(connection.answers) == RUNNING_MAX + 1


async def test_nothing_more_begins_for_a_client_that_is_gone() -> None:
    connection = Answers()
    for number in range(RUNNING_MAX + 5):
        connection.add(number)
    connection.tasks.release()
    await connection.run()

    assert len(connection.answers) == RUNNING_MAX
