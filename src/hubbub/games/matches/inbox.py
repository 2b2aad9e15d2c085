"""
What the players of one match have sent to its handler, and what has become of it.

A message waits for the handler, and its sender waits for the handler's verdict. A sender
who goes away ends nothing: the message is handled all the same. A client that has lost its
connection sends again what was not answered, so a message with a key that came before is not
put in twice; a client that repeats it gets the verdict of the first message.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import anyio
import msgspec

from ...errors import HubbubError, KeyReused, Overloaded
from ...journal.command import Verdict
from ...wake_up import WakeUp

__all__ = [
    "INBOX_BYTES_MAX",
    "MESSAGES_MAX",
    "MESSAGE_KEYS_MAX",
    "REPEATS_MAX",
    "Inbox",
    "PlayerMessage",
]

# Messages of the players of one match that wait for its handler.
MESSAGES_MAX = 256
# Bytes of the messages that wait; each player may have an equal part of them, or one message.
INBOX_BYTES_MAX = 256 * 1024
# Keys of one player's messages that are remembered; the oldest is forgotten first.
MESSAGE_KEYS_MAX = 64
# Calls that wait for the verdict of one message: the first, and those that repeat it.
REPEATS_MAX = 16


class PlayerMessage(msgspec.Struct, eq=False):
    """
    A message that waits for the handler.

    Args:
        player: the player who has sent it.
        body: what it says.
        size: its bytes as JSON.
        verdict: what the sender waits for.
    """

    player: str
    body: dict[str, Any]
    size: int
    verdict: Verdict


class _Sent(NamedTuple):
    """What is remembered of a message: what tells its body from another, and its verdict."""

    digest: bytes
    verdict: Verdict


class Inbox:
    """
    The messages that wait for one match's handler.

    Args:
        players: the players who may send.
    """

    def __init__(self, players: Sequence[str]) -> None:
        # A player -> how many bytes of theirs wait.
        self._waiting = dict.fromkeys(players, 0)
        # A player -> their newest keys -> what was sent with each.
        self._keys: dict[str, dict[str, _Sent]] = {player: {} for player in players}
        self._messages: deque[PlayerMessage] = deque()
        self._wake_up = WakeUp()

    def put(self, player: str, body: dict[str, Any], verdict: Verdict, key: str | None) -> None:
        """
        Take a player's message.

        Args:
            player: the player who sends it.
            body: what it says.
            verdict: is settled when the handler has taken the message, or has refused it.
            key: makes it exactly-once as long as this match is run.

        Raises:
            Overloaded: the handler is slower than they come, or this was repeated too often.
            KeyReused: another message was sent with this key.
        """
        written = msgspec.json.encode(body)
        sent = _Sent(hashlib.blake2b(written, digest_size=16).digest(), verdict)
        keys = self._keys[player]
        if key is not None and (before := keys.get(key)) is not None:
            _join(before, sent)
            return
        self._put(PlayerMessage(player, body, len(written), verdict))
        if key is not None:
            keys[key] = sent
            if len(keys) > MESSAGE_KEYS_MAX:
                del keys[next(iter(keys))]

    async def receive(self) -> PlayerMessage:
        """Wait for the next message, and take it out."""
        # Also where messages wait: a game that never does would keep all others from running.
        await anyio.lowlevel.checkpoint()
        while not self._messages:
            await self._wake_up.wait()
        message = self._messages.popleft()
        self._waiting[message.player] -= message.size
        return message

    def close(self, error: HubbubError) -> None:
        """Refuse what nobody has handled."""
        while self._messages:
            self._messages.popleft().verdict.settle(error)

    def _put(self, message: PlayerMessage) -> None:
        waiting = self._waiting[message.player]
        too_large = waiting and waiting + message.size > INBOX_BYTES_MAX // len(self._waiting)
        if too_large or len(self._messages) >= MESSAGES_MAX:
            raise Overloaded("This match has too many messages to read; wait a little.")
        self._messages.append(message)
        self._waiting[message.player] += message.size
        self._wake_up.set()


def _join(before: _Sent, sent: _Sent) -> None:
    if before.digest != sent.digest:
        raise KeyReused("This key was used for another message to this match; take another key.")
    first, second = before.verdict, sent.verdict
    if first.waiting >= REPEATS_MAX:
        raise Overloaded("This message was repeated too often; wait for its answer.")
    first.on_settled(lambda: second.settle(first.error))
