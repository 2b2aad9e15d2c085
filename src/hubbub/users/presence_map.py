"""
The users of other nodes, as those have told. Pure.

Each node numbers the changes of its own users. So the other nodes notice when some are lost. They
keep what they know until they have fetched all users of that node again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum

import msgspec

from .user import Status

__all__ = [
    "CHANGES_HEARD_MAX",
    "PRESENCE_SILENT_SECONDS_MAX",
    "PRESENCE_USERS_MAX",
    "Attendance",
    "PresenceChanges",
    "PresenceMap",
]

# Users of other nodes that a node remembers, about 200 bytes each; of further users it knows
# nothing, and then does not count its knowledge as fresh.
PRESENCE_USERS_MAX = 1_000_000
# Messages of one node that come while its users are fetched; above this number, they are fetched
# again.
CHANGES_HEARD_MAX = 10_000
# The pause, in seconds, after which a node's users are fetched again if that has failed.
FETCH_AGAIN_SECONDS = 1.0
# The users of a node count as unknown after it was silent for this long.
PRESENCE_SILENT_SECONDS_MAX = 4.0


class Attendance(IntEnum):
    """How a user takes part on one node; a lost user has no session, and may reconnect."""

    NONE = 0
    ONLINE = 1
    AWAY = 2
    LOST_ONLINE = 3
    LOST_AWAY = 4

    @property
    def status(self) -> Status:
        """The status that others see."""
        return _STATUSES[self]

    @property
    def connected(self) -> bool:
        """True if the user has a session."""
        return self in (Attendance.ONLINE, Attendance.AWAY)


_STATUSES: Mapping[Attendance, Status] = {
    Attendance.NONE: "offline",
    Attendance.ONLINE: "online",
    Attendance.AWAY: "away",
    Attendance.LOST_ONLINE: "online",
    Attendance.LOST_AWAY: "away",
}


class PresenceChanges(msgspec.Struct, frozen=True, array_like=True):
    """
    The changes that a node tells about its users.

    Args:
        number: from 1, and 1 more for each message with changes; a message without changes repeats
            the last number.
        users: the users whose attendance has changed.
    """

    number: int
    users: dict[str, Attendance] = {}


class _OtherNode:
    __slots__ = ("fetch_at", "fetching", "gone_until", "heard_at", "known", "number", "users")

    def __init__(self, now: float) -> None:
        self.users: dict[str, Attendance] = {}
        # The number of the last change in ``users``, and whether no change before it is missing.
        self.number = 0
        self.known = False
        self.heard_at = now
        # The messages that have come while its users are being fetched.
        self.fetching: list[PresenceChanges] | None = None
        # They are not fetched again before this time.
        self.fetch_at = now
        # When the users of a dead node go.
        self.gone_until: float | None = None


class PresenceMap:
    """
    The users of all other nodes.

    Args:
        grace_seconds: how long users keep their status after their node has died.
        now: returns the time, in seconds.
    """

    def __init__(self, grace_seconds: float, now: Callable[[], float]) -> None:
        self._grace_seconds = grace_seconds
        self._now = now
        self._nodes: dict[str, _OtherNode] = {}
        self._count = 0
        # Called with each user who has connected to another node, once that is known.
        self.connected: Callable[[str], None] = lambda user_id: None

    def status(self, user_id: str) -> Status:
        """Return ``online`` if a user is that on any node, or else ``away``, or ``offline``."""
        found: Status = "offline"
        for node in self._nodes.values():
            if (attendance := node.users.get(user_id)) is not None:
                if attendance.status == "online":
                    return "online"
                found = "away"
        return found

    def is_connected(self, user_id: str) -> bool:
        """Return whether a user has a session on a node that lives."""
        return any(
            node.gone_until is None and (found := node.users.get(user_id)) and found.connected
            for node in self._nodes.values()
        )

    def users(self) -> Iterator[str]:
        """Yield the users who are not offline; a user of several nodes for each of them."""
        for node in self._nodes.values():
            yield from node.users

    def is_fresh(self, live: frozenset[str]) -> bool:
        """
        Return whether the users of all nodes are known.

        Args:
            live: the other nodes that live.
        """
        oldest = self._now() - PRESENCE_SILENT_SECONDS_MAX
        return all(
            (node := self._nodes.get(name)) is not None and node.known and node.heard_at >= oldest
            for name in live
        )

    # From the nodes

    def hear(self, name: str, told: PresenceChanges) -> None:
        """
        Take a node's message.

        Args:
            name: the node, which lives.
            told: what it tells.
        """
        node = self._node(name)
        node.heard_at = self._now()
        if node.fetching is not None:
            node.fetching.append(told)
            if len(node.fetching) > CHANGES_HEARD_MAX:
                node.fetching = None
        elif node.known:
            node.known = self._follow_on(node, told)

    def unknown(self, live: frozenset[str]) -> list[str]:
        """Return the nodes whose users must be fetched, and are not being fetched."""
        if self._count >= PRESENCE_USERS_MAX:
            return []
        now = self._now()
        nodes = [(name, self._node(name)) for name in sorted(live)]
        return [
            name
            for name, node in nodes
            if not node.known and node.fetching is None and node.fetch_at <= now
        ]

    def begin(self, name: str) -> None:
        """Begin to fetch the users of a node."""
        node = self._node(name)
        node.fetching, node.fetch_at = [], self._now() + FETCH_AGAIN_SECONDS

    def end(self, name: str, number: int | None, users: Mapping[str, Attendance]) -> None:
        """
        Take all users of a node.

        Args:
            name: the node.
            number: the number of its last change before; None if they could not be fetched.
            users: its users.
        """
        node = self._nodes.get(name)
        if node is None or node.fetching is None:
            return
        heard, node.fetching = node.fetching, None
        if number is None:
            return
        gone = dict.fromkeys(node.users.keys() - users.keys(), Attendance.NONE)
        node.number = number
        node.known = self._take(node, {**gone, **users})
        # A message without changes repeats the number of the last change, so it comes after it.
        for told in sorted(heard, key=lambda one: (one.number, not one.users)):
            node.known = node.known and self._follow_on(node, told)

    def keep(self, live: frozenset[str]) -> list[str]:
        """
        Take note of which other nodes live.

        Returns:
            The users who were connected on nodes that have died since then.
        """
        lost = list[str]()
        for name, node in self._nodes.items():
            if name in live:
                if node.gone_until is not None:
                    node.gone_until, node.known = None, False
            elif node.gone_until is None:
                node.gone_until = self._now() + self._grace_seconds
                node.fetching = None
                lost += [user for user, found in node.users.items() if found.connected]
        return lost

    def forget(self) -> list[str]:
        """Forget the users whose nodes have died a grace period ago, and return them."""
        now, gone = self._now(), list[str]()
        for name, node in list(self._nodes.items()):
            if node.gone_until is not None and node.gone_until <= now:
                del self._nodes[name]
                self._count -= len(node.users)
                gone += node.users
        return gone

    def _node(self, name: str) -> _OtherNode:
        node = self._nodes.get(name)
        if node is None:
            node = self._nodes[name] = _OtherNode(self._now())
        return node

    def _follow_on(self, node: _OtherNode, told: PresenceChanges) -> bool:
        """Apply changes if they come next; return False if some are missing before."""
        if told.number <= node.number:
            return True
        if not told.users or told.number != node.number + 1:
            return False
        node.number = told.number
        return self._take(node, told.users)

    def _take(self, node: _OtherNode, users: Mapping[str, Attendance]) -> bool:
        """Set the attendance of users; return False if there are too many."""
        connected = list[str]()
        for user, attendance in users.items():
            before = node.users.get(user, Attendance.NONE)
            if attendance is Attendance.NONE:
                self._count -= node.users.pop(user, None) is not None
            elif before is not Attendance.NONE or self._count < PRESENCE_USERS_MAX:
                self._count += before is Attendance.NONE
                node.users[user] = attendance
                if attendance.connected and not before.connected:
                    connected.append(user)
        for user in connected:
            self.connected(user)
        return self._count < PRESENCE_USERS_MAX
