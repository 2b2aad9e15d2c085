"""All entries of a schedule, whichever release has written them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice

import msgspec

from .command import Command, nothing
from .decide.states import States
from .event import Draft, Event
from .schedule import HUB, Schedule, Unscheduled, schedule_entry, scheduled
from .shards import stream_shards

__all__ = ["MOVED_MAX", "ScheduleEntries", "read_schedule"]

# Entries of an earlier release that are moved at once.
MOVED_MAX = 500


class ScheduleEntries(msgspec.Struct, frozen=True):
    """
    All entries of a schedule.

    Args:
        due: a stream -> when to look at it.
        heads: a shard -> the seq of its last event.
        left: True if entries of an earlier release are left: move them.
    """

    due: Mapping[str, datetime | None]
    heads: Mapping[str, int]
    left: bool


def read_schedule(schedule: str, *, moves: bool = True) -> Command[ScheduleEntries]:
    """
    Make a command that reads a schedule.

    Args:
        schedule: its name, without a shard.
        moves: whether it moves entries of an earlier release; then other nodes wait for it.
    """
    shards = stream_shards(schedule)

    def decide(states: States) -> Sequence[Draft]:
        states.need((schedule, *shards))
        drafts = list[Draft]()
        for to, due in islice(states.of(Schedule, schedule).due.items(), MOVED_MAX):
            drafts.append(Draft(schedule, Unscheduled(to)))
            # An entry that was written since the upgrade is newer.
            if not schedule_entry(states, schedule, to)[0]:
                drafts.append(scheduled(schedule, to, due))
        return drafts

    def result(states: States, events: Sequence[Event]) -> ScheduleEntries:
        entries = {shard: states.entry(shard) for shard in shards}
        due = dict[str, datetime | None]()
        for shard in shards:
            due.update(states.of(Schedule, shard).due)
        heads = {shard: entry.head for shard, entry in entries.items()}
        return ScheduleEntries(due, heads, bool(states.of(Schedule, schedule).due))

    return Command(HUB, decide if moves else nothing, result, reads=(schedule, *shards))
