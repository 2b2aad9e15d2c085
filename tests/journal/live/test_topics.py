from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.journal.event import Event
from hubbub.journal.live import topics as module
from hubbub.journal.live.topic import BATCHES_BYTES_MAX, Follower
from hubbub.journal.live.topics import TOPICS_IDLE_MAX, Topics
from hubbub.journal.stores.contract import Record
from tests.journal.tally import NOON, STREAMS, Added, Barred


def as_array(bodies: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(bodies) + b"]"


def publish(topics: Topics, stream: str, first: int, *sizes: int) -> None:
    events = [Event(stream, first + n, NOON, "ann", None, Added(1)) for n in range(len(sizes))]
    records = [
        Record(e.stream, e.seq, "added", "ann", None, b"x" * size)
        for e, size in zip(events, sizes, strict=True)
    ]
    topics.publish(events, records, STREAMS)


def follow(topics: Topics, stream: str, head: int = 0) -> Follower:
    follower = Follower("ann", head)
    topics.attach(stream, follower, head)
    return follower


def held(topics: Topics) -> int:
    return sum(topic._tail_bytes + topic._batches_bytes for topic in topics.values())


def test_what_nobody_follows_is_not_kept() -> None:
    topics = Topics()
    publish(topics, "tally/1", 1, 10)

    assert not topics
    assert topics.bytes_held == 0


def test_topics_that_nobody_follows_are_few() -> None:
    topics = Topics()
    for number in range(3 * TOPICS_IDLE_MAX):
        topics.detach(f"tally/{number}", follow(topics, f"tally/{number}"))

    assert len(topics) == TOPICS_IDLE_MAX


def test_batches_go_when_nobody_follows() -> None:
    topics = Topics()
    follower = follow(topics, "tally/1")
    publish(topics, "tally/1", 1, 10, 10)
    topics["tally/1"].batch(0, as_array)
    topics.detach("tally/1", follower)

    assert not topics["tally/1"]._batches
    assert topics.bytes_held == 20


def test_batches_of_every_place_have_a_limit() -> None:
    topics = Topics()
    follow(topics, "tally/1")
    publish(topics, "tally/1", 1, *[4_000] * 480)
    topic = topics["tally/1"]
    for after in range(topic.base, topic.head):
        topic.batch(after, as_array)

        assert topic._batches_bytes <= BATCHES_BYTES_MAX + 260 * 4_001


def test_all_topics_together_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOPICS_BYTES_MAX", 10_000)
    topics = Topics()
    followers = {f"tally/{n}": follow(topics, f"tally/{n}") for n in range(20)}
    for stream in followers:
        publish(topics, stream, 1, *[500] * 4)
        topics.trim()

        assert topics.bytes_held <= module.TOPICS_BYTES_MAX
    # No follower was ended: a follower that lacks something reads the store.
    assert len(topics) == 20
    assert topics["tally/0"].base == topics["tally/0"].head == 4


def test_a_gap_is_left_to_the_store() -> None:
    topics = Topics()
    follow(topics, "tally/1")
    publish(topics, "tally/1", 1, 10)
    publish(topics, "tally/1", 4, 10, 10)

    assert (topics["tally/1"].base, topics["tally/1"].head) == (3, 5)


def test_a_right_that_ends_ends_for_its_user_alone() -> None:
    topics = Topics()
    ann, bob = Follower("ann", 0), Follower("bob", 0)
    for follower in (ann, bob):
        topics.attach("tally/1", follower, 0)
    event = Event("tally/1", 1, NOON, "eve", None, Barred("bob"))
    topics.publish([event], [Record("tally/1", 1, "barred", "eve", None, b"{}")], STREAMS)

    assert (ann.until, bob.until) == (None, 1)


steps = st.lists(
    st.tuples(
        st.sampled_from(["follow", "leave", "publish", "batch", "backfill", "skip", "trim"]),
        st.integers(0, 2),
        st.integers(1, 400),
    ),
    max_size=60,
)


@given(steps)
def test_what_is_held_is_what_is_counted(steps: list[tuple[str, int, int]]) -> None:
    topics, heads = Topics(), [0, 0, 0]
    followers: list[list[Follower]] = [[], [], []]
    for what, number, size in steps:
        stream = f"tally/{number}"
        topic = topics.get(stream)
        if what == "follow":
            followers[number].append(follow(topics, stream, heads[number]))
        elif what == "leave" and followers[number]:
            topics.detach(stream, followers[number].pop())
        elif what in ("publish", "skip"):
            heads[number] += 2 if what == "skip" else 0
            publish(topics, stream, heads[number] + 1, *[size] * 3)
            heads[number] += 3
        elif what == "batch" and topic is not None and topic.base < topic.head:
            topic.batch(topic.base, as_array)
        elif what == "backfill" and topic is not None and topic.base:
            topic.backfill(topic.base - 1, [b"x" * size])
        elif what == "trim":
            topics.trim()

        assert topics.bytes_held == held(topics)
