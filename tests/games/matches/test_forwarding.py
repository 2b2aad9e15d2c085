"""Messages to a match that another node runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import anyio
import pytest

from hubbub.errors import Conflict, HubbubError, Invalid, KeyReused, Overloaded
from hubbub.games.matches.forwarding import FORWARD_SECONDS, FORWARDED_MAX, MessageForwarding
from hubbub.journal.cluster.nodes import Nodes
from hubbub.journal.command import Verdict


class Pair:
    """Two nodes: messages to the second one are put into a list."""

    def __init__(self, tasks: anyio.abc.TaskGroup) -> None:
        self.read: list[tuple[str, str, dict[str, Any], str | None]] = []
        self.verdicts: list[Verdict] = []
        self.refusal: HubbubError | None = None
        self.lost = False
        start = cast("Callable[..., None]", tasks.start_soon)
        self.here = MessageForwarding(cast("Nodes", self), self.put, start)
        self.there = MessageForwarding(cast("Nodes", self), self.put, start)

    async def ask(self, node: str, kind: str, body: bytes, seconds: float) -> bytes:
        assert (node, kind, seconds) == ("there", "match", FORWARD_SECONDS)
        if self.lost:
            raise Overloaded("Another server of this cluster did not answer; try again.")
        return await self.there.answer("here", body)

    def put(
        self, stream: str, player: str, body: dict[str, Any], verdict: Verdict, key: str | None
    ) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.read.append((stream, player, body, key))
        self.verdicts.append(verdict)

    def send(self, number: int = 1, player: str = "ann") -> Verdict:
        verdict = Verdict()
        self.here.send("there", "match/1", player, {"number": number}, verdict, f"key {number}")
        return verdict


async def test_a_message_is_read_at_the_other_node_and_its_answer_comes_back() -> None:
    async with anyio.create_task_group() as tasks:
        pair = Pair(tasks)
        verdict = pair.send()
        await anyio.wait_all_tasks_blocked()
        assert pair.read == [("match/1", "ann", {"number": 1}, "key 1")]
        assert not verdict.settled
        pair.verdicts[0].settle()

    assert verdict.settled
    assert verdict.error is None


async def test_a_player_s_messages_are_read_in_their_order() -> None:
    async with anyio.create_task_group() as tasks:
        pair = Pair(tasks)
        for number in range(1, 4):
            pair.send(number)
        pair.send(9, "bob")
        for _ in range(3):
            await anyio.wait_all_tasks_blocked()
            for verdict in pair.verdicts:
                verdict.settle()
        await anyio.wait_all_tasks_blocked()
        numbers = [body["number"] for _, player, body, _ in pair.read if player == "ann"]

    assert numbers == [1, 2, 3]
    assert len(pair.read) == 4


@pytest.mark.parametrize("error", [Invalid, Conflict, KeyReused])
async def test_a_refusal_is_the_same_as_that_of_the_other_node(error: type[HubbubError]) -> None:
    async with anyio.create_task_group() as tasks:
        pair = Pair(tasks)
        pair.refusal = error("It is not your turn.")
        verdict = pair.send()

    assert type(verdict.error) is error
    assert verdict.error.message == "It is not your turn."


async def test_a_message_without_an_answer_is_refused_and_the_next_one_is_sent() -> None:
    async with anyio.create_task_group() as tasks:
        pair = Pair(tasks)
        pair.lost = True
        verdicts = [pair.send(number) for number in range(2)]
        await anyio.wait_all_tasks_blocked()
        pair.lost, pair.refusal = False, Conflict("It is over.")
        verdicts.append(pair.send(3))

    assert [type(verdict.error) for verdict in verdicts] == [Overloaded, Overloaded, Conflict]


async def test_so_many_messages_of_a_player_wait() -> None:
    async with anyio.create_task_group() as tasks:
        pair = Pair(tasks)
        verdicts = [pair.send(number) for number in range(FORWARDED_MAX)]
        with pytest.raises(Overloaded):
            pair.send(FORWARDED_MAX)
        pair.send(0, "bob")
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()

    # The hub has closed before the others were handed on.
    assert all(isinstance(verdict.error, Overloaded) for verdict in verdicts[1:])
