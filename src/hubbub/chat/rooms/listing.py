"""Lists of rooms, page by page: the cost depends on the page, not on the number of rooms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge, nsmallest
from itertools import groupby, islice, takewhile

from ...errors import NotFound
from ...journal.actor import Actor
from ...journal.command import Command, nothing
from ...journal.decide.states import States
from ...journal.event import Event
from ...journal.link import Links
from ...journal.shards import stream_shards
from ...service import check_limit, check_user_id
from ...stream_names import user_stream
from ..messages.commands import direct_room_of, other_of
from .room import INDEX, Member, Room, RoomState, room_of, stream_of

__all__ = ["list_directs", "list_members", "list_rooms"]


def list_rooms(actor: Actor, *, after: str | None, limit: int, joined: bool) -> Command[list[Room]]:
    """List rooms; see :meth:`hubbub.chat.service.Chat.rooms`."""
    mine = user_stream(actor.user)
    check_limit(limit, actor.settings.page_max)
    # The second is an earlier release's.
    holders = (mine,) if joined else (mine, INDEX, *stream_shards(INDEX))
    first = "room/" if after is None else max("room/", stream_of(after))

    def result(states: States, events: Sequence[Event]) -> list[Room]:
        states.need(holders)
        found = merge(*(states.of(Links, holder).ordered(first) for holder in holders))
        streams = list(islice(_rooms_of(found), limit))
        states.need(streams)
        return [room_of(stream, states.of(RoomState, stream), actor.user) for stream in streams]

    return Command(actor.user, nothing, result, reads=holders)


def list_members(
    actor: Actor, room_id: str, *, after: str | None, limit: int
) -> Command[list[Member]]:
    """List the members of a room; see :meth:`hubbub.chat.service.Chat.members`."""
    by, stream = actor.user, stream_of(room_id)
    check_limit(limit, actor.settings.page_max)
    if after is not None:
        check_user_id(after)
    first = after or ""

    def result(states: States, events: Sequence[Event]) -> list[Member]:
        room = states.of(RoomState, stream)
        room.check_shown(by)
        # By id, so that members who leave between two pages change nothing for the others.
        found = nsmallest(limit, (user for user in room.roles if user > first))
        return [Member(user, room.roles[user]) for user in found]

    return Command(by, nothing, result, reads=(stream,))


def list_directs(actor: Actor, *, before: str | None, limit: int | None) -> Command[list[Room]]:
    """List direct conversations; see :meth:`hubbub.chat.service.Chat.directs`."""
    by, mine = actor.user, user_stream(actor.user)
    most = actor.settings.page_max
    count = most if limit is None else check_limit(limit, most)

    def result(states: States, events: Sequence[Event]) -> list[Room]:
        links = states.of(Links, mine).links
        if before is not None and not (isinstance(before, str) and before in links):
            raise NotFound("This direct conversation does not exist; see chat.directs().")
        known = takewhile(lambda stream: stream != before, links)
        streams = [stream for stream in known if stream.startswith("direct/")][-count:]
        states.need([*streams, *(user_stream(other_of(stream, by)) for stream in streams)])
        return [direct_room_of(stream, by, states) for stream in streams]

    return Command(by, nothing, result, reads=[mine])


def _rooms_of(streams: Iterator[str]) -> Iterator[str]:
    """Yield each room once; equal ones are adjacent."""
    rooms = takewhile(lambda stream: stream.startswith("room/"), streams)
    return (stream for stream, _ in groupby(rooms))
