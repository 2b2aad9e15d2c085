"""The events of products, coupons, carts and orders. The tags are the types on the wire."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from ..journal.event import Data
from ..money import Money

__all__ = [
    "CartEvent",
    "CheckoutBegan",
    "CheckoutEnded",
    "Cleared",
    "CountrySet",
    "CouponApplied",
    "CouponEvent",
    "CouponRemoved",
    "CouponReturned",
    "CouponSet",
    "Declined",
    "Item",
    "ItemAdded",
    "ItemRemoved",
    "Listed",
    "MarkedPaid",
    "Merged",
    "OrderCancelled",
    "OrderEvent",
    "Paid",
    "Placed",
    "PricesAccepted",
    "ProductEvent",
    "ProductSet",
    "QuantitySet",
    "Reconciled",
    "RefundBegan",
    "RefundFailed",
    "Refunded",
    "StockAdjusted",
    "StockReleased",
    "StockReserved",
]


class Item(msgspec.Struct, frozen=True, gc=False):
    """A quantity of a product, at a price for each."""

    sku: str
    name: str
    price: Money
    quantity: int
    category: str | None = None


class ProductSet(Data, frozen=True, tag="product_set"):
    """The product was created or changed; without a stock there is no limit."""

    name: str
    price: Money
    stock: int | None = None
    category: str | None = None


class StockReserved(Data, frozen=True, tag="stock_reserved"):
    """Stock was reserved for an order, which the order's own stream names."""

    order: str
    quantity: int


class StockReleased(Data, frozen=True, tag="stock_released"):
    """Reserved stock was released, because the order was not paid."""

    order: str
    quantity: int


class StockAdjusted(Data, frozen=True, tag="stock_adjusted"):
    """The stock was increased, or decreased."""

    quantity: int


class Listed(Data, frozen=True, tag="listed"):
    """The product was added to the catalogue."""

    sku: str


class CouponSet(Data, frozen=True, tag="coupon_set"):
    """The coupon was created or changed: a discount in percent, or an amount."""

    percent: int | None = None
    amount: Money | None = None
    minimum: Money | None = None
    once: bool = True
    expires_at: datetime | None = None


class ItemAdded(Data, frozen=True, tag="item_added"):
    """Pieces of a product were added to the cart."""

    sku: str
    quantity: int
    name: str
    price: Money
    category: str | None = None


class ItemRemoved(Data, frozen=True, tag="item_removed"):
    """Pieces of a product were removed from the cart."""

    sku: str
    quantity: int


class QuantitySet(Data, frozen=True, tag="quantity_set"):
    """The quantity of a product in the cart was set."""

    sku: str
    quantity: int


class PricesAccepted(Data, frozen=True, tag="prices_accepted"):
    """The user accepted these prices, which have changed since the products were added."""

    prices: dict[str, Money]


class CouponApplied(Data, frozen=True, tag="coupon_applied"):
    """A coupon was applied to the cart."""

    code: str


class CouponRemoved(Data, frozen=True, tag="coupon_removed"):
    """The coupon was removed from the cart."""


class CountrySet(Data, frozen=True, tag="country_set"):
    """The country whose tax applies to the cart was set."""

    country: str | None = None


class Cleared(Data, frozen=True, tag="cleared"):
    """The cart was emptied: the user cleared it, or it expired."""

    expired: bool = False


class Merged(Data, frozen=True, tag="merged"):
    """A guest's cart was merged into this one; or this one into ``into``."""

    items: list[Item] = []
    guest: str | None = None
    into: str | None = None
    # The coupons that the guest has used up -> the guest's orders.
    used: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class CheckoutBegan(Data, frozen=True, tag="checkout_began"):
    """The checkout of the cart began."""

    order: str
    once: str | None = None  # the coupon that this user cannot use again


class CheckoutEnded(Data, frozen=True, tag="checkout_ended"):
    """The checkout ended: the order was paid, and its items left the cart; or it was not."""

    order: str
    paid: bool
    quantities: dict[str, int] = {}


class CouponReturned(Data, frozen=True, tag="coupon_returned"):
    """The user can use a coupon again: its order was refunded in full, or was not paid."""

    code: str
    order: str


class Placed(Data, frozen=True, tag="placed"):
    """The order was placed, and waits for its payment; its stock is reserved."""

    user: str
    items: list[Item]
    subtotal: Money
    discount: Money
    tax: Money
    total: Money
    tax_included: bool = False
    coupon: str | None = None
    country: str | None = None
    reserved: list[str] = []
    due: datetime | None = None
    # The node that settles it, where nodes share a store.
    claimant: str | UnsetType = UNSET


class Paid(Data, frozen=True, tag="paid"):
    """The order was paid; a free order has no payment."""

    payment_id: str | None = None


class Declined(Data, frozen=True, tag="declined"):
    """The order was declined: it was not paid, and will not be."""

    reason: str


class RefundBegan(Data, frozen=True, tag="refund_began"):
    """A refund began."""

    refund: str
    amount: Money


class Refunded(Data, frozen=True, tag="refunded"):
    """The refund is done."""

    refund: str
    refund_id: str


class RefundFailed(Data, frozen=True, tag="refund_failed"):
    """The refund failed."""

    refund: str
    reason: str


class OrderCancelled(Data, frozen=True, tag="order_cancelled"):
    """The order was cancelled; what the provider has charged for it is refunded."""

    reason: str


class MarkedPaid(Data, frozen=True, tag="order_marked_paid"):
    """An admin has marked the order as paid, by this payment of the provider or otherwise."""

    payment_id: str | None = None


class Reconciled(Data, frozen=True, tag="order_reconciled"):
    """
    The provider has given the status of the payment of an order that was ended by hand.

    It names the voided or refunded payment, or the problem if that failed.
    """

    payment_id: str | None = None
    refund_id: str | None = None
    problem: str | None = None


ProductEvent = ProductSet | StockReserved | StockReleased | StockAdjusted
CouponEvent = CouponSet
CartEvent = (
    ItemAdded
    | ItemRemoved
    | QuantitySet
    | PricesAccepted
    | CouponApplied
    | CouponRemoved
    | CountrySet
    | Cleared
    | Merged
    | CheckoutBegan
    | CheckoutEnded
    | CouponReturned
)
OrderEvent = (
    Placed
    | Paid
    | Declined
    | RefundBegan
    | Refunded
    | RefundFailed
    | OrderCancelled
    | MarkedPaid
    | Reconciled
)
