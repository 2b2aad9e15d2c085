"""A real server in a process of its own, and how Chromium is started."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import ViewportSize

__all__ = ["CHROMIUM", "DESKTOP", "FLAGS", "PHONE", "PLAIN", "SERVE", "serving"]

# The first is the same without windows, and twice as quick.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = os.environ.get("HUBBUB_TEST_BROWSER") or next(
    filter(None, map(shutil.which, NAMES)), None
)
START_SECONDS_MAX = 30

# The backend of the servers; the tests themselves need none.
BACKEND = os.environ.get("HUBBUB_TEST_BACKEND", "asyncio")
PLAIN = ("-m", "hubbub.cli", "serve", "--db", "memory://", "--port", "0", "--backend", BACKEND)
SERVE = (*PLAIN, "--demo")

DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)

# It is run as root in a container, offline.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def serving(*command: str, **environment: str) -> Iterator[str]:
    """Run a program that serves, in a process of its own; gives the address that it prints."""
    own = {**os.environ, **environment}
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, text=True, env=own
    ) as process:
        assert process.stdout is not None
        found = re.search(r"http://[^\s,]+", process.stdout.readline())
        assert found is not None
        try:
            yield found.group()
        finally:
            process.terminate()
            process.wait(START_SECONDS_MAX)
