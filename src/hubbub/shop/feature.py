"""Shop: the catalogue, carts, checkout and orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ..feature import Adoption, Callback, Feature, WebhookRoute
from ..journal.decide.states import States
from ..journal.event import Draft
from ..quotas import CHANGES, Quota
from ..ratelimit import RateLimit, rate_limit
from ..settings import Settings
from .carts.cart import CartState, cart_stream
from .carts.commands import merge
from .catalog.coupon import CouponState
from .catalog.product import Catalogue, ProductState
from .grants import SHOP_GRANTS, SHOP_READERS
from .orders.order import OrderState
from .payments.sandbox import SandboxState
from .payments.webhook import WEBHOOK_BYTES_MAX, Webhook
from .runtime import Storefront, drain_payments, selling
from .service import Shop

__all__ = ["SHOP"]

ORDERS = Quota("orders", "orders_per_user")


def _checkout_limit(settings: Settings) -> RateLimit:
    limit, period = settings.checkout_limit, settings.checkout_period
    return rate_limit("sliding_window", limit, period, what="checkouts")


def _carts(guest: str, user: str) -> Sequence[str]:
    return cart_stream(guest), cart_stream(user)


def _merge(states: States, guest: str, user: str, storefront: Storefront) -> Sequence[Draft]:
    return merge(states, guest, user, storefront.terms)


def _stripe(secret: str, storefront: Storefront) -> Callback:
    webhook = Webhook(secret)

    def receive(body: bytes, headers: Mapping[str, str], now: datetime) -> None:
        # Trust nothing in the event: it is only a reason to ask Stripe for the status of the
        # order's payment.
        event = webhook.read(body, headers.get("stripe-signature", ""), now)
        if event is not None and event.order is not None:
            storefront.processor.look_at(event.order)

    return receive


SHOP = Feature(
    name="shop",
    service=Shop,
    streams={
        "product": ProductState,
        "catalogue": Catalogue,
        "coupon": CouponState,
        "cart": CartState,
        "order": OrderState,
        "sandbox": SandboxState,
    },
    runtime=selling,
    drain=drain_payments,
    options=frozenset({"prices", "tax", "payments"}),
    grants=SHOP_GRANTS,
    readers=SHOP_READERS,
    quotas={
        "shop.add_item": CHANGES,
        "shop.remove_item": CHANGES,
        "shop.set_quantity": CHANGES,
        "shop.accept_prices": CHANGES,
        "shop.apply_coupon": CHANGES,
        "shop.remove_coupon": CHANGES,
        "shop.set_country": CHANGES,
        "shop.clear": CHANGES,
        "shop.checkout": ORDERS,
    },
    limits={"checkouts": _checkout_limit},
    adoption=Adoption(_carts, _merge),
    webhooks={"stripe": WebhookRoute(WEBHOOK_BYTES_MAX, _stripe)},
)
