"""Products and coupons: the commands that list them, and the commands of admins."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec import UNSET

from ...errors import Invalid
from ...journal.actor import Actor
from ...journal.command import Command, nothing
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...service import check_limit
from ..events import CouponSet
from .coupon import Coupon, CouponState, coupon_of, coupon_stream, set_coupon
from .product import (
    CATALOGUE,
    Catalogue,
    Given,
    Product,
    ProductState,
    adjust_stock,
    known_product_stream,
    product_of,
    product_stream,
    set_product,
)

__all__ = ["KEEP", "Products"]

# Leaves a value unchanged. Over a network it is left out.
KEEP = UNSET


class Products:
    """
    The catalogue, for one session; its methods return commands.

    Args:
        actor: the user of the session.
    """

    __slots__ = ("_actor",)

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    def page(self, after: str | None, limit: int) -> Command[list[Product]]:
        """List the products after a SKU."""
        check_limit(limit, self._actor.settings.page_max)
        if after is not None and not isinstance(after, str):
            raise Invalid(f"after must be a SKU, not {type(after).__name__}.")

        def result(states: States, events: Sequence[Event]) -> list[Product]:
            skus = states.of(Catalogue, CATALOGUE).page(after, limit)
            streams = [known_product_stream(sku) for sku in skus]
            states.need(streams)
            return [product_of(stream, states.of(ProductState, stream)) for stream in streams]

        return Command(self._actor.user, nothing, result, reads=(CATALOGUE,))

    def show(self, sku: str) -> Command[Product]:
        """Return a product."""
        stream = product_stream(sku)
        return Command(self._actor.user, nothing, partial(_shown, stream), reads=(stream,))

    def set(self, sku: str, given: Given) -> Command[Product]:
        """Create a product, or change it."""
        stream, chars_max = product_stream(sku), self._actor.settings.name_chars_max

        def decide(states: States) -> Sequence[Draft]:
            return set_product(states, sku, given, chars_max)

        shown = partial(_shown, stream)
        return Command(self._actor.user, decide, shown, reads=(stream, CATALOGUE))

    def adjust_stock(self, sku: str, by: int, key: str) -> Command[Product]:
        """Increase or decrease the stock of a product."""
        stream = product_stream(sku)

        def decide(states: States) -> Sequence[Draft]:
            return adjust_stock(states, stream, by)

        shown, arguments = partial(_shown, stream), ("adjust_stock", sku, by)
        return Command(
            self._actor.user, decide, shown, reads=(stream,), key=key, arguments=arguments
        )

    def set_coupon(self, code: str, given: CouponSet) -> Command[Coupon]:
        """Create a coupon, or change it."""
        stream = coupon_stream(code)

        def decide(states: States) -> Sequence[Draft]:
            return set_coupon(stream, given)

        def result(states: States, events: Sequence[Event]) -> Coupon:
            return coupon_of(stream, states.of(CouponState, stream))

        return Command(self._actor.user, decide, result, reads=(stream,))


def _shown(stream: str, states: States, events: Sequence[Event]) -> Product:
    return product_of(stream, states.of(ProductState, stream))
