"""Attacks by good requests of a guest: too many of them, too large, too dear."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from tests.attack.target import Attack, Target, call_again, chat_text, pump
from tests.blackbox.raw import request_of

__all__ = ["BY_COMMAND"]

LONG_CHARS: Final = 60_000
FOLLOWERS: Final = 60


def names_that_are_not_there(target: Target) -> None:
    """Ask for streams and users by long names, each another one."""
    long = "\N{GRINNING FACE}" + "x" * LONG_CHARS

    def make(number: int) -> bytes:
        name = f"{target.number()}{long}"
        if number % 2:
            return request_of("users.get", number, user_id=name)
        return request_of("session.read", number, stream=f"room/{name}")

    _pumped(target, make, window=20)


def short_names_that_are_not_there(target: Target) -> None:
    """Ask for streams and users by short names, each another one."""
    kinds = ("room", "user", "match", "board", "cart", "order", "product", "direct/a")

    def make(number: int) -> bytes:
        kind = kinds[number % len(kinds)]
        return request_of("session.read", number, stream=f"{kind}/{target.number()}")

    _pumped(target, make)


def keys(target: Target) -> None:
    """Use a key for each command, and never again."""

    def make(number: int) -> bytes:
        key = f"{target.number()}".ljust(200, "k")
        metadata = {"text": "m" * 800}
        return request_of("games.submit", number, board="main", score=1, metadata=metadata, key=key)

    _pumped(target, make)


def rooms(target: Target) -> None:
    """Make rooms of long names."""
    emoji = "\N{GRINNING FACE}" * 90
    _pumped(target, lambda n: request_of("chat.create_room", n, name=f"{target.number()}{emoji}"))


def lists_of_rooms(target: Target) -> None:
    """Make rooms, and ask for all of them."""
    _pumped(
        target,
        lambda n: (
            request_of("chat.create_room", n, name=f"Room {target.number()}")
            if n % 5 == 0
            else request_of("chat.rooms", n, limit=500)
        ),
    )


def boards(target: Target) -> None:
    """Make boards whose seasons end every minute."""
    _pumped(
        target,
        lambda n: request_of(
            "games.create_board", n, name=f"b{target.number()}", reset="* * * * *"
        ),
    )


def schedules(target: Target) -> None:
    """Make boards with schedules that never come."""
    resets = ("0 0 30 2 *", "0 0 31 4 *", "0 0 29 2 MON#5", "0-59/1," * 19 + "0 * * * *")
    _pumped(
        target,
        lambda n: request_of(
            "games.create_board", n, name=f"s{target.number()}", reset=resets[n % len(resets)]
        ),
    )


def matches(target: Target) -> None:
    """Start matches against somebody who is not there."""
    with target.connect() as other:
        absent = other.sign_in("Absent")["user"]["id"]

    def act() -> None:
        with target.connect() as client:
            own = client.sign_in("Starter")["user"]["id"]
            rules = {"type": "timed", "seconds": 86_400}
            call_again(
                target, client, "games.start_match", {"players": [own, absent], "rules": rules}
            )

    target.crowd(2, act)


def searches_for_a_match(target: Target) -> None:
    """Look for matches in queues, each of another name."""
    _pumped(
        target,
        lambda n: request_of(
            "games.find_match", n, queue=f"q{target.number()}".ljust(2_000, "q"), timeout=30
        ),
        window=300,
    )


def carts(target: Target) -> None:
    """Put something into a cart, each time as another guest."""

    def act() -> None:
        with target.guest() as client:
            sku = client.result("shop.products")[0]["sku"]
            client.call("shop.add_item", sku=sku)
            client.call("shop.set_country", country="DE")

    target.crowd(4, act)


def searches(target: Target) -> None:
    """Search for many words, and for what is nearly everywhere."""
    room = target.big_room()
    with target.connect(address="127.0.0.1") as owner:
        owner.sign_in("Talker")
        owner.result("chat.join", room_id=room)
        for _ in range(10):
            owner.result("chat.send", room_id=room, text="b " * 1_999 + "a")
    target.begin()
    texts = ("a " * 500, "a" * LONG_CHARS, "a b " * 200, "\ufdfa" * 5_000, "a" + "\u0301" * 30_000)

    def act() -> None:
        with target.guest() as client:
            client.result("chat.join", room_id=room)
            call_again(
                target, client, "chat.search", *({"room_id": room, "text": text} for text in texts)
            )

    target.crowd(2, act)


def reactions(target: Target) -> None:
    """React to a message and remove the reaction."""
    emoji = "\N{THUMBS UP SIGN}"
    _on_one_message(
        target,
        lambda number, room, seq: request_of(
            "chat.unreact" if number % 2 else "chat.react",
            number,
            room_id=room,
            seq=seq,
            emoji=emoji,
        ),
    )


def edits(target: Target) -> None:
    """Edit a message, each time to the longest text."""
    texts = (chat_text()[:-1] + "a", chat_text()[:-1] + "b")
    _on_one_message(
        target,
        lambda number, room, seq: request_of(
            "chat.edit", number, room_id=room, seq=seq, text=texts[number % 2]
        ),
    )


def histories(target: Target) -> None:
    """Read the longest history again and again, and take all of it."""
    room = target.big_room()
    target.begin()

    def act() -> None:
        with target.guest() as client:
            client.result("chat.join", room_id=room)
            call_again(target, client, "chat.history", {"room_id": room, "limit": 500})

    target.crowd(3, act)


def typing(target: Target) -> None:
    """Type without an end in a room that many follow."""
    with target.connect(address="127.0.0.1") as owner, ExitStack() as stack:
        owner.sign_in("Owner")
        room = owner.result("chat.create_room", name="Typing")["id"]
        for _ in range(FOLLOWERS):
            follower = stack.enter_context(target.guest(address="127.0.0.1"))
            follower.result("chat.join", room_id=room)
            follower.result("session.follow", stream=f"room/{room}")
        target.begin()
        call_again(target, owner, "chat.typing", {"room_id": room})


def metadata(target: Target) -> None:
    """Submit scores with much beside them, to many boards."""
    much = {f"{n}" * 5: ["y" * 100] * 20 for n in range(20)}

    def make(number: int) -> bytes:
        board = f"board{target.number() % 1_000}"
        return request_of("games.submit", number, board=board, score=number, metadata=much)

    _pumped(target, make, window=50)


def follows_of_long_names(target: Target) -> None:
    """Follow what is not there, by long names."""

    def make(number: int) -> bytes:
        name = f"index/{target.number()}".ljust(LONG_CHARS, "x")
        return request_of("session.follow", number, stream=name)

    _pumped(target, make, window=20)


def directs(target: Target) -> None:
    """Read marks, and direct messages to the sender and to unknown users."""

    def make(number: int) -> bytes:
        return request_of("chat.send_direct", number, user_id=f"u{target.number()}", text="hi")

    _pumped(target, make)


def _pumped(target: Target, make: Callable[[int], bytes], *, window: int = 100) -> None:
    def act() -> None:
        with target.guest() as client:
            pump(target, client, make, window=window)

    target.crowd(2, act)


def _on_one_message(target: Target, make: Callable[[int, str, int], bytes]) -> None:
    def act() -> None:
        with target.guest() as client:
            room = client.result("chat.create_room", name="One message")["id"]
            seq = client.result("chat.send", room_id=room, text="hello")["seq"]
            pump(target, client, lambda number: make(number, room, seq))

    target.crowd(2, act)


BY_COMMAND: Final[dict[str, Attack]] = {
    attack.__name__: attack
    for attack in (
        names_that_are_not_there,
        short_names_that_are_not_there,
        keys,
        rooms,
        lists_of_rooms,
        boards,
        schedules,
        matches,
        searches_for_a_match,
        carts,
        searches,
        reactions,
        edits,
        histories,
        typing,
        metadata,
        follows_of_long_names,
        directs,
    )
}
