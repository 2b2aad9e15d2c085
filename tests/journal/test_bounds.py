"""Nothing in memory grows without a bound: every container is listed with what bounds it."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from pathlib import Path

import pytest

import hubbub
from hubbub.errors import Invalid, NotFound, RateLimited
from hubbub.journal.command import Call, SessionQueue
from hubbub.journal.decide import limits as limits_module
from hubbub.journal.decide.cache_entries import IdempotencyRecord, StreamEntry
from hubbub.journal.decide.decider import Decided
from hubbub.journal.decide.limits import LIMITS_MAX
from hubbub.journal.decide.states import EMPTY_STATES_MAX, USED_KEYS_MAX, States
from hubbub.journal.event import STREAM_BYTES_MAX, Streams
from hubbub.journal.live.feed import Feed
from hubbub.journal.live.signals import Signals
from hubbub.journal.live.topic import Topic
from hubbub.journal.measures import STREAMS_MAX, Measures
from hubbub.journal.readers import Readers
from hubbub.journal.stores.contract import Record
from hubbub.server import Gateway, create_app
from hubbub.server.http.connection import Server
from hubbub.server.selector import Selector
from hubbub.server.tcp_connection import Shared
from hubbub.settings import Settings
from hubbub.users import presence as presence_module
from hubbub.users.presence import Presence
from tests.journal.tally import (
    NOON,
    Tally,
    add,
    memory_store,
    new_limit,
    open_journal,
    total,
)

SOURCE = Path(hubbub.__file__).parent

# What holds the limit, as a constant or a setting; or why there is no need of one.
BOUNDS = {
    "Committer.queue": "calls_queued_max",
    "Loader._waiting": "calls_queued_max",
    "Loader._taken": "calls_queued_max",
    "Decided.calls": "batch_calls_max",
    "Decided.entries": "batch_calls_max",
    "Decided.events": "batch_calls_max",
    "Decided.spoilt": "one command's streams",
    "Decided.large": "batch_calls_max",
    "LargeSnapshots._waiting": "LARGE_SNAPSHOTS_MAX",
    "States._entries": "states_max",
    "States._used": "USED_KEYS_MAX",
    "States._empty": "EMPTY_STATES_MAX",
    "Limits._limits": "LIMITS_MAX",
    "Limits._stored": "the names of limits",
    "Limits._uses": "one command's users",
    "Limits._charged": "batch_calls_max",
    "SessionQueue._gone": "calls_queued_max",
    "Topics._topics": "follows_max",
    "Topics._idle": "TOPICS_IDLE_MAX",
    "Feed._page": "FEED_PAGE_EVENTS_MAX",
    "Topic._tail": "TAIL_BYTES_MAX",
    "Topic._batches": "BATCHES_BYTES_MAX",
    "Topic.followers": "connections_max",
    "Signals._bodies": "SIGNALS_MAX",
    "Readers._waiting": "READS_WAITING_MAX",
    "Readers._reading": "READERS_MAX",
    "Measures.commit_buckets": "COMMIT_SECONDS_BUCKETS",
    "Measures.events": "the types of event",
    "Measures.recent": "RECENT_MAX",
    "Measures._streams": "STREAMS_MAX",
    "Measures._streams_before": "STREAMS_MAX",
    "Health._failing": "three kinds of work",
    "Health._logged_at": "three kinds of work",
    "Health._to_revoke": "three kinds of work",
    "Journal.after_batch": "the application's own",
    "Journal.on_commit": "the application's own",
    "Hubbub.options": "the application's own",
    "TaskStarter._to_start": "requests_in_flight_max",
    "Deadlines._open": "the limits of HTTP that are times",
    "Deadlines._seconds": "connections_max",
    "Selector._events": "connections_max",
    "Shared.open": "connections_max",
    "Presence._sessions": "connections_max",
    "Presence._lost": "LOST_MAX",
    "Presence._to_forget": "LOST_MAX",
    "Call.pins": "one command's streams",
    "Call.needs": "one command's streams",
    "States._may_look": "one command's streams",
    "Streams._kinds": "the kinds of stream",
    "Streams._data": "the kinds of stream",
    "Streams._kept": "the kinds of stream",
    "Streams._parts": "the kinds of stream",
}


def containers(thing: object) -> Iterator[str]:
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    for name in [*getattr(thing, "__dict__", ()), *slots]:
        value = getattr(thing, name, None)
        if isinstance(value, (dict, list, set, deque, Counter, OrderedDict, tuple)):
            yield f"{type(thing).__name__}.{name}"


async def test_every_container_is_known_and_bounded() -> None:
    async with hubbub.open("memory://") as hub:
        journal, queue = hub.journal, SessionQueue()
        gateway, selector = Gateway(hub), Selector()
        http = Server(create_app(hub), "/ws", hub.settings.clock.now, gateway.unsent)
        shared = Shared(http, gateway, selector, hub._starter.start)
        # Only the second of two calls is over.
        queue.enter()
        queue.leave(queue.enter())
        things: list[object] = [
            *(hub, journal, journal._committer, journal._loader, journal._states, journal._topics),
            *(journal._health, journal._reading, journal._reading._readers, journal.measures),
            *(journal.feeds, Feed(journal.feeds)),
            *(journal._states.limits, journal._committer._upkeep.snapshots),
            *(hub.presence, journal.streams, Topic(0), queue, Decided(), Readers()),
            *(Signals(lambda: None), Call(total("tally/1")), hub._starter),
            *(selector, selector.deadlines, shared),
        ]
        found = {name for thing in things for name in containers(thing)}

    assert found == BOUNDS.keys()


def test_every_bound_is_in_the_source() -> None:
    words = {word for path in SOURCE.rglob("*.py") for word in re.findall(r"\w+", path.read_text())}
    named = {bound for bound in BOUNDS.values() if re.fullmatch(r"\w+", bound)}

    assert named <= words


# Names


@pytest.mark.parametrize("kind", ["tally", "index"])
@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600"])
async def test_a_name_that_is_too_long_is_refused_before_anything_is_kept(
    kind: str, letter: str
) -> None:
    async with open_journal(memory_store()) as journal:
        for number in range(20):
            name = f"{kind}/{number}" + letter * STREAM_BYTES_MAX
            for command in (total(name), add(name, 1), add(name, 1, cold=True)):
                with pytest.raises(Invalid) as error:
                    await journal.execute(command)

                assert len(error.value.message) < 200
            with pytest.raises(Invalid):
                async with journal.follow("ann", name, 0):
                    pytest.fail("there is nothing to follow")
        kept = len(journal._states._entries), journal._states._bytes, len(journal.topics)

    assert kept == (0, 0, 0)


def test_the_longest_name_is_allowed() -> None:
    streams = Streams({"tally": Tally})
    streams.check_name("tally/" + "x" * (STREAM_BYTES_MAX - 6))

    with pytest.raises(Invalid, match=str(STREAM_BYTES_MAX)):
        streams.check_name("tally/" + "x" * (STREAM_BYTES_MAX - 5))
    with pytest.raises(NotFound) as error:
        streams.kind("nonsense" * 10_000)
    assert len(error.value.message) < 300


async def test_streams_that_are_not_there_are_forgotten() -> None:
    async with open_journal(memory_store()) as journal:
        await journal.execute(add("tally/1", 1))
        for number in range(EMPTY_STATES_MAX + 500):
            await journal.execute(total(f"tally/not {number}"))
        states = journal._states

        assert len(states._entries) <= EMPTY_STATES_MAX + 2
        assert not states.missing("tally/1")


# Bytes


def entry_of(number: int, size: int) -> StreamEntry:
    entry = StreamEntry(f"tally/{number}", Tally(), 1, NOON)
    entry.size = size
    return entry


def test_states_are_bounded_by_their_bytes() -> None:
    states = States(10_000, new_limit, bytes_max=100_000)
    for number in range(100):
        states.put(entry_of(number, 10_000))
        states.trim()

        assert states._bytes <= 100_000
    assert not states.missing("tally/99")


def test_what_states_hold_is_what_is_counted() -> None:
    states = States(50, new_limit, bytes_max=40_000)
    for number in range(200):
        states.put(entry_of(number % 70, 100 * (number % 13)))
        if number % 3 == 0:
            states.forget([entry_of(number % 70, 0)])
        if (entry := states.get(f"tally/{number % 41}")) is not None:
            states.resize(entry, 10 * number)
        states.trim()

        assert states._bytes == sum(entry.size for entry in states._entries.values())


async def test_how_many_bytes_states_may_have_is_a_setting() -> None:
    settings = Settings(states_bytes_max=5_000)
    async with open_journal(memory_store(), settings) as journal:
        for number in range(50):
            await journal.execute(add(f"tally/{number}", 1))

        assert journal._states._bytes <= 5_000
        assert await journal.execute(total("tally/0")) == 1


async def test_a_large_state_is_measured_when_it_is_loaded() -> None:
    store = memory_store()
    async with open_journal(store) as journal:
        for _ in range(20):
            await journal.execute(add("tally/1", 1, text="x" * 4_000))
    async with open_journal(store) as journal:
        await journal.execute(total("tally/1"))

        # Of 80,000 bytes of events it keeps a number.
        assert journal._states._bytes < 2_000


# Keys and limits


async def test_keys_evict_no_states() -> None:
    async with open_journal(memory_store(), Settings(states_max=10)) as journal:
        for number in range(5):
            await journal.execute(add(f"tally/{number}", 1))
        for number in range(USED_KEYS_MAX + 100):
            await journal.execute(add("tally/1", 1, key=f"key {number}"))
        states = journal._states

        assert [states.missing(f"tally/{number}") for number in range(5)] == [False] * 5
        assert len(states._used) <= USED_KEYS_MAX + 1


def test_a_used_key_is_found_among_the_keys() -> None:
    states = States(10, new_limit)
    states.put(IdempotencyRecord(("ann", "key", "")))

    assert not states.missing(("ann", "key", ""))
    assert states.get(("ann", "key", "")) is not None


def test_rate_limits_are_bounded_though_none_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_module, "LIMITS_MAX", 100)
    states = States(10, new_limit)
    for user in range(1_000):
        states.charge("numbers", str(user))

        assert len(states.limits._limits) <= 100
    # The newest are not forgotten.
    for _ in range(2):
        states.charge("numbers", "999")
    with pytest.raises(RateLimited):
        states.charge("numbers", "999")
    assert LIMITS_MAX == 100_000


def test_traffic_is_counted_of_so_many_streams() -> None:
    measures = Measures()
    streams = [f"room/{number}" for number in range(STREAMS_MAX + 10)]
    records = [Record(stream, 1, "added", "ann", None, b"") for stream in [*streams, streams[7]]]
    measures.committed(1, records, 0.0, 0.0)

    assert len(measures._streams) <= STREAMS_MAX
    assert measures.busiest("room", 1, 0.0) == [("room/7", 2)]


def test_users_who_may_come_back_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_module, "LOST_MAX", 100)
    told: list[str] = []
    presence = Presence(3.0, lambda: 0.0, lambda user, status: told.append(f"{user} {status}"))
    for number in range(1_000):
        presence.connect(str(number), number)
        presence.disconnect(str(number), number, lost=True)
    for _ in range(1_000):
        presence.connect("back and forth", 1)
        presence.disconnect("back and forth", 1, lost=True)

    assert len(presence._to_forget) <= 100
    assert len(presence._lost) <= 100
    assert len(presence._sessions) <= 100
    assert "0 offline" in told
