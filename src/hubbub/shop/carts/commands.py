"""The decisions about a cart before its checkout. Pure."""

from __future__ import annotations

import msgspec

from ...errors import Conflict, Invalid, NotFound
from ...journal.decide.states import States
from ...journal.event import Draft
from ...shown import shown
from ..catalog.coupon import CouponState, coupon_stream
from ..catalog.product import Offer, product_stream
from ..events import (
    Cleared,
    CountrySet,
    CouponApplied,
    CouponRemoved,
    Item,
    ItemAdded,
    ItemRemoved,
    Merged,
    PricesAccepted,
    QuantitySet,
)
from .cart import CartState, cart_stream, priced, shown_with
from .tax import country_of
from .totals import ShopTerms, check_totals

__all__ = [
    "accept_prices",
    "add",
    "apply_coupon",
    "clear",
    "merge",
    "remove",
    "remove_coupon",
    "set_country",
    "set_quantity",
]


def add(states: States, user: str, sku: str, quantity: object, terms: ShopTerms) -> list[Draft]:
    """Add pieces of a product to a cart."""
    cart, before = _open(states, user, terms)
    offer = _offered(states, sku, terms)
    count = _checked(quantity, 1, terms)
    return before + _add(cart, cart_stream(user), sku, count, offer, terms)


def set_quantity(
    states: States, user: str, sku: str, quantity: object, terms: ShopTerms
) -> list[Draft]:
    """Set the quantity of a product in a cart; 0 removes it."""
    cart, before = _open(states, user, terms)
    product_stream(sku)
    held = cart.items.get(sku)
    offer = None if held else _offered(states, sku, terms)
    count = _checked(quantity, 0, terms)
    stream = cart_stream(user)
    if held is None:
        assert offer is not None
        return before + (_add(cart, stream, sku, count, offer, terms) if count else [])
    if count == held.quantity:
        return before
    after = cart.items | {sku: msgspec.structs.replace(held, quantity=count)}
    check_totals(after.values())
    return [*before, Draft(stream, QuantitySet(sku, count))]


def remove(states: States, user: str, sku: str, quantity: object, terms: ShopTerms) -> list[Draft]:
    """Remove pieces of a product from a cart; None removes all."""
    cart, before = _open(states, user, terms)
    product_stream(sku)
    held = cart.items.get(sku)
    if held is None:
        raise NotFound(f"{shown(sku)} is not in your cart.")
    count = held.quantity if quantity is None else _checked(quantity, 1, terms)
    return [*before, Draft(cart_stream(user), ItemRemoved(sku, min(count, held.quantity)))]


def clear(states: States, user: str, terms: ShopTerms) -> list[Draft]:
    """Empty a cart."""
    cart, before = _open(states, user, terms)
    if not cart.items and cart.coupon is None:
        return before
    return [Draft(cart_stream(user), Cleared())]


def accept_prices(states: States, user: str, terms: ShopTerms) -> list[Draft]:
    """Accept the current prices of the products in a cart."""
    cart, before = _open(states, user, terms)
    items, prices = dict(cart.items), {}
    for sku, item in cart.items.items():
        offer = terms.offer(states, sku)
        if offer is not None and offer.price != item.price:
            prices[sku] = offer.price
            items[sku] = msgspec.structs.replace(item, price=offer.price)
    check_totals(items.values())
    return before + ([Draft(cart_stream(user), PricesAccepted(prices))] if prices else [])


def apply_coupon(states: States, user: str, code: object, terms: ShopTerms) -> list[Draft]:
    """Apply a coupon to a cart, and replace any other."""
    cart, before = _open(states, user, terms)
    stream = coupon_stream(code)
    known = stream.removeprefix("coupon/")
    coupon = states.of(CouponState, stream)
    if coupon.terms is None:
        raise NotFound("There is no such coupon; check the code.")
    totals, _ = priced(states, cart, terms)
    problem = coupon.problem(totals.subtotal, states.now, used=known in cart.used)
    if problem is not None:
        raise Conflict(problem)
    if cart.coupon == known:
        return before
    return [*before, Draft(cart_stream(user), CouponApplied(known))]


def remove_coupon(states: States, user: str, terms: ShopTerms) -> list[Draft]:
    """Remove the coupon from a cart."""
    cart, before = _open(states, user, terms)
    return before + ([Draft(cart_stream(user), CouponRemoved())] if cart.coupon else [])


