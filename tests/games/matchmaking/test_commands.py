from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from hubbub.errors import Conflict, Overloaded
from hubbub.games.events import Matched, SearchBegan, SearchCancelled, Started
from hubbub.games.matches.game import Game
from hubbub.games.matches.match import Match
from hubbub.games.matches.terms import MatchTerms
from hubbub.games.matchmaking import commands as decisions
from hubbub.games.matchmaking.commands import MatchSearch, QueueTerms, widening_of
from hubbub.games.matchmaking.pool import Pool, Widening
from hubbub.games.matchmaking.queue import QueueState
from hubbub.journal.decide.cache_entries import NotLoaded
from hubbub.journal.decide.states import States
from hubbub.journal.event import Data, Draft, Event
from hubbub.journal.schedule import HUB
from tests.games.board_kit import NOON, Desk
from tests.games.match_kit import GRACE, STREAM, Hall

GAMES = {"duel": Game(), "trio": Game(size=3)}
# 100 points at first, and 10 more for each second.
WIDENING = Widening(100, 10)


class Queues(Hall):
    """The queues of a hub, as two nodes see them."""

    def __init__(self, searches_max: int = 10) -> None:
        super().__init__()
        self.live = {"one", "two"}
        self.searches_max = searches_max

    def terms_at(self, node: str = "one") -> QueueTerms:
        online, live = self.online.__contains__, self.live.__contains__
        matches = MatchTerms(GAMES, online, GRACE, 10, node=node)
        return QueueTerms(matches, WIDENING, self.searches_max, live)

    def search(
        self,
        user: str,
        rating: float = 1500,
        *,
        queue: str = "duel",
        key: str = "key",
        node: str = "one",
        stream: str = STREAM,
        begun_max: int | None = None,
        resumes: bool = False,
    ) -> list[Data]:
        wanted = MatchSearch(queue, user, key, stream, rating, begun_max, resumes)
        return self.do(
            lambda states: decisions.search(states, wanted, self.terms_at(node)), by=user
        )

    def result(self, user: str, key: str = "key") -> Match | None:
        wanted = MatchSearch("duel", user, key, "")
        return self.ask(lambda states: decisions.search_result(states, (), wanted=wanted))

    def cancel(self, user: str, *, key: str = "key", node: str = "one") -> list[Data]:
        wanted = MatchSearch("duel", user, key, "")
        return self.do(lambda states: decisions.cancel_search(states, wanted, node))

    def cancel_lost(self) -> list[Data]:
        return self.do(
            lambda states: decisions.cancel_lost(states, "duel", self.terms_at().is_live)
        )

    def pair(self) -> list[Data]:
        """Start the match of the group that plays by now, if there is one."""

        def decide(states: States) -> list[Draft]:
            at = self.terms_at()
            tickets = states.of(QueueState, "queue/duel").tickets.values()
            group = Pool(2, widening_of("duel", at), tickets).group(states.now.timestamp())
            groups = [] if group is None else [("match/2", group)]
            return decisions.pair(states, "duel", groups, at)

        return self.do(decide, by=HUB)

    def waiting(self, queue: str = "duel") -> list[str]:
        return list(self.ask(lambda states: states.of(QueueState, f"queue/{queue}")).tickets)


@pytest.fixture
def queues() -> Queues:
    return Queues()


def types(happened: Sequence[Data]) -> list[type[Data]]:
    return [type(data) for data in happened]


def test_a_user_without_an_opponent_waits(queues: Queues) -> None:
    assert queues.search("ann") == [SearchBegan("ann", "key", 1500, "one")]
    assert queues.waiting() == ["ann"]
    assert queues.result("ann") is None


def test_two_find_each_other_in_one_transaction(queues: Queues) -> None:
    queues.search("bob", node="two")
    happened = queues.search("ann", key="other")

    assert types(happened)[:3] == [SearchBegan, Matched, Started]
    assert queues.waiting() == []
    match = queues.match()
    # The player who waited first is named first, and the hub has started it.
    assert (match.players, match.by, match.keys) == (
        ["bob", "ann"], HUB, {"bob": "key", "ann": "other"},
    )  # fmt: skip
    for user, key in match.keys.items():
        found = queues.result(user, key)
        assert found is not None
        assert found.stream == STREAM
    assert queues.search("ann", key="other") == []


def test_users_with_ratings_far_apart_play_once_they_have_waited(queues: Queues) -> None:
    queues.search("ann")
    queues.search("bob", 1700)
    assert queues.pair() == []
    queues.pass_by(9.99)
    assert queues.pair() == []
    queues.pass_by(0.01)

    assert types(queues.pair())[:2] == [Matched, Started]
    assert queues.waiting() == []


def test_the_same_key_continues_a_search_wherever_it_comes(queues: Queues) -> None:
    queues.search("ann")

    assert queues.search("ann", 9999) == []
    assert queues.search("ann", node="two") == [SearchBegan("ann", "key", 1500, "two")]


@pytest.mark.parametrize(("queue", "key"), [("duel", "other"), ("trio", "key")])
def test_a_user_searches_once_at_a_time(queues: Queues, queue: str, key: str) -> None:
    queues.search("ann")

    with pytest.raises(Conflict, match="already searching"):
        queues.search("ann", queue=queue, key=key)


