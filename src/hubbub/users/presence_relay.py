"""Tells the other nodes which users are connected here, and hears which are there."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import anyio
import msgspec

from ..errors import HubbubError
from ..journal.cluster.frames import MESSAGE_BYTES_MAX
from ..journal.cluster.nodes import Nodes
from ..journal.containment import contained
from ..wake_up import WakeUp
from .message_parts import message_parts
from .presence import Presence
from .presence_map import Attendance, PresenceChanges

__all__ = ["PRESENCE_BEAT_SECONDS", "PresencePage", "PresenceRelay"]

logger = logging.getLogger("hubbub.users")

# How often a node tells the number of its last change, even if there is none.
PRESENCE_BEAT_SECONDS = 1.0
# How long another node can take to answer with a page of its users.
PAGE_SECONDS_MAX = 2.0
# Users of a dead node that are handled together, and the pause between, in seconds: each may have
# to be read from the store.
AT_ONCE = 500
PAUSE_SECONDS = 0.1
KIND = "presence"
# A message leaves room for its frame, and an entry for its attendance and length.
PAGE_BYTES_MAX = MESSAGE_BYTES_MAX - 1024
ENTRY_BYTES = 8


class PresencePage(msgspec.Struct, frozen=True, array_like=True):
    """
    Some of the users of a node.

    Args:
        number: the number of the node's last change when it listed its users.
        users: the users.
        after: the number of users up to here; None with the last page.
    """

    number: int
    users: dict[str, Attendance]
    after: int | None


_decode_changes = msgspec.msgpack.Decoder(PresenceChanges).decode
_decode_page = msgspec.msgpack.Decoder(PresencePage).decode
_decode_place = msgspec.msgpack.Decoder(int).decode
_encode = msgspec.msgpack.Encoder().encode


class PresenceRelay:
    """
    Keeps the presence of this node and of the others in step.

    Args:
        nodes: the nodes of the cluster.
        presence: the users of this node, and the map of the others.
        in_memory: returns whether a user's state is in memory here.
    """

    def __init__(self, nodes: Nodes, presence: Presence, in_memory: Callable[[str], bool]) -> None:
        self._nodes = nodes
        self._in_memory = in_memory
        self._presence = presence
        self._pending: dict[str, Attendance] = {}
        self._number = 0
        # A node that fetches the users -> the number of the last change, and the users as of then.
        self._listed: dict[str, tuple[int, Sequence[tuple[str, Attendance]]]] = {}
        # The calls that are left to make for users of dead nodes.
        self._left: deque[Callable[[], None]] = deque()
        self._wake_up = WakeUp()
        presence.publish = self._publish
        presence.others.connected = self._connected
        presence.is_fresh = self._is_fresh
        nodes.hear[KIND] = self._hear
        nodes.answer[KIND] = self._answer
        nodes.changed.append(self._nodes_changed)

    async def run(self) -> None:
        """Tell and fetch until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._clear)
            while True:
                self._send()
                gone = self._presence.others.forget()
                self._leave(gone, self._presence.gone)
                for node in self._presence.others.unknown(self._live()):
                    self._presence.others.begin(node)
                    tasks.start_soon(contained, f"the users of node {node}", self._fetch, node)
                with anyio.move_on_after(PRESENCE_BEAT_SECONDS):
                    await self._wake_up.wait()

    def _live(self) -> frozenset[str]:
        return self._nodes.live() - {self._nodes.me}

    def _owns(self, user_id: str) -> bool:
        return self._nodes.owns(f"presence/{user_id}")

    def _is_fresh(self) -> bool:
        return self._nodes.fresh and self._presence.others.is_fresh(self._live())

    # This node

    def _publish(self, user_id: str, attendance: Attendance) -> None:
        self._pending[user_id] = attendance
        self._wake_up.set()

    def _send(self) -> None:
        for part in message_parts(self._pending.items(), _bytes_of, PAGE_BYTES_MAX):
            self._number += 1
            self._nodes.tell(KIND, _encode(PresenceChanges(self._number, dict(part))))
        if not self._pending:
            self._nodes.tell(KIND, _encode(PresenceChanges(self._number)))
        self._pending.clear()

    async def _answer(self, node: str, body: bytes) -> bytes:
        place = _decode_place(body)
        if place == 0:
            # The list has the changes that wait; the next message repeats them.
            self._listed[node] = self._number, list(self._presence.here().items())
        number, users = self._listed[node]
        # A list of a million users is not copied for each of its pages.
        rest = users[place : place + PAGE_BYTES_MAX // ENTRY_BYTES]
        page = dict(next(message_parts(rest, _bytes_of, PAGE_BYTES_MAX), ()))
        after = place + len(page)
        if after >= len(users):
            del self._listed[node]
        return _encode(PresencePage(number, page, None if after >= len(users) else after))

    # The others

    def _connected(self, user_id: str) -> None:
        # Something here may wait for the user; nothing does if the user's state is not in memory.
        if self._in_memory(user_id):
            self._presence.moved(user_id)

    def _hear(self, node: str, body: bytes) -> None:
        if self._nodes.is_live(node) and node != self._nodes.me:
            self._presence.others.hear(node, _decode_changes(body))

    async def _fetch(self, node: str) -> None:
        number, users, place = None, dict[str, Attendance](), 0
        try:
            while True:
                body = _encode(place)
                page = _decode_page(await self._nodes.ask(node, KIND, body, PAGE_SECONDS_MAX))
                users |= page.users
                if page.after is None:
                    number = page.number
                    return
                place = page.after
        except HubbubError as error:
            logger.debug("the users of node %s cannot be fetched yet: %s", node, error)
        finally:
            self._presence.others.end(node, number, users)

    def _nodes_changed(self) -> None:
        for node in self._listed.keys() - self._nodes.live():
            del self._listed[node]
        self._leave(self._presence.others.keep(self._live()), self._presence.moved)
        self._wake_up.set()

    def _leave(self, users: Iterable[str], act: Callable[[str], None]) -> None:
        """Act for users of a dead node soon: each of the other nodes for some of them."""
        self._left.extend(partial(act, user) for user in users if self._owns(user))

    async def _clear(self) -> None:
        while True:
            for _ in range(min(len(self._left), AT_ONCE)):
                act = self._left.popleft()
                try:
                    act()
                except Exception:  # affects one user
                    logger.exception("the features could not handle a user of a dead node")
            await anyio.sleep(PAUSE_SECONDS)


def _bytes_of(entry: tuple[str, Attendance]) -> int:
    return len(entry[0].encode()) + ENTRY_BYTES
