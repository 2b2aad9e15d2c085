"""
Takes a person out of a journal: a user's texts and names are overwritten where they stand.

Events keep their place, seq, time and user id, so every position and every seq that a client
has kept stays right. Each feature says how much an event of its types keeps. The snapshots of
these streams and the user's idempotency keys are removed, and the text index and the file are
written again, so that no copy of the texts is left in them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import msgspec

from ..errors import Conflict, NotFound, StorageError
from ..stream_names import user_stream
from .compact import compact
from .concerning import ConcerningUser
from .event import Data, Event, Streams, encode_event
from .stores.contract import ErasurePlan, Store
from .stores.database_file import DatabaseFile
from .stores.opening import open_writer

__all__ = ["erase", "plan_erasure"]

PAGE = 1_000
# No name of an account has a tab, so no account can ever be there.
ERASED = "\terased "

Erasures = Mapping[type[Data], Callable[[Any, str], Data]]


def plan_erasure(  # noqa: PLR0913
    store: Store,
    streams: Streams,
    private: Collection[str],
    erasures: Erasures,
    kinds_renamed: Collection[str],
    user: str,
) -> ErasurePlan:
    """
    Find what an erasure overwrites.

    Args:
        store: nobody writes to it meanwhile.
        streams: the kinds of stream there are.
        private: the kinds of stream that their owner alone may read, or nobody.
        erasures: an event type -> of an event and the user's id, what stays of the event.
        kinds_renamed: the kinds of stream whose names tell about the person.
        user: the user's id.

    Raises:
        NotFound: there is no such user.
        StorageError: the store cannot be read.
    """
    if not store.read(user_stream(user), 0, 1):
        raise NotFound(f"There is no user {user!r}.")
    concerning = ConcerningUser(streams, private, user)
    found: dict[int, Event] = {}
    shared, after = set[str](), 0
    while page := store.committed(after, PAGE):
        for stream, placed in concerning.select(page):
            event = streams.decode(placed.body)
            erased = erasures.get(type(event.data), _unchanged)(event.data, user)
            if erased != event.data or stream.partition("/")[0] in kinds_renamed:
                found[placed.place] = msgspec.structs.replace(event, data=erased)
            if getattr(event.data, "user", user) != user:
                shared.add(stream)
        after = page[-1].place
    renamed = _new_names(concerning.own - shared, kinds_renamed, user)
    bodies = {place: encode_event(_moved(event, renamed)) for place, event in found.items()}
    touched = {event.stream for event in found.values()}
    return ErasurePlan(user, bodies, touched, renamed, after, concerning.skipped)


def erase(db: str | Path, streams: Streams, plan: ErasurePlan) -> None:
    """
    Overwrite what a plan says, in one transaction, and leave no copy of it in the file.

    Args:
        db: the database's path; no server has it open.
        streams: the kinds of stream there are.
        plan: made of this database, which has not changed since.

    Raises:
        Conflict: a server has it open, or it has changed.
        StorageError: it cannot be written.
    """
    held = DatabaseFile(db)
    try:
        with closing(open_writer(held.path, db)) as writer:
            writer.pragma("secure_delete", True)
            with writer:
                [(last,)] = writer.execute("SELECT coalesce(max(id), 0) FROM event")
                if last != plan.last:
                    raise Conflict(f"{db} has changed meanwhile; try again.")
                _overwrite(writer, plan)
    except apsw.Error as error:
        raise StorageError(f"The database {db} cannot be written: {error}.") from error
    finally:
        held.release()
    # Copies of the texts are still in free pages and in the log.
    compact(db, streams, 0)


def _unchanged(data: Data, user: str) -> Data:
    return data


def _new_names(own: Collection[str], kinds: Collection[str], user: str) -> dict[str, str]:
    """Give each stream whose name tells about the person a name that no other stream has."""
    named = sorted(one for one in own if one.partition("/")[0] in kinds)
    old = [one for one in named if ERASED not in one]
    first = len(named) - len(old)
    return {
        name: f"{name.partition('/')[0]}/{ERASED}{user} {number}"
        for number, name in enumerate(old, first)
    }


def _moved(event: Event, renamed: Mapping[str, str]) -> Event:
    return msgspec.structs.replace(event, stream=renamed.get(event.stream, event.stream))


def _overwrite(writer: apsw.Connection, plan: ErasurePlan) -> None:
    rows = [(body, place) for place, body in plan.bodies.items()]
    writer.executemany("UPDATE event SET body = ? WHERE id = ?", rows)
    for old, new in plan.renamed.items():
        writer.execute("UPDATE stream SET name = ? WHERE name = ?", (new, old))
        quoted = [msgspec.json.encode(name).decode() for name in (old, new)]
        change = "UPDATE used SET places = replace(places, ?, ?) WHERE instr(places, ?)"
        writer.execute(change, (*quoted, quoted[0]))
    touched = [(stream,) for stream in plan.touched]
    writer.executemany("DELETE FROM snapshot WHERE stream = ?", touched)
    writer.execute("DELETE FROM used WHERE by = ?", (plan.user,))
    # The index cannot forget single texts, so it is dropped and filled again.
    writer.execute("DELETE FROM meta WHERE name = 'index_version'")
