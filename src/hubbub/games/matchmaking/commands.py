"""
The decisions of matchmaking. Pure.

A search is decided at once, on the newest queue: either it finds its opponents, and their match
begins in the same transaction, or the user waits in the queue. So no user is matched twice, and no
user is matched whose search was cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from ...errors import Conflict, Overloaded
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...journal.schedule import HUB
from ...stream_names import user_stream
from ..events import Matched, SearchBegan, SearchCancelled
from ..matches import commands as matches
from ..matches.commands import NewMatch
from ..matches.game import Game
from ..matches.match import Match, MatchState, match_of
from ..matches.terms import MatchTerms
from .pool import Ticket, Widening, group_with, place_in, ready_at
from .queue import QueueState, queue_stream

__all__ = [
    "MatchSearch",
    "QueueTerms",
    "cancel_lost",
    "cancel_search",
    "pair",
    "search",
    "search_result",
    "ticket_of",
    "widening_of",
]


class QueueTerms(msgspec.Struct, frozen=True):
    """
    The terms of all queues of a hub.

    Args:
        matches: the terms of all matches.
        widening: how far apart ratings can be, for games that do not set it.
        searches_max: the number of users who can search for a match at the same time.
        is_live: returns whether a node lives.
    """

    matches: MatchTerms
    widening: Widening
    searches_max: int
    is_live: Callable[[str], bool]

    @property
    def games(self) -> Mapping[str, Game]:
        """The games, each with a queue of its name."""
        return self.matches.games

    @property
    def node(self) -> str:
        """This node."""
        return self.matches.node


class MatchSearch(msgspec.Struct, frozen=True):
    """
    A search to begin, or to continue.

    Args:
        queue: the name of a game.
        user: the user who searches.
        key: the idempotency key of the search.
        stream: the stream of the match that begins if there are opponents.
        rating: the user's rating; None for the rating that they have.
        begun_max: the number of other matches that the user can have begun; None for any.
        resumes: True to find the running match that an earlier search has found.
    """

    queue: str
    user: str
    key: str
    stream: str
    rating: float | None = None
    begun_max: int | None = None
    resumes: bool = False

    @property
    def resumed(self) -> str | None:
        """The game whose running match is found, if there is one."""
        return self.queue if self.resumes else None


def search(states: States, wanted: MatchSearch, terms: QueueTerms) -> list[Draft]:
    """
    Search for a match, or continue to.

    Nothing happens if this search has found a match, or one that it resumes is running.

    Raises:
        Conflict: the user is already searching, or has too many running matches.
        Overloaded: too many users are searching.
    """
    user, key = wanted.user, wanted.key
    rating, match = matches.found(
        states, (), by=user, key=key, begun_max=wanted.begun_max, game=wanted.resumed
    )
    if match is not None:
        return []
    stream = queue_stream(wanted.queue)
    began = SearchBegan(user, key, rating if wanted.rating is None else wanted.rating, terms.node)
    drafts = list[Draft]()
    if (known := ticket_of(states, user, terms)) is not None:
        queue, ticket = known
        if (queue, ticket.key) == (stream, key):
            return [] if ticket.node == terms.node else [Draft(stream, began)]
        if terms.is_live(ticket.node):
            raise Conflict("You are already searching for a match; cancel that search first.")
        drafts.append(Draft(queue, SearchCancelled(user)))
    queues = [states.of(QueueState, queue_stream(name)) for name in terms.games]
    if sum(len(queue.tickets) for queue in queues) - len(drafts) >= terms.searches_max:
        raise Overloaded("Too many users are searching for a match; try again later.")
    return [*drafts, Draft(stream, began), *_opponents(states, wanted, began, terms)]


def search_result(states: States, events: Sequence[Event], *, wanted: MatchSearch) -> Match | None:
    """Return the match that a search has found, now or before; None if the user waits."""
    for event in events:
        if isinstance(event.data, Matched):
            return match_of(event.data.to, states.of(MatchState, event.data.to))
    if events:
        # A search that begins or is cancelled now has found nothing, and the user's matches are
        # perhaps not in memory.
        return None
    return matches.found(states, (), by=wanted.user, key=wanted.key, game=wanted.resumed)[1]


def cancel_search(states: States, wanted: MatchSearch, node: str) -> list[Draft]:
    """Cancel a search that waits at a node; if it does not, nothing happens."""
    if matches.found(states, (), by=wanted.user, key=wanted.key)[1] is not None:
        return []
    stream = queue_stream(wanted.queue)
    ticket = states.of(QueueState, stream).tickets.get(wanted.user)
    if ticket is None or (ticket.key, ticket.node) != (wanted.key, node):
        return []
    return [Draft(stream, SearchCancelled(wanted.user))]


def cancel_lost(states: States, queue: str, is_live: Callable[[str], bool]) -> list[Draft]:
    """Cancel the searches that wait at nodes that no longer live."""
    stream = queue_stream(queue)
    tickets = states.of(QueueState, stream).tickets.values()
    return [Draft(stream, SearchCancelled(t.user)) for t in tickets if not is_live(t.node)]


def pair(
    states: States, queue: str, groups: Sequence[tuple[str, Sequence[Ticket]]], terms: QueueTerms
) -> list[Draft]:
    """
    Start the matches of groups of users, unless a player of a group no longer waits.

    Args:
        states: the states to decide on.
        queue: the name of a game.
        groups: the stream of each match, and its players, who accept one another.
        terms: the terms of all queues.
    """
    tickets = states.of(QueueState, queue_stream(queue)).tickets
    now, widening = states.now.timestamp(), widening_of(queue, terms)
    found = [
        (stream, group)
        for stream, group in groups
        if all(tickets.get(one.user) == one and terms.is_live(one.node) for one in group)
        # The clock of the node that has found them can be ahead.
        and ready_at(group, widening) <= now
    ]
    states.need([user_stream(ticket.user) for _, group in found for ticket in group])
    started = (_start(states, queue, stream, group, terms) for stream, group in found)
    return [draft for drafts in started for draft in drafts]


def widening_of(queue: str, terms: QueueTerms) -> Widening:
    """Return how far apart the ratings in a queue can be."""
    game, usual = terms.games[queue], terms.widening
    at_first, per_second = game.rating_range, game.rating_range_per_second
    return Widening(
        usual.at_first if at_first is None else at_first,
        usual.per_second if per_second is None else per_second,
    )


def ticket_of(states: States, user: str, terms: QueueTerms) -> tuple[str, Ticket] | None:
    """Return the queue's stream and the ticket of a user who waits in any queue."""
    streams = [queue_stream(name) for name in terms.games]
    states.need(streams)
    for stream in streams:
        if (ticket := states.of(QueueState, stream).tickets.get(user)) is not None:
            return stream, ticket
    return None


