"""The selection of the events in a journal that concern one user. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec

from ..errors import NotAllowed, NotFound
from ..stream_names import user_stream
from .event import Streams
from .stores.contract import PlacedEvent

__all__ = ["ConcerningUser"]


class _Head(msgspec.Struct, frozen=True, gc=False):
    """The fields of an event by which it concerns a user."""

    stream: str
    seq: int
    by: str
    user: object = None
    player: object = None
    players: object = None

    def names(self, user: str) -> bool:
        in_players = isinstance(self.players, list) and user in self.players
        return in_players or user in (self.user, self.player)


_decode_head = msgspec.json.Decoder(_Head).decode


class ConcerningUser:
    """
    Selects the events that concern a user, of all events in the order of their commits.

    These are all events of the streams that only this user may read, the events that the
    user caused in streams that others may read too, and the events that name the user.

    Args:
        streams: the kinds of stream there are.
        private: the kinds of stream that their owner alone may read, or nobody.
        user: the user's id.
    """

    def __init__(self, streams: Streams, private: Collection[str], user: str) -> None:
        self._streams = streams
        self._private = private
        self._user = user
        # Private streams of the user.
        self.own = {user_stream(user)}
        # A kind of stream that is not known -> events that the user caused in such streams.
        self.skipped: dict[str, int] = {}

    def select(self, page: Iterable[PlacedEvent]) -> Iterator[tuple[str, PlacedEvent]]:
        """Yield the streams and the events; ``page`` follows the page that was given before."""
        for placed in page:
            head = _decode_head(placed.body)
            kind = head.stream.partition("/")[0]
            if kind not in self._streams:
                if head.by == self._user:
                    self.skipped[kind] = self.skipped.get(kind, 0) + 1
                continue
            if head.seq == 1 and kind in self._private and self._is_own(head, placed.body):
                self.own.add(head.stream)
            caused = head.by == self._user and kind not in self._private
            if caused or head.stream in self.own or head.names(self._user):
                yield head.stream, placed

    def _is_own(self, head: _Head, first: bytes) -> bool:
        if head.user == self._user:
            return True
        state = self._streams.empty(head.stream)
        state.apply(self._streams.decode(first))
        try:
            state.check_reader(head.stream, self._user)
        except (NotAllowed, NotFound):
            return False
        return True
