"""
Which node runs a match. Pure.

The node that starts a match that a game runs claims it in the same event. If that node dies,
another node claims it, and runs it from then on. Each claim has a number, the seq of its event, and
every command of a runner checks that its claim is still the newest: a node that was stopped, and
wakes up again, changes nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...journal.decide.states import States
from ...journal.event import Draft
from ...journal.schedule import schedule_entry, scheduled
from ..events import MatchClaimed
from .ending import MATCH_SCHEDULE
from .match import MatchState

__all__ = ["ClaimLost", "check_claim", "claim_match"]


class ClaimLost(Exception):
    """Another node runs the match by now."""


def check_claim(states: States, stream: str, claim: int) -> None:
    """
    Return if a claim is the newest.

    Args:
        states: the states to decide on.
        stream: the match's stream.
        claim: the number of the claim.

    Raises:
        ClaimLost: another node has claimed the match since.
    """
    if states.of(MatchState, stream).claim != claim:
        raise ClaimLost(f"another node runs {stream}")


def claim_match(
    states: States, stream: str, node: str, is_gone: Callable[[str], bool]
) -> Sequence[Draft]:
    """
    Claim a match for a node; nothing happens while the node that has claimed it is there.

    Args:
        states: the states to decide on.
        stream: the match's stream.
        node: the node that claims it.
        is_gone: returns whether a node has died, or shuts down.
    """
    match = states.of(MatchState, stream)
    if match.status != "active" or match.node == node or not is_gone(match.node):
        return ()
    _, due = schedule_entry(states, MATCH_SCHEDULE, stream)
    # All nodes follow the schedule, so the node that ran the match before finds out.
    return [Draft(stream, MatchClaimed(node)), scheduled(MATCH_SCHEDULE, stream, due)]
