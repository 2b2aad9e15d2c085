from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from hubbub.errors import Invalid, Overloaded
from hubbub.journal.cluster.frames import MESSAGE_BYTES_MAX, Broadcast, NodeAnswer, NodeRequest
from hubbub.journal.cluster.messages import ANSWERS_WAITING_MAX, Messages


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
    made.receive_asked("b", NodeRequest("me", 0, "kind", b""))
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
