"""What happens to products, coupons, carts and orders. The tags are the types on the wire."""

from __future__ import annotations

from datetime import datetime

import msgspec

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
    """So many of a product, at a price for each."""

    sku: str
    name: str
    price: Money
    quantity: int
    category: str | None = None


class ProductSet(Data, frozen=True, tag="product_set"):
    """A product is like this from now on; without a stock there is always enough."""

    name: str
    price: Money
    stock: int | None = None
    category: str | None = None


class StockReserved(Data, frozen=True, tag="stock_reserved"):
    """So many were put aside for an order, which the order's own stream names."""

    order: str
    quantity: int


class StockReleased(Data, frozen=True, tag="stock_released"):
    """They were put back, for the order was not paid."""

    order: str
    quantity: int


class StockAdjusted(Data, frozen=True, tag="stock_adjusted"):
    """So many more can be sold, or fewer."""

    quantity: int


class Listed(Data, frozen=True, tag="listed"):
    """A product is in the catalogue from now on."""

    sku: str


class CouponSet(Data, frozen=True, tag="coupon_set"):
    """A coupon is like this from now on: so many percent off, or an amount."""

    percent: int | None = None
    amount: Money | None = None
    minimum: Money | None = None
    once: bool = True
    expires_at: datetime | None = None


class ItemAdded(Data, frozen=True, tag="item_added"):
    """So many more of a product are in the cart."""

    sku: str
    quantity: int
    name: str
    price: Money
    category: str | None = None


class ItemRemoved(Data, frozen=True, tag="item_removed"):
    """So many fewer of a product are in the cart."""

    sku: str
    quantity: int


class QuantitySet(Data, frozen=True, tag="quantity_set"):
    """There are so many of a product in the cart."""

    sku: str
    quantity: int


class PricesAccepted(Data, frozen=True, tag="prices_accepted"):
    """The user takes these products at these prices, which are not those they were added at."""

    prices: dict[str, Money]


class CouponApplied(Data, frozen=True, tag="coupon_applied"):
    """A coupon is used for the cart."""

    code: str


class CouponRemoved(Data, frozen=True, tag="coupon_removed"):
    """No coupon is used for it."""


class CountrySet(Data, frozen=True, tag="country_set"):
    """The cart is taxed for this country."""

    country: str | None = None


class Cleared(Data, frozen=True, tag="cleared"):
    """The cart is empty: the user cleared it, or it lay too long."""

    expired: bool = False


class Merged(Data, frozen=True, tag="merged"):
    """A guest's cart became a part of this one; or this one, a part of ``into``."""

    items: list[Item] = []
    guest: str | None = None
    into: str | None = None


class CheckoutBegan(Data, frozen=True, tag="checkout_began"):
    """What is in the cart is being paid for."""

    order: str
    once: str | None = None  # the coupon that this user may not use again


class CheckoutEnded(Data, frozen=True, tag="checkout_ended"):
    """It was paid for, and is no longer in the cart; or it was not."""

    order: str
    paid: bool
    quantities: dict[str, int] = {}


class CouponReturned(Data, frozen=True, tag="coupon_returned"):
    """The user may use a coupon again: all of the order that it was used for was given back."""

    code: str
    order: str


class Placed(Data, frozen=True, tag="placed"):
    """The order was made, and is to be paid; what is reserved is put aside."""

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


class Paid(Data, frozen=True, tag="paid"):
    """It was paid; there is no payment for nothing."""

    payment_id: str | None = None


class Declined(Data, frozen=True, tag="declined"):
    """It was not paid, and will not be."""

    reason: str


class RefundBegan(Data, frozen=True, tag="refund_began"):
    """An amount is to be given back."""

    refund: str
    amount: Money


class Refunded(Data, frozen=True, tag="refunded"):
    """It was given back."""

    refund: str
    refund_id: str


class RefundFailed(Data, frozen=True, tag="refund_failed"):
    """It could not be given back."""

    refund: str
    reason: str


class OrderCancelled(Data, frozen=True, tag="order_cancelled"):
    """It was cancelled; if the provider has taken money for it, that is given back."""

    reason: str


class MarkedPaid(Data, frozen=True, tag="order_marked_paid"):
    """An admin has seen that it was paid, by this payment of the provider's, or otherwise."""

    payment_id: str | None = None


class Reconciled(Data, frozen=True, tag="order_reconciled"):
    """
    The provider has said what became of the payment of an order that was ended by hand.

    It names what was voided or refunded, or the problem if that failed.
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
