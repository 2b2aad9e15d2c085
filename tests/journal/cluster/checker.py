"""
Checks the history of a cluster: the journal is the order, so checking takes one pass.

Every command is decided again, in the order of the journal, and must decide the same events. A
call that was acknowledged before another began comes before it, and a read saw a moment between
its begin and its end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hubbub.errors import HubbubError
from hubbub.journal.command import Call, Command, nothing
from hubbub.journal.decide.cache_entries import MessageEntry, StreamEntry
from hubbub.journal.decide.states import States
from hubbub.journal.event import Event
from hubbub.journal.stores.contract import Store
from tests.journal.tally import STREAMS, new_limit

__all__ = ["History", "Sent", "check"]


@dataclass
class Sent:
    """
    A call, as its caller saw it.

    Args:
        new_command: makes the command again; its user sends nothing else.
        begun, ended: when, as numbers of a sequence; ``ended`` is None without an answer.
        value: the result; None for a refusal.
    """

    new_command: Callable[[], Command[Any]]
    begun: int
    ended: int | None = None
    value: Any = None
    refused: bool = False


@dataclass
class History:
    """All calls of a run, by the user who sent each."""

    calls: dict[str, Sent] = field(default_factory=dict)
    moment: int = 0

    def begin(self, by: str, new_command: Callable[[], Command[Any]]) -> Sent:
        self.moment += 1
        sent = self.calls[by] = Sent(new_command, self.moment)
        return sent

    def end(self, sent: Sent, value: Any = None, *, refused: bool = False) -> None:
        self.moment += 1
        sent.ended, sent.value, sent.refused = self.moment, value, refused


def check(store: Store, history: History) -> None:
    """Raise AssertionError if the history is not one of a single journal."""
    written = [STREAMS.decode(placed.body) for placed in store.committed(0, 1 << 30)]
    check_gapless(written)
    calls = by_call(written)
    replay = Replay()
    heads = [replay.totals()]
    places = dict[str, int]()
    for place, (by, events) in enumerate(calls, 1):
        assert by not in places, f"{by} wrote at two places"
        places[by] = place
        replay.decide_again(history.calls[by].new_command(), events)
        heads.append(replay.totals())
    for by, sent in history.calls.items():
        command = sent.new_command()
        if sent.ended is None:
            continue
        if command.decide is nothing:
            check_read(sent, command.reads[0], heads, places, history.calls)
        else:
            assert (by in places) is not sent.refused, f"{by} was answered something else"
    check_real_time(places, history.calls)


def check_gapless(written: Sequence[Event]) -> None:
    heads: defaultdict[str, int] = defaultdict(int)
    for event in written:
        heads[event.stream] += 1
        assert event.seq == heads[event.stream], f"{event.stream} has a gap"


def by_call(written: Sequence[Event]) -> list[tuple[str, list[Event]]]:
    """Group the events by their call; those of one call are together."""
    calls: list[tuple[str, list[Event]]] = []
    for event in written:
        if calls and calls[-1][0] == event.by:
            calls[-1][1].append(event)
        else:
            calls.append((event.by, [event]))
    return calls


class Replay:
    """States of all streams, brought up to date event by event."""

    def __init__(self) -> None:
        self._states = States(1 << 30, new_limit)
        self._streams: dict[str, StreamEntry] = {}

    def totals(self) -> dict[str, int]:
        return {name: entry.state.total for name, entry in self._streams.items()}  # type: ignore[attr-defined]

    def decide_again(self, command: Command[Any], events: Sequence[Event]) -> None:
        for stream in {event.stream for event in events} | set(command.reads):
            self._entry(stream)
        self._states.bind(Call(command))
        try:
            drafts = command.decide(self._states)
        except HubbubError as error:
            raise AssertionError(f"{command.by} must have been refused: {error}") from error
        decided = [(draft.stream, draft.ref, draft.data) for draft in drafts]
        wrote = [(event.stream, event.ref, event.data) for event in events]
        assert decided == wrote, f"{command.by} decided on an outdated state"
        for event in events:
            self._take(event)

    def _entry(self, stream: str) -> StreamEntry:
        if stream not in self._streams:
            entry = self._streams[stream] = StreamEntry(stream, STREAMS.empty(stream))
            self._states.put(entry)
        return self._streams[stream]

    def _take(self, event: Event) -> None:
        self._entry(event.stream).take(event)
        self._states.applied(event)
        thread = MessageEntry((event.stream, event.seq))
        thread.install([event])
        self._states.put(thread)


def check_real_time(places: Mapping[str, int], calls: Mapping[str, Sent]) -> None:
    """A call that began after another had its answer comes after it."""
    in_order = sorted(places, key=lambda by: places[by])
    latest = 0
    for by in in_order:
        ended = calls[by].ended
        assert ended is None or ended > latest, f"{by} comes after a call that began later"
        latest = max(latest, calls[by].begun)


def check_read(
    sent: Sent,
    stream: str,
    heads: Sequence[Mapping[str, int]],
    places: Mapping[str, int],
    calls: Mapping[str, Sent],
) -> None:
    """A read saw what had been acknowledged before it, and nothing that began after it."""
    assert sent.ended is not None
    before = [
        place
        for by, place in places.items()
        if (ended := calls[by].ended) is not None and ended < sent.begun
    ]
    after = [place for by, place in places.items() if calls[by].begun > sent.ended]
    first, last = max(before, default=0), min(after, default=len(heads)) - 1
    seen = {heads[place].get(stream, 0) for place in range(first, last + 1)}
    assert sent.value in seen, f"{stream} was read as {sent.value}, which is none of {seen}"
