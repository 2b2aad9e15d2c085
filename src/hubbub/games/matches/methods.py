"""The methods of matches; :class:`hubbub.games.service.Games` documents them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from ...errors import Invalid
from ...journal.actor import Actor
from ...journal.command import Command, Verdict, check_key, nothing
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...journal.schedule import HUB
from ...json_values import check_object
from ...service import check_limit
from ...shown import shown
from ..boards.commands import check_board_name
from ..boards.methods import maker_of
from . import commands as decisions
from .commands import NewMatch, Starter
from .listing import list_matches
from .match import Match, MatchState, MatchStatus, match_of, match_stream
from .rules import AnyRules, Custom, FirstTo
from .runner import GAME_BODY_BYTES_MAX
from .supervisor import MatchSupervisor

__all__ = ["FIND_SECONDS_MAX", "OPTIONS_BYTES_MAX", "MatchMethods"]

# The longest search for a match, in seconds.
FIND_SECONDS_MAX = 600.0
# The options of custom rules, in bytes of JSON.
OPTIONS_BYTES_MAX = 4_096


class MatchMethods:
    """
    The methods of a session that are about matches.

    Args:
        actor: the user of the session.
        supervisor: the matches of the hub.
    """

    __slots__ = ("_actor", "_by", "_supervisor")

    def __init__(self, actor: Actor, supervisor: MatchSupervisor) -> None:
        self._actor = actor
        self._by = actor.user
        self._supervisor = supervisor

    def start(  # noqa: PLR0913
        self,
        players: list[str],
        rules: AnyRules | None,
        board: str | None,
        referee: str | None,
        private: bool,
        game: str | None,
        key: str | None,
    ) -> Command[Match]:
        """Start a match."""
        stream, terms = match_stream(self._actor.ids.new()), self._supervisor.terms
        # Copy the list, which the caller may change during the match.
        players = list(players) if isinstance(players, list) else players
        played = self._supervisor.games.get(game) if isinstance(game, str) else None
        wanted = NewMatch(
            players,
            rules or (played.rules if played else FirstTo()),
            board or (played.board if played else "main"),
            HUB if played and played.handler else referee,
            private,
            game,
            starter=self._starter(),
        )
        chars_max = self._actor.settings.name_chars_max

        def decide(states: States) -> Sequence[Draft]:
            checked = check_board_name(wanted.board, chars_max)
            rules = _own(wanted.rules)
            named = msgspec.structs.replace(wanted, board=checked, rules=rules)
            return decisions.start(states, stream, named, terms)

        def result(states: States, events: Sequence[Event]) -> Match:
            made = events[0].stream
            return match_of(made, states.of(MatchState, made))

        arguments = ("start_match", players, rules, board, referee, private, game)
        return Command(self._by, decide, result, key=key, arguments=arguments, creates=(stream,))

    def add_score(
        self, match_id: str, points: int, player: str | None, key: str | None
    ) -> Command[Match]:
        """Give points to a player."""
        by, stream, terms = self._by, match_stream(match_id), self._supervisor.terms
        who = by if player is None else player

        def decide(states: States) -> Sequence[Draft]:
            return decisions.score(states, stream, by, who, points, terms)

        return self._command(stream, decide, key, ("add_score", match_id, points, player))

    def resign(self, match_id: str) -> Command[Match]:
        """Resign from a match."""
        stream = match_stream(match_id)
        decide = partial(decisions.resign, stream=stream, by=self._by, terms=self._supervisor.terms)
        return self._command(stream, decide)

    def match(self, match_id: str) -> Command[Match]:
        """Return a match."""
        by, stream = self._by, match_stream(match_id)

        def result(states: States, events: Sequence[Event]) -> Match:
            state = states.of(MatchState, stream)
            state.check_reader(stream, by)
            return match_of(stream, state)

        return Command(by, nothing, result, reads=(stream,))

    async def matches(self, status: MatchStatus | None, limit: int) -> list[Match]:
        """List matches."""
        check_limit(limit, self._actor.settings.page_max)
        return await list_matches(self._actor, status, limit)

    def message(self, match_id: str, body: dict[str, Any], key: str | None) -> Command[None]:
        """Send a message to the game that runs a match."""
        by, stream, verdict = self._by, match_stream(match_id), Verdict()
        if key is not None:
            check_key(key, self._actor.settings.key_chars_max)

        def decide(states: States) -> Sequence[Draft]:
            nonlocal body
            match = states.of(MatchState, stream)
            match.check_player(by)
            body = check_object(body, GAME_BODY_BYTES_MAX, "message")
            match.check_playing(by)
            return ()

        def result(states: States, events: Sequence[Event]) -> None:
            return None

        def effect(_: None) -> None:
            # In the order in which the session has sent the messages.
            self._supervisor.running.put(stream, by, body, verdict, key)

        # A command's key is stored with its events, and this one has none.
        return Command(by, decide, result, reads=(stream,), verdict=verdict, effect=effect)

    async def find(self, queue: str, seconds: float, key: str | None) -> Match:
        """Wait for opponents, and start a match with them."""
        self._actor.journal.check_home()
        if not isinstance(queue, str) or queue not in self._supervisor.games:
            raise Invalid(
                f"There is no queue {shown(queue)}; use one of {', '.join(self._supervisor.games)}."
            )
        if type(seconds) not in (int, float) or not 0 < seconds <= FIND_SECONDS_MAX:
            most = f"{FIND_SECONDS_MAX:.0f}"
            raise Invalid(f"timeout must be above 0 and at most {most} s, not {shown(seconds)}.")
        if key is None:
            key = self._actor.ids.new()
        check_key(key, self._actor.settings.key_chars_max)
        limited, settings = self._actor.is_limited, self._actor.settings
        begun_max = settings.matches_begun_max if limited else None
        find, resumes = self._supervisor.matchmaker.find, self._supervisor.games[queue].resumes
        return await find(queue, self._by, None, key, seconds, begun_max, resumes=resumes)

    def _starter(self) -> Starter | None:
        maker = maker_of(self._actor)
        begun_max = self._actor.settings.matches_begun_max
        return None if maker is None else Starter(maker, begun_max)

    def _command(
        self,
        stream: str,
        decide: Callable[[States], Sequence[Draft]],
        key: str | None = None,
        arguments: object = None,
    ) -> Command[Match]:
        def result(states: States, events: Sequence[Event]) -> Match:
            return match_of(stream, states.of(MatchState, stream))

        return Command(self._by, decide, result, reads=(stream,), key=key, arguments=arguments)


def _own(rules: AnyRules) -> AnyRules:
    """Return a copy of the rules that shares nothing with them."""
    if not isinstance(rules, Custom):
        return rules
    options = check_object(rules.options, OPTIONS_BYTES_MAX, "options")
    return Custom(rules.game, options)
