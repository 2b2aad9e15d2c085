from __future__ import annotations

import pytest

from hubbub.games.events import MatchClaimed, Started
from hubbub.games.matches.claims import ClaimLost, check_claim, claim_match
from hubbub.games.matches.game import Game, Handler
from hubbub.games.matches.terms import MatchTerms
from hubbub.journal.event import Data
from hubbub.journal.schedule import HUB, Scheduled
from tests.games.match_kit import GRACE, STREAM, Hall

GAMES = {"run": Game(handler=Handler), "default": Game()}


class Nodes(Hall):
    """Matches that this node, ``one``, starts."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[str] = {""}
        self.terms = MatchTerms(GAMES, self.online.__contains__, GRACE, 10, node="one")

    def claim(self, node: str) -> list[Data]:
        def decide(states: object) -> object:
            return claim_match(states, STREAM, node, self.gone.__contains__)  # type: ignore[arg-type]

        return self.do(decide, by=HUB)  # type: ignore[arg-type]

    def check(self, claim: int) -> None:
        self.ask(lambda states: check_claim(states, STREAM, claim))


@pytest.fixture
def nodes() -> Nodes:
    return Nodes()


def test_the_node_that_starts_a_match_claims_it_in_the_same_event(nodes: Nodes) -> None:
    [started, *_] = nodes.start(game="run")

    assert isinstance(started, Started)
    assert started.node == "one"
    assert (nodes.match().node, nodes.match().claim) == ("one", 1)
    nodes.check(1)


def test_nobody_claims_a_match_that_no_game_runs(nodes: Nodes) -> None:
    nodes.start(game="default")

    assert (nodes.match().node, nodes.match().claim) == ("", 0)


def test_a_match_is_claimed_when_its_node_is_gone_and_not_before(nodes: Nodes) -> None:
    nodes.start(game="run")
    assert nodes.claim("two") == []
    nodes.gone.add("one")

    # In the schedule, which the node that was taken for dead follows as well.
    assert nodes.claim("two") == [MatchClaimed("two"), Scheduled(STREAM, nodes.due()[STREAM])]
    assert nodes.match().claim == 2
    assert nodes.claim("two") == nodes.claim("three") == []


def test_the_claim_before_counts_no_more(nodes: Nodes) -> None:
    nodes.start(game="run")
    nodes.gone.add("one")
    nodes.claim("two")
    nodes.gone = {"two"}
    nodes.claim("one")

    for old in (1, 2):
        with pytest.raises(ClaimLost):
            nodes.check(old)
    nodes.check(3)


def test_a_match_that_is_over_is_not_claimed(nodes: Nodes) -> None:
    nodes.start(game="run")
    nodes.resign("ann")
    nodes.gone.add("one")

    assert nodes.claim("two") == []
