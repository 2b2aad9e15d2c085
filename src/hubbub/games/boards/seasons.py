"""When a board's seasons end: a cron schedule, read at a bounded cost. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise

from cronsim import CronSim, CronSimError

from ...errors import Invalid
from ...shown import shown

__all__ = ["RESET_CHARS_MAX", "check_schedule", "last_reset", "next_reset"]

# Characters of a schedule by which the seasons of a board end.
RESET_CHARS_MAX = 200
# Ends of seasons for which a schedule is checked, to refuse seasons that are too short. What
# repeats does so by the week or the month, so this is enough to show how short they are.
ENDS_CHECKED_MAX = 100
# How many days ahead a schedule is checked.
CHECKED_DAYS_MAX = 800


def next_reset(schedule: object, after: datetime) -> datetime | None:
    """
    Return when a schedule next comes true.

    Args:
        schedule: five fields as in a crontab, in UTC, like ``0 0 * * MON``; or None.
        after: UTC.

    Raises:
        Invalid: it is no schedule, or never comes true.
    """
    if schedule is None:
        return None
    if not isinstance(schedule, str):
        raise Invalid(f"A reset is a cron schedule like '0 0 * * MON', not {shown(schedule)}.")
    if len(schedule) > RESET_CHARS_MAX:
        raise Invalid(f"A reset is a cron schedule of up to {RESET_CHARS_MAX} characters.")
    if not (schedule.isascii() and schedule.isprintable()) or len(schedule.split()) != 5:
        raise Invalid(f"A reset is a cron schedule like '0 0 * * MON', not {shown(schedule)}.")
    return _next_reset(schedule, after)


def last_reset(schedule: str, now: datetime) -> datetime:
    """Return when a schedule came true last; now, if it comes true just now."""
    # Backwards from a moment later: the schedule may come true just now.
    return next(CronSim(schedule, now + timedelta(microseconds=1), reverse=True))


def check_schedule(schedule: object, now: datetime, seconds_min: float) -> None:
    """
    Check that the seasons of a schedule are long enough.

    Args:
        schedule: as :func:`next_reset` takes it.
        now: UTC.
        seconds_min: how long the shortest may be.

    Raises:
        Invalid: it is no schedule, or a season would be shorter.
    """
    if next_reset(schedule, now) is None:
        return
    until = now + timedelta(days=CHECKED_DAYS_MAX)
    for one, other in pairwise(islice(CronSim(str(schedule), now), ENDS_CHECKED_MAX)):
        if (other - one).total_seconds() < seconds_min:
            raise Invalid(
                f"With the reset {shown(schedule)} a season takes "
                f"{(other - one).total_seconds():g} s; it must take {seconds_min:g} s or more."
            )
        if other > until:
            return


# Asked for each score, and the same until the season ends.
@lru_cache(maxsize=1_024)
def _next_reset(schedule: str, after: datetime) -> datetime:
    try:
        return next(CronSim(schedule, after))
    except (CronSimError, StopIteration, ValueError, TypeError, AssertionError) as error:
        # The search ends after 50 years of the calendar: "0 0 30 2 *" never comes true.
        raise Invalid(f"The reset {shown(schedule)} is no cron schedule that comes true.") from (
            error
        )
