"""Runs a process and kills it while it works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

__all__ = ["kill_after", "kill_within"]

POLL_SECONDS = 0.005


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
    command, env = _run(script, *args)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as doomed:
        assert doomed.stdout is not None
        first = [doomed.stdout.readline() for _ in range(count)]
        doomed.send_signal(signal.SIGKILL)
        rest = doomed.stdout.read().splitlines()
    return [line.decode().split() for line in [*first, *rest]]


def kill_within(seconds: float, script: str, *args: object) -> list[list[str]]:
    """
    Run a script of this directory, and kill it some time after its first line.

    Args:
        seconds: how long after.
        script: the name of its file.
        *args: what it is run with.

    Returns:
        The words of each line that it has written.
    """
    command, env = _run(script, *args)
    # A pipe would be full soon, and the script would wait.
    with tempfile.TemporaryFile() as lines:
        with subprocess.Popen(command, env=env, stdout=lines) as doomed:
            while not os.fstat(lines.fileno()).st_size:
                assert doomed.poll() is None, f"{script} has ended"
                time.sleep(POLL_SECONDS)
            time.sleep(seconds)
            doomed.send_signal(signal.SIGKILL)
        assert doomed.returncode == -signal.SIGKILL
        lines.seek(0)
        return [line.decode().split() for line in lines.read().splitlines()]


def _run(script: str, *args: object) -> tuple[list[str], dict[str, str]]:
    command = [sys.executable, str(Path(__file__).with_name(script)), *map(str, args)]
    return command, os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
