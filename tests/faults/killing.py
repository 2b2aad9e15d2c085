"""Runs a process and kills it while it works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

__all__ = ["kill_after"]


def kill_after(count: int, script: str, *args: object) -> list[list[str]]:
    """
    Run a script of this directory, and kill it when it has written some lines.

    Args:
        count: how many lines.
        script: the name of its file.
        *args: what it is run with.

    Returns:
        The words of each line that it has written, also after those.
    """
    command = [sys.executable, str(Path(__file__).with_name(script)), *map(str, args)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as doomed:
        assert doomed.stdout is not None
        first = [doomed.stdout.readline() for _ in range(count)]
        doomed.send_signal(signal.SIGKILL)
        rest = doomed.stdout.read().splitlines()
    return [line.decode().split() for line in [*first, *rest]]
