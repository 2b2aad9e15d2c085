"""What a shop needs as long as its hub is open: its terms, payment processor and prices."""

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
from .payments.payment import PaymentProvider
from .payments.processor import PaymentProcessor
from .payments.sandbox import Sandbox

__all__ = ["Storefront", "drain_payments", "read_money_ahead", "selling"]


def read_money_ahead(currency: str, prices: PriceSource | None) -> None:
    """Read the files that a shop needs later; it is for a worker thread."""
    decimals_of(currency)
    if prices is not None:
        with needs("shop", "A price source"):
            from stamina import instrumentation  # noqa: PLC0415  # an extra

        # What it reports retries to is imported with the first of them otherwise.
        instrumentation.get_on_retry_hooks()


class Storefront:
    """
    The shop of one hub.

    Args:
        itself: the actor whose commands are those of the hub itself.
        start: runs something in the hub's task group, from anywhere.
        prices: where prices come from; by default from the catalogue.
        tax: how much tax there is; by default 10 % are added.
        payments: takes the money; by default the sandbox, which takes none.
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
        self.processor = PaymentProcessor(itself, payments or Sandbox(itself), start)
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
        )


@asynccontextmanager
async def selling(hub: Host) -> AsyncGenerator[Storefront]:
    """Pay the orders of a hub; its options are ``prices``, ``tax`` and ``payments``."""
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
        # It is shielded itself, and has a deadline.
        await drain_payments(storefront)


async def drain_payments(storefront: Storefront) -> None:
    """Finish what is being paid."""
    await storefront.processor.drain()


class _Options(TypedDict, total=False):
    prices: PriceSource | None
    tax: TaxPolicy | None
    payments: PaymentProvider | None
