"""Every decision about a match, drawn for test_folds.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from hubbub.games.boards.commands import Maker
from hubbub.games.matches import commands as decisions
from hubbub.games.matches.claims import claim_match
from hubbub.games.matches.commands import NewMatch, Starter
from hubbub.games.matches.match import MatchState
from hubbub.games.matches.rules import AnyRules, BestOf, Custom, FirstTo, Rounds, Timed
from hubbub.games.matches.terms import MatchTerms
from hubbub.journal.decide.states import States
from hubbub.journal.event import Draft, Event
from tests.games.board_kit import NOON
from tests.games.match_kit import TERMS, hall_with
from tests.properties.board_streams import Decide

__all__ = ["decide_match", "rules"]

PLAYERS = ["ann", "bob", "cid"]
SECONDS_PER_EVENT = 5
MORE = ["look", "look", "resign", "hear", "tell", "tell player", "finish", "cancel", "claim"]

players = st.sampled_from(PLAYERS)
points = st.integers(0, 9)
rules: st.SearchStrategy[AnyRules] = st.one_of(
    st.builds(FirstTo, st.integers(1, 30)),
    st.builds(BestOf, st.integers(1, 9)),
    st.builds(Rounds, st.integers(1, 4)),
    st.builds(Timed, st.sampled_from([20.0, 60.0])),
    st.just(Custom("golf", {"holes": 4})),
)


def decide_match(stream: str) -> st.SearchStrategy[tuple[str, Decide]]:
    """Draw who does what in a match, and who is connected; the first to come starts it."""

    def decision(
        what: str, made: AnyRules, by: str, amount: int, online: frozenset[str]
    ) -> tuple[str, Decide]:
        def decide(match: MatchState, events: Sequence[Event]) -> Iterable[Draft]:
            states = hall_with(
                stream, match, NOON + timedelta(seconds=SECONDS_PER_EVENT * len(events))
            )
            terms = MatchTerms(TERMS.games, online.__contains__, TERMS.grace, TERMS.win_points)
            if match.started_at is None:
                # Over a network it begins if all are connected; else the application starts it.
                starter = Starter(Maker(by, 9, 9, 60.0), 9) if len(online) == len(PLAYERS) else None
                wanted = NewMatch(PLAYERS, made, "main", starter=starter)
                return decisions.start(states, stream, wanted, terms)
            return _asked(what, states, stream, by, amount, terms)

        return by, decide

    what = st.sampled_from(["score"] * 5 + MORE)
    online = st.frozensets(players)
    return st.builds(decision, what, rules, players, points, online)


def _asked(
    what: str, states: States, stream: str, by: str, amount: int, terms: MatchTerms
) -> Iterable[Draft]:
    match what:
        case "score":
            return decisions.score(states, stream, by, by, amount, terms)
        case "look":
            return decisions.look_at_match(states, stream, terms, opening=amount == 0)
        case "resign":
            return decisions.resign(states, stream=stream, by=by, terms=terms)
        case "hear":
            return decisions.hear(states, stream, by)
        case "tell":
            body: dict[str, Any] = {"move": amount}
            return decisions.tell(states, stream, body)
        case "tell player":
            return decisions.tell_player(states, stream, by, {"hand": amount})
        case "claim":
            return claim_match(states, stream, f"node {amount}", lambda node: True)
        case "finish":
            return decisions.finish(states, stream, by, terms) if amount == 2 else ()
    return decisions.cancel(states, stream, "rain") if amount == 1 else ()
