"""The ends of a board's seasons: a cron schedule, evaluated at a bounded cost. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise

from cronsim import CronSim, CronSimError

from ...errors import Invalid
from ...shown import shown

__all__ = ["RESET_CHARS_MAX", "check_schedule", "last_reset", "next_reset"]

# The longest schedule of a board's seasons, in characters.
RESET_CHARS_MAX = 200
# The number of season ends that are checked, to refuse seasons that are too short. Schedules
# repeat by the week or the month, so this is enough to find the shortest.
ENDS_CHECKED_MAX = 100
# The number of days ahead for which a schedule is checked.
CHECKED_DAYS_MAX = 800


def next_reset(schedule: object, after: datetime) -> datetime | None:
    """
    Return the next time of a schedule.

    Args:
        schedule: five fields as in a crontab, in UTC, like ``0 0 * * MON``; or None.
        after: UTC.

    Raises:
        Invalid: it is not a schedule, or has no next time.
    """
    if schedule is None:
        return None
    if not isinstance(schedule, str):
        raise Invalid(f"reset must be a cron schedule like '0 0 * * MON', not {shown(schedule)}.")
    if len(schedule) > RESET_CHARS_MAX:
        raise Invalid(f"reset must be a cron schedule of up to {RESET_CHARS_MAX} characters.")
    if not (schedule.isascii() and schedule.isprintable()) or len(schedule.split()) != 5:
        raise Invalid(f"reset must be a cron schedule like '0 0 * * MON', not {shown(schedule)}.")
    return _next_reset(schedule, after)


def last_reset(schedule: str, now: datetime) -> datetime:
    """Return the last time of a schedule, which can be now."""
    # Search backwards from slightly later, because the schedule may match now.
    return next(CronSim(schedule, now + timedelta(microseconds=1), reverse=True))


def check_schedule(schedule: object, now: datetime, seconds_min: float) -> None:
    """
    Check that the seasons of a schedule are long enough.

    Args:
        schedule: as :func:`next_reset` takes it.
        now: UTC.
        seconds_min: the shortest season, in seconds.

    Raises:
        Invalid: it is not a schedule, or a season is too short.
    """
    if next_reset(schedule, now) is None:
        return
    until = now + timedelta(days=CHECKED_DAYS_MAX)
    for one, other in pairwise(islice(CronSim(str(schedule), now), ENDS_CHECKED_MAX)):
        if (other - one).total_seconds() < seconds_min:
            raise Invalid(
                f"With the reset {shown(schedule)} a season lasts "
                f"{(other - one).total_seconds():g} s; make it {seconds_min:g} s or more."
            )
        if other > until:
            return


# Cached, because each score needs it, and it stays the same until the season ends.
@lru_cache(maxsize=1_024)
def _next_reset(schedule: str, after: datetime) -> datetime:
    try:
        return next(CronSim(schedule, after))
    except (CronSimError, StopIteration, ValueError, TypeError, AssertionError) as error:
        # The search ends after 50 years of the calendar: "0 0 30 2 *" has no time.
        raise Invalid(f"The reset {shown(schedule)} is not a cron schedule with a time.") from (
            error
        )
