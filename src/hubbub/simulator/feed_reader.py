"""An application that reads everything that happens, from life to life of the server."""

from __future__ import annotations

from collections.abc import Iterator

import anyio

from ..errors import Closed, StorageError
from ..hub import Hubbub
from .workload import Evidence

__all__ = ["FeedReader"]

# How long the reader waits before it reads again from a disk that fails, in seconds.
READ_AGAIN_SECONDS = 1.0


class FeedReader:
    """
    Reads the feed of a hub, and keeps the newest position as an application would.

    Args:
        where: what its sentences say of the hub, like ``on node 1``.

    Attributes:
        seen: the stream and the seq of each event, in the order in which they came.
    """

    def __init__(self, where: str = "") -> None:
        self._where = where and f" {where}"
        self.seen: list[tuple[str, int]] = []
        self._position = ""

    async def read(self, hub: Hubbub) -> None:
        """Read until the hub closes."""
        while True:
            try:
                async with hub.feed(after=self._position) as feed:
                    async for position, event in feed:
                        self._position = position
                        self.seen.append((event.stream, event.seq))
            except Closed:
                return
            except StorageError:
                await anyio.sleep(READ_AGAIN_SECONDS)

    def missing(self, evidence: Evidence) -> Iterator[str]:
        """Yield a sentence if the reader is behind."""
        if len(self.seen) < len(evidence.order):
            yield f"The feed{self._where} gave {len(self.seen)} of {len(evidence.order)} events."

    def broken(self, evidence: Evidence) -> Iterator[str]:
        """Yield a sentence if the feed is not all events, once, in the order of their commits."""
        order = [(event["stream"], event["seq"]) for event in evidence.order]
        for number, (seen, committed) in enumerate(zip(self.seen, order, strict=False), 1):
            if seen != committed:
                what = f"Event {number} of the feed{self._where}"
                yield f"{what} is {seen}, and {committed} was committed."
                return
        if len(self.seen) > len(order):
            yield f"The feed{self._where} gave {self.seen[len(order)]}, which was not committed."