def test_a_search_of_a_node_that_is_gone_does_not_count(queues: Queues) -> None:
    queues.search("ann", node="two")
    queues.live.discard("two")

    assert types(queues.search("bob")) == [SearchBegan]
    assert types(queues.search("ann", queue="trio")) == [SearchCancelled, SearchBegan]
    assert (queues.waiting(), queues.waiting("trio")) == (["bob"], ["ann"])


def test_what_waited_at_a_node_that_is_gone_is_cancelled(queues: Queues) -> None:
    queues.search("ann", node="two")
    queues.search("bob", 1700)
    assert queues.cancel_lost() == []
    queues.live.discard("two")
    queues.pass_by(100)

    assert queues.pair() == []
    assert queues.cancel_lost() == [SearchCancelled("ann")]
    assert queues.waiting() == ["bob"]


def test_a_search_is_cancelled_where_it_waits(queues: Queues) -> None:
    queues.search("ann")
    queues.search("ann", node="two")

    # The node that the client has left hears of it later.
    assert queues.cancel("ann") == []
    assert queues.cancel("ann", key="other", node="two") == []
    assert queues.cancel("ann", node="two") == [SearchCancelled("ann")]
    assert queues.cancel("ann", node="two") == []


def test_so_many_search_at_a_time() -> None:
    queues = Queues(searches_max=2)
    queues.search("ann", queue="trio")
    queues.search("bob")
    with pytest.raises(Overloaded):
        queues.search("cid", 9999)
    queues.cancel("bob")
    queues.search("cid", 9999)

    assert (queues.waiting(), queues.waiting("trio")) == (["cid"], ["ann"])


def test_who_has_too_many_matches_searches_for_no_other(queues: Queues) -> None:
    queues.search("ann")
    queues.search("bob")

    with pytest.raises(Conflict, match="1 running matches"):
        queues.search("ann", key="more", begun_max=1)


def test_a_search_that_is_cancelled_needs_no_matches_in_memory(queues: Queues) -> None:
    wanted = MatchSearch("duel", "ann", "key", "")
    cancelled = Event("queue/duel", 2, NOON, "ann", None, SearchCancelled("ann"))
    # Whatever is looked at would raise NotLoaded.
    empty = Desk().states

    assert decisions.search_result(empty, [cancelled], wanted=wanted) is None
    with pytest.raises(NotLoaded):
        decisions.search_result(empty, [], wanted=wanted)


def test_a_cancellation_reads_all_that_its_result_reads(queues: Queues) -> None:
    queues.search("ann")
    queues.search("bob")
    queues.search("ann", key="new", stream="match/2")
    # The match that ann has found before is no longer in memory.
    queues.states._drop(STREAM)

    assert queues.cancel("ann", key="new") == [SearchCancelled("ann")]
    wanted = MatchSearch("duel", "ann", "new", "")
    assert decisions.search_result(queues.states, (), wanted=wanted) is None


def test_a_search_resumes_a_running_match_that_its_player_has_not_left(queues: Queues) -> None:
    queues.search("bob")
    queues.search("ann")

    assert queues.search("ann", key="new", resumes=True) == []
    # It is no reason to count the user's matches.
    assert queues.search("ann", key="new", resumes=True, begun_max=1) == []
    assert types(queues.search("ann", key="new", queue="trio", resumes=True)) == [SearchBegan]


def test_a_search_is_cancelled_beside_a_running_match_of_its_game(queues: Queues) -> None:
    queues.search("bob")
    queues.search("ann")
    queues.search("ann", key="new")
    wanted = MatchSearch("duel", "ann", "new", "", resumes=True)

    assert queues.do(lambda states: decisions.cancel_search(states, wanted, "one")) == [
        SearchCancelled("ann")
    ]


def test_a_group_whose_player_has_left_starts_no_match_and_stops_no_other(queues: Queues) -> None:
    queues.search("ann", 1000)
    queues.search("bob", 1150)
    queues.pass_by(5)

    def decide(states: States) -> list[Draft]:
        tickets = states.of(QueueState, "queue/duel").tickets
        ann, bob = tickets["ann"], tickets["bob"]
        groups = [
            # Ann has another place in the queue by now.
            ("match/1", [msgspec.structs.replace(ann, number=99), bob]),
            ("match/2", [ann, bob]),
        ]
        return decisions.pair(states, "duel", groups, queues.terms_at())

    happened = queues.do(decide, by=HUB)

    assert [one.to for one in happened if isinstance(one, Matched)] == ["match/2"]
    assert queues.waiting() == []


def test_a_group_that_a_clock_ahead_has_found_waits(queues: Queues) -> None:
    queues.search("ann", 1500)
    queues.search("bob", 1650)

    def decide(states: States) -> list[Draft]:
        tickets = states.of(QueueState, "queue/duel").tickets
        return decisions.pair(
            states, "duel", [("match/1", list(tickets.values()))], queues.terms_at()
        )

    assert queues.do(decide, by=HUB) == []
    queues.pass_by(5)
    assert types(queues.do(decide, by=HUB))[0] is Matched


def test_a_search_costs_the_same_however_many_search() -> None:
    queues = Queues(searches_max=1_000)
    for number in range(200):
        queues.search(f"user {number}", 1000 + 1_000 * number)
    looked = 0
    live = queues.live

    class Counted(set[str]):
        def __contains__(self, node: object) -> bool:
            nonlocal looked
            looked += 1
            return node in live

    queues.live = Counted()

    assert types(queues.search("ann", 100_500, queue="duel")) == [SearchBegan]
    # The nearest player on each side, and no other.
    assert looked == 2
