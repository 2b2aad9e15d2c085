"""Where time comes from. Everything that needs the time takes a clock."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock", "plain", "thaw"]

# The class itself. Packages that freeze the time, such as freezegun, replace it by a subclass in
# all modules, and would replace it here if it were not in a tuple.
_EXACT = tuple(one for one in datetime.__mro__ if one.__module__ == "datetime")[:1]


class Clock(Protocol):
    """A source of time, so that a test can advance a minute at once."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment; never less than the previous call returned."""


class SystemClock:
    """The operating system's clock."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        thaw()
        # It stands still as well while the time is frozen.
        return datetime.fromtimestamp(time.time(), UTC)  # it is the clock

    def monotonic(self) -> float:
        """Return the operating system's monotonic time in seconds."""
        return time.monotonic()


def plain(moment: datetime) -> datetime:
    """
    Return the same time as an object of `datetime` itself.

    msgspec encodes no objects of subclasses, such as those of freezegun or pendulum.
    """
    (exact,) = _EXACT
    if type(moment) is exact:
        return moment
    date = moment.year, moment.month, moment.day
    time_of_day = moment.hour, moment.minute, moment.second, moment.microsecond
    made: datetime = exact(*date, *time_of_day, tzinfo=moment.tzinfo, fold=moment.fold)
    return made


def thaw() -> None:
    """
    Give Hubbub's modules `datetime` back, if a package has replaced it to freeze the time.

    msgspec reads the types of fields when it first needs them, and keeps them. With the
    replacement it could decode no time any more, also when the time is no longer frozen.
    """
    (exact,) = _EXACT
    if datetime is exact:
        return
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "hubbub" and "datetime" in vars(module):
            setattr(module, "datetime", exact)  # noqa: B010  # mypy knows no such attribute
