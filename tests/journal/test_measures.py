"""The measurements of the journal."""

from __future__ import annotations

from hubbub.chat.events import Joined, Said
from hubbub.journal.event import Data, tag_of
from hubbub.journal.measures import RECENT_MAX, TRAFFIC_SECONDS, Measures
from hubbub.journal.stores.contract import Record


def records(stream: str, *data: Data) -> list[Record]:
    tags = [tag_of(type(one)) for one in data]
    return [Record(stream, seq, tag, "ann", None, b"") for seq, tag in enumerate(tags, 1)]


def test_events_are_counted_by_type() -> None:
    measures = Measures()
    measures.committed(2, records("room/1", Joined(), Said("a"), Said("b")), 0.001, 0.0)

    assert measures.events == {"joined": 1, "message": 2}
    assert measures.batches == 1


def test_a_commit_is_in_the_first_bucket_that_holds_it() -> None:
    measures = Measures()
    for seconds in (0.0001, 0.001, 0.0011, 60.0):
        measures.committed(1, (), seconds, 0.0)

    assert measures.commit_buckets[:3] == [1, 1, 1]
    assert measures.commit_buckets[-1] == 1
    assert measures.commit_seconds == 60.0022


def test_the_newest_batches_are_kept() -> None:
    measures = Measures()
    for number in range(RECENT_MAX + 1):
        measures.committed(number, (), 0.0, 0.0)

    assert len(measures.recent) == RECENT_MAX
    assert measures.recent[0].calls == 1


def test_the_busiest_of_a_kind_come_first() -> None:
    measures = Measures()
    measures.committed(1, records("room/1", Joined()), 0.0, 0.0)
    measures.committed(1, records("room/2", Joined(), Said("a")), 0.0, 0.0)
    measures.committed(1, records("user/ann", Joined(), Said("a"), Said("b")), 0.0, 0.0)

    assert measures.busiest("room", 5, 0.0) == [("room/2", 2), ("room/1", 1)]
    assert measures.busiest("room", 1, 0.0) == [("room/2", 2)]


def test_traffic_is_forgotten_half_by_half() -> None:
    measures, half = Measures(), TRAFFIC_SECONDS / 2
    measures.committed(1, records("room/1", Joined()), 0.0, 0.0)
    measures.committed(1, records("room/2", Joined()), 0.0, half)
    both = measures.busiest("room", 5, half)
    later = measures.busiest("room", 5, 2 * half)
    measures.committed(1, records("room/3", Joined()), 0.0, 2 * half)
    much_later = measures.busiest("room", 5, 5 * half)

    assert (len(both), later, much_later) == (2, [("room/2", 1)], [])
