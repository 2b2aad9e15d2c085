"""A fake server of one stream: requests wait until the test answers them, and so do events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

import msgspec

from hubbub.errors import Conflict, HubbubError
from hubbub.wire.follow import Done, FollowedStream, read_head
from hubbub.wire.follower import RemoteFollower

__all__ = ["PlayedStream", "body_of", "seqs"]

NULL = msgspec.Raw(b"null")


def body_of(seq: int) -> msgspec.Raw:
    return msgspec.Raw(b'{"stream":"room/1","seq":%d}' % seq)


class PlayedStream:
    """
    A server of one stream.

    Args:
        head: the seq of its last event.
    """

    def __init__(self, head: int = 0) -> None:
        self.head = head
        self.asked: deque[tuple[str, dict[str, int | None], Done]] = deque()
        self.sent: deque[Callable[[], None]] = deque()
        self.pages: deque[Callable[[], None]] = deque()
        self.cursor: int | None = None
        self.idle = False
        self.follow = self.new_follow(connected=True)

    def new_follow(self, *, connected: bool) -> FollowedStream:
        return FollowedStream("room/1", self.ask, self.become_idle, connected=connected)

    def become_idle(self) -> None:
        self.idle = True

    def ask(self, method: str, params: object, done: Done) -> None:
        assert isinstance(params, dict)
        self.asked.append((method.removeprefix("session."), params, done))

    def serve(self) -> None:
        """Answer the first request."""
        method, params, done = self.asked.popleft()
        after = params.get("after")
        match method:
            case "follow" if after is not None and after > self.head:
                self.sent.append(partial(done, NULL, Conflict("Too far.")))
            case "follow":
                assert self.cursor is None, "a stream is followed once"
                self.cursor = self.head if after is None else after
                followed = msgspec.Raw(b'{"head":%d}' % self.head)
                self.sent.append(partial(done, followed, None))
            case "unfollow":
                self.cursor = None
                self.sent.append(partial(done, NULL, None))
            case "read":
                assert after is not None
                last = min(self.head, after + (params["limit"] or 0))
                page = msgspec.json.encode([body_of(n) for n in range(after + 1, last + 1)])
                # It is read now, and answered later, when other things have happened.
                self.pages.append(partial(done, msgspec.Raw(page), None))

    def answer_read(self) -> None:
        """Answer the page that was read first."""
        self.sent.append(self.pages.popleft())

    def push(self) -> None:
        """Send what the follow lacks."""
        while self.cursor is not None and self.cursor < self.head:
            self.cursor += 1
            self.sent.append(partial(self.follow.receive, self.cursor, body_of(self.cursor)))

    def deliver(self) -> None:
        """Let what was sent first arrive."""
        self.sent.popleft()()

    def settle(self) -> None:
        """Let everything happen that is under way."""
        while self.asked or self.pages or self.sent or self.cursor not in (None, self.head):
            while self.asked:
                self.serve()
            while self.pages:
                self.answer_read()
            self.push()
            while self.sent:
                self.deliver()

    def cut(self) -> None:
        """Lose the connection."""
        self.asked.clear()
        self.sent.clear()
        self.pages.clear()
        self.cursor = None
        self.follow.disconnected()

    def refuse(self, error: HubbubError) -> None:
        """Refuse the first request."""
        _, _, done = self.asked.popleft()
        done(NULL, error)

    def join(self, after: int | None = 0) -> RemoteFollower:
        return self.follow.join(after, lambda: None)

    def joined(self, after: int | None = 0) -> RemoteFollower:
        follower = self.join(after)
        self.settle()
        return follower


def seqs(follower: RemoteFollower, count: int = 1 << 30) -> list[int]:
    """Take what is there, or the first of it."""
    found: list[int] = []
    while len(found) < count and (body := follower.take()) is not None:
        found.append(read_head(body).seq)
    return found
