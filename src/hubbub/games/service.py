"""Games: what a session can do with matches and boards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from ..errors import Invalid
from ..journal.actor import Actor
from ..journal.command import Command, check_key, nothing
from ..journal.decide.states import States
from ..journal.event import Draft, Event
from ..journal.schedule import HUB
from ..service import check_limit, command, query, slow_command, slow_query
from ..shown import shown
from .boards import commands as submitting
from .boards.methods import Boards
from .matches import commands as play
from .matches.commands import Starter, Wanted
from .matches.listing import list_matches
from .matches.match import Match, MatchState, MatchStatus, match_of, match_stream
from .matches.rules import AnyRules, Custom, FirstTo
from .matches.runner import GAME_BODY_BYTES_MAX
from .matches.supervisor import MatchSupervisor

__all__ = ["Games"]

# The longest search for a match, in seconds.
FIND_SECONDS_MAX = 600.0
# The options of custom rules, in bytes of JSON.
OPTIONS_BYTES_MAX = 4_096


class Games(Boards):
    """
    Matches, matchmaking and leaderboards.

    Args:
        caller: whose commands these are.
        arena: what all sessions of the hub share.
    """

    name = "games"

    __slots__ = ("_supervisor",)

    def __init__(self, actor: Actor, supervisor: MatchSupervisor) -> None:
        super().__init__(actor)
        self._supervisor = supervisor

    @command
    def start_match(
        self,
        players: list[str],
        *,
        rules: AnyRules | None = None,
        board: str | None = None,
        referee: str | None = None,
        private: bool = False,
        game: str | None = None,
        key: str | None = None,
    ) -> Command[Match]:
        """
        Start a match.

        Over a network you are one of the players, the others must be connected, and
        ``matches_begun_max`` of yours may go on at one time. A match counts for ratings and
        boards if two players or more have come; in the process a referee of the application's
        answers for them. Over a network the other players come by acting: they score, send a
        message to the game, or resign. Moderators and admins start matches as the application does.

        Args:
            players: the ids of 2 to 64 users, in the order in which they are shown.
            rules: how it is won; by default the game's, or the first to 100 points. The
                options of Custom rules have up to 4,096 bytes as JSON.
            board: where the winner gets 10 points, made if it is not there; by default the
                game's, or ``main``.
            referee: the user who alone may score; without one players score for themselves.
            private: only its players may follow.
            game: the name of a game of the application's that runs it, and is its referee.
            key: makes it exactly-once.

        Raises:
            Invalid: the players or the rules are outside their limits, or there is no such game.
            NotFound: one of the players was never seen.
            NotAllowed: over a network: you are not one of the players.
            Conflict: over a network: a player is not connected, or too many of your matches go
                on, or the board would be one more than you may make.
        """
        stream, terms = match_stream(self._actor.ids.new()), self._supervisor.terms
        # The caller's own lists may change while the match goes on.
        players = list(players) if isinstance(players, list) else players
        played = self._supervisor.games.get(game) if isinstance(game, str) else None
        wanted = Wanted(
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
            checked = submitting.check_board_name(wanted.board, chars_max)
            rules = _own(wanted.rules)
            named = msgspec.structs.replace(wanted, board=checked, rules=rules)
            return play.start(states, stream, named, terms)

        def result(states: States, events: Sequence[Event]) -> Match:
            made = events[0].stream
            return match_of(made, states.of(MatchState, made))

        arguments = ("start_match", players, rules, board, referee, private, game)
        return Command(self._by, decide, result, reads=(stream,), key=key, arguments=arguments)

    @command
    def add_score(
        self, match_id: str, points: int, *, player: str | None = None, key: str | None = None
    ) -> Command[Match]:
        """
        Give points to a player, and end the match if that decides it.

        Args:
            match_id: a match's id.
            points: what the rules permit: 1 or more for most.
            player: who gets them; by default you.
            key: makes it exactly-once.

        Raises:
            NotFound: there is no such match.
            NotAllowed: you do not play, or the points are not yours to give.
            Invalid: the rules do not know such points, or the player does not play.
            Conflict: the match is over, for all or for this player.
        """
        by, stream, terms = self._by, match_stream(match_id), self._supervisor.terms
        who = by if player is None else player

        def decide(states: States) -> Sequence[Draft]:
            return play.score(states, stream, by, who, points, terms)

        return self._match_command(stream, decide, key, ("add_score", match_id, points, player))

    @command
    def resign(self, match_id: str) -> Command[Match]:
        """
        Give up; when one player is left, that player has won.

        Raises:
            NotFound: there is no such match.
            NotAllowed: you do not play.
            Conflict: the match is over.
        """
        stream = match_stream(match_id)
        decide = partial(play.resign, stream=stream, by=self._by, terms=self._supervisor.terms)
        return self._match_command(stream, decide)

    @query
    def match(self, match_id: str) -> Command[Match]:
        """
        Look a match up.

        Raises:
            NotFound: there is no such match.
            NotAllowed: it is private, and not yours.
        """
        by, stream = self._by, match_stream(match_id)

        def result(states: States, events: Sequence[Event]) -> Match:
            state = states.of(MatchState, stream)
            state.check_reader(stream, by)
            return match_of(stream, state)

        return Command(by, nothing, result, reads=(stream,))

    @slow_query
    async def matches(self, *, status: MatchStatus | None = None, limit: int = 50) -> list[Match]:
        """
        List the newest matches that one may watch, the first to start first.

        Args:
            status: only those that are ``active``, ``completed`` or ``cancelled``.
            limit: 1 to 500.
        """
        check_limit(limit, self._actor.settings.page_max)
        return await list_matches(self._actor, status, limit)

    @command
    def message(self, match_id: str, body: dict[str, Any]) -> Command[None]:
        """
        Send a message to the game that runs a match; what it means is the game's to say.

        Args:
            match_id: a match's id.
            body: an object of up to 16,384 bytes as JSON.

        Raises:
            NotFound: there is no such match.
            NotAllowed: you do not play.
            Conflict: the match is over, or no game runs it.
            Overloaded: the game is slower than messages come.
        """
        by, stream = self._by, match_stream(match_id)

        def decide(states: States) -> Sequence[Draft]:
            nonlocal body
            match = states.of(MatchState, stream)
            match.check_player(by)
            body = submitting.check_object(body, GAME_BODY_BYTES_MAX, "message")
            match.check_playing(by)
            return ()

        def result(states: States, events: Sequence[Event]) -> None:
            # In the order in which the session has sent them.
            self._supervisor.put(stream, by, body)

        return Command(by, decide, result, reads=(stream,))

    @slow_command
    async def find_match(
        self, *, queue: str = "default", timeout: float = 30, key: str | None = None
    ) -> Match:
        """
        Wait for others who play as well as you do, and start a match with them.

        Args:
            queue: the name of a game.
            timeout: how long to wait, in seconds, up to 600.
            key: makes it exactly-once.

        Raises:
            Invalid: there is no such queue, or the time is outside its limits.
            NoOpponent: nobody came in time.
            Conflict: you look for a match already, or too many of your matches go on.
            Overloaded: too many users look for a match.
        """
        if not isinstance(queue, str) or queue not in self._supervisor.games:
            raise Invalid(f"There is no queue {shown(queue)}: {', '.join(self._supervisor.games)}.")
        if type(timeout) not in (int, float) or not 0 < timeout <= FIND_SECONDS_MAX:
            most = f"{FIND_SECONDS_MAX:.0f}"
            raise Invalid(f"Wait more than 0 and up to {most} s, not {shown(timeout)}.")
        if key is None:
            key = self._actor.ids.new()
        check_key(key, self._actor.settings.key_chars_max)
        limited, settings = self._actor.is_limited, self._actor.settings
        begun_max = settings.matches_begun_max if limited else None
        found = partial(play.found, by=self._by, key=key, begun_max=begun_max)
        command = Command(self._by, nothing, found, reads=(f"user/{self._by}",))
        rating, match = await self._actor.execute(command)
        if match is not None:
            return match
        return await self._supervisor.matchmaker.find(queue, self._by, rating, key, timeout)

    def _starter(self) -> Starter | None:
        maker = self._maker()
        begun_max = self._actor.settings.matches_begun_max
        return None if maker is None else Starter(maker, begun_max)

    def _match_command(
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
    """Return the same rules, of which nobody else holds a part."""
    if not isinstance(rules, Custom):
        return rules
    options = submitting.check_object(rules.options, OPTIONS_BYTES_MAX, "options")
    return Custom(rules.game, options)
