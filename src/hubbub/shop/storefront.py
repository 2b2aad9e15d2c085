"""What all sessions of a hub share of its shop: its terms, its till, and its prices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from ..journal.actor import Actor
from ..money import decimals_of
from .carts.tax import FlatTax, TaxPolicy
from .carts.totals import ShopTerms, offered
from .catalog.price_lookup import Prices, PriceSource
from .catalog.priced_shop import PricedShop
from .payments.payment import PaymentProvider
from .payments.processor import PaymentProcessor
from .payments.sandbox import Sandbox
from .service import Shop

__all__ = ["Storefront", "read_money_ahead"]


def read_money_ahead(currency: str, prices: PriceSource | None) -> None:
    """Read the files that a shop needs later; it is for a worker thread."""
    decimals_of(currency)
    if prices is not None:
        from stamina import instrumentation  # noqa: PLC0415  # an extra

        # What it reports retries to is imported with the first of them otherwise.
        instrumentation.get_on_retry_hooks()


class Storefront:
    """
    The shop of one hub.

    Args:
        hub: whose commands are those of the hub itself.
        start: runs something in the hub's task group, from anywhere.
        prices: where prices come from; by default from the catalogue.
        tax: how much tax there is; by default 10 % are added.
        payments: takes the money; by default the sandbox, which takes none.
    """

    kind: type[Shop]

    def __init__(
        self,
        hub: Actor,
        start: Callable[..., None],
        prices: PriceSource | None,
        tax: TaxPolicy | None,
        payments: PaymentProvider | None,
    ) -> None:
        settings = hub.settings
        self.processor = PaymentProcessor(hub, payments or Sandbox(hub), start)
        self._prices = None if prices is None else Prices(prices, settings, start)
        self.kind = Shop if prices is None else PricedShop
        self.terms = ShopTerms(
            offered if self._prices is None else self._prices.offer,
            tax or FlatTax(),
            settings.currency,
            settings.cart_lines_max,
            settings.cart_quantity_max,
            timedelta(days=settings.cart_days),
            timedelta(seconds=settings.reservation_seconds),
            settings.orders_open_max,
        )

    def shop(self, actor: Actor) -> Shop:
        """Make the shop of one session."""
        if self._prices is None:
            return Shop(actor, self.terms, self.processor)
        return PricedShop(actor, self.terms, self.processor, self._prices)
