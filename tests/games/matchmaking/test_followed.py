from __future__ import annotations

import pytest

from hubbub.games.events import Matched, SearchBegan, SearchCancelled
from hubbub.games.matchmaking.followed import FollowedQueue
from hubbub.games.matchmaking.pool import Widening
from hubbub.games.matchmaking.queue import QueueState
from hubbub.journal.event import Data, Event
from hubbub.journal.link import Linked
from tests.journal.tally import NOON

NOW = NOON.timestamp()


class Followed:
    """A queue for two, where only equal ratings play, and its events."""

    def __init__(self) -> None:
        self.queue = FollowedQueue(2, Widening(0, 0), QueueState())
        self.seq = 0

    def tell(self, *data: Data) -> None:
        for one in data:
            self.seq += 1
            self.queue.apply(Event("queue/duel", self.seq, NOON, "ann", None, one))

    def join(self, *users: str) -> None:
        self.tell(*(SearchBegan(user, "k", 1500, "one") for user in users))

    def take(self, groups_max: int = 9) -> list[str]:
        groups = self.queue.take(NOW, groups_max)
        return ["".join(ticket.user for ticket in group) for group in groups]


@pytest.fixture
def followed() -> Followed:
    return Followed()


def test_groups_are_taken_once_and_a_few_at_a_time(followed: Followed) -> None:
    assert followed.queue.next() is None
    followed.join(*"abcdefg")

    assert followed.queue.next() == NOW
    assert followed.take(2) == ["ab", "cd"]
    assert followed.take() == ["ef"]
    assert followed.take() == []
    assert set(followed.queue.tickets) == set("abcdefg")


def test_those_who_still_wait_are_put_back(followed: Followed) -> None:
    followed.join(*"abcd")
    taken = [ticket for group in followed.queue.take(NOW, 9) for ticket in group]
    followed.tell(Matched("match/1", ["a", "b"]))
    followed.queue.put_back(taken)

    assert followed.take() == ["cd"]


def test_those_who_leave_are_in_no_group(followed: Followed) -> None:
    followed.join(*"abc")
    followed.tell(SearchCancelled("a"), SearchCancelled("stranger"))

    assert followed.take() == ["bc"]


def test_who_continues_at_another_node_is_there_once(followed: Followed) -> None:
    followed.join("a")
    followed.tell(SearchBegan("a", "k", 1500, "two"))

    assert followed.take() == []
    followed.join("b")
    assert [[one.node for one in group] for group in followed.queue.take(NOW, 9)] == [
        ["two", "one"]
    ]


def test_what_is_not_of_a_queue_is_a_mistake(followed: Followed) -> None:
    with pytest.raises(AssertionError, match="not a queue's event"):
        followed.tell(Linked("match/1"))
