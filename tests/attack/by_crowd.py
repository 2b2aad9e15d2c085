"""Attacks that make work out of others' attention: presence, profiles, slow readers, languages."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Final

from tests.attack.target import Attack, Target, call_again, pump
from tests.blackbox.raw import Raw, request_of

__all__ = ["BY_CROWD"]

ROOMS: Final = 60
FOLLOWERS: Final = 40
SLOW_READERS: Final = 300
PASSWORD: Final = "a password that is long enough"


def presence_in_many_rooms(target: Target) -> None:
    """Come and go, again and again, in many rooms that many follow."""
    with target.connect(address="127.0.0.1") as owner, ExitStack() as stack:
        token = owner.sign_in("Owner")["token"]
        rooms = [owner.call("chat.create_room", name=f"Room {n}") for n in range(ROOMS)]
        names = [room["result"]["id"] for room in rooms if "result" in room]
        for _ in range(FOLLOWERS):
            follower = stack.enter_context(target.guest(address="127.0.0.1"))
            for name in names:
                follower.call("chat.join", room_id=name)
                follower.call("session.follow", stream=f"room/{name}")
        target.begin()

        def act() -> None:
            with target.connect() as client:
                client.upgrade()
                client.call("session.sign_in", token=token)
                client.call("users.update", nickname=f"Owner {target.number()}")

        owner.close()
        target.crowd(3, act)


def profiles(target: Target) -> None:
    """Change the nickname and the picture without an end."""

    def make(number: int) -> bytes:
        name = f"{target.number()}" + "\N{GRINNING FACE}" * 80
        return request_of("users.update", number, nickname=name, avatar="\N{GRINNING FACE}" * 90)

    def act() -> None:
        with target.guest() as client:
            pump(target, client, make)

    target.crowd(2, act)


def read_marks(target: Target) -> None:
    """Say again and again how far the user has read."""
    room = target.big_room()
    target.begin()

    def act() -> None:
        with target.guest() as client:
            client.result("chat.join", room_id=room)
            marks = [{"room_id": room, "seq": seq} for seq in range(1, 300)]
            call_again(target, client, "chat.mark_read", *marks)

    target.crowd(2, act)


def reads(target: Target) -> None:
    """Read all raw events of a large room."""
    room = target.big_room()
    target.begin()

    def act() -> None:
        with target.guest() as client:
            client.result("chat.join", room_id=room)
            stream = {"stream": f"room/{room}", "after": 0, "limit": 500}
            call_again(target, client, "session.read", stream)

    target.crowd(3, act)


def follows_from_the_beginning(target: Target) -> None:
    """Follow a large room from its beginning, take everything, and do it again."""
    room = target.big_room()
    target.begin()

    def act() -> None:
        with target.guest() as client:
            client.result("chat.join", room_id=room)
            while target.going:
                client.call("session.follow", stream=f"room/{room}", after=0)
                client.call("chat.history", room_id=room, limit=1)
                client.call("session.unfollow", stream=f"room/{room}")

    target.crowd(3, act)


def histories_over_http(target: Target) -> None:
    """Read the longest history by many HTTP connections at once, and take it."""
    room = target.big_room()
    with target.connect() as reader:
        token = reader.sign_in("Reader")["token"]
        reader.result("chat.join", room_id=room)
    target.begin()
    line = f"GET /api/chat/history?room_id={room}&limit=500 HTTP/1.1\r\nHost: x\r\n"
    request = f"{line}Authorization: Bearer {token}\r\n\r\n".encode()

    def act() -> None:
        with target.connect() as client:
            for _ in range(20):
                client.send(request)
                client.read_head()
                client.read_body()

    target.crowd(12, act)


def slow_readers(target: Target) -> None:
    """Follow a large room by many sockets, and read a byte now and then, so as to seem alive."""
    room = target.big_room()
    target.begin()
    with ExitStack() as stack:
        clients: list[Raw] = []

        def act() -> None:
            client = stack.enter_context(target.guest(reads=False))
            client.result("chat.join", room_id=room)
            client.call("session.follow", stream=f"room/{room}", after=0)
            clients.append(client)

        while target.going and len(clients) < SLOW_READERS:
            target.attempt(act)
        while target.going:
            for client in clients:
                target.attempt(lambda one=client: one.socket.recv(1))  # type: ignore[misc]
            time.sleep(0.5)


def languages(target: Target) -> None:
    """Ask for an invoice in every language there is."""

    def act() -> None:
        with target.guest() as client:
            sku = client.result("shop.products")[0]["sku"]
            client.result("shop.add_item", sku=sku)
            key = f"key {target.number()}"
            order = client.result("shop.checkout", payment="pm_card_visa", key=key)["id"]
            each = [{"order_id": order, "locale": locale} for locale in LOCALES]
            call_again(target, client, "shop.invoice", *each)

    target.crowd(2, act)


def new_passwords(target: Target) -> None:
    """Change a password again and again: each is hashed, which takes long by intention."""

    def act() -> None:
        with target.guest() as client:
            name = f"account{target.number()}"
            client.result("users.create_account", name=name, password=PASSWORD)
            change = {"old": PASSWORD, "new": PASSWORD}
            call_again(target, client, "users.change_password", change)

    target.crowd(3, act)


def sign_ins_on_one_socket(target: Target) -> None:
    """Sign in on a socket that has signed in, without an end."""

    def act() -> None:
        with target.guest() as client:
            call_again(target, client, "session.sign_in", {"nickname": "Again"})

    target.crowd(3, act)


LANGUAGES: Final = (
    "af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu"
)
LANGUAGES_TOO: Final = (
    "hy id is it ja ka kk km kn ko ky lo lt lv mk ml mn mr ms my nb ne nl pa pl pt"
)
LANGUAGES_LAST: Final = "ro ru si sk sl sq sr sv sw ta te th tr uk ur uz vi zh zu"
REGIONS: Final = ("", "_001", "_150", "_US", "_GB", "_DE", "_IN", "_CN", "_BR", "_CA", "_CH", "_ZA")
LOCALES: Final = [
    f"{language}{region}"
    for language in f"{LANGUAGES} {LANGUAGES_TOO} {LANGUAGES_LAST}".split()
    for region in REGIONS
]

BY_CROWD: Final[dict[str, Attack]] = {
    attack.__name__: attack
    for attack in (
        presence_in_many_rooms,
        profiles,
        read_marks,
        reads,
        follows_from_the_beginning,
        histories_over_http,
        slow_readers,
        languages,
        new_passwords,
        sign_ins_on_one_socket,
    )
}
