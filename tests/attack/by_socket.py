"""Attacks by WebSocket connections: what is sent and not read, and what is never finished."""

from __future__ import annotations

import zlib
from contextlib import ExitStack
from itertools import count
from typing import Final

from tests.attack.target import Attack, Target, batch_of, connect_and_hold, hold, pour
from tests.blackbox.raw import (
    CONTINUATION,
    PING,
    Raw,
    frame_of,
    handshake_of,
    request_of,
)

__all__ = ["BY_SOCKET"]

MEGABYTE: Final = 1_000_000
FRAME_BYTES_MAX: Final = 64 * 1024
SILENT_CONNECTIONS: Final = 2_000
DRIPS: Final = 100


def pings(target: Target) -> None:
    """Ping and do not read the pongs."""
    block = frame_of(bytes(125), PING) * 500
    target.crowd(3, lambda: pour(target, target.guest(reads=False), block))


def pings_of_strangers(target: Target) -> None:
    """Ping before signing in."""

    def act() -> None:
        with target.connect(reads=False) as client:
            client.upgrade()
            pour(target, client, frame_of(b"", PING) * 5_000)

    target.crowd(3, act)


def unread_errors(target: Target) -> None:
    """Send requests that are refused at once, and do not read why."""
    block = frame_of(request_of("x", 1)) * 1_000
    target.crowd(3, lambda: pour(target, target.guest(reads=False), block))


def unread_answers(target: Target) -> None:
    """Ask for the longest answer there is, and do not read it."""
    room = target.big_room()
    block = frame_of(request_of("chat.history", 1, room_id=room, limit=500))
    target.begin()
    target.crowd(3, lambda: pour(target, member(target, room, reads=False), block))


def unread_batches(target: Target) -> None:
    """Ask for it a hundred times in one frame."""
    room = target.big_room()
    block = batch_of([request_of("chat.history", n, room_id=room, limit=500) for n in range(100)])
    target.begin()
    target.crowd(3, lambda: pour(target, member(target, room, reads=False), block))


def stuck_followers(target: Target) -> None:
    """Follow a room from its beginning, and do not read."""
    room = target.big_room()
    target.begin()
    follow = frame_of(request_of("session.follow", 9, stream=f"room/{room}", after=0))

    def act() -> None:
        with ExitStack() as stack:
            clients = [stack.enter_context(member(target, room, reads=False)) for _ in range(20)]
            for client in clients:
                client.send(follow)
            hold(target)

    target.crowd(2, act)


def follows_from_everywhere(target: Target) -> None:
    """Follow a room after each of its events in turn, so that each piece of it is made."""
    room = target.big_room()
    target.begin()

    def act() -> None:
        stream = f"room/{room}"
        with member(target, room) as client:
            for after in range(600):
                if not target.going:
                    break
                client.call("session.follow", stream=stream, after=after % 300)
                client.call("session.unfollow", stream=stream)

    target.crowd(2, act)


def sockets_of_one_user(target: Target) -> None:
    """Open sockets, all by one user."""
    with target.connect() as first, ExitStack() as stack:
        token = first.sign_in("Many")["token"]

        def act() -> None:
            client = stack.enter_context(target.connect())
            client.upgrade()
            client.call("session.sign_in", token=token)

        while target.going:
            target.attempt(act)


def silent_connections(target: Target) -> None:
    """Open connections, and say nothing, or half of something."""
    parts = [b"", b"GET /w", b"GET / HTTP/1.1\r\n", handshake_of()[:-2], handshake_of()]
    connect_and_hold(target, SILENT_CONNECTIONS, parts)


def half_messages(target: Target) -> None:
    """Begin messages that are nearly as long as allowed, and do not end them."""
    most = frame_of(bytes(FRAME_BYTES_MAX - 1))[:-1]
    fragments = frame_of(b"x" * (FRAME_BYTES_MAX - 1), final=False)
    with ExitStack() as stack:

        def act() -> None:
            client = stack.enter_context(target.connect())
            client.send(handshake_of(), most if target.number() % 2 else fragments)

        while target.going:
            target.attempt(act)


def drips(target: Target) -> None:
    """Send heads, and long messages of signed-in users, a byte at a time, so as to seem alive."""
    head = handshake_of("/ws", "X: " + "a" * 8_000)
    message = frame_of(b"x" * (FRAME_BYTES_MAX - 1))
    with ExitStack() as stack:
        dripping = [(stack.enter_context(target.connect()), head) for _ in range(DRIPS)]
        for _ in range(DRIPS):
            target.attempt(lambda: dripping.append((stack.enter_context(target.guest()), message)))
        for place in count():
            if not target.going:
                return
            for client, data in dripping:
                client.send(data[place : place + 1])


