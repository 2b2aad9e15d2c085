"""The charges for a session over a network."""

from __future__ import annotations

import anyio
import pytest

import hubbub
from hubbub.errors import Conflict, Invalid, NotFound, RateLimited
from hubbub.journal.allowance import Allowance
from hubbub.quotas import ADDRESS_FACTOR
from hubbub.server import Gateway
from tests.event_loop import Backend
from tests.features import QUOTAS
from tests.server.memory_socket import Client, clients
from tests.users.node_kit import Cluster, in_cluster, signed_in

MESSAGE = {"text": "hello"}


def codes(answers: list[dict[str, dict[str, dict[str, str]]]]) -> list[str]:
    return [answer["error"]["data"]["code"] if "error" in answer else "fine" for answer in answers]


async def rooms(client: Client, count: int) -> list[str]:
    return codes([await client.ask("chat.create_room", name="r") for _ in range(count)])


async def test_what_lasts_is_limited_and_says_when_to_try_again() -> None:
    settings = hubbub.Settings(rooms_per_user=2)
    async with clients("Ann", "Bob", settings=settings) as (_, [ann, bob]):
        made = await rooms(ann, 3)
        refused = await ann.ask("chat.create_room", name="r")

        assert made == ["fine", "fine", "rate_limited"]
        assert refused["error"]["data"]["retry_after"] > 0
        assert await rooms(bob, 1) == ["fine"]


async def test_a_refusal_and_a_repetition_cost_nothing() -> None:
    settings = hubbub.Settings(rooms_per_user=2)
    async with clients("Ann", settings=settings) as (_, [ann]):
        for _ in range(5):
            assert "error" in await ann.ask("chat.create_room", name="")
        for _ in range(5):
            assert "result" in await ann.ask("chat.create_room", name="r", key="k")

        assert await rooms(ann, 2) == ["fine", "rate_limited"]


async def test_only_a_conversation_that_begins_is_counted() -> None:
    settings = hubbub.Settings(directs_per_user=1, message_limit=100)
    async with clients("Ann", "Bob", "Cid", settings=settings) as (gateway, [ann, bob, cid]):
        ids = [client.connection.session.user.id for client in (bob, cid)]  # type: ignore[union-attr]
        answers = [
            await ann.ask("chat.send_direct", user_id=user, text="hi")
            for user in (ids[0], ids[0], ids[1], ids[0])
        ]

    assert codes(answers) == ["fine", "fine", "rate_limited", "fine"]
    assert gateway


async def test_what_takes_time_is_given_back_when_it_is_refused() -> None:
    settings = hubbub.Settings(orders_per_user=1)
    async with clients("Ann", settings=settings) as (_, [ann]):
        answers = [
            await ann.ask("shop.checkout", payment="pm_card_visa", key=str(number))
            for number in range(3)
        ]

    # The cart is empty.
    assert codes(answers) == ["conflict"] * 3


async def test_signals_are_limited_though_nothing_is_written() -> None:
    settings = hubbub.Settings(signal_limit=3)
    async with clients("Ann", settings=settings) as (_, [ann]):
        room = (await ann.ask("chat.create_room", name="r"))["result"]["id"]
        answers = [
            *[await ann.ask("users.set_away", away=True) for _ in range(2)],
            *[await ann.ask("chat.typing", room_id=room) for _ in range(2)],
        ]

    assert codes(answers) == ["fine", "fine", "fine", "rate_limited"]


async def test_small_changes_are_limited_and_messages_are_not_counted_among_them() -> None:
    settings = hubbub.Settings(change_limit=3, message_limit=100)
    async with clients("Ann", settings=settings) as (_, [ann]):
        room = (await ann.ask("chat.create_room", name="r"))["result"]["id"]
        for _ in range(10):
            sent = await ann.ask("chat.send", room_id=room, text="hello")
        about = {"room_id": room, "seq": sent["result"]["seq"]}
        answers = [
            await ann.ask("chat.react", emoji="👍", **about),
            await ann.ask("chat.react", emoji="👍", **about),
            await ann.ask("chat.edit", text="goodbye", **about),
            await ann.ask("chat.unreact", emoji="👍", **about),
            await ann.ask("chat.react", emoji="🎉", **about),
        ]

    # The same reaction again changes nothing.
    assert codes(answers) == ["fine", "fine", "fine", "fine", "rate_limited"]


