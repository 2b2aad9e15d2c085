"""Every command, as every role, against what is somebody else's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import pytest

import hubbub
from hubbub import FirstTo, Money
from hubbub.chat.service import Chat
from hubbub.errors import Conflict, NotAllowed, NotFound
from hubbub.games.service import Games
from hubbub.keys.device import SealedBody
from hubbub.keys.service import Keys
from hubbub.operations.service import Operations
from hubbub.permissions import ROLES
from hubbub.service import methods_of
from hubbub.shop.service import Shop
from hubbub.users.service import Users
from tests.features import GRANTS, READERS, STREAMS
from tests.session.test_keys import add_device
from tests.session.worlds import OpenWorld, World

EVERYBODY = frozenset(ROLES)
STAFF = frozenset({"moderator", "admin"})
ADMIN = frozenset({"admin"})
NOBODY = frozenset[str]()

SEALED = ("phone", "session", "c2VhbGVk")
PRICE = Money(1000, "USD")


class Things(NamedTuple):
    """The data of Alice, some of it shared with Bob; Eve has no access."""

    alice: hubbub.Session
    bob: hubbub.Session
    room: str
    message: int
    direct: str
    match: str
    order: str


async def things_of(w: World) -> Things:
    root = await w.session("Root", role="admin")
    alice, bob = await w.sessions("Alice", "Bob")
    await root.shop.set_product("pen", "Pen", PRICE, stock=100)
    room = await alice.chat.create_room("Private", private=True)
    await alice.chat.invite(room.id, bob.user.id)
    await bob.chat.join(room.id)
    said = await alice.chat.send(room.id, "secret")
    direct = await alice.chat.send_direct(bob.user.id, "psst")
    players = [alice.user.id, bob.user.id]
    match = await alice.games.start_match(players, rules=FirstTo(50), private=True)
    await add_device(alice)
    await alice.shop.add_item("pen")
    order = await alice.shop.checkout(payment="pm_card_visa", key="k")
    return Things(alice, bob, room.id, said.seq, direct.stream, match.id, order.id)


Attempt = Callable[[hubbub.Session, Things], Awaitable[Any]]

NEW_PASSWORD = "a password of four words"


def on_nobody(attempt: Callable[[hubbub.Session, str], Awaitable[Any]]) -> Attempt:
    """Try it on a user who does not exist: an admin gets NotFound."""

    async def tried(eve: hubbub.Session, it: Things) -> None:
        with suppress(NotFound):
            await attempt(eve, "nobody")

    return tried


async def deliver(eve: hubbub.Session, to: hubbub.Session) -> None:
    """Send keys to a user with whom Eve shares no encrypted room."""
    await add_device(eve)
    await eve.keys.deliver("phone", {f"{to.user.id}/phone": SealedBody(0, "aGVsbG8")})


# What is tried -> the roles that may, of somebody who has no part in it.
ATTEMPTS: Mapping[str, tuple[Attempt, frozenset[str]]] = {
    "chat.join": (lambda eve, it: eve.chat.join(it.room), NOBODY),
    "chat.leave": (lambda eve, it: eve.chat.leave(it.room), NOBODY),
    "chat.invite": (lambda eve, it: eve.chat.invite(it.room, eve.user.id), STAFF),
    "chat.kick": (lambda eve, it: eve.chat.kick(it.room, it.bob.user.id), STAFF),
    "chat.ban": (lambda eve, it: eve.chat.ban(it.room, it.bob.user.id), STAFF),
    "chat.mute": (lambda eve, it: eve.chat.mute(it.room, it.bob.user.id, 1), STAFF),
    "chat.set_role": (
        lambda eve, it: eve.chat.set_role(it.room, it.bob.user.id, "moderator"), ADMIN
    ),
    "chat.close_room": (lambda eve, it: eve.chat.close_room(it.room), ADMIN),
    "chat.encrypt": (lambda eve, it: eve.chat.encrypt(it.room), NOBODY),
    "chat.send_sealed": (
        lambda eve, it: eve.chat.send_sealed(it.room, *SEALED, roster=0), NOBODY
    ),
    "chat.change_sealed": (
        lambda eve, it: eve.chat.change_sealed(it.room, it.message, *SEALED, roster=0), NOBODY
    ),
    "chat.send": (lambda eve, it: eve.chat.send(it.room, "hi"), NOBODY),
    "chat.edit": (lambda eve, it: eve.chat.edit(it.room, it.message, "hi"), NOBODY),
    "chat.delete": (lambda eve, it: eve.chat.delete(it.room, it.message), NOBODY),
    "chat.react": (lambda eve, it: eve.chat.react(it.room, it.message, "👍"), NOBODY),
    "chat.unreact": (lambda eve, it: eve.chat.unreact(it.room, it.message, "👍"), NOBODY),
    "chat.typing": (lambda eve, it: eve.chat.typing(it.direct), NOBODY),
    "chat.mark_read": (lambda eve, it: eve.chat.mark_read(it.room, 1), NOBODY),
    "chat.members": (lambda eve, it: eve.chat.members(it.direct), NOBODY),
    "chat.history": (lambda eve, it: eve.chat.history(it.direct), NOBODY),
    "chat.search": (lambda eve, it: eve.chat.search(it.room, "secret"), NOBODY),
    "keys.claim": (lambda eve, it: eve.keys.claim([f"{it.alice.user.id}/phone"]), NOBODY),
    "keys.deliver": (lambda eve, it: deliver(eve, it.alice), NOBODY),
    "games.add_score": (
        lambda eve, it: eve.games.add_score(it.match, 10, player=it.bob.user.id), NOBODY
    ),
    "games.resign": (lambda eve, it: eve.games.resign(it.match), NOBODY),
    "games.message": (lambda eve, it: eve.games.message(it.match, {}), NOBODY),
    "games.match": (lambda eve, it: eve.games.match(it.match), NOBODY),
    "shop.set_product": (lambda eve, it: eve.shop.set_product("pen", "Pen", PRICE), ADMIN),
    "shop.adjust_stock": (lambda eve, it: eve.shop.adjust_stock("pen", 1, key="a"), ADMIN),
    "shop.cancel_order": (lambda eve, it: eve.shop.cancel_order(it.order, key="c"), ADMIN),
    "shop.settle_order": (lambda eve, it: eve.shop.settle_order(it.order, key="s"), ADMIN),
    "shop.set_coupon": (lambda eve, it: eve.shop.set_coupon("ALL", percent=100), ADMIN),
    "shop.order": (lambda eve, it: eve.shop.order(it.order), ADMIN),
    "shop.open_orders": (lambda eve, it: eve.shop.open_orders(), ADMIN),
    "shop.refund": (lambda eve, it: eve.shop.refund(it.order, key="r"), ADMIN),
    "shop.invoice": (lambda eve, it: eve.shop.invoice(it.order), ADMIN),
    "users.set_role": (lambda eve, it: eve.users.set_role(it.bob.user.id, "moderator"), ADMIN),
    "users.list_users": (lambda eve, it: eve.users.list_users(), ADMIN),
    "users.find": (lambda eve, it: eve.users.find(it.bob.user.id), ADMIN),
    "users.create_user": (lambda eve, it: eve.users.create_user("Zed", NEW_PASSWORD), ADMIN),
    "users.set_password": (
        on_nobody(lambda eve, user: eve.users.set_password(user, NEW_PASSWORD)), ADMIN
    ),
    "users.disable": (on_nobody(lambda eve, user: eve.users.disable(user)), ADMIN),
    "users.enable": (on_nobody(lambda eve, user: eve.users.enable(user)), ADMIN),
    "operations.stats": (lambda eve, it: eve.operations.stats(), ADMIN),
}  # fmt: skip

# These take no one else's thing: they are about oneself, or about what is everybody's.
HARMLESS = frozenset(
    {
        *("chat.create_room", "chat.rooms", "chat.send_direct", "chat.directs", "chat.unread"),
        *("games.start_match", "games.find_match", "games.matches", "games.create_board"),
        *("games.submit", "games.board", "games.top", "games.rank", "games.around"),
        *("games.seasons", "games.season", "shop.products", "shop.product"),
        *("shop.cart", "shop.add_item", "shop.remove_item", "shop.set_quantity"),
        *("shop.accept_prices", "shop.apply_coupon", "shop.remove_coupon", "shop.set_country"),
        *("shop.clear", "shop.checkout", "shop.orders", "users.get", "users.get_many"),
        *("users.online", "users.update", "users.create_account", "users.change_password"),
        *("users.set_away", "users.sign_out", "keys.add_device", "keys.remove_device"),
        *("keys.devices", "keys.publish", "keys.open", "keys.received", "keys.begin_backup"),
        "keys.back_up",
    }
)


def test_every_method_has_its_grant_and_its_attempt() -> None:
    services = (Chat, Games, Keys, Operations, Shop, Users)
    methods = {name for service in services for name in methods_of(service)}

    assert methods == set(GRANTS)
    assert methods == set(ATTEMPTS) | HARMLESS


def test_every_kind_of_stream_has_its_grant() -> None:
    assert set(READERS) - {"private match"} == set(STREAMS)


@pytest.mark.parametrize("role", ROLES)
async def test_nobody_does_to_others_things_what_the_table_does_not_say(
    world: OpenWorld, role: str
) -> None:
    wrong = []
    async with world() as w:
        it = await things_of(w)
        eve = await w.session("Eve", role=role)
        # What ends things comes last.
        for name in sorted(ATTEMPTS, key=lambda one: one in ("chat.close_room", "shop.refund")):
            attempt, may = ATTEMPTS[name]
            if name == "chat.kick" and role in may:
                await it.bob.chat.join(it.room)
            allowed = True
            try:
                await attempt(eve, it)
            except NotAllowed:
                allowed = False
            except Conflict:
                allowed = True
            if allowed != (role in may):
                wrong.append((name, allowed))
            # Who was put out is let in again, for the next attempt.
            with suppress(NotAllowed):
                await it.alice.chat.invite(it.room, it.bob.user.id)
                await it.bob.chat.join(it.room)

    assert wrong == []


def streams_of(it: Things) -> Mapping[str, str]:
    alice = it.alice.user.id
    return {
        "room": f"room/{it.room}",
        "direct": it.direct,
        "user": f"user/{alice}",
        "account": "account/alice",
        "index": "index/rooms",
        "match": f"match/{it.match}",
        "board": "board/main",
        "product": "product/pen",
        "catalogue": "catalogue/products",
        "coupon": "coupon/WELCOME",
        "cart": f"cart/{alice}",
        "order": f"order/{it.order}",
        "sandbox": f"sandbox/{it.order}",
        "agenda": "agenda/matches/0",
        "queue": "queue/default",
        "keys": f"keys/{alice}",
        "device": f"device/{alice}/phone",
        "backup": f"backup/{alice}",
    }


PUBLIC = {"index", "board", "product", "catalogue"}


@pytest.mark.parametrize("role", ROLES)
async def test_nobody_reads_or_follows_what_is_somebody_elses(world: OpenWorld, role: str) -> None:
    async with world() as w:
        it = await things_of(w)
        eve = await w.session("Eve", role=role)
        await eve.games.submit("main", 1)
        read, followed, heard = set(), set(), set()
        for kind, stream in streams_of(it).items():
            with suppress(NotAllowed):
                await eve.read(stream)
                read.add(kind)
            with suppress(NotAllowed):
                async with eve.follow(stream, after=0):
                    followed.add(kind)
            with suppress(NotAllowed):
                async with eve.signals(stream):
                    heard.add(kind)

    assert (read, followed, heard) == (PUBLIC, PUBLIC, PUBLIC)
    assert set(streams_of(it)) == set(STREAMS)


async def test_what_is_ones_own_is_read(world: OpenWorld) -> None:
    async with world() as w:
        it = await things_of(w)
        await it.alice.games.submit("main", 1)
        read = set()
        for kind, stream in streams_of(it).items():
            with suppress(NotAllowed):
                await it.alice.read(stream)
                read.add(kind)

    mine = {"room", "direct", "user", "match", "cart", "order", "keys", "device", "backup"}
    assert read == PUBLIC | mine
