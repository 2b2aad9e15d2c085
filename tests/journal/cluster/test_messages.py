from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from hubbub.errors import Invalid, Overloaded
from hubbub.journal.cluster.frames import MESSAGE_BYTES_MAX, Broadcast, NodeAnswer, NodeRequest
from hubbub.journal.cluster.messages import (
    ANSWERS_KEPT_BYTES_MAX,
    ANSWERS_WAITING_MAX,
    REQUESTS_KNOWN_MAX,
    Messages,
)
from hubbub.testing import run_in_virtual_time
from tests.event_loop import Backend


def messages() -> tuple[Messages, list[Broadcast | NodeRequest | NodeAnswer]]:
    """Make the messages of a node, and the list of what it sends."""
    made, sent = Messages("me"), list[Broadcast | NodeRequest | NodeAnswer]()
    made.send = sent.append
    return made, sent


async def test_only_the_asked_node_can_answer_a_request() -> None:
    made, sent = messages()

    def answer(asked: NodeRequest) -> None:
        made.receive_answered("b", NodeAnswer("somebody else", asked.number, b"forged"))
        made.receive_answered("c", NodeAnswer("me", asked.number, b"forged"))
        made.receive_answered("b", NodeAnswer("me", asked.number + 1, b"forged"))
        made.receive_answered("b", NodeAnswer("me", asked.number, b"yes"))
        made.receive_answered("b", NodeAnswer("me", asked.number, b"again"))

    made.send = lambda message: answer(message) if isinstance(message, NodeRequest) else None

    assert await made.ask("b", "kind", b"?", 1) == b"yes"
    assert sent == []


async def test_a_request_that_is_refused_or_whose_node_dies_does_not_wait() -> None:
    made, _ = messages()
    with anyio.fail_after(5):
        made.send = lambda asked: made.receive_answered("b", NodeAnswer("me", asked.number, None))  # type: ignore[union-attr]
        with pytest.raises(Overloaded, match="try again"):
            await made.ask("b", "kind", b"?", 60)
        made.send = lambda _: made.fail_asked(lambda node: node != "b")
        with pytest.raises(Overloaded):
            await made.ask("b", "kind", b"?", 60)


async def test_requests_are_answered_in_tasks_and_a_failure_is_an_honest_refusal() -> None:
    made, sent = messages()

    async def answer(node: str, body: bytes) -> bytes:
        return b"%d" % (1 // len(body))

    async def long(node: str, body: bytes) -> bytes:
        return b"x" * (MESSAGE_BYTES_MAX + 1)

    made.answer |= {"one": answer, "long": long}
    async with anyio.create_task_group() as tasks:
        made.start = lambda _, work: tasks.start_soon(work)
        made.receive_asked("b", NodeRequest("me", 1, "one", b"x"))
        made.receive_asked("b", NodeRequest("me", 2, "one", b""))
        made.receive_asked("b", NodeRequest("me", 3, "unknown", b""))
        made.receive_asked("b", NodeRequest("me", 4, "long", b""))
        made.receive_asked("b", NodeRequest("somebody else", 5, "one", b"x"))

    answers = {one.number: one.body for one in sent if isinstance(one, NodeAnswer)}
    assert answers == {1: b"1", 2: None, 3: None, 4: None}


async def test_more_requests_than_can_be_answered_are_refused() -> None:
    made, sent = messages()
    started: list[Callable[[], Coroutine[Any, Any, None]]] = []
    made.start = lambda _, work: started.append(work)
    for number in range(ANSWERS_WAITING_MAX + 2):
        made.receive_asked("b", NodeRequest("me", number, "kind", b""))

    assert len(started) == ANSWERS_WAITING_MAX
    assert sent == [NodeAnswer("b", ANSWERS_WAITING_MAX + n, None) for n in range(2)]
    await started[0]()
    made.receive_asked("b", NodeRequest("me", ANSWERS_WAITING_MAX + 2, "kind", b""))
    assert len(started) == ANSWERS_WAITING_MAX + 1


def test_an_ear_that_fails_is_logged_and_hurts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    made, _ = messages()
    made.hear["kind"] = lambda node, body: 1 / 0  # type: ignore[assignment]
    made.receive_told("b", Broadcast("kind", b""))
    made.receive_told("b", Broadcast("a kind that nobody hears", b""))

    assert len(caplog.messages) == 1


async def test_a_message_that_no_bus_carries_is_refused() -> None:
    made, sent = messages()
    with pytest.raises(Invalid, match="in parts"):
        made.tell("kind", b"x" * (MESSAGE_BYTES_MAX + 1))
    with pytest.raises(Invalid):
        await made.ask("b", "kind", b"x" * (MESSAGE_BYTES_MAX + 1), 1)

    assert sent == []


class Lossy:
    """Two nodes, between which the first messages are lost."""

    def __init__(self, requests: int, answers: int) -> None:
        self.one, self.other = Messages("one"), Messages("other")
        self.done = 0
        self._lost = {NodeRequest: requests, NodeAnswer: answers}
        self.one.send = lambda message: self._carry("one", self.other, message)
        self.other.send = lambda message: self._carry("other", self.one, message)
        self.other.answer["kind"] = self._do

    async def _do(self, node: str, body: bytes) -> bytes:
        self.done += 1
        return b"done"

    def _carry(
        self, sender: str, to: Messages, message: Broadcast | NodeRequest | NodeAnswer
    ) -> None:
        if self._lost.get(type(message), 0):
            self._lost[type(message)] -= 1
        elif isinstance(message, NodeRequest):
            to.receive_asked(sender, message)
        elif isinstance(message, NodeAnswer):
            to.receive_answered(sender, message)


@pytest.mark.parametrize(("requests", "answers"), [(2, 0), (0, 2), (1, 1)])
def test_a_request_is_carried_out_once_whatever_the_bus_loses(
    backend: Backend, requests: int, answers: int
) -> None:
    async def story() -> None:
        nodes = Lossy(requests, answers)
        async with anyio.create_task_group() as tasks:
            nodes.other.start = lambda _, work: tasks.start_soon(work)
            assert await nodes.one.ask("other", "kind", b"?", 5) == b"done"
        assert nodes.done == 1

    run_in_virtual_time(story, backend=backend)


async def test_of_the_answers_only_the_newest_are_kept_and_no_request_is_carried_out_again() -> (
    None
):
    made, sent = messages()
    size = MESSAGE_BYTES_MAX
    count = ANSWERS_KEPT_BYTES_MAX // size + 1
    done = list[bytes]()

    async def answer(node: str, body: bytes) -> bytes:
        done.append(body)
        return b"x" * size

    made.answer["kind"] = answer
    for _ in range(2):
        async with anyio.create_task_group() as tasks:
            made.start = lambda _, work: tasks.start_soon(work)
            for number in range(count):
                made.receive_asked("b", NodeRequest("me", number, "kind", b"x"))
                await anyio.lowlevel.checkpoint()

    assert len(done) == count
    again = {one.number: one.body for one in sent[count:] if isinstance(one, NodeAnswer)}
    assert [number for number, body in again.items() if body is None] == [0]


async def test_a_limited_number_of_requests_is_known() -> None:
    made, _ = messages()
    made.start = lambda _, work: None
    for number in range(REQUESTS_KNOWN_MAX + 5):
        made._answering = 0
        made.receive_asked("b", NodeRequest("me", number, "kind", b""))

    assert len(made._answers._known) == REQUESTS_KNOWN_MAX
