"""Several streams that one task follows, for code of the hub itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Self

import anyio

from ...wake_up import WakeUp
from ..command import Call
from ..event import Event
from .following import Followable, Tail, check_open
from .topic import Follower

__all__ = ["FollowingAll"]


class FollowingAll:
    """
    Follows several streams while it is entered.

    Args:
        journal: the journal.
        user: the user who follows.
        after: a stream -> the last seq that the user has.
    """

    def __init__(self, journal: Followable, user: str, after: Mapping[str, int]) -> None:
        self._journal = journal
        self._wake_up = WakeUp()
        self._followers = {
            stream: Follower(user, seq, flush=self._wake_up.set) for stream, seq in after.items()
        }
        self._tails: list[Tail] = []

    async def __aenter__(self) -> Self:
        try:
            await self._attach()
        except BaseException:
            self._detach()
            raise
        journal = self._journal
        for stream, follower in self._followers.items():
            topic = journal.topic(stream)
            assert topic is not None
            follower.closed = self._wake_up.set
            read = partial(journal.read, by=follower.user)
            self._tails.append(Tail(stream, topic, follower, read, journal.check_home))
        return self

    async def next(self) -> list[Event]:
        """
        Wait for events, and return some, those of each stream in order.

        Raises:
            Closed: the hub is closing.
            StorageError: older events cannot be read.
        """
        decode = self._journal.streams.decode
        while True:
            for tail in self._tails:
                if tail.follower.cursor < tail.topic.head:
                    return [decode(body) for body in await tail.next()]
            for tail in self._tails:
                check_open(tail.topic, tail.follower)
            await self._wake_up.wait()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._detach()

    async def _attach(self) -> None:
        left, all_done, errors = len(self._followers), anyio.Event(), list[Exception]()

        def done(call: Call[int]) -> None:
            nonlocal left
            left -= 1
            if call.error is not None:
                errors.append(call.error)
            if not left:
                all_done.set()

        calls = list[Call[int]]()
        try:
            for stream, follower in self._followers.items():
                call = self._journal.follow_call(
                    follower.user, stream, follower.cursor, follower, done
                )
                calls.append(call)
                self._journal.submit(call)
            await all_done.wait()
        except BaseException:
            for call in calls:
                # It may still run.
                call.on_done = None
            raise
        if errors:
            raise errors[0]

    def _detach(self) -> None:
        for stream, follower in self._followers.items():
            self._journal.detach(stream, follower)
