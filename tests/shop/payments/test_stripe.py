"""Against the protocol itself, as a Stripe-like server speaks it."""

from __future__ import annotations

import random
from collections.abc import Iterator

import anyio
import anyio.abc
import httpx2
import pytest

import hubbub
from hubbub import Invalid, Money, PaymentDeclined, PaymentProvider
from hubbub.clock import SystemClock
from hubbub.ids import Ids
from hubbub.shop.payments.stripe import Stripe, StripeError, units_of
from hubbub.shop.payments.webhook import Webhook
from tests.shop.lossy_transport import LossyTransport, card_token
from tests.shop.stripe_kit import SECRET_KEY, localstripe
from tests.shop.virtual_shop import usd

TEN = usd("10.00")
GOOD = "4242424242424242"
BAD = "4000000000000341"
ASKS = "4000002500003155"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with localstripe() as address:
        yield address


@pytest.fixture
def transport() -> LossyTransport:
    return LossyTransport()


@pytest.fixture
def stripe(address: str, transport: LossyTransport) -> PaymentProvider:
    return Stripe(SECRET_KEY, url=address, transport=transport)


@pytest.fixture
def key() -> str:
    return Ids(SystemClock(), random.SystemRandom()).new()


@pytest.fixture
def good(address: str) -> str:
    return card_token(address, GOOD)


@pytest.fixture
def bad(address: str) -> str:
    return card_token(address, BAD)


async def test_money_is_put_aside_and_then_taken(
    stripe: PaymentProvider, key: str, good: str
) -> None:
    before = await stripe.look_up(key, TEN)
    aside = await stripe.authorize(key, TEN, good)
    between = await stripe.look_up(key, TEN)
    taken = await stripe.capture(key, aside.id, TEN)
    after = await stripe.look_up(key, TEN)

    assert (before.status, aside.status, taken.status) == ("none", "authorized", "captured")
    assert (between, after) == (aside, taken)


async def test_a_payment_is_made_once(
    stripe: PaymentProvider, transport: LossyTransport, key: str, good: str
) -> None:
    first = await stripe.authorize(key, TEN, good)
    again = await stripe.authorize(key, TEN, good)
    captured = [await stripe.capture(key, first.id, TEN) for _ in range(2)]

    assert first == again
    assert [payment.status for payment in captured] == ["captured", "captured"]
    assert transport.asked.count("POST /v1/payment_intents") == 1


async def test_a_declined_card_says_why(stripe: PaymentProvider, key: str, bad: str) -> None:
    declined = await stripe.authorize(key, TEN, bad)
    found = await stripe.look_up(key, TEN)

    assert (declined.status, declined.reason) == ("declined", "Your card was declined.")
    assert (found.status, found.reason) == ("declined", "Your card was declined.")


async def test_a_card_that_asks_its_owner_is_waited_for(
    stripe: PaymentProvider, key: str, address: str
) -> None:
    payment = await stripe.authorize(key, TEN, card_token(address, ASKS))
    cancelled = await stripe.cancel(key, payment.id)

    assert (payment.status, cancelled.status) == ("pending", "cancelled")


async def test_what_was_let_go_is_not_taken(stripe: PaymentProvider, key: str, good: str) -> None:
    aside = await stripe.authorize(key, TEN, good)
    await stripe.cancel(key, aside.id)
    taken = await stripe.capture(key, aside.id, TEN)

    assert taken.status == "cancelled"


async def test_what_was_taken_is_not_let_go(stripe: PaymentProvider, key: str, good: str) -> None:
    aside = await stripe.authorize(key, TEN, good)
    await stripe.capture(key, aside.id, TEN)

    assert (await stripe.cancel(key, aside.id)).status == "captured"


async def test_money_is_given_back_once(
    stripe: PaymentProvider, transport: LossyTransport, key: str, good: str
) -> None:
    aside = await stripe.authorize(key, TEN, good)
    await stripe.capture(key, aside.id, TEN)
    first = await stripe.refund(f"{key}-a", aside.id, usd("4.00"))
    again = await stripe.refund(f"{key}-a", aside.id, usd("4.00"))
    other = await stripe.refund(f"{key}-b", aside.id, usd("6.00"))

    assert first == again != other
    assert transport.asked.count("POST /v1/refunds") == 2


async def test_what_was_declined_is_not_given_back(
    stripe: PaymentProvider, key: str, bad: str
) -> None:
    await stripe.authorize(key, TEN, bad)
    found = await stripe.look_up(key, TEN)

    with pytest.raises(PaymentDeclined, match="successful charge"):
        await stripe.refund(f"{key}-a", found.id, TEN)


async def test_an_unknown_card_is_refused(stripe: PaymentProvider, key: str) -> None:
    with pytest.raises(Invalid):
        await stripe.authorize(key, TEN, "pm_nothing")


@pytest.mark.parametrize("loses", ["request", "answer"])
async def test_what_is_lost_is_found_again(
    stripe: PaymentProvider, transport: LossyTransport, key: str, good: str, loses: str
) -> None:
    await stripe.look_up(key, TEN)
    transport.loses = loses
    with pytest.raises(StripeError, match="cannot be reached"):
        await stripe.look_up(key, TEN)
    aside = await stripe.authorize(key, TEN, good)
    transport.loses = loses
    with pytest.raises(StripeError):
        await stripe.capture(key, aside.id, TEN)
    status = (await stripe.look_up(key, TEN)).status

    assert status == ("authorized" if loses == "request" else "captured")
    assert (await stripe.capture(key, aside.id, TEN)).status == "captured"


