from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import anyio
import httpx2
import pytest

import hubbub
from hubbub.clock import SystemClock
from hubbub.server import create_app
from hubbub.server.http.webhooks import WEBHOOKS_PATH
from hubbub.shop.payments.webhook import WEBHOOK_BYTES_MAX
from hubbub.stores import MemoryStore
from tests.shop.bank import Bank
from tests.shop.payments.test_webhook import SECRET, signed, told
from tests.shop.virtual_shop import usd

STRIPE_PATH = f"{WEBHOOKS_PATH}stripe"


def client_of(hub: hubbub.Hubbub, secret: str | None = SECRET) -> httpx2.AsyncClient:
    app = create_app(hub, stripe_webhook_secret=secret)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test")


async def post(client: httpx2.AsyncClient, body: bytes, signature: str) -> int:
    answer = await client.post(STRIPE_PATH, content=body, headers={"Stripe-Signature": signature})
    return answer.status_code


async def test_what_is_told_finishes_an_order() -> None:
    bank = Bank()
    settings = hubbub.Settings(checkout_seconds_max=0.01, drain_seconds_max=0.01)
    async with hubbub.open("memory://", payments=bank, settings=settings) as hub:
        async with hub.session("root", role="admin") as root:
            await root.shop.set_product("pen", "Pen", usd("5.00"))
        async with hub.session("ann") as ann, client_of(hub) as client:
            await ann.shop.add_item("pen")
            order = await ann.shop.checkout(payment="slow", key="1")
            bank.approve()
            body = told(metadata={"order": order.id})
            async with ann.follow(order.stream) as events:
                status = await post(client, body, signed(body, SystemClock().now()))
                with anyio.fail_after(5):
                    event = await anext(events)
            again = await post(client, body, signed(body, SystemClock().now()))

    assert (order.status, status, again) == ("pending", 204, 204)
    assert type(event.data).__name__ == "Paid"


async def test_what_is_about_no_order_is_taken_all_the_same() -> None:
    body = told(metadata={})
    async with hubbub.open("memory://") as hub, client_of(hub) as client:
        status = await post(client, body, signed(body, SystemClock().now()))

    assert status == 204


class LateClock(SystemClock):
    """The clock of a node, an hour behind."""

    def now(self) -> datetime:
        return super().now() - timedelta(hours=1)


async def test_a_node_whose_clock_is_wrong_takes_what_stripe_signs_now() -> None:
    body = told(metadata={})
    store, settings = MemoryStore(shared=True), hubbub.Settings(clock=LateClock())
    async with hubbub.open(store=store, settings=settings) as hub, client_of(hub) as client:
        async with hub.session("ann") as ann:
            await ann.users.update(nickname="Ann")
        status = await post(client, body, signed(body, SystemClock().now()))

    assert status == 204


@pytest.mark.parametrize(
    ("body", "signature", "expected"),
    [(told(), "nonsense", 403), (b"{}", signed(b"{}"), 403), (b"x" * WEBHOOK_BYTES_MAX, "", 403)],
)
async def test_who_is_not_stripe_is_refused(body: bytes, signature: str, expected: int) -> None:
    async with hubbub.open("memory://") as hub, client_of(hub) as client:
        status = await post(client, body, signature)

    assert status == expected


@pytest.mark.parametrize("body", [b"x", b"[" * 30_000, told(metadata={"order": 5})])
async def test_a_signed_body_that_is_no_event_is_refused_quietly(
    body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with hubbub.open("memory://") as hub, client_of(hub) as client:
        status = await post(client, body, signed(body, SystemClock().now()))

    assert status == 400
    assert "Traceback" not in caplog.text


async def test_an_order_that_is_not_ours_is_told_in_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    body = told(metadata={"order": "nothing"})
    async with hubbub.open("memory://") as hub, client_of(hub) as client:
        status = await post(client, body, signed(body, SystemClock().now()))
        with anyio.fail_after(5):
            while "order/nothing is not looked at" not in caplog.text:  # noqa: ASYNC110
                await anyio.sleep(0.001)

    assert status == 204
    assert "Traceback" not in caplog.text


async def test_no_more_of_a_body_is_read_than_the_limit() -> None:
    chunk, read, answers = b" " * 65_536, list[int](), list[Any]()

    async def receive() -> dict[str, Any]:
        read.append(len(chunk))
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Any) -> None:
        answers.append(message)

    scope = {
        "type": "http", "method": "POST", "path": STRIPE_PATH, "raw_path": STRIPE_PATH.encode(),
        "headers": [], "query_string": b"", "root_path": "", "http_version": "1.1",
        "server": ("test", 80), "client": ("test", 1), "scheme": "http",
    }  # fmt: skip
    async with hubbub.open("memory://") as hub:
        await create_app(hub, stripe_webhook_secret=SECRET)(scope, receive, send)

    assert answers[0]["status"] == 413
    assert sum(read) <= WEBHOOK_BYTES_MAX + len(chunk)


async def test_without_a_secret_there_is_no_such_place() -> None:
    async with hubbub.open("memory://") as hub, client_of(hub, None) as client:
        status = await post(client, told(), signed(told()))

    assert status == 404