def vanished(target: Target) -> None:
    """Sign in, and go without a word: what the server sends then is answered by nobody."""
    with ExitStack() as stack:

        def act() -> None:
            client = stack.enter_context(target.guest(reads=False))
            client.vanish()

        while target.going:
            target.attempt(act)


def deflate_bombs(target: Target) -> None:
    """Ask for compression, under every name of the path, and send what grows a thousandfold."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(16 * MEGABYTE)) + packer.flush(zlib.Z_SYNC_FLUSH)
    frame = frame_of(bomb[:-4], reserved=4)

    def act() -> None:
        path = ("/ws", "/%77s", "/w%73")[target.number() % 3]
        with target.connect(reads=False) as client:
            client.send(handshake_of(path, "Sec-WebSocket-Extensions: permessage-deflate"))
            client.read_head()
            pour(target, client, frame * 4)

    target.crowd(4, act)


def long_frames(target: Target) -> None:
    """Send messages of 16 MB, whole and in fragments."""
    whole = frame_of(bytes(15 * MEGABYTE))
    first = frame_of(bytes(MEGABYTE), final=False)
    rest = frame_of(bytes(MEGABYTE), CONTINUATION, final=False)

    def act() -> None:
        with target.connect() as client:
            client.upgrade()
            client.send(whole if target.number() % 2 else first + rest * 20)
            client.socket.settimeout(1.0)
            client.socket.recv(4_096)

    target.crowd(3, act)


def empty_fragments(target: Target) -> None:
    """Send empty fragments, and fragments of one byte, without end."""
    nothing = frame_of(b"", CONTINUATION, final=False) * 10_000
    little = frame_of(b" ", CONTINUATION, final=False) * 10_000

    def act() -> None:
        with target.connect(reads=False) as client:
            client.upgrade(frame_of(b"", final=False))
            pour(target, client, nothing if target.number() % 2 else little)

    target.crowd(3, act)


def deep_requests(target: Target) -> None:
    """Send JSON that is nested deeper than a reader goes, in every field of a request."""
    deep = b"[" * 30_000 + b"]" * 30_000
    usual = {b"jsonrpc": b'"2.0"', b"id": b"1", b"method": b'"x"', b"params": b"{}"}
    block = b""
    for name in usual:
        fields = usual | {name: deep}
        block += frame_of(b"{" + b",".join(b'"%b":%b' % one for one in fields.items()) + b"}")

    def act() -> None:
        with target.guest() as client:
            client.send(block)
            for _ in usual:
                client.frame()

    target.crowd(3, act)


def batches_of_nothing(target: Target) -> None:
    """Send arrays of what are no requests, as many as a frame holds, and read all the errors."""
    ones = frame_of(b"[" + b",".join([b"1"] * 32_000) + b"]")
    objects = frame_of(b"[" + b",".join([b"{}"] * 21_000) + b"]")

    def act() -> None:
        with target.guest() as client:
            while target.going:
                client.send(ones if target.number() % 2 else objects)
                client.frame()

    target.crowd(3, act)


def notifications(target: Target) -> None:
    """Send requests that want no answer, and answers to requests that nobody has made."""
    notification = frame_of(b'{"jsonrpc":"2.0","method":"users.online"}') * 500
    answer = frame_of(b'{"jsonrpc":"2.0","id":1,"result":null}') * 500

    def act() -> None:
        pour(target, target.guest(), notification if target.number() % 2 else answer)

    target.crowd(3, act)


def comings_and_goings(target: Target) -> None:
    """Sign in and go, by a close or by a reset, as fast as it gets."""

    def act() -> None:
        client = target.guest()
        if target.number() % 2:
            client.reset()
        else:
            client.send(frame_of(b"\x03\xe8", 8))
            client.close()

    target.crowd(4, act)


def member(target: Target, room: str, *, reads: bool = True) -> Raw:
    """Sign in and join a room."""
    client = target.guest(reads=reads)
    try:
        client.result("chat.join", room_id=room)
    except BaseException:
        client.close()
        raise
    return client


BY_SOCKET: Final[dict[str, Attack]] = {
    attack.__name__: attack
    for attack in (
        pings,
        pings_of_strangers,
        unread_errors,
        unread_answers,
        unread_batches,
        stuck_followers,
        follows_from_everywhere,
        sockets_of_one_user,
        silent_connections,
        half_messages,
        drips,
        vanished,
        deflate_bombs,
        long_frames,
        empty_fragments,
        deep_requests,
        batches_of_nothing,
        notifications,
        comings_and_goings,
    )
}
