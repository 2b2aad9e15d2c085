"""The limits of an HTTP connection fit together."""

from __future__ import annotations

from hubbub import Settings
from hubbub.server.http import limits


def test_every_limit_is_more_than_nothing() -> None:
    assert all(getattr(limits, name) > 0 for name in limits.__all__)


def test_whatever_the_application_takes_comes_through() -> None:
    assert Settings().frame_bytes_max <= limits.BODY_BYTES_MAX


def test_what_one_connection_keeps_is_small() -> None:
    kept = limits.HEAD_BYTES_MAX + 2 * limits.AHEAD_BYTES_MAX + limits.PIECE_BYTES_MAX

    assert kept <= 256 * 1024


def test_a_slow_line_is_fast_enough() -> None:
    assert limits.PIECE_BYTES_MAX / limits.WRITE_SECONDS_MAX < 10_000