def _opponents(
    states: States, wanted: MatchSearch, began: SearchBegan, terms: QueueTerms
) -> list[Draft]:
    queue = states.entry(queue_stream(wanted.queue))
    assert isinstance(queue.state, QueueState)
    now, order = states.now.timestamp(), queue.state.ordered()
    new = Ticket(wanted.user, began.rating, now, queue.head + 1, wanted.key, terms.node)
    place = place_in(order, new)

    def accepted(places: Iterable[int]) -> Iterator[Ticket]:
        others = (order[at] for at in places)
        return (one for one in others if one.user != new.user and terms.is_live(one.node))

    below, above = accepted(range(place - 1, -1, -1)), accepted(range(place, len(order)))
    size, widening = terms.games[wanted.queue].size, widening_of(wanted.queue, terms)
    group = group_with(new, below, above, size, widening, now)
    return [] if group is None else _start(states, wanted.queue, wanted.stream, group, terms)


def _start(
    states: States, queue: str, stream: str, group: Sequence[Ticket], terms: QueueTerms
) -> list[Draft]:
    game = terms.games[queue]
    players = [ticket.user for ticket in sorted(group, key=lambda one: one.number)]
    wanted = NewMatch(
        players,
        game.rules,
        game.board,
        None if game.handler is None else HUB,
        game=queue,
        keys={ticket.user: ticket.key for ticket in group},
    )
    started = matches.start(states, stream, wanted, terms.matches)
    matched = Draft(queue_stream(queue), Matched(stream, players))
    # Whichever of them was the last to search, the hub has started it.
    return [msgspec.structs.replace(draft, by=HUB) for draft in (matched, *started)]
