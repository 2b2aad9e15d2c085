"""A server in a process of its own, which ends when this process ends, however that ends."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import NamedTuple

from ..errors import StorageError

__all__ = ["ServerProcess", "free_port", "give_away", "run_program"]

# Operating systems give higher ports to outgoing connections: one of them could have the port of a
# server that is about to start again.
PORTS = range(20_000, 32_000)
# How long a server that `hubbub cluster` starts may take until it accepts connections.
START_SECONDS_MAX = 30.0
# How long such a server may take to stop before it is killed.
STOP_SECONDS_MAX = 10.0
POLL_SECONDS = 0.01
# Some servers refuse to run as root; this user exists everywhere, and owns nothing else.
UNPRIVILEGED = "nobody"
# It waits until its input ends, which is when the starter has ended, and then ends the
# server. A server could ask the kernel for that, but would then end with the *thread* that
# started it.
GUARD = 'read -r _; kill -9 $(cat "/proc/$1/task/$1/children" 2>/dev/null) "$1" 2>/dev/null'

_random = SystemRandom()


class _Owner(NamedTuple):
    """The user that servers run as; without values, the user of this process."""

    user: int | None = None
    group: int | None = None
    extra_groups: list[int] | None = None


def free_port() -> int:
    """Return a port of this machine that nothing listens on, and that no connection begins at."""
    while True:
        port = _random.choice(PORTS)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def give_away(path: Path) -> None:
    """Give a file or directory to the user that servers run as, and to nobody else."""
    path.chmod(0o700 if path.is_dir() else 0o600)
    owner = _owner()
    if owner.user is not None and owner.group is not None:
        os.chown(path, owner.user, owner.group)


def run_program(program: Sequence[str], directory: Path) -> None:
    """
    Run a program to its end, as the user that servers run as.

    Raises:
        StorageError: it failed.
    """
    owner = _owner()
    done = subprocess.run(
        program,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        user=owner.user,
        group=owner.group,
        extra_groups=owner.extra_groups,
    )
    if done.returncode:
        name, reason = Path(program[0]).name, (done.stderr or done.stdout).strip()
        raise StorageError(f"{name} fails in {directory}: {reason[-500:]}")


class ServerProcess:
    """
    A server that has started, and can be disturbed.

    Args:
        program: the command line for a port.
        url: what clients connect to, for a port.
        log: the file that the server's output is appended to.
        is_ready: says whether the server accepts connections, given its process id and port.
        stop_signal: asks the server to shut down.
        port: what it listens on, also after a restart; None chooses a free one.
        environment: more variables of its environment.
        as_own_user: whether it runs as the user of this process, also as root.

    Raises:
        StorageError: the server does not start.
    """

    process: subprocess.Popen[bytes]

    def __init__(
        self,
        program: Callable[[int], Sequence[str]],
        url: Callable[[int], str],
        log: Path,
        is_ready: Callable[[int, int], bool],
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        port: int | None = None,
        environment: Mapping[str, str] = {},
        as_own_user: bool = False,
    ) -> None:
        self._program = program
        self._environment = environment
        self._owner = _Owner() if as_own_user else _owner()
        self._is_ready = is_ready
        self._stop_signal = stop_signal
        self._guard: subprocess.Popen[bytes] | None = None
        self.log = log
        self.port = port or free_port()
        self.url = url(self.port)
        self.restart()

    def restart(self) -> None:
        """Start the server again, on the same port; end it first if it runs."""
        self.close()
        owner = self._owner
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._program(self.port),
                cwd="/",
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=owner.user,
                group=owner.group,
                extra_groups=owner.extra_groups,
            )
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", str(self.process.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._wait_until_ready()

    def kill(self) -> None:
        """End the server with its own processes at once (SIGKILL), and wait until they are gone."""
        # A server that stands still starts no further process.
        self.process.send_signal(signal.SIGSTOP)
        children = _children(self.process.pid)
        self._signal(signal.SIGKILL)
        self.process.wait()
        deadline = time.perf_counter() + STOP_SECONDS_MAX
        while any(map(_is_alive, children)) and time.perf_counter() < deadline:
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Let the server, with its own processes, stand still until :meth:`cont` (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def cont(self) -> None:
        """Let the server continue after :meth:`stop` (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """Shut the server down, if it runs."""
        if self._guard is None:
            return
        if self.process.poll() is None:
            self.cont()
            self.process.send_signal(self._stop_signal)
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.kill()
        self._guard.kill()
        self._guard.wait()
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard = None

    def _signal(self, number: signal.Signals) -> None:
        pids = [self.process.pid, *_children(self.process.pid)]
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def _wait_until_ready(self) -> None:
        deadline = time.perf_counter() + START_SECONDS_MAX
        while not self._is_ready(self.process.pid, self.port):
            ended = self.process.poll() is not None
            if ended or time.perf_counter() > deadline:
                name = Path(self._program(self.port)[0]).name
                self.close()
                last = self.log.read_text(errors="replace").strip().splitlines()[-1:]
                said = f": {last[0]}" if last else ""
                raise StorageError(f"{name} does not start{said}. Its log is {self.log}.")
            time.sleep(POLL_SECONDS)


def _children(pid: int) -> list[int]:
    """Return the processes that a process has started, where the system lists them."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def _is_alive(pid: int) -> bool:
    # Nobody may have asked yet how an orphan has ended.
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _owner() -> _Owner:
    if os.geteuid() != 0:
        return _Owner()
    user = pwd.getpwnam(UNPRIVILEGED)
    return _Owner(user.pw_uid, user.pw_gid, [])
