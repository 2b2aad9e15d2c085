from __future__ import annotations

import pytest

from hubbub.errors import NotMember
from hubbub.wire.follower import BUFFER_BYTES_MAX, BUFFER_EVENTS_MAX, RemoteFollower


class Still:
    """A source that only records its calls."""

    stream = "room/1"

    def __init__(self) -> None:
        self.told: list[str] = []

    def catch_up(self, follower: RemoteFollower) -> None:
        self.told.append("catch up")

    def leave(self, follower: RemoteFollower) -> None:
        self.told.append("leave")


class Woken(RemoteFollower):
    """A follower that counts how often it was woken."""

    def __init__(self, after: int | None = 0) -> None:
        self.times = 0
        self.still = Still()
        super().__init__(self.still, after, self.count)

    def count(self) -> None:
        self.times += 1


def test_what_was_put_is_taken_in_order() -> None:
    follower = Woken(after=7)
    follower.put(8, b"8")
    follower.put(9, b"9")

    assert [follower.take() for _ in range(3)] == [b"8", b"9", None]
    assert follower.last == 9
    assert follower.times == 2
    assert follower.stream == "room/1"


def test_the_end_comes_after_what_is_there() -> None:
    follower = Woken()
    follower.put(1, b"1")
    follower.fail(NotMember("You were kicked."))

    assert follower.take() == b"1"
    for _ in range(2):
        with pytest.raises(NotMember, match="kicked"):
            follower.take()


def test_one_that_is_full_is_behind_until_there_is_room_for_a_page() -> None:
    follower = Woken()
    for seq in range(1, BUFFER_EVENTS_MAX + 1):
        assert not follower.behind
        follower.put(seq, b"{}")

    assert follower.full
    assert follower.behind
    assert not follower.has_room
    for _ in range(BUFFER_EVENTS_MAX // 2):
        follower.take()
    assert follower.has_room
    assert follower.still.told == ["catch up"] * (BUFFER_EVENTS_MAX // 2)


def test_large_events_fill_it_sooner() -> None:
    follower = Woken()
    follower.put(1, b"x" * BUFFER_BYTES_MAX)

    assert follower.full
    assert follower.behind


def test_one_that_keeps_up_asks_for_nothing() -> None:
    follower = Woken()
    follower.put(1, b"1")
    follower.take()
    follower.leave()

    assert follower.still.told == ["leave"]
