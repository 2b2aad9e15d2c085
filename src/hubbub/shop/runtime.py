"""The runtime of a shop: its terms, payment processor and prices."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypedDict, cast

from ..extras import needs
from ..feature import Host
from ..journal.actor import Actor
from ..journal.threads import Threads
from ..money import decimals_of
from .carts.tax import FlatTax, TaxPolicy
from .carts.totals import ShopTerms, offered
from .catalog.price_lookup import Prices, PriceSource
from .payments.payment import PaymentProvider, payable_by
from .payments.processor import PaymentProcessor
from .payments.sandbox import Sandbox

__all__ = ["Storefront", "drain_payments", "read_money_ahead", "selling"]


def read_money_ahead(currency: str, prices: PriceSource | None) -> None:
    """Read the files that a shop needs later; call it in a worker thread."""
    decimals_of(currency)
    if prices is not None:
        with needs("shop", "A price source"):
            from stamina import instrumentation  # noqa: PLC0415  # an extra

        # Otherwise the first retry would import what it is reported to.
        instrumentation.get_on_retry_hooks()


class Storefront:
    """
    The shop of one hub.

    Args:
        itself: the actor of the hub's own commands.
        start: runs a task in the hub, from anywhere.
        prices: where prices come from; by default from the catalogue.
        tax: computes the tax; by default 10 % are added.
        payments: takes the payments; by default the sandbox, which charges nobody.
    """

    def __init__(
        self,
        itself: Actor,
        start: Callable[..., None],
        prices: PriceSource | None,
        tax: TaxPolicy | None,
        payments: PaymentProvider | None,
    ) -> None:
        settings = itself.settings
        provider = payments or Sandbox(itself)
        self.processor = PaymentProcessor(itself, provider, start)
        self.prices = None if prices is None else Prices(prices, settings, start)
        self.terms = ShopTerms(
            offered if self.prices is None else self.prices.offer,
            tax or FlatTax(),
            settings.currency,
            settings.cart_lines_max,
            settings.cart_quantity_max,
            timedelta(days=settings.cart_days),
            timedelta(seconds=settings.reservation_seconds),
            settings.orders_open_max,
            payable_by(provider),
        )


@asynccontextmanager
async def selling(hub: Host) -> AsyncGenerator[Storefront]:
    """Run the shop of a hub; its options are ``prices``, ``tax`` and ``payments``."""
    options = cast(_Options, hub.options)
    prices = options.get("prices")
    await Threads(1).run(read_money_ahead, hub.settings.currency, prices)
    storefront = Storefront(
        hub.itself, hub.start, prices, options.get("tax"), options.get("payments")
    )
    hub.keep_running("the payment processor", storefront.processor.run)
    try:
        yield storefront
    finally:
        # The exit is shielded, and has a deadline.
        await drain_payments(storefront)


async def drain_payments(storefront: Storefront) -> None:
    """Finish open payments."""
    await storefront.processor.drain()


class _Options(TypedDict, total=False):
    prices: PriceSource | None
    tax: TaxPolicy | None
    payments: PaymentProvider | None
