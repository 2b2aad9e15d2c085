"""The tools of every attacker: addresses, connections, a deadline, and data to read."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from tests.blackbox.raw import CLOSE, TEXT, Raw, frame_of, request_of
from tests.blackbox.served import Served

__all__ = [
    "ATTACKER",
    "Attack",
    "Target",
    "batch_of",
    "call_again",
    "chat_text",
    "connect_and_hold",
    "hold",
    "pour",
    "pump",
]

# All attackers are one client, with an address that is nobody else's; 127.0.0.1 would be a proxy.
ATTACKER: Final = "127.0.6.6"

# The largest text of a message, in characters of four bytes each.
TEXT_CHARS_MAX: Final = 4_000
MESSAGES: Final = 300
# Of one user in a minute.
MESSAGES_OF_ONE: Final = 10

# A client that reads little tells the kernel to keep little for it.
RECEIVE_BYTES: Final = 4_096
BLOCKED_SECONDS: Final = 0.3
RATE_LIMITED: Final = -32029
PAUSE_SECONDS_MAX: Final = 0.2


class Target:
    """
    A server under attack.

    Args:
        server: it runs.
        seconds: how long it is attacked.
    """

    def __init__(self, server: Served, seconds: float) -> None:
        self.port = server.port
        self.process = server
        # What the server needed when the attack began, and the most that it needed beside, in MiB.
        self._idle = server.memory
        self.grown = 0.0
        self._seconds = seconds
        self._ends = 0.0
        self._numbers = itertools.count(1)

    @property
    def going(self) -> bool:
        """True until the attack has to end."""
        return time.perf_counter() < self._ends and self.process.alive

    def begin(self) -> None:
        """Let the time run, from here on: what was made ready before is not the attack's."""
        self._idle, self.grown = self.process.memory, 0.0
        self._ends = time.perf_counter() + self._seconds

    def measure(self) -> None:
        """Look how much memory the server needs now."""
        if self.process.alive:
            self.grown = max(self.grown, self.process.memory - self._idle)

    def connect(self, *, reads: bool = True, address: str = ATTACKER) -> Raw:
        """Connect from the attackers' address."""
        return Raw(self.port, source=address, receive_bytes=0 if reads else RECEIVE_BYTES)

    def guest(self, *, reads: bool = True, address: str = ATTACKER) -> Raw:
        """Connect, and sign in as a new guest."""
        client = self.connect(reads=reads, address=address)
        try:
            client.sign_in(f"Attacker {next(self._numbers)}")
        except BaseException:
            client.close()
            raise
        return client

    def number(self) -> int:
        """Return a number that is not used yet."""
        return next(self._numbers)

    def crowd(self, count: int, act: Callable[[], None]) -> None:
        """Let some attackers do the same again and again, until the time is over."""
        threads = [threading.Thread(target=self._again, args=[act]) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def attempt(self, act: Callable[[], object]) -> None:
        """Do something; that an attacker is refused is as it should be."""
        with contextlib.suppress(OSError, AssertionError):
            act()

    def big_room(self) -> str:
        """Make a public room of many long messages; return its id."""
        with self.connect(address="127.0.0.1") as owner:
            owner.sign_in("Owner")
            room: str = owner.result("chat.create_room", name="Big")["id"]
        for _ in range(MESSAGES // MESSAGES_OF_ONE):
            with self.connect(address="127.0.0.1") as member:
                member.sign_in("Member")
                member.result("chat.join", room_id=room)
                for _ in range(MESSAGES_OF_ONE):
                    member.result("chat.send", room_id=room, text=chat_text())
        return room

    def _again(self, act: Callable[[], None]) -> None:
        while self.going:
            self.attempt(act)
            time.sleep(0.01)


Attack = Callable[[Target], None]


def chat_text() -> str:
    """Return the longest text that a message may have."""
    return "\N{GRINNING FACE}" * TEXT_CHARS_MAX


def pour(target: Target, client: Raw, block: bytes) -> None:
    """Send a block again and again without reading; where the server does not take it, wait."""
    client.socket.settimeout(BLOCKED_SECONDS)
    with client:
        try:
            while target.going:
                client.socket.sendall(block)
        except TimeoutError:
            # What was taken of the block is not known, so the rest would be junk.
            hold(target)


def hold(target: Target) -> None:
    """Keep open what is open, and do nothing, until the time is over."""
    while target.going:
        time.sleep(0.02)


def connect_and_hold(target: Target, count: int, beginnings: Sequence[bytes]) -> None:
    """Open many connections, send on each one of some beginnings, and keep them."""
    with contextlib.ExitStack() as stack:

        def act() -> None:
            client = stack.enter_context(target.connect())
            client.send(beginnings[target.number() % len(beginnings)])

        for _ in range(count):
            if target.going:
                target.attempt(act)
        hold(target)


def pump(target: Target, client: Raw, make: Callable[[int], bytes], *, window: int = 100) -> None:
    """
    Send requests, some at a time, and read the responses; slow down only on request.

    Args:
        target: tells when to stop.
        client: has signed in.
        make: a request, from a number that is its id.
        window: how many are under way at one time.
    """
    sent = done = 0
    while target.going:
        if sent - done < window:
            client.send(*[frame_of(make(sent + n)) for n in range(window - (sent - done))])
            sent += window - (sent - done)
        frame = client.frame()
        if frame is None or frame.opcode == CLOSE:
            return
        if frame.opcode == TEXT:
            messages = json.loads(frame.payload)
            for message in messages if isinstance(messages, list) else [messages]:
                done += "method" not in message
                _wait(message)


def call_again(target: Target, client: Raw, method: str, *each: dict[str, Any]) -> None:
    """Pump one method with some arguments in turn."""
    pump(target, client, lambda number: request_of(method, number, **each[number % len(each)]))


def _wait(message: dict[str, Any]) -> None:
    error = message.get("error") or {}
    if error.get("code") == RATE_LIMITED:
        time.sleep(min(PAUSE_SECONDS_MAX, error["data"]["retry_after"]))


def batch_of(requests: Sequence[bytes]) -> bytes:
    """Make one frame of many requests."""
    return frame_of(b"[" + b",".join(requests) + b"]")