async def test_it_is_found_among_many(
    stripe: PaymentProvider, good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubbub.shop.payments.stripe.PAGE", 2)
    payments = [await stripe.authorize(f"many-{number}", TEN, good) for number in range(5)]
    found = [await stripe.look_up(f"many-{number}", TEN) for number in range(5)]

    assert found == payments


@pytest.mark.parametrize("status", [401, 409, 429, 500])
async def test_what_may_be_otherwise_the_next_time_is_an_error(key: str, status: int) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, json={"error": {"message": "not now"}})

    stripe = Stripe(SECRET_KEY, transport=httpx2.MockTransport(answer))

    with pytest.raises(StripeError, match="not now") as caught:
        await stripe.authorize(key, TEN, "pm_card_visa")
    assert SECRET_KEY not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"x":' + b"[" * 5_000])
@pytest.mark.parametrize(("status", "told"), [(200, "invalid response"), (502, "502")])
async def test_nonsense_is_an_error(key: str, content: bytes, status: int, told: str) -> None:
    response = httpx2.Response(status, content=content)
    stripe = Stripe(SECRET_KEY, transport=httpx2.MockTransport(lambda _: response))

    with pytest.raises(StripeError, match=told):
        await stripe.look_up(key, TEN)


async def test_a_refused_question_is_an_error(key: str) -> None:
    error = {"error": {"message": "no such intent"}}
    stripe = Stripe(
        SECRET_KEY, transport=httpx2.MockTransport(lambda _: httpx2.Response(404, json=error))
    )

    with pytest.raises(StripeError, match="no such intent"):
        await stripe.look_up(key, TEN)


async def test_a_refund_that_failed_is_declined(key: str) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        failed = {"id": "re_1", "status": "failed", "metadata": {"refund": key}}
        return httpx2.Response(200, json={"data": [failed]})

    stripe = Stripe(SECRET_KEY, transport=httpx2.MockTransport(answer))

    with pytest.raises(PaymentDeclined):
        await stripe.refund(key, "pi_1", TEN)


@pytest.mark.parametrize(
    ("money", "units"),
    [
        (usd("10.00"), 1000),
        (Money(500, "JPY"), 500),
        (Money(500, "ISK"), 50_000),
        (Money(500, "UGX"), 50_000),
        (Money("1.230", "KWD"), 1230),
    ],
)
def test_amounts_are_in_stripes_units(money: Money, units: int) -> None:
    assert units_of(money) == units


@pytest.mark.parametrize("money", [Money("1.234", "KWD"), Money("0.0001", "CLF")])
def test_what_stripe_cannot_take_is_refused(money: Money) -> None:
    with pytest.raises(Invalid):
        units_of(money)


async def test_a_whole_checkout_is_paid_by_stripe(
    stripe: PaymentProvider, good: str, bad: str
) -> None:
    async with (
        hubbub.open("memory://", payments=stripe) as hub,
        hub.session("root", role="admin") as root,
        hub.session("ann") as ann,
    ):
        await root.shop.set_product("pen", "Pen", usd("5.00"), stock=5)
        await ann.shop.add_item("pen", 2)
        with pytest.raises(PaymentDeclined, match="Your card was declined"):
            await ann.shop.checkout(payment=bad, key="1")
        order = await ann.shop.checkout(payment=good, key="2")
        given_back = await root.shop.refund(order.id, key="r", amount=usd("1.00"))

    assert (order.status, str(order.total)) == ("paid", "11.00 USD")
    assert str(given_back.refunded) == "1.00 USD"


async def test_a_request_has_an_end(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setattr("hubbub.shop.payments.stripe.SECONDS_MAX", 0.05)
    async with await listening() as listener:
        stripe = Stripe(SECRET_KEY, url=f"http://127.0.0.1:{port_of(listener)}")

        with pytest.raises(StripeError, match="ReadTimeout"):
            await stripe.look_up(key, TEN)


async def test_what_it_tells_by_itself_is_signed(
    stripe: PaymentProvider, address: str, key: str, good: str
) -> None:
    listener, requests = await listening(), list[bytes]()
    heard = anyio.Event()

    async def hear(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            request = await read_request(stream)
            await stream.send(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        # It may tell of other tests' payments as well.
        if key.encode() in request:
            requests.append(request)
            heard.set()

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, hear)
        hook = {"url": f"http://127.0.0.1:{port_of(listener)}/", "secret": "whsec_1"}
        async with httpx2.AsyncClient(auth=(SECRET_KEY, "")) as client:
            await client.post(f"{address}/_config/webhooks/hook", json=hook)
        aside = await stripe.authorize(key, TEN, good)
        await stripe.capture(key, aside.id, TEN)
        with anyio.fail_after(10):
            await heard.wait()
        tasks.cancel_scope.cancel()

    head, _, body = requests[0].partition(b"\r\n\r\n")
    [signature] = [
        line.partition(b":")[2].strip().decode()
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"stripe-signature")
    ]
    event = Webhook("whsec_1").read(body, signature, SystemClock().now())
    assert event is not None
    assert (event.type, event.order) == ("payment_intent.succeeded", key)


async def read_request(stream: anyio.abc.SocketStream) -> bytes:
    """Read a request with a body of a known length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += await stream.receive()
    head, _, body = data.partition(b"\r\n\r\n")
    [length] = [
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    ]
    while len(body) < length:
        body += await stream.receive()
    return head + b"\r\n\r\n" + body


async def listening() -> anyio.abc.Listener[anyio.abc.SocketStream]:
    multi = await anyio.create_tcp_listener(local_host="127.0.0.1")
    return multi.listeners[0]


def port_of(listener: anyio.abc.Listener[anyio.abc.SocketStream]) -> int:
    port: int = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610  (no database)
    return port
