"""A product: its price and its stock; and the catalogue. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import msgspec
from msgspec import UNSET, UnsetType
from sortedcontainers import SortedSet

from ...errors import Conflict, Invalid, NotFound
from ...journal.decide.states import States
from ...journal.event import Draft, Event, PartedState, State
from ...journal.schedule import HUB
from ...money import Money
from ...shown import shown
from ...text import check_name
from ..events import (
    Listed,
    ProductEvent,
    ProductSet,
    StockAdjusted,
    StockReleased,
    StockReserved,
)

__all__ = [
    "CATALOGUE",
    "PRICE_MAX",
    "PRODUCTS_MAX",
    "SKU_CHARS_MAX",
    "STOCK_MAX",
    "Catalogue",
    "Given",
    "Offer",
    "Product",
    "ProductState",
    "adjust_stock",
    "is_sku",
    "known_product_stream",
    "product_of",
    "product_stream",
    "set_product",
    "without_buyer",
]

CATALOGUE = "catalogue/products"
# The longest SKU, in characters.
SKU_CHARS_MAX = 64
# The highest price, in the currency's smallest unit.
PRICE_MAX = 10_000_000_000
# The largest stock of one product.
STOCK_MAX = 1_000_000_000
# Products in the catalogue; all their SKUs are in memory.
PRODUCTS_MAX = 1_000_000


class Product(msgspec.Struct, frozen=True, gc=False):
    """
    A product.

    Args:
        sku: the SKU for the methods of shop.
        stream: the stream for ``follow`` and ``read``, with every change of price and stock.
        name: the name to show.
        price: the price of one.
        stock: the number that can be sold, without the stock reserved for orders that are
            being paid; None if there is no limit.
        category: the tax category.
    """

    sku: str
    stream: str
    name: str
    price: Money
    stock: int | None
    category: str | None


class Offer(msgspec.Struct, frozen=True, gc=False):
    """
    The current offer of a product.

    Args:
        name: the name to show.
        price: the price of one.
        category: the tax category.
        stock: the number that can be sold; None if there is no limit.
    """

    name: str
    price: Money
    category: str | None = None
    stock: int | None = None


def without_buyer(body: bytes) -> bytes:
    """
    Return an encoded event of a product without its buyer and its order.

    Newer events have neither; those of 0.1 do, and every user can read them.
    """
    if b'"type":"stock_re' not in body or b'"order":""' in body:
        return body
    event = msgspec.json.decode(body)
    return msgspec.json.encode(event | {"by": HUB, "order": ""})


class ProductState(State):
    """
    The fold of a ``product/SKU`` stream.

    Args:
        offer: None until an admin creates the product.
    """

    data_type: ClassVar[Any] = ProductEvent
    public_form: ClassVar[Callable[[bytes], bytes]] = without_buyer

    offer: Offer | None = None

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event.data:
            case ProductSet(name, price, stock, category):
                self.offer = Offer(name, price, category, stock)
            case StockReserved(_, quantity):
                self._add(-quantity)
            case StockReleased(_, quantity) | StockAdjusted(quantity):
                self._add(quantity)
            case unknown:
                raise AssertionError(f"not a product's event: {unknown!r}")

    def _add(self, quantity: int) -> None:
        offer = self.offer
        # An admin may have removed the limit since.
        if offer is not None and offer.stock is not None:
            stock = offer.stock + quantity
            self.offer = Offer(offer.name, offer.price, offer.category, stock)

    def check_reader(self, stream: str, user: str) -> None:
        """Let everyone read a product."""
        product_of(stream, self)


class _Skus(msgspec.Struct):
    skus: list[str]


class Catalogue(PartedState):
    """
    The fold of ``catalogue/products``.

    Args:
        skus: the SKUs of all products, in order.
    """

    data_type: ClassVar[Any] = Listed
    kept_type: ClassVar[Any] = _Skus

    skus: Any = msgspec.field(default_factory=SortedSet)

    def apply(self, event: Event) -> None:
        """Fold one event."""
        assert isinstance(event.data, Listed)
        self.skus.add(event.data.sku)

    def check_reader(self, stream: str, user: str) -> None:
        """Let everyone read the catalogue."""

    def kept(self) -> _Skus:
        """Return the part of a snapshot."""
        return _Skus(list(self.skus))

    @classmethod
    def restored(cls, kept: Any, parts: object) -> Self:
        """Restore a catalogue from a snapshot."""
        return cls(SortedSet(kept.skus))

    def page(self, after: str | None, limit: int) -> list[str]:
        """Return the SKUs of the next products after one, in order."""
        first = 0 if after is None else self.skus.bisect_right(after)
        return list(self.skus[first : first + limit])


class Given(msgspec.Struct, frozen=True, gc=False):
    """
    An admin's values for a product; UNSET leaves a value unchanged.

    Args:
        name: the name to show.
        price: the price of one.
        stock: the number that can be sold; None for no limit.
        category: the tax category; None for none.
    """

    name: str
    price: Money
    stock: int | UnsetType | None = UNSET
    category: str | UnsetType | None = UNSET


def set_product(states: States, sku: object, given: Given, chars_max: int) -> list[Draft]:
    """Create a product, or change it."""
    stream, catalogue = product_stream(sku), states.of(Catalogue, CATALOGUE)
    before = states.of(ProductState, stream).offer
    product = _completed(given, before)
    price, stock = product.price, given.stock
    if not isinstance(price, Money) or not 0 <= price.amount <= PRICE_MAX:
        raise Invalid(
            f"price must be Money from 0 to {PRICE_MAX:,} of the smallest unit: {shown(price)}."
        )
    counted = stock is not None and stock is not UNSET
    if counted and (type(stock) is not int or not 0 <= stock <= STOCK_MAX):
        raise Invalid(f"A stock must be from 0 to {STOCK_MAX:,}, not {shown(stock)}.")
    if before is None and len(catalogue.skus) >= PRODUCTS_MAX:
        raise Conflict(f"A catalogue can have {PRODUCTS_MAX:,} products; change one of them.")
    category = product.category
    named = msgspec.structs.replace(
        product,
        name=check_name(product.name, chars_max),
        category=None if category is None else check_name(category, chars_max, "category"),
    )
    drafts = [Draft(stream, named)]
    if before is None:
        drafts.append(Draft(CATALOGUE, Listed(stream.removeprefix("product/"))))
    return drafts


def _completed(given: Given, before: Offer | None) -> ProductSet:
    stock, category = given.stock, given.category
    if stock is UNSET:
        stock = None if before is None else before.stock
    if category is UNSET:
        category = None if before is None else before.category
    return ProductSet(given.name, given.price, stock, category)


def adjust_stock(states: States, stream: str, quantity: object) -> list[Draft]:
    """Increase or decrease the stock of a product."""
    offer = states.of(ProductState, stream).offer
    if offer is None:
        raise NotFound(
            f"There is no product {shown(stream.removeprefix('product/'))}; check the SKU."
        )
    if type(quantity) is not int or not quantity or not -STOCK_MAX <= quantity <= STOCK_MAX:
        raise Invalid(f"`by` must be a whole number up to {STOCK_MAX:,}, and not 0.")
    if offer.stock is None:
        raise Conflict("This product has no limit on its stock; set one with set_product.")
    if offer.stock + quantity < 0:
        raise Conflict(f"Only {offer.stock:,} of {offer.name} are left.")
    if offer.stock + quantity > STOCK_MAX:
        raise Conflict(f"A stock can be up to {STOCK_MAX:,}; add fewer.")
    return [Draft(stream, StockAdjusted(quantity))]


def is_sku(sku: object) -> bool:
    """Return whether a value can be the SKU of a product."""
    if not isinstance(sku, str) or not 0 < len(sku) <= SKU_CHARS_MAX:
        return False
    return sku.isascii() and sku.isprintable() and "/" not in sku and " " not in sku


def product_stream(sku: object) -> str:
    """
    Return a product's stream.

    Raises:
        Invalid: the value cannot be the SKU of a product.
    """
    if not is_sku(sku):
        raise Invalid(
            f"A SKU has 1 to {SKU_CHARS_MAX} ASCII letters, digits and signs, "
            f"without a space or a slash, not {shown(sku)}."
        )
    return known_product_stream(str(sku))


def known_product_stream(sku: str) -> str:
    """Return the stream of a product whose SKU is known to be valid."""
    return f"product/{sku}"


def product_of(stream: str, state: ProductState) -> Product:
    """
    Return the public form of a product.

    Raises:
        NotFound: the product does not exist.
    """
    sku, offer = stream.removeprefix("product/"), state.offer
    if offer is None:
        raise NotFound(f"There is no product {shown(sku)}; check the SKU.")
    return Product(sku, stream, offer.name, offer.price, offer.stock, offer.category)
