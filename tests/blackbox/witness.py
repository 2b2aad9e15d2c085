"""
Another user, who only wants to use the server while it is attacked, and takes the time.

It runs in a process of its own, so that it waits for the server and not for the attackers:
``python -m tests.blackbox.witness PORT``. It runs until its standard input ends, and then prints
what it has seen.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.blackbox.raw import Raw

__all__ = ["Seen", "Witness", "witnessing"]

# Its own address: what others do from theirs is no reason to refuse it.
ADDRESS = "127.7.7.7"
PAUSE_SECONDS = 0.02
SIGN_IN_SECONDS = 0.5
# Ten messages in a minute are allowed.
MESSAGE_SECONDS = 7.0


class Seen(NamedTuple):
    """How long commands and sign-ins took, in seconds, and what went wrong."""

    commands: list[float]
    sign_ins: list[float]
    errors: list[str]

    @property
    def p99(self) -> float:
        """The time that 99 of 100 commands did not exceed."""
        return quantile(self.commands, 0.99)

    @property
    def sign_in_max(self) -> float:
        """The longest sign-in: there are too few of them for a 99th of 100."""
        return max(self.sign_ins, default=0.0)

    def __str__(self) -> str:
        times = f"p99 {self.p99 * 1_000:.0f} ms of {len(self.commands)} commands"
        sign_ins = f"longest of {len(self.sign_ins)} sign-ins {self.sign_in_max * 1_000:.0f} ms"
        return ", ".join([times, sign_ins, *self.errors[:3]])


class Witness:
    """
    The process that runs.

    Args:
        process: stops at the end of its standard input.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def ask(self) -> Seen:
        """Stop it, and return what it has seen."""
        out, _ = self._process.communicate()
        return Seen(**json.loads(out))


@contextmanager
def witnessing(port: int) -> Iterator[Witness]:
    """Let somebody use a server; return when the first command was answered."""
    command = [sys.executable, "-m", __name__, str(port)]
    process = subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield Witness(process)
    finally:
        process.kill()
        process.communicate()


def quantile(values: list[float], part: float) -> float:
    """Return the value that a part of all does not exceed."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] if values else 0.0


class _User:
    """The finished requests, and how long they took."""

    def __init__(self, port: int) -> None:
        self.seen = Seen([], [], [])
        self._port = port
        self._sign_in_at = self._message_at = 0.0
        self._client = Raw(port, source=ADDRESS)
        self._user = self._client.sign_in("Witness")["user"]["id"]
        self._room = self._client.result("chat.create_room", name="The witness's room")["id"]

    def act(self) -> None:
        """Do what is next."""
        try:
            now = time.perf_counter()
            if now >= self._sign_in_at:
                self._sign_in_at = now + SIGN_IN_SECONDS
                with Raw(self._port, source=ADDRESS) as newcomer:
                    newcomer.sign_in("Newcomer")
                self.seen.sign_ins.append(time.perf_counter() - now)
            self._command("users.get", user_id=self._user)
            self._command("chat.history", room_id=self._room, limit=5)
            if now >= self._message_at:
                self._message_at = now + MESSAGE_SECONDS
                self._command("chat.send", room_id=self._room, text="All is well.")
        except (OSError, AssertionError) as error:
            self.seen.errors.append(f"{type(error).__name__}: {error}"[:300])
            # It would fail for ever, thousands of times a second.
            time.sleep(1.0)

    def _command(self, method: str, **params: object) -> None:
        began = time.perf_counter()
        self._client.result(method, **params)
        self.seen.commands.append(time.perf_counter() - began)


def main() -> None:
    """Use the server until the standard input ends."""
    user = _User(int(sys.argv[1]))
    user.act()
    os.write(1, b"ready\n")
    while not select.select([0], [], [], PAUSE_SECONDS)[0]:
        user.act()
    os.write(1, json.dumps(user.seen._asdict()).encode())


if __name__ == "__main__":
    main()
