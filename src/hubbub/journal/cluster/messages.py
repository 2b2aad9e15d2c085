"""Messages from node to node: to all, or a request to one with its answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any

import anyio

from ...errors import Invalid, Overloaded
from .frames import MESSAGE_BYTES_MAX, Broadcast, NodeAnswer, NodeRequest

__all__ = ["ANSWERS_KEPT_BYTES_MAX", "ANSWERS_WAITING_MAX", "REQUESTS_KNOWN_MAX", "Messages"]

logger = logging.getLogger("hubbub.journal")

# Requests of other nodes that are being answered at the same time; more are refused.
ANSWERS_WAITING_MAX = 1_024
# A request whose answer does not come is sent again so often: the bus may have lost either.
ASK_AGAIN_SECONDS = 1.0
# Requests of other nodes that are known, so that no repeated request is carried out again.
REQUESTS_KNOWN_MAX = 20_000
# Bytes of the answers that are kept for repeated requests; a request without its answer is
# refused.
ANSWERS_KEPT_BYTES_MAX = 4 * 1024 * 1024


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
        self._answers = _Answers()

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
                    await self._send(NodeRequest(node, number, kind, body), request)
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
        if (node, asked.number) in self._answers:
            if not self._answers.waits_for(node, asked.number):
                self.send(NodeAnswer(node, asked.number, self._answers.of(node, asked.number)))
            return
        if self._answering >= ANSWERS_WAITING_MAX:
            self.send(NodeAnswer(node, asked.number, None))
            return
        self._answering += 1
        self._answers.begin(node, asked.number)

        async def answer() -> None:
            body: bytes | None = None
            try:
                body = await self._answer_to(node, asked.kind, asked.body)
            finally:
                self._answering -= 1
                self._answers.keep(node, asked.number, body)
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

    async def _send(self, asked: NodeRequest, request: _Request) -> None:
        """Send a request, and again, until it is answered."""
        while not request.done.is_set():
            if self.send is not None:
                self.send(asked)
            with anyio.move_on_after(ASK_AGAIN_SECONDS):
                await request.done.wait()

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


class _Answers:
    """The newest requests of other nodes, and their answers."""

    __slots__ = ("_answers", "_bytes", "_known", "_waiting")

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], None] = {}
        self._waiting: set[tuple[str, int]] = set()
        self._answers: dict[tuple[str, int], bytes] = {}
        self._bytes = 0

    def __contains__(self, request: tuple[str, int]) -> bool:
        return request in self._known

    def begin(self, node: str, number: int) -> None:
        """Take note of a request."""
        self._known[node, number] = None
        self._waiting.add((node, number))
        if len(self._known) > REQUESTS_KNOWN_MAX:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._bytes -= len(self._answers.pop(oldest, b""))

    def waits_for(self, node: str, number: int) -> bool:
        """Return whether a request is being answered."""
        return (node, number) in self._waiting

    def keep(self, node: str, number: int, body: bytes | None) -> None:
        """Keep an answer."""
        self._waiting.discard((node, number))
        if body is None or (node, number) not in self._known:
            return
        self._answers[node, number] = body
        self._bytes += len(body)
        while self._bytes > ANSWERS_KEPT_BYTES_MAX:
            self._bytes -= len(self._answers.pop(next(iter(self._answers))))

    def of(self, node: str, number: int) -> bytes | None:
        """Return the answer; None if it was refused, or is not kept."""
        return self._answers.get((node, number))


def check_size(body: bytes) -> None:
    """Raise Invalid for a message that is too large for a bus."""
    if len(body) > MESSAGE_BYTES_MAX:
        raise Invalid(
            f"A message to another node has at most {MESSAGE_BYTES_MAX} bytes; send it in parts."
        )
