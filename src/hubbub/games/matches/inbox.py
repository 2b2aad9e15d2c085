"""
The messages from a match's players to its handler, and their verdicts.

A message waits for the handler, and its sender waits for the handler's verdict. If the sender
disconnects, the handler still gets the message. A client that has lost its connection sends
unanswered messages again, so a message with a known key is not added twice; a client that repeats
it gets the verdict of the first message.
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
# Bytes of the messages that wait; each player can have an equal share, or one message.
INBOX_BYTES_MAX = 256 * 1024
# Keys of one player's messages that are remembered; the oldest is evicted first.
MESSAGE_KEYS_MAX = 64
# Calls that wait for the verdict of one message: the first call, and its repetitions.
REPEATS_MAX = 16


class PlayerMessage(msgspec.Struct, eq=False):
    """
    A message that waits for the handler.

    Args:
        player: the player who has sent it.
        body: its content.
        size: its bytes of JSON.
        verdict: the sender waits for this.
    """

    player: str
    body: dict[str, Any]
    size: int
    verdict: Verdict


class _Sent(NamedTuple):
    """A message that is remembered: a digest of its body, and its verdict."""

    digest: bytes
    verdict: Verdict


class Inbox:
    """
    The messages that wait for one match's handler.

    Args:
        players: the players who can send messages.
    """

    def __init__(self, players: Sequence[str]) -> None:
        # A player -> the bytes of their waiting messages.
        self._waiting = dict.fromkeys(players, 0)
        # A player -> their newest keys -> the message that each was sent with.
        self._keys: dict[str, dict[str, _Sent]] = {player: {} for player in players}
        self._messages: deque[PlayerMessage] = deque()
        self._wake_up = WakeUp()

    def put(self, player: str, body: dict[str, Any], verdict: Verdict, key: str | None) -> None:
        """
        Add a player's message.

        Args:
            player: the sender.
            body: the content.
            verdict: is settled when the handler has handled the message, or has refused it.
            key: an idempotency key, remembered as long as this match runs here.

        Raises:
            Overloaded: too many messages wait, or this message was repeated too often.
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
        """Wait for the next message, and remove it."""
        # Yield even if messages wait: otherwise a busy game would keep all others from running.
        await anyio.lowlevel.checkpoint()
        while not self._messages:
            await self._wake_up.wait()
        message = self._messages.popleft()
        self._waiting[message.player] -= message.size
        return message

    def close(self, error: HubbubError) -> None:
        """Refuse all waiting messages."""
        while self._messages:
            self._messages.popleft().verdict.settle(error)

    def _put(self, message: PlayerMessage) -> None:
        waiting = self._waiting[message.player]
        too_large = waiting and waiting + message.size > INBOX_BYTES_MAX // len(self._waiting)
        if too_large or len(self._messages) >= MESSAGES_MAX:
            raise Overloaded("This match has too many unread messages; try again in a few seconds.")
        self._messages.append(message)
        self._waiting[message.player] += message.size
        self._wake_up.set()


def _join(before: _Sent, sent: _Sent) -> None:
    if before.digest != sent.digest:
        raise KeyReused("This key was used for another message to this match; use another key.")
    first, second = before.verdict, sent.verdict
    if first.waiting >= REPEATS_MAX:
        raise Overloaded("This message was repeated too often; wait for its response.")
    first.on_settled(lambda: second.settle(first.error))