def set_country(states: States, user: str, country: object, terms: ShopTerms) -> list[Draft]:
    """Set the country whose tax applies to a cart."""
    cart, before = _open(states, user, terms)
    if country is not None:
        country = country_of(country)
    if country == cart.country:
        return before
    return [*before, Draft(cart_stream(user), CountrySet(country))]


def merge(states: States, guest: str, user: str, terms: ShopTerms) -> list[Draft]:
    """
    Merge a guest's cart into the cart of the account that the guest has signed in to.

    For a product in both carts the larger quantity counts, because a user who signs in
    again has not ordered twice. Lines beyond the limits are dropped. The guest's coupon and country
    replace those of the account, and what the guest has used up the account has used up.
    """
    theirs, _ = _open(states, guest, terms)
    if guest == user or not (theirs.items or theirs.coupon or theirs.country or theirs.used):
        return []
    cart, before = _open(states, user, terms)
    items = _together(cart.items, theirs.items, terms)
    changed = [item for sku, item in items.items() if cart.items.get(sku) != item]
    used = {code: order for code, order in theirs.used.items() if code not in cart.used}
    stream, from_ = cart_stream(user), cart_stream(guest)
    drafts = (
        [Draft(stream, Merged(changed, guest=guest, used=used or msgspec.UNSET))]
        if changed or used
        else []
    )
    if (coupon := _coupon_of(cart, theirs)) != cart.coupon and coupon is not None:
        drafts.append(Draft(stream, CouponApplied(coupon)))
    if theirs.country is not None:
        if theirs.country != cart.country:
            drafts.append(Draft(stream, CountrySet(theirs.country)))
        # The account may choose another country before the guest signs in again.
        drafts.append(Draft(from_, CountrySet(None)))
    if not (drafts or theirs.items or theirs.coupon):
        return []
    return [*before, *drafts, Draft(from_, Merged(into=user))]


def _coupon_of(cart: CartState, theirs: CartState) -> str | None:
    """Return the guest's coupon, unless only the account's own can still be used."""
    used_up = theirs.coupon in cart.used or theirs.coupon in theirs.used
    return cart.coupon if theirs.coupon is None or (cart.coupon and used_up) else theirs.coupon


def _together(own: dict[str, Item], theirs: dict[str, Item], terms: ShopTerms) -> dict[str, Item]:
    items = dict(own)
    for sku, item in theirs.items():
        held = items.get(sku)
        more = item if held is None else _larger(held, item.quantity)
        try:
            check_totals((items | {sku: more}).values())
        except Conflict:
            # Another currency, or too expensive: the sign-in must still succeed.
            continue
        if held is not None or len(items) < terms.lines_max:
            items[sku] = more
    return items


def _larger(held: Item, quantity: int) -> Item:
    return msgspec.structs.replace(held, quantity=max(held.quantity, quantity))


def _open(states: States, user: str, terms: ShopTerms) -> tuple[CartState, list[Draft]]:
    """Return a cart without expired contents, and load everything that showing it needs."""
    cart, before = states.of(CartState, cart_stream(user)), list[Draft]()
    if cart.has_expired(states.now, terms):
        before.append(Draft(cart_stream(user), Cleared(expired=True)))
        cart = cart.emptied()
    states.need(shown_with(cart))
    return cart, before


def _offered(states: States, sku: str, terms: ShopTerms) -> Offer:
    product_stream(sku)
    offer = terms.offer(states, sku)
    if offer is None:
        raise NotFound(f"There is no product {shown(sku)}; check the SKU.")
    return offer


def _checked(quantity: object, least: int, terms: ShopTerms) -> int:
    most = terms.quantity_max
    if type(quantity) is not int or not least <= quantity <= most:
        raise Invalid(
            f"A quantity must be a whole number from {least} to {most:,}, not {shown(quantity)}."
        )
    return quantity


def _add(  # noqa: PLR0913
    cart: CartState, stream: str, sku: str, quantity: int, offer: Offer, terms: ShopTerms
) -> list[Draft]:
    held = cart.items.get(sku)
    if held is None and len(cart.items) >= terms.lines_max:
        raise Conflict(f"A cart can have {terms.lines_max:,} products; remove one first.")
    price = held.price if held else offer.price
    count = quantity + (held.quantity if held else 0)
    if count > terms.quantity_max:
        raise Conflict(f"A cart can have {terms.quantity_max:,} of each product.")
    check_totals([*cart.items.values(), Item(sku, offer.name, price, quantity)])
    return [Draft(stream, ItemAdded(sku, quantity, offer.name, price, offer.category))]
