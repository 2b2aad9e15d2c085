"""Runs seeds on both event loops at the same time, for a number of seconds, and sums up."""

from __future__ import annotations

import subprocess
import sys

__all__ = ["main"]


def main(seconds: str, first: str) -> int:
    """
    Run seeds until the time is over.

    Args:
        seconds: real seconds.
        first: the first seed of each event loop.

    Returns:
        0 if no promise was broken.
    """
    command = [sys.executable, "-m", "hubbub", "simulate", "--seed", first, "--for", seconds]
    running = [
        subprocess.Popen([*command, "--backend", backend]) for backend in ("asyncio", "trio")
    ]
    return max(one.wait() for one in running)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
