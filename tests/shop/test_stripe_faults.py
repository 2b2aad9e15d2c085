"""Faults between the provider and Stripe."""

from __future__ import annotations

import httpx2
import pytest

from hubbub.errors import Invalid, PaymentDeclined
from hubbub.money import Money
from hubbub.shop.payments.payment import Payment
from hubbub.shop.payments.stripe import Stripe, StripeError, units_of
from hubbub.shop.payments.webhook import Webhook
from tests.shop.stripe_kit import SECRET_KEY, answering, http, new_id

TEN = Money("10.00", "USD")
INTENT = '{"id": "pi_1", "status": "requires_capture", "metadata": {}}'


def test_ariary_are_counted_without_decimals() -> None:
    assert units_of(Money("5.00", "MGA")) == 5
    with pytest.raises(Invalid):
        units_of(Money("5.01", "MGA"))


@pytest.mark.parametrize("secret_key", ["pk_test_1", "sk_test\r\nX: y", "sk_tést"])
def test_a_wrong_secret_key_is_refused_and_not_repeated(secret_key: str) -> None:
    with pytest.raises(Invalid) as refused:
        Stripe(secret_key)

    assert secret_key not in str(refused.value)


async def test_what_stripe_says_about_a_key_is_not_repeated() -> None:
    error = '{"error": {"message": "Invalid API Key provided: sk_test_***4242"}}'
    with answering(http(401, error)) as url, pytest.raises(StripeError) as refused:
        await Stripe(SECRET_KEY, url=url).look_up(new_id(), TEN)

    assert "4242" not in str(refused.value)


@pytest.mark.parametrize("body", ["", "null", "[]", "{}", '{"id": 1}', "\ud83d"])
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_an_illegible_answer_leaves_it_unknown(status: int, body: str) -> None:
    raw = http(status, "") + body.encode("utf-8", "surrogatepass")
    raw = raw.replace(b"Content-Length: 0\r\n", b"")
    with answering(raw) as url, pytest.raises(StripeError):
        await Stripe(SECRET_KEY, url=url).capture(new_id(), "pi_1", TEN)


@pytest.mark.parametrize("what", ["capture", "cancel"])
async def test_a_failure_that_stripe_would_repeat_is_not_the_last_word(what: str) -> None:
    """With a key, Stripe answers as the first time, also if that was its own failure."""
    failed: set[str | None] = set()

    def answer(request: httpx2.Request) -> httpx2.Response:
        key = request.headers.get("Idempotency-Key")
        if len(failed) == 0 or (key is not None and key in failed):
            failed.add(key)
            return httpx2.Response(500)
        return httpx2.Response(200, json={"id": "pi_1", "status": "succeeded"})

    stripe = Stripe(SECRET_KEY, transport=httpx2.MockTransport(answer))
    acts = {
        "capture": lambda: stripe.capture("1", "pi_1", TEN),
        "cancel": lambda: stripe.cancel("1", "pi_1"),
    }

    with pytest.raises(StripeError):
        await acts[what]()
    assert (await acts[what]()).status == "captured"


@pytest.mark.parametrize(
    "error",
    [
        '{"type": "idempotency_error", "message": "It came with other parameters"}',
        '{"type": "invalid_request_error", "code": "parameter_unknown", "param": "x"}',
    ],
)
async def test_only_a_wrong_card_or_amount_is_invalid(error: str) -> None:
    """The shop takes Invalid to mean that no money was reserved."""
    empty = http(200, '{"data": []}')
    refused = http(400, f'{{"error": {error}}}')
    with answering(empty, refused) as url, pytest.raises(StripeError):
        await Stripe(SECRET_KEY, url=url).authorize(new_id(), TEN, "pm_1")


async def test_a_refund_stripe_has_no_money_for_is_tried_again() -> None:
    empty = http(200, '{"data": []}')
    poor = http(400, '{"error": {"type": "invalid_request_error", "code": "balance_insufficient"}}')
    with answering(empty, poor) as url, pytest.raises(StripeError):
        await Stripe(SECRET_KEY, url=url).refund(new_id(), "pi_1", TEN)


@pytest.mark.parametrize(
    ("payment_id", "amount"), [("sandbox_1", TEN), ("pi_1", Money("0.001", "KWD"))]
)
async def test_a_refund_that_can_never_be_is_declined(payment_id: str, amount: Money) -> None:
    with answering(http(200, '{"data": []}')) as url, pytest.raises(PaymentDeclined):
        await Stripe(SECRET_KEY, url=url).refund(new_id(), payment_id, amount)


@pytest.mark.parametrize("payment_id", ["../charges/ch_1", "", "sandbox_1"])
async def test_a_payment_of_another_provider_is_not_asked_for(payment_id: str) -> None:
    with answering(http(200, INTENT)) as url, pytest.raises(Invalid):
        await Stripe(SECRET_KEY, url=url).capture(new_id(), payment_id, TEN)


async def test_a_cards_number_is_not_sent() -> None:
    with pytest.raises(Invalid):
        await Stripe(SECRET_KEY, url="http://127.0.0.1:1").authorize(
            new_id(), TEN, "4242424242424242"
        )


async def test_a_refund_is_found_on_a_later_page() -> None:
    key = new_id()
    others = '{"id": "re_1", "status": "succeeded", "metadata": {}}'
    ours = f'{{"id": "re_2", "status": "succeeded", "metadata": {{"refund": "{key}"}}}}'
    pages = (
        http(200, f'{{"data": [{others}], "has_more": true}}'),
        http(200, f'{{"data": [{ours}]}}'),
    )
    with answering(*pages) as url:
        refund = await Stripe(SECRET_KEY, url=url).refund(key, "pi_1", TEN)

    assert refund == "re_2"


async def test_an_error_may_have_empty_fields() -> None:
    empty = http(200, '{"data": []}')
    error = '{"type": "card_error", "code": null, "param": null, "message": "No."}'
    with answering(empty, http(402, f'{{"error": {error}}}')) as url:
        payment = await Stripe(SECRET_KEY, url=url).authorize(new_id(), TEN, "pm_1")

    assert payment == Payment("", "declined", "No.")


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(Invalid):
        Webhook("")
