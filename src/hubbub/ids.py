"""
Ids that are unique across restarts and machines, and sort by the time they were made.

An id is a UUID of version 7 (RFC 9562) in Crockford's base32, lower case, so its
first 10 characters are the milliseconds since 1970, and text order is id order.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from random import Random

from .clock import Clock

__all__ = ["ID_CHARS", "Ids", "is_id", "time_of"]

ID_CHARS = 26

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
# int() also reads base 32, with the next letters of the ordinary alphabet.
_TO_PYTHON = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_ANY = f"[{_ALPHABET}]"
# The 11th character holds the version and the 14th the variant.
_ID = re.compile(f"[0-7]{_ANY}{{9}}[ef]{_ANY}{{2}}[89abrstv]{_ANY}{{12}}")

_TIME_CHARS = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_TIME_LAST_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND

# A UUID of version 7 has 48 bits of time, and 12 and 62 random bits.
_A_BITS = 12
_B_BITS = 62
_TAIL_BITS = _A_BITS + _B_BITS
_A_MASK = (1 << _A_BITS) - 1
_B_MASK = (1 << _B_BITS) - 1
_VERSION = 7 << 76
_VARIANT = 0b10 << _B_BITS
_LOW_MASK = (1 << 60) - 1
# A new millisecond starts in the lower half of the tail, to leave room to count.
_START_BITS = _TAIL_BITS - 1
_STEP_BITS = 32


class Ids:
    """
    A source of ids; do not share it between threads.

    Within a millisecond, and while the clock is behind the last id, the next id is the last
    id plus a random step (RFC 9562, section 6.2, method 2): so ids sort in the order they
    were made, and nobody can guess the next one.

    Args:
        clock: gives the time in an id; you can set it.
        random: gives the rest; seed it for a repeatable run.
    """

    __slots__ = ("_last", "_random", "clock")

    def __init__(self, clock: Clock, random: Random) -> None:
        self.clock = clock
        self._random = random
        # Time and tail as one number: a tail that overflows carries into the time.
        self._last = -1

    def new(self) -> str:
        """Make an id that sorts after all earlier ids of this source."""
        ms = (self.clock.now() - _EPOCH) // _MILLISECOND
        if ms > self._last >> _TAIL_BITS:
            self._last = ms << _TAIL_BITS | self._random.getrandbits(_START_BITS)
        else:
            self._last += 1 + self._random.getrandbits(_STEP_BITS)

        return _to_text(self._last)


def time_of(id_: str) -> datetime:
    """
    Return the time at which an id was made, in UTC, to the millisecond.

    Args:
        id_: an id for which :func:`is_id` is true.
    """
    assert is_id(id_)

    return _EPOCH + _time_ms(id_) * _MILLISECOND


def is_id(text: str) -> bool:
    """Return whether a text has the form of an id."""
    return _ID.fullmatch(text) is not None and _time_ms(text) <= _TIME_LAST_MS


def _time_ms(id_: str) -> int:
    return int(id_[:_TIME_CHARS].translate(_TO_PYTHON), 32)


def _to_text(number: int) -> str:
    a = number >> _B_BITS & _A_MASK
    uuid = number >> _TAIL_BITS << 80 | _VERSION | a << 64 | _VARIANT | number & _B_MASK
    # Two halves are quicker to shift than one large integer, and the shifts take most of
    # the time that an id needs.
    high, low, pairs = uuid >> 60, uuid & _LOW_MASK, _PAIRS
    return (
        f"{pairs[high >> 60]}{pairs[high >> 50 & 1023]}{pairs[high >> 40 & 1023]}"
        f"{pairs[high >> 30 & 1023]}{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}"
        f"{pairs[high & 1023]}{pairs[low >> 50]}{pairs[low >> 40 & 1023]}"
        f"{pairs[low >> 30 & 1023]}{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}"
        f"{pairs[low & 1023]}"
    )
