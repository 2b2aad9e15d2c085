"""One client's frames, and the answers."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import anyio
import pytest

from hubbub import Game, Handler, Invalid, Money, Settings, Table
from hubbub.games.matches.supervisor import MatchSupervisor
from hubbub.journal.command import Command, nothing
from hubbub.server.gateway import Gateway
from hubbub.server.websocket.connection import METHOD_CHARS_MAX
from hubbub.server.websocket.request_tasks import RUNNING_MAX
from hubbub.service import Service
from tests.server.auth.test_tokens import SetClock
from tests.server.memory_socket import Client, clients


def code_of(answer: Any) -> str:
    return str(answer["error"]["data"]["code"])


async def room_of(client: Client) -> Any:
    return (await client.ask("chat.create_room", name="Room"))["result"]


async def test_one_signs_in_first() -> None:
    async with clients() as (gateway, _):
        refused = await Client(gateway).ask("chat.rooms")

    assert code_of(refused) == "not_allowed"
    assert "sign_in" in refused["error"]["message"]


async def test_what_comes_behind_a_sign_in_waits_for_it() -> None:
    async with clients() as (gateway, _):
        client = Client(gateway)
        client.post("session.sign_in", nickname="ann")
        answer = await client.answer(client.post("chat.rooms"))

    assert answer["result"] == []
    assert [message["id"] for message in client.socket.messages] == [1, 2]


async def test_what_comes_behind_a_refused_sign_in_is_refused() -> None:
    async with clients() as (gateway, _):
        client = Client(gateway)
        first = await client.ask("session.sign_in", token="nonsense")
        second = await client.ask("chat.rooms")

    assert (code_of(first), code_of(second)) == ("not_allowed", "not_allowed")


async def test_what_waits_for_a_sign_in_is_counted_once() -> None:
    # A burst of two.
    async with clients(settings=Settings(requests_per_second=1.0)) as (gateway, _):
        client = Client(gateway)
        client.post("session.sign_in", nickname="ann")
        second = await client.answer(client.post("chat.rooms"))
        third = await client.ask("chat.rooms")

    assert second["result"] == []
    assert code_of(third) == "rate_limited"


async def test_one_signs_in_once() -> None:
    async with clients("ann") as (_, [ann]):
        assert code_of(await ann.ask("session.sign_in", nickname="bob")) == "conflict"


async def test_a_guest_needs_no_nickname() -> None:
    async with clients() as (gateway, _):
        signed_in = await Client(gateway).ask("session.sign_in")

    assert signed_in["result"]["user"]["nickname"] == "Guest"


async def test_commands_are_decided_in_the_order_they_came() -> None:
    async with clients("ann") as (_, [ann]):
        room = await room_of(ann)
        numbers = [
            ann.post("chat.send", room_id=room["id"], text=str(n), key=f"k{n}" if n % 3 else None)
            for n in range(30)
        ]
        answers = [await ann.answer(number) for number in numbers]

    seqs = [answer["result"]["seq"] for answer in answers]
    assert seqs == sorted(seqs)


@pytest.mark.parametrize(
    ("method", "params", "rpc_code"),
    [
        ("chat.nothing", {}, -32601),
        ("chat", {}, -32601),
        ("chat.send", {"room_id": 7, "text": "hi"}, -32602),
        ("chat.send", {"room_id": "a"}, -32602),
        ("chat.send", {"room_id": "a", "text": "hi", "more": 1}, -32602),
        ("session.follow", {"stream": 7}, -32602),
        ("session.follow", {"stream": "room/1", "after": -1}, -32602),
        ("session.read", {"stream": "room/1", "limit": 0}, -32602),
        ("chat.join", {"room_id": "none"}, -32004),
    ],
)
async def test_a_bad_request_gets_its_error(
    method: str, params: dict[str, Any], rpc_code: int
) -> None:
    async with clients("ann") as (_, [ann]):
        refused = await ann.ask(method, **params)
        fine = await ann.ask("chat.rooms")

    assert refused["error"]["code"] == rpc_code
    assert fine["result"] == []


async def test_too_many_requests_at_once_wait_in_their_order() -> None:
    settings = Settings(requests_in_flight_max=3)
    async with clients("ann", settings=settings) as (_, [ann]):
        numbers = [ann.post("chat.create_room", name=f"room {n}") for n in range(5)]
        full = ann.connection.full
        rooms = [(await ann.answer(number))["result"] for number in numbers]

        assert full
        assert not ann.connection.full
    assert [room["id"] for room in rooms] == sorted(room["id"] for room in rooms)


async def test_too_many_requests_in_a_second_are_refused() -> None:
    settings = Settings(requests_per_second=1.0)
    async with clients("ann", settings=settings) as (_, [ann]):
        answers = [await ann.ask("chat.rooms") for _ in range(3)]

    assert code_of(answers[-1]) == "rate_limited"
    assert answers[-1]["error"]["data"]["retry_after"] > 0


async def test_who_waits_as_long_as_they_are_told_is_let_through() -> None:
    clock = SetClock()
    settings = Settings(requests_per_second=1.0, clock=clock)
    async with clients("ann", settings=settings) as (_, [ann]):
        await ann.ask("chat.rooms")
        refused = await ann.ask("chat.rooms")
        clock.at += timedelta(seconds=refused["error"]["data"]["retry_after"])
        fine = await ann.ask("chat.rooms")

    assert fine["result"] == []


async def test_an_oversize_frame_is_told_and_the_connection_goes_on() -> None:
    async with clients("ann") as (_, [ann]):
        ann.connection.oversize()
        refusal = ann.socket.messages[-1]
        fine = await ann.ask("chat.rooms")

    assert (refusal["id"], refusal["error"]["code"]) == (None, -32600)
    assert fine["result"] == []


async def test_what_is_not_json_is_told_and_the_connection_goes_on() -> None:
    async with clients("ann") as (_, [ann]):
        ann.connection.receive(b"{")
        refusal = ann.socket.messages[-1]
        fine = await ann.ask("chat.rooms")

    assert (refusal["id"], refusal["error"]["code"]) == (None, -32700)
    assert fine["result"] == []


async def test_a_fault_is_logged_and_not_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with clients("ann") as (gateway, [ann]):
        monkeypatch.delattr(gateway.hub.presence, "_sessions")
        with caplog.at_level(logging.ERROR):
            answer = await ann.ask("users.online")
        monkeypatch.undo()

    assert answer["error"]["code"] == -32603
    assert "_sessions" in caplog.text


async def test_a_request_that_is_being_answered_is_cancelled() -> None:
    async with clients("ann", "bob") as (_, [ann, bob]):
        number = ann.post("games.find_match", timeout=60)
        await ann.ask("session.cancel", id=number)
        cancelled = await ann.answer(number)
        alone = await bob.ask("games.find_match", timeout=0.01)

    assert code_of(cancelled) == "conflict"
    assert "cancelled" in cancelled["error"]["message"]
    assert alone["error"]["data"]["reason"] == "no_opponent"


class Gated(Handler):
    """A game that reads nothing until its gate is open, and then refuses odd numbers."""

    gate: anyio.Event
    read: list[int]

    async def on_message(self, table: Table, player: str, body: dict[str, Any]) -> None:
        await self.gate.wait()
        self.read.append(body["n"])
        if body["n"] % 2:
            raise Invalid(f"{body['n']} is odd.")


async def gated_match(gateway: Gateway, ann: Client, bob: Client) -> str:
    """Begin a match of a game that reads nothing yet."""
    numbers = [client.post("games.find_match", queue="gated") for client in (ann, bob)]
    match = (await ann.answer(numbers[0]))["result"]
    while match["stream"] not in gateway.hub.runtime(MatchSupervisor).running:
        await anyio.lowlevel.checkpoint()
    return str(match["id"])


async def test_a_game_that_keeps_its_verdict_holds_up_no_other_request() -> None:
    Gated.gate, Gated.read = anyio.Event(), []
    games = {"gated": Game(handler=Gated, call_seconds_max=60)}
    async with clients("ann", "bob", games=games) as (gateway, [ann, bob]):
        match = await gated_match(gateway, ann, bob)
        # More than the tasks that one connection may have.
        numbers = [
            ann.post("games.message", match_id=match, body={"n": n}) for n in range(2 * RUNNING_MAX)
        ]
        rooms = await ann.ask("chat.rooms")
        waiting = {message.get("id") for message in ann.socket.messages}.isdisjoint(numbers)
        Gated.gate.set()
        answers = [await ann.answer(number) for number in numbers]

    assert rooms["result"] == []
    assert waiting
    assert Gated.read == list(range(2 * RUNNING_MAX))
    assert [answer.get("error", {}).get("message") for answer in answers] == [
        f"{n} is odd." if n % 2 else None for n in range(2 * RUNNING_MAX)
    ]


async def test_to_cancel_what_is_not_there_does_nothing() -> None:
    async with clients("ann") as (_, [ann]):
        answers = [await ann.ask("session.cancel", id=number) for number in (1, 999, "x")]

    assert [answer["result"] for answer in answers] == [None] * 3


async def test_a_signal_reaches_who_follows() -> None:
    async with clients("ann", "bob") as (_, [ann, bob]):
        room = await room_of(ann)
        await bob.ask("chat.join", room_id=room["id"])
        await bob.ask("session.follow", stream=room["stream"])
        await ann.ask("chat.typing", room_id=room["id"])
        signal = await bob.until(lambda message: message.get("method") == "signal")

    assert (signal["params"]["stream"], signal["params"]["type"]) == (room["stream"], "typing")


async def test_a_stream_is_read() -> None:
    async with clients("ann") as (_, [ann]):
        room = await room_of(ann)
        events = (await ann.ask("session.read", stream=room["stream"], after=1))["result"]

    assert [(event["seq"], event["type"]) for event in events] == [(2, "joined")]


async def test_a_client_that_is_gone_leaves_nothing() -> None:
    async with clients("ann") as (gateway, [ann]):
        room = await room_of(ann)
        await ann.ask("session.follow", stream=room["stream"])
        topic = gateway.hub.journal.topic(room["stream"])
        ann.connection.release()

        assert topic is not None
        assert not topic.followers
        assert not gateway.connections
        assert gateway.hub.presence.count == 0


async def test_a_method_that_there_is_not_is_shown_in_part() -> None:
    async with clients("ann") as (_, [ann]):
        answer = await ann.ask("x" * 10_000)

    assert answer["error"]["code"] == -32601
    assert len(answer["error"]["message"]) < METHOD_CHARS_MAX + 100


async def test_an_answer_that_cannot_be_written_is_an_error_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with clients("ann", "bob") as (_, [ann, bob]):
        monkeypatch.setattr(Service, "begin", lambda *_: nothing_to_write())
        answer = await ann.ask("users.online")
        monkeypatch.undo()

        assert answer["error"]["code"] == -32603
        assert "result" in await bob.ask("users.online")
    assert caplog.text.count("users.online failed") == 1


def nothing_to_write() -> Command[object]:
    return Command("ann", nothing, lambda states, events: object())


async def test_commands_on_a_cart_are_decided_in_the_order_they_came() -> None:
    async with clients("ann") as (gateway, [ann]):
        async with gateway.hub.session("root", role="admin") as root:
            await root.shop.set_product("pen", "Pen", Money(500, "USD"))
        ann.post("shop.add_item", sku="pen", quantity=5)
        ann.post("shop.set_quantity", sku="pen", quantity=2)
        ann.post("shop.add_item", sku="pen")
        cart = (await ann.ask("shop.cart"))["result"]

    assert [line["quantity"] for line in cart["lines"]] == [3]
