"""Money over Stripe's protocol, with a server that speaks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Invalid, PaymentDeclined
from hubbub.money import Money
from hubbub.shop.payments.payment import Payment
from hubbub.shop.payments.stripe import Stripe, StripeError, units_of
from tests.shop.stripe_kit import (
    ASKING_CARD,
    DECLINED_CARD,
    SECRET_KEY,
    Customer,
    localstripe,
    new_id,
)


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    with localstripe() as url:
        yield url


async def test_money_is_put_aside_and_then_taken(url: str) -> None:
    customer = Customer(url)

    authorized = await customer.authorize()
    captured = await customer.capture(authorized.id)

    assert authorized.status == "authorized"
    assert captured == Payment(authorized.id, "captured")
    assert await customer.moved(captured.id) == [1999]


async def test_nothing_is_taken_before_it_is_captured(url: str) -> None:
    customer = Customer(url)

    authorized = await customer.authorize()

    assert await customer.moved(authorized.id) == []


async def test_a_declined_card_says_why(url: str) -> None:
    payment = await Customer(url).authorize(DECLINED_CARD)

    assert payment.status == "declined"
    assert payment.reason == "Your card was declined."


async def test_a_card_whose_holder_is_asked_is_pending(url: str) -> None:
    assert (await Customer(url).authorize(ASKING_CARD)).status == "pending"


async def test_authorizing_again_is_one_payment(url: str) -> None:
    customer = Customer(url)
    method = await customer.method()

    first = await customer.stripe.authorize(customer.order, customer.amount, method)
    again = await customer.stripe.authorize(customer.order, customer.amount, method)

    assert again == first


@pytest.mark.parametrize("payment", ["pm_nobody", "4242424242424242", "tok_visa", "", "pm_/../x"])
async def test_what_is_no_payment_method_is_refused(url: str, payment: str) -> None:
    customer = Customer(url)

    with pytest.raises(Invalid):
        await customer.stripe.authorize(customer.order, customer.amount, payment)

    assert await customer.look_up() == Payment("", "none")


async def test_what_nobody_has_paid_is_not_found(url: str) -> None:
    assert await Customer(url).look_up() == Payment("", "none")


async def test_an_authorized_payment_is_found(url: str) -> None:
    customer = Customer(url)

    authorized = await customer.authorize()

    assert await customer.look_up() == authorized


async def test_a_captured_payment_is_found(url: str) -> None:
    customer = Customer(url)

    captured = await customer.pay()

    assert await customer.look_up() == captured


async def test_a_cancelled_payment_is_found(url: str) -> None:
    customer = Customer(url)

    cancelled = await customer.cancel((await customer.authorize()).id)

    assert cancelled.status == "cancelled"
    assert await customer.look_up() == cancelled


async def test_a_declined_payment_is_found_with_its_reason(url: str) -> None:
    customer = Customer(url)

    await customer.authorize(DECLINED_CARD)
    found = await customer.look_up()

    assert found.status == "declined"
    assert found.reason == "Your card was declined."


async def test_a_pending_payment_is_found(url: str) -> None:
    customer = Customer(url)

    pending = await customer.authorize(ASKING_CARD)

    assert await customer.look_up() == pending


async def test_a_key_that_is_no_id_is_found_as_well(url: str) -> None:
    customer = Customer(url)
    customer.order = f"order-{new_id()}"

    authorized = await customer.authorize()

    assert await customer.look_up() == authorized


async def test_a_payment_is_found_behind_many_others(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubbub.shop.payments.stripe.PAGE", 2)
    customer = Customer(url)

    authorized = await customer.authorize()
    for _ in range(4):
        await Customer(url).authorize()

    assert await customer.look_up() == authorized


async def test_of_several_payments_the_captured_one_counts(url: str) -> None:
    customer = Customer(url)
    form = {
        "amount": "1999",
        "currency": "usd",
        "payment_method": await customer.method(),
        "confirm": "true",
        "capture_method": "manual",
        "metadata[order]": customer.order,
    }
    first, second, third = [
        (await customer.ask("POST", "/v1/payment_intents", form)).json()["id"] for _ in range(3)
    ]
    await customer.cancel(first)
    await customer.capture(second)

    assert await customer.look_up() == Payment(second, "captured")
    assert (await customer.intent(third))["status"] == "requires_capture"


async def test_capturing_twice_takes_the_money_once(url: str) -> None:
    customer = Customer(url)

    captured = await customer.pay()
    again = await customer.capture(captured.id)

    assert again == captured
    assert await customer.moved(captured.id) == [1999]


async def test_what_was_cancelled_cannot_be_captured(url: str) -> None:
    customer = Customer(url)
    cancelled = await customer.cancel((await customer.authorize()).id)

    assert await customer.capture(cancelled.id) == cancelled
    assert await customer.moved(cancelled.id) == []


async def test_cancelling_twice_is_cancelling_once(url: str) -> None:
    customer = Customer(url)
    cancelled = await customer.cancel((await customer.authorize()).id)

    assert await customer.cancel(cancelled.id) == cancelled


async def test_what_was_captured_stays_so_when_it_is_cancelled(url: str) -> None:
    customer = Customer(url)
    captured = await customer.pay()

    assert await customer.cancel(captured.id) == captured


async def test_a_payment_that_was_closed_is_not_authorized_later(url: str) -> None:
    customer = Customer(url)

    closed = await customer.close()
    with pytest.raises(StripeError):
        await customer.authorize()

    assert closed.status == "cancelled"
    assert await customer.look_up() == closed
    assert await customer.close() == closed


async def test_closing_lets_go_of_the_money_that_was_put_aside(url: str) -> None:
    customer = Customer(url)

    authorized = await customer.authorize()
    closed = await customer.close()

    assert closed == Payment(authorized.id, "cancelled")
    assert await customer.moved(closed.id) == []


async def test_what_was_captured_is_not_closed(url: str) -> None:
    customer = Customer(url)

    paid = await customer.pay()

    assert await customer.close() == paid


async def test_a_payment_that_asks_for_its_holder_is_closed(url: str) -> None:
    customer = Customer(url)

    asked = await customer.authorize(ASKING_CARD)

    assert await customer.close() == Payment(asked.id, "cancelled")


async def test_a_payment_is_closed_that_another_node_authorizes_meanwhile(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, closer = Customer(url), Stripe(SECRET_KEY, url=url)
    intents, late = closer._intents, list[Payment]()

    async def look(key: str) -> Any:
        found = await intents(key)
        if not late:
            late.append(await customer.authorize())
        return found

    monkeypatch.setattr(closer, "_intents", look)
    closed = await closer.close(customer.order, customer.amount)

    assert late[0].status == "authorized"
    assert closed == Payment(late[0].id, "cancelled")


async def test_an_amount_that_stripe_cannot_charge_needs_no_closing(url: str) -> None:
    customer = Customer(url, Money("1.001", "KWD"))

    assert await customer.close() == Payment("", "none")


@pytest.mark.parametrize("payment_id", ["pi_nobody", "../charges", "", "sandbox_1"])
async def test_a_payment_that_is_not_there_cannot_be_captured(url: str, payment_id: str) -> None:
    with pytest.raises((StripeError, Invalid)):
        await Customer(url).capture(payment_id)


async def test_a_part_is_given_back_and_then_the_rest(url: str) -> None:
    customer = Customer(url)
    captured = await customer.pay()

    one = await customer.stripe.refund(new_id(), captured.id, Money("5.00", "USD"))
    rest = await customer.stripe.refund(new_id(), captured.id, Money("14.99", "USD"))

    assert one != rest
    assert await customer.moved(captured.id) == [-1499, -500, 1999]


async def test_a_refund_asked_for_again_is_given_once(url: str) -> None:
    customer = Customer(url)
    captured = await customer.pay()
    refund = new_id()

    first = await customer.stripe.refund(refund, captured.id, Money("5.00", "USD"))
    again = await customer.stripe.refund(refund, captured.id, Money("5.00", "USD"))

    assert again == first
    assert await customer.moved(captured.id) == [-500, 1999]


async def test_no_more_is_given_back_than_was_paid(url: str) -> None:
    customer = Customer(url)
    captured = await customer.pay()

    with pytest.raises(PaymentDeclined, match="greater"):
        await customer.stripe.refund(new_id(), captured.id, Money("20.00", "USD"))
    assert await customer.moved(captured.id) == [1999]


async def test_what_was_given_back_is_not_given_back_again(url: str) -> None:
    customer = Customer(url)
    captured = await customer.pay()
    await customer.stripe.refund(new_id(), captured.id, customer.amount)

    with pytest.raises(PaymentDeclined, match="already"):
        await customer.stripe.refund(new_id(), captured.id, customer.amount)


async def test_what_was_not_captured_is_not_given_back(url: str) -> None:
    customer = Customer(url)
    authorized = await customer.authorize()

    with pytest.raises(PaymentDeclined):
        await customer.stripe.refund(new_id(), authorized.id, customer.amount)


async def test_what_stripe_has_not_taken_is_not_given_back(url: str) -> None:
    with pytest.raises(PaymentDeclined):
        await Customer(url).stripe.refund(new_id(), "sandbox_1", Money("5.00", "USD"))


async def test_a_refund_that_stripe_cannot_count_is_declined(url: str) -> None:
    customer = Customer(url, Money("5.120", "KWD"))
    captured = await customer.pay()

    with pytest.raises(PaymentDeclined):
        await customer.stripe.refund(new_id(), captured.id, Money("0.001", "KWD"))


async def test_yen_are_charged_as_yen(url: str) -> None:
    customer = Customer(url, Money(500, "JPY"))
    captured = await customer.pay()

    assert await customer.moved(captured.id) == [500]


@pytest.mark.parametrize(
    ("amount", "units"),
    [
        (Money("10.00", "USD"), 1000),
        (Money("500", "JPY"), 500),
        (Money("500", "CLP"), 500),
        (Money("5.120", "KWD"), 5120),
        (Money("5", "ISK"), 500),
        (Money("5", "UGX"), 500),
        (Money("5.00", "MGA"), 5),
    ],
)
def test_an_amount_is_in_the_unit_that_stripe_counts_in(amount: Money, units: int) -> None:
    assert units_of(amount) == units


@pytest.mark.parametrize(
    "amount", ["5.124 KWD", "0.001 BHD", "1.005 JOD", "1.001 OMR", "1.009 TND"]
)
def test_the_last_of_three_decimals_is_zero(amount: str) -> None:
    with pytest.raises(Invalid):
        units_of(Money(*amount.split(" ")))


@pytest.mark.parametrize("amount", [Money("5.01", "MGA"), Money("1.0000", "CLF")])
def test_what_stripe_cannot_count_is_refused(amount: Money) -> None:
    with pytest.raises(Invalid):
        units_of(amount)


@given(st.integers(1, 99_999_999), st.sampled_from(["USD", "EUR", "JPY", "HUF", "TWD", "KRW"]))
def test_other_currencies_are_counted_as_iso_does(amount: int, currency: str) -> None:
    assert units_of(Money(amount, currency)) == amount


@pytest.mark.parametrize("secret_key", ["", "pk_test_1", "sk_test\r\nX: y", "sk_tést"])
def test_a_wrong_secret_key_is_not_repeated(secret_key: str) -> None:
    with pytest.raises(Invalid) as refused:
        Stripe(secret_key)

    assert not secret_key or secret_key not in str(refused.value)


def test_a_provider_does_not_show_its_key() -> None:
    assert SECRET_KEY not in repr(Stripe(SECRET_KEY))
