"""The checks of the feed."""

from __future__ import annotations

from typing import Any

from hubbub.simulator.feed_reader import FeedReader
from hubbub.simulator.workload import Evidence

ORDER: list[dict[str, Any]] = [
    {"stream": "room/a", "seq": 1},
    {"stream": "room/b", "seq": 1},
    {"stream": "room/a", "seq": 2},
]
EVIDENCE = Evidence({}, ORDER, ())


def reader(*seen: tuple[str, int]) -> FeedReader:
    one = FeedReader()
    one.seen = list(seen)
    return one


def test_all_events_in_their_order_pass() -> None:
    one = reader(("room/a", 1), ("room/b", 1), ("room/a", 2))

    assert [*one.missing(EVIDENCE), *one.broken(EVIDENCE)] == []


def test_a_reader_that_is_behind_is_missing_something() -> None:
    assert list(reader(("room/a", 1)).missing(EVIDENCE)) == ["The feed gave 1 of 3 events."]


def test_another_order_is_named() -> None:
    (line,) = reader(("room/b", 1), ("room/a", 1)).broken(EVIDENCE)
    assert line.startswith("Event 1 of the feed")


def test_an_event_that_was_not_committed_is_named() -> None:
    seen = [("room/a", 1), ("room/b", 1), ("room/a", 2), ("room/a", 3)]

    (line,) = reader(*seen).broken(EVIDENCE)
    assert line == "The feed gave ('room/a', 3), which was not committed."
