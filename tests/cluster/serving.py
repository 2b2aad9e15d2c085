"""
``hubbub serve``, but buyers pay at the bank of the tests, and the clock can be wrong.

``python -m tests.cluster.serving serve …``; libfaketime makes a clock wrong as well, but lets
``time.sleep`` fail in Python 3.11.
"""

from __future__ import annotations

import os
import runpy
from datetime import timedelta

from hubbub.clock import SystemClock
from hubbub.shop import runtime
from tests.cluster.bank import RemoteBank

__all__ = ["BANK_PORT", "HOURS_AHEAD"]

# Environment variables: the bank's port, and how far this process's clock is ahead.
BANK_PORT = "TEST_BANK_PORT"
HOURS_AHEAD = "TEST_HOURS_AHEAD"


def set_up() -> None:
    """Take the payments to the bank, and make the clock wrong."""
    bank = RemoteBank(int(os.environ[BANK_PORT]))
    ahead = timedelta(hours=int(os.environ[HOURS_AHEAD]))
    vars(runtime)["Sandbox"] = lambda itself: bank
    right = SystemClock.now
    SystemClock.now = lambda self: right(self) + ahead  # type: ignore[method-assign]


if __name__ == "__main__":
    set_up()
    runpy.run_module("hubbub.cli", run_name="__main__")
