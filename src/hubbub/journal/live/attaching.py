"""Attaches followers to topics, once a decision has checked their users' access."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...errors import Conflict, StorageError
from ...service import check_seq
from ..command import Call, Command, nothing
from ..decide.cache_entries import StreamEntry
from ..decide.states import States
from ..event import Event
from .topic import Follower
from .topics import Topics

__all__ = ["Attacher", "check_command"]


def check_command(user: str, stream: str) -> Command[int]:
    """Make a command that checks a user's access to a stream and returns its head."""

    def head(states: States, events: Sequence[Event]) -> int:
        entry = states.entry(stream)
        entry.state.check_reader(stream, user)
        return entry.head

    return Command(user, nothing, head, reads=(stream,))


class Attacher:
    """
    Makes the calls that attach followers.

    Args:
        states: the cache of states.
        topics: where the followers are attached.
    """

    def __init__(self, states: States, topics: Topics) -> None:
        self._states = states
        self._topics = topics

    def call(
        self,
        user: str,
        stream: str,
        after: int | None,
        follower: Follower,
        on_done: Callable[[Call[int]], None] | None,
    ) -> Call[int]:
        """Make a call that attaches a follower; see :meth:`Journal.follow_call`."""
        if after is not None:
            check_seq(after)

        def attach(call: Call[int]) -> None:
            if call.error is None:
                try:
                    self._attach(stream, follower, after, call.outcome())
                except Exception as error:
                    call.error = error
            if on_done is not None:
                on_done(call)

        return Call(check_command(user, stream), on_done=attach)

    def _attach(self, stream: str, follower: Follower, after: int | None, head: int) -> None:
        if after is not None and after > head:
            raise Conflict(
                f"The stream ends at {head}, before {after}: the history was reset. "
                "Follow it from 0."
            )
        # Later calls of the same batch have already moved the head, and may have ended the
        # user's access; their events were published before this follower was attached.
        entry = self._states.get(stream)
        if not isinstance(entry, StreamEntry):
            # An error in the same batch has made it unknown.
            raise StorageError("The stream cannot be followed at the moment; try again.")
        entry.state.check_reader(stream, follower.user)
        follower.cursor = head if after is None else after
        self._topics.attach(stream, follower, entry.head)
