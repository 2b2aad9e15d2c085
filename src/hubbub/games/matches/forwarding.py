"""Players' messages to a match that another node runs."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import anyio
import msgspec

from ...errors import HubbubError, Overloaded, error_from_code
from ...journal.cluster.nodes import Nodes
from ...journal.command import Verdict

__all__ = ["FORWARDED_MAX", "FORWARD_SECONDS", "MessageForwarding"]

logger = logging.getLogger("hubbub.games")

# The kind of the requests between nodes.
KIND = "match"
# Messages of one player to one match that wait to be handed on; more are refused.
FORWARDED_MAX = 64
# How long the other node, and the game there, can take to answer.
FORWARD_SECONDS = 10.0


class _Message(msgspec.Struct):
    stream: str
    player: str
    body: dict[str, Any]
    key: str | None


class _Answer(msgspec.Struct):
    """How the game took a message: without a code it has taken it."""

    code: str | None = None
    message: str = ""
    reason: str | None = None


class _Queued(msgspec.Struct):
    node: str
    message: _Message
    verdict: Verdict


Put = Callable[[str, str, dict[str, Any], Verdict, str | None], None]

_encode = msgspec.json.encode
_decode_message = msgspec.json.Decoder(_Message).decode
_decode_answer = msgspec.json.Decoder(_Answer).decode


class MessageForwarding:
    """
    Hands messages on to the node that runs a match, and takes those of other nodes.

    A game reads a player's messages in their order, so each message waits until the game has
    answered the message before it.

    Args:
        nodes: the nodes of the cluster.
        put: passes a message to a match that runs here.
        start: runs a task in the hub, from anywhere.
    """

    def __init__(self, nodes: Nodes, put: Put, start: Callable[..., None]) -> None:
        self._nodes = nodes
        self._put = put
        self._start = start
        # A match and a player -> the messages that wait, the first being handed on.
        self._queues: dict[tuple[str, str], deque[_Queued]] = {}

    def send(  # noqa: PLR0913
        self,
        node: str,
        stream: str,
        player: str,
        body: dict[str, Any],
        verdict: Verdict,
        key: str | None,
    ) -> None:
        """
        Hand a message on; its verdict is the game's.

        Raises:
            Overloaded: too many messages of this player wait.
        """
        whose = stream, player
        queue = self._queues.setdefault(whose, deque())
        if len(queue) >= FORWARDED_MAX:
            raise Overloaded("Too many of your messages wait for this match; try again later.")
        queue.append(_Queued(node, _Message(stream, player, body, key), verdict))
        if len(queue) == 1:
            self._start(self._hand_on, whose)

    async def answer(self, node: str, body: bytes) -> bytes:
        """Pass the message of another node to a match that runs here; return the game's answer."""
        message, verdict, settled = _decode_message(body), Verdict(), anyio.Event()
        verdict.on_settled(settled.set)
        try:
            self._put(message.stream, message.player, message.body, verdict, message.key)
        except HubbubError as error:
            verdict.settle(error)
        await settled.wait()
        refused = verdict.error
        if refused is None:
            return _encode(_Answer())
        return _encode(_Answer(refused.code, refused.message, refused.reason))

    async def _hand_on(self, whose: tuple[str, str]) -> None:
        queue = self._queues[whose]
        try:
            while queue:
                queued = queue[0]
                queued.verdict.settle(await self._ask(queued))
                queue.popleft()
        finally:
            del self._queues[whose]
            for queued in queue:
                queued.verdict.settle(Overloaded("The message was not handed on; try again."))

    async def _ask(self, queued: _Queued) -> HubbubError | None:
        try:
            request = _encode(queued.message)
            answer = await self._nodes.ask(queued.node, KIND, request, FORWARD_SECONDS)
            said = _decode_answer(answer)
        except HubbubError as error:
            return error
        except Exception:  # affects this message; the next may get through
            logger.exception("a message to %s could not be handed on", queued.message.stream)
            return Overloaded("It is not known whether the message arrived; try again.")
        if said.code is None:
            return None
        return error_from_code(said.code, said.message, reason=said.reason)
