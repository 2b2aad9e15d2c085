"""Messages from node to node: to all, or a request to one with its answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any

import anyio

from ...errors import Invalid, Overloaded
from .frames import MESSAGE_BYTES_MAX, Broadcast, NodeAnswer, NodeRequest

__all__ = ["ANSWERS_WAITING_MAX", "Messages"]

logger = logging.getLogger("hubbub.journal")

# Requests of other nodes that are being answered at the same time; more are refused.
ANSWERS_WAITING_MAX = 1_024


class Messages:
    """
    Sends and receives messages; a bus carries them, if there is one.

    Args:
        me: the id of this node.
    """

    def __init__(self, me: str) -> None:
        # Sends a message over the bus; None while there is none: then all of it is lost.
        self.send: Callable[[Broadcast | NodeRequest | NodeAnswer], None] | None = None
        # Starts a task of the relay's.
        self.start: Callable[[str, Callable[[], Coroutine[Any, Any, None]]], object] | None = None
        self.hear: dict[str, Callable[[str, bytes], None]] = {}
        self.answer: dict[str, Callable[[str, bytes], Awaitable[bytes]]] = {}
        self._me = me
        self._numbers = count(1)
        self._asked: dict[int, _Request] = {}
        self._answering = 0

    def tell(self, kind: str, body: bytes) -> None:
        """Send a message to all other nodes; see :meth:`Nodes.tell`."""
        check_size(body)
        if self.send is not None:
            self.send(Broadcast(kind, body))

    async def ask(self, node: str, kind: str, body: bytes, seconds: float) -> bytes:
        """Ask a node, and return its answer; see :meth:`Nodes.ask`."""
        check_size(body)
        number = next(self._numbers)
        request = self._asked[number] = _Request(node)
        try:
            with anyio.move_on_after(seconds):
                if node == self._me:
                    request.answer = await self._answer_to(node, kind, body)
                elif self.send is not None:
                    self.send(NodeRequest(node, number, kind, body))
                    await request.done.wait()
        finally:
            del self._asked[number]
        if request.answer is None:
            raise Overloaded("Another server of this cluster did not answer; try again.")
        return request.answer

    def receive_told(self, node: str, told: Broadcast) -> None:
        """Hand on what another node tells; an error of its listener is logged."""
        if (hear := self.hear.get(told.kind)) is None:
            return
        try:
            hear(node, told.body)
        except Exception:
            logger.exception("the listener to messages of the kind %s has failed", told.kind)

    def receive_asked(self, node: str, asked: NodeRequest) -> None:
        """Answer the request of another node, in a task."""
        if asked.to != self._me or self.start is None or self.send is None:
            return
        if self._answering >= ANSWERS_WAITING_MAX:
            self.send(NodeAnswer(node, asked.number, None))
            return
        self._answering += 1

        async def answer() -> None:
            body: bytes | None = None
            try:
                body = await self._answer_to(node, asked.kind, asked.body)
            finally:
                self._answering -= 1
                if self.send is not None:
                    self.send(NodeAnswer(node, asked.number, body))

        self.start(f"the answer to {asked.kind}", answer)

    def receive_answered(self, node: str, answered: NodeAnswer) -> None:
        """Hand an answer to the task that waits for it, if it still does."""
        request = self._asked.get(answered.number) if answered.to == self._me else None
        # A number alone could be a guess of another node.
        if request is not None and request.node == node and not request.done.is_set():
            request.answer = answered.body
            request.done.set()

    def fail_asked(self, is_live: Callable[[str], bool]) -> None:
        """Fail the requests to nodes that are gone."""
        for request in self._asked.values():
            if not is_live(request.node):
                request.done.set()

    async def _answer_to(self, node: str, kind: str, body: bytes) -> bytes | None:
        if (answer := self.answer.get(kind)) is None:
            return None
        try:
            said = await answer(node, body)
            check_size(said)
        except Exception:
            logger.exception("a request of the kind %s could not be answered", kind)
            return None
        return said


class _Request:
    __slots__ = ("answer", "done", "node")

    def __init__(self, node: str) -> None:
        self.node = node
        self.done = anyio.Event()
        self.answer: bytes | None = None


def check_size(body: bytes) -> None:
    """Raise Invalid for a message that is too large for a bus."""
    if len(body) > MESSAGE_BYTES_MAX:
        raise Invalid(
            f"A message to another node has at most {MESSAGE_BYTES_MAX} bytes; send it in parts."
        )
