"""
The data that a journal holds about one user, one JSON object a line.

An export has the state of the user's own stream, all events of the streams that only this
user may read, the events that the user caused elsewhere or that name the user, and the user's
idempotency keys. It has nothing of what only another user may read.
Events are exported as readers see them, so the hash of a password is not among them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

import msgspec

from ..errors import NotAllowed, NotFound
from ..stream_names import user_stream
from .event import State, Streams
from .stores.contract import PlacedEvent, Store

__all__ = ["ExportSummary", "export"]

# Events, or keys, that are read at one time.
PAGE = 1_000


class ExportSummary(msgspec.Struct, frozen=True):
    """
    The end of an export.

    Args:
        events: how many there are.
        keys: how many idempotency keys there are.
        skipped: a kind of stream whose feature was not given -> how many events that the user
            caused were left out.
    """

    events: int
    keys: int
    skipped: dict[str, int]


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


_encode = msgspec.json.Encoder().encode
_decode_head = msgspec.json.Decoder(_Head).decode


def export(
    store: Store, streams: Streams, private: Collection[str], user: str, now: datetime
) -> Iterator[bytes]:
    """
    Yield the lines of an export: ``export``, ``profile``, each ``event`` and ``key``, ``end``.

    Args:
        store: nobody writes to it meanwhile.
        streams: the kinds of stream there are.
        private: the kinds of stream that their owner alone may read, or nobody.
        user: the user's id.
        now: the time.

    Raises:
        NotFound: there is no such user.
        StorageError: the store cannot be read.
    """
    yield from _Export(store, streams, private, user).lines(now)


class _Export:
    def __init__(self, store: Store, streams: Streams, private: Collection[str], user: str) -> None:
        self._store = store
        self._streams = streams
        self._private = private
        self._user = user
        # Private streams of the user.
        self._own = {user_stream(user)}
        self._events = 0
        self._skipped: dict[str, int] = {}

    def lines(self, now: datetime) -> Iterator[bytes]:
        state = self._state(user_stream(self._user))
        journal = self._store.journal_id
        yield _line("export", user=self._user, at=now, journal_id=journal)
        yield _line("profile", stream=user_stream(self._user), state=state)
        after = 0
        while page := self._store.committed(after, PAGE):
            yield from self._of(page)
            after = page[-1].place
        keys = 0
        for used in self._keys():
            yield used
            keys += 1
        yield _line("end", **msgspec.to_builtins(ExportSummary(self._events, keys, self._skipped)))

    def _state(self, stream: str) -> State:
        state, seq = self._streams.empty(stream), 0
        while page := self._store.records(stream, seq, PAGE):
            for record in page:
                state.apply(self._streams.decode(record.body))
            seq = page[-1].seq
        if not seq:
            raise NotFound(f"There is no user {self._user!r}.")
        return state

    def _of(self, page: Sequence[PlacedEvent]) -> Iterator[bytes]:
        for placed in page:
            head = _decode_head(placed.body)
            kind = head.stream.partition("/")[0]
            if kind not in self._streams:
                if head.by == self._user:
                    self._skipped[kind] = self._skipped.get(kind, 0) + 1
                continue
            if head.seq == 1 and kind in self._private and self._is_own(head, placed.body):
                self._own.add(head.stream)
            caused = head.by == self._user and kind not in self._private
            if caused or head.stream in self._own or head.names(self._user):
                self._events += 1
                yield _line(
                    "event", position=placed.place, event=self._shown(head.stream, placed.body)
                )

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

    def _shown(self, stream: str, body: bytes) -> msgspec.Raw:
        public_form = self._streams.kind(stream).public_form
        return msgspec.Raw(body if public_form is None else public_form(body))

    def _keys(self) -> Iterator[bytes]:
        after = (self._user, "")
        while page := self._store.keys(after, PAGE):
            for used in page:
                if used.by != self._user:
                    return
                yield _line("key", key=used.key, at=used.at, events=used.places)
            after = (page[-1].by, page[-1].key)


def _line(record: str, **fields: object) -> bytes:
    return _encode({"record": record, **fields}) + b"\n"