async def test_guests_from_one_address_are_limited() -> None:
    settings = hubbub.Settings(guests_per_address=3)
    async with hubbub.open("memory://", settings=settings) as hub:
        gateway = hubbub.server.Gateway(hub)
        answers = [await Client(gateway).ask("session.sign_in", nickname="Ann") for _ in range(5)]
        token = answers[0]["result"]["refresh_token"]
        again = await Client(gateway).ask("session.sign_in", token=token)

    assert codes(answers) == ["fine"] * 3 + ["rate_limited"] * 2
    assert "result" in again


async def test_accounts_from_one_address_are_limited() -> None:
    settings = hubbub.Settings(accounts_per_address=1)
    async with clients("Ann", "Bob", settings=settings) as (_, [ann, bob]):
        answers = [
            await client.ask("users.create_account", name=name, password="correct horse")
            for client, name in ((ann, "x"), (ann, "y"), (bob, "z"))
        ]

    assert codes(answers)[0] == "fine"
    assert codes(answers)[2] == "rate_limited"


async def test_moderators_and_the_application_itself_are_not_limited() -> None:
    settings = hubbub.Settings(rooms_per_user=1)
    async with hubbub.open("memory://", settings=settings) as hub:
        gateway = hubbub.server.Gateway(hub)
        moderator = Client(gateway)
        token = gateway.tokens.sign("mo", "moderator")
        await moderator.ask("session.sign_in", token=token)
        made = await rooms(moderator, 3)
        async with hub.session("ann") as ann:
            for _ in range(3):
                await ann.chat.create_room("r")

    assert made == ["fine"] * 3


async def test_a_coroutine_that_may_not_run_is_closed() -> None:
    settings = hubbub.Settings(signal_limit=1)
    async with hubbub.open("memory://", settings=settings) as hub:
        allowance = Allowance(hub.quotas, "ann", "")

        async def refuse(error: Exception) -> None:
            raise error

        for error in (Conflict("no"), Invalid("no"), NotFound("no")):
            with pytest.raises(type(error)):
                await allowance.charged("chat.typing", refuse(error))
        allowance.spend(QUOTAS["chat.typing"])
        with pytest.raises(RateLimited):
            await allowance.charged("chat.typing", refuse(Conflict("no")))


def test_what_a_user_does_on_all_nodes_counts_together(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.nodes(rooms_per_user=3) as (one, two):
            here, there = Gateway(one), Gateway(two)
            tabs = [await signed_in(gateway, "ann", "1") for gateway in (here, there)]
            bob = await signed_in(here, "bob", "2")
            made = [code for tab in (*tabs, *tabs) for code in await rooms(tab, 1)]

            assert made == ["fine"] * 3 + ["rate_limited"]
            assert await rooms(bob, 1) == ["fine"]

    in_cluster(backend, story)


def test_a_refusal_by_address_does_not_count_against_the_user(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.node(rooms_per_user=1, creations_period=100.0) as hub:
            gateway = Gateway(hub)
            for number in range(ADDRESS_FACTOR):
                assert await rooms(await signed_in(gateway, f"user-{number}", "1"), 1) == ["fine"]
            ann = await signed_in(gateway, "ann", "1")
            refused = await rooms(ann, 1)
            # A tenth of the time that it takes a user to have one more.
            await anyio.sleep(10.1)

            assert refused == ["rate_limited"]
            assert await rooms(ann, 1) == ["fine"]

    in_cluster(backend, story)
