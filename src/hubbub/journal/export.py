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

from ..errors import NotFound
from ..stream_names import user_stream
from .concerning import ConcerningUser
from .event import State, Streams
from .stores.contract import PlacedEvent, Store

__all__ = ["ExportSummary", "export"]

# Events, or keys, that are read at once.
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


_encode = msgspec.json.Encoder().encode


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
        self._user = user
        self._concerning = ConcerningUser(streams, private, user)
        self._events = 0

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
        yield _line(
            "end",
            **msgspec.to_builtins(ExportSummary(self._events, keys, self._concerning.skipped)),
        )

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
        for stream, placed in self._concerning.select(page):
            self._events += 1
            shown = self._shown(stream, placed.body)
            yield _line("event", position=placed.place, event=shown)

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
