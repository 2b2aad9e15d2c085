"""The total of a cart is an amount that the payment provider can charge."""

from __future__ import annotations

from typing import Any

import pytest
from anyio import to_thread
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import Currency

import hubbub
from hubbub import Invalid, Money, Order, PaymentProvider, RoundingProvider
from hubbub.cli.cart_lines import cart_lines, order_lines
from hubbub.money import AMOUNT_MAX, decimals_of
from hubbub.shop.carts.tax import FlatTax
from hubbub.shop.orders.invoice import invoice_html
from hubbub.shop.payments.payment import payable_by
from hubbub.shop.payments.stripe import Stripe, units_of
from tests.shop.bank import Bank
from tests.shop.stripe_kit import SECRET_KEY

STRIPE = Stripe(SECRET_KEY)
# Stripe has none with more.
CURRENCIES = sorted(
    one.code for one in Currency if one.exponent is not None and int(one.exponent) <= 3
)


class Rounding(Bank):
    """A bank that charges what Stripe can charge, and notes what it does not."""

    def __init__(self) -> None:
        super().__init__()
        self.payable = STRIPE.payable

    async def authorize(self, key: str, amount: Money, payment: str) -> hubbub.Payment:
        units_of(amount)
        return await super().authorize(key, amount, payment)


class Wrong(Bank):
    """A bank that rounds to nothing."""

    def payable(self, amount: Money) -> Money:
        return Money(0, amount.currency)


@pytest.mark.parametrize(
    ("exact", "payable"),
    [
        ("5.124 KWD", "5.120 KWD"),
        ("5.125 KWD", "5.130 KWD"),
        ("0.001 BHD", "0.010 BHD"),
        ("1.009 TND", "1.010 TND"),
        ("5.49 MGA", "5.00 MGA"),
        ("5.50 MGA", "6.00 MGA"),
        ("0.01 MGA", "1.00 MGA"),
        ("5 ISK", "5 ISK"),
        ("5 UGX", "5 UGX"),
        ("5.01 HUF", "5.01 HUF"),
        ("5.01 TWD", "5.01 TWD"),
        ("7 JPY", "7 JPY"),
        ("19.99 USD", "19.99 USD"),
    ],
)
def test_stripe_charges_the_nearest_amount_that_it_can(exact: str, payable: str) -> None:
    assert str(STRIPE.payable(Money(*exact.split(" ")))) == payable


@given(st.integers(1, AMOUNT_MAX), st.sampled_from(CURRENCIES))
def test_stripe_can_count_every_rounded_amount(amount: int, currency: str) -> None:
    exact = Money(amount, currency)
    payable = STRIPE.payable(exact)
    units_of(payable)

    assert payable
    assert STRIPE.payable(payable) == payable
    step = {2: 100 if currency == "MGA" else 1, 3: 10}.get(decimals_of(currency), 1)
    assert abs(payable.amount - exact.amount) <= max(step // 2, step - exact.amount, 0) or (
        exact.amount > AMOUNT_MAX - step
    )


def test_what_a_provider_can_always_charge_is_not_rounded() -> None:
    bank: PaymentProvider = Bank()

    assert not isinstance(bank, RoundingProvider)
    assert isinstance(STRIPE, RoundingProvider)
    assert payable_by(bank)(Money("5.124", "KWD")) == Money("5.124", "KWD")
    assert payable_by(STRIPE)(Money(0, "KWD")) == Money(0, "KWD")


def test_a_provider_that_rounds_to_nothing_has_a_bug() -> None:
    with pytest.raises(TypeError, match="bug of the provider"):
        payable_by(Wrong())(Money("5.124", "KWD"))


async def bought(price: Money, **selling: Any) -> tuple[hubbub.Cart, Order]:
    """Buy one product, with a coupon of 7 % and a tax of 10 %."""
    async with (
        hubbub.open("memory://", payments=Rounding(), **selling) as hub,
        hub.session("root", role="admin") as root,
        hub.session("ann") as ann,
    ):
        await root.shop.set_product("pen", "Pen", price)
        await root.shop.set_coupon("SEVEN", percent=7)
        await ann.shop.add_item("pen")
        cart = await ann.shop.apply_coupon("SEVEN")
        return cart, await ann.shop.checkout(payment="good", key="1")


@pytest.mark.parametrize("included", [True, False])
@pytest.mark.parametrize(
    "price", [Money("9.999", "KWD"), Money("0.001", "BHD"), Money("9.99", "MGA"), Money(9, "ISK")]
)
async def test_a_buyer_sees_the_rounded_total_and_pays_it(price: Money, included: bool) -> None:
    cart, order = await bought(price, tax=FlatTax(included=included))

    exact = cart.subtotal - cart.discount
    exact = exact if included else exact + cart.tax
    assert (order.status, order.total, order.rounding) == ("paid", cart.total, cart.rounding)
    assert cart.total == exact + (cart.rounding or Money(0, price.currency))
    assert (cart.rounding is None) is (cart.total == exact)
    assert STRIPE.payable(cart.total) == cart.total


async def test_the_difference_is_shown_before_and_after_paying() -> None:
    cart, order = await bought(Money("9.999", "KWD"))

    assert (str(cart.total), str(cart.rounding)) == ("10.230 KWD", "0.001 KWD")
    assert any("Rounding" in line.plain for line in cart_lines(cart))
    assert any("Rounding" in line.plain for line in order_lines(order))
    assert "Rounding" in await to_thread.run_sync(invoice_html, order, "en_US")


async def test_a_total_that_needs_no_rounding_shows_none() -> None:
    cart, order = await bought(Money("10.00", "USD"))

    assert (cart.rounding, order.rounding) == (None, None)
    assert not any("Rounding" in line.plain for line in cart_lines(cart))
    assert "Rounding" not in await to_thread.run_sync(invoice_html, order, "en_US")


async def test_a_refund_that_the_provider_cannot_give_is_refused_at_once() -> None:
    async with (
        hubbub.open("memory://", payments=Rounding()) as hub,
        hub.session("root", role="admin") as root,
    ):
        await root.shop.set_product("pen", "Pen", Money("9.999", "KWD"))
        await root.shop.add_item("pen")
        order = await root.shop.checkout(payment="good", key="1")
        with pytest.raises(Invalid, match=r"cannot refund 1\.004 KWD, but 1\.000 KWD"):
            await root.shop.refund(order.id, key="2", amount=Money("1.004", "KWD"))
        part = await root.shop.refund(order.id, key="3", amount=Money("1.000", "KWD"))
        whole = await root.shop.refund(order.id, key="4")

    assert (part.status, whole.status, whole.refunded) == ("paid", "refunded", order.total)
