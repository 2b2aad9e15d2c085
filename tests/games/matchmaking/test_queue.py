from __future__ import annotations

import pytest

from hubbub.errors import NotAllowed
from hubbub.games.events import Matched, SearchBegan, SearchCancelled
from hubbub.games.matchmaking.pool import Ticket
from hubbub.games.matchmaking.queue import QueueState, queue_stream
from hubbub.journal.event import Data, Event
from hubbub.journal.link import Linked
from hubbub.journal.schedule import HUB
from tests.features import STREAMS
from tests.journal.tally import NOON

SINCE = NOON.timestamp()


def fold(*data: Data) -> QueueState:
    queue = QueueState()
    for seq, one in enumerate(data, 1):
        queue.apply(Event("queue/duel", seq, NOON, "ann", None, one))
    return queue


def test_users_wait_from_when_they_search() -> None:
    queue = fold(SearchBegan("ann", "k", 1500, "one"), SearchBegan("bob", "k", 1600, "two"))

    assert queue.tickets == {
        "ann": Ticket("ann", 1500, SINCE, 1, "k", "one"),
        "bob": Ticket("bob", 1600, SINCE, 2, "k", "two"),
    }


def test_who_continues_at_another_node_keeps_their_place() -> None:
    queue = fold(
        SearchBegan("ann", "k", 1500, "one"),
        SearchBegan("bob", "k", 1500, "one"),
        SearchBegan("ann", "k", 9999, "two"),
    )

    assert queue.tickets["ann"] == Ticket("ann", 1500, SINCE, 1, "k", "two")


def test_who_is_matched_or_cancels_does_not_wait() -> None:
    began = [SearchBegan(user, "k", 1500, "one") for user in ("ann", "bob", "eve", "zoë")]
    queue = fold(*began, Matched("match/1", ["ann", "eve"]), SearchCancelled("zoë"))

    assert set(queue.tickets) == {"bob"}
    assert fold(SearchCancelled("ann"), Matched("match/1", ["ann", "bob"])).tickets == {}


def test_what_is_not_of_a_queue_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="not a queue's event"):
        fold(Linked("match/1"))


def test_a_queue_is_the_hubs_own() -> None:
    QueueState().check_reader("queue/duel", HUB)

    with pytest.raises(NotAllowed, match="Only the hub"):
        QueueState().check_reader("queue/duel", "ann")


@pytest.mark.parametrize(
    "game", ["duel", "a b", "a/b", "", "\n", "\ud800", "x" * 1_000, "\U0001f600"]
)
def test_a_game_of_any_name_has_a_queue_of_its_own(game: str) -> None:
    stream = queue_stream(game)

    assert STREAMS["queue"] is QueueState
    assert stream.startswith("queue/")
    assert stream != queue_stream(f"{game}!")
    if game == "duel":
        assert stream == "queue/duel"
