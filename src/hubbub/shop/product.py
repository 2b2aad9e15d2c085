"""A product: its price and how many there are; and the catalogue. Pure."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import msgspec
from sortedcontainers import SortedSet

from ..errors import Invalid, NotFound
from ..journal.event import Draft, Event, State
from ..journal.states import States
from ..money import Money
from ..text import check_name
from .events import Listed, ProductEvent, ProductSet, StockReleased, StockReserved

__all__ = [
    "CATALOGUE",
    "PRICE_MAX",
    "SKU_CHARS_MAX",
    "STOCK_MAX",
    "Catalogue",
    "Offer",
    "Product",
    "ProductState",
    "product_of",
    "product_stream",
    "set_product",
]

CATALOGUE = "catalogue/products"
SKU_CHARS_MAX = 64
# In the currency's smallest unit.
PRICE_MAX = 10_000_000_000
STOCK_MAX = 1_000_000_000


class Product(msgspec.Struct, frozen=True, gc=False):
    """
    A product as everybody sees it.

    Args:
        sku: what the shop's methods take.
        stream: what ``follow`` and ``read`` take: every change of its price and stock.
        name: what to show.
        price: of one.
        stock: how many can be sold, without those that are put aside for orders that are
            being paid; None if there are always enough.
        category: what taxes go by.
    """

    sku: str
    stream: str
    name: str
    price: Money
    stock: int | None
    category: str | None


class Offer(msgspec.Struct, frozen=True, gc=False):
    """
    What a product is sold for now.

    Args:
        name: what to show.
        price: of one.
        category: what taxes go by.
        stock: how many can be sold; None if there are always enough.
    """

    name: str
    price: Money
    category: str | None = None
    stock: int | None = None


class ProductState(State):
    """
    The fold of a ``product/SKU`` stream.

    Args:
        offer: None before it is made.
    """

    data_type: ClassVar[Any] = ProductEvent

    offer: Offer | None = None

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event.data:
            case ProductSet(name, price, stock, category):
                self.offer = Offer(name, price, category, stock)
            case StockReserved(_, quantity):
                self._add(-quantity)
            case StockReleased(_, quantity):
                self._add(quantity)
            case unknown:
                raise AssertionError(f"not a product's event: {unknown!r}")

    def _add(self, quantity: int) -> None:
        offer = self.offer
        # There may always be enough since.
        if offer is not None and offer.stock is not None:
            stock = offer.stock + quantity
            self.offer = Offer(offer.name, offer.price, offer.category, stock)

    def check_reader(self, stream: str, user: str) -> None:
        """A product is everybody's."""
        product_of(stream, self)


class _Skus(msgspec.Struct):
    skus: list[str]


class Catalogue(State):
    """
    The fold of ``catalogue/products``.

    Args:
        skus: of all products, in order.
    """

    data_type: ClassVar[Any] = Listed
    kept_type: ClassVar[Any] = _Skus

    skus: Any = msgspec.field(default_factory=SortedSet)

    def apply(self, event: Event) -> None:
        """Take one event in."""
        assert isinstance(event.data, Listed)
        self.skus.add(event.data.sku)

    def check_reader(self, stream: str, user: str) -> None:
        """The catalogue is everybody's."""

    def kept(self) -> _Skus:
        """Return what a snapshot holds."""
        return _Skus(list(self.skus))

    @classmethod
    def restored(cls, kept: Any, parts: object) -> Self:
        """Make a catalogue of what a snapshot has held."""
        return cls(SortedSet(kept.skus))

    def page(self, after: str | None, limit: int) -> list[str]:
        """Return the next products' SKUs after one, in order."""
        first = 0 if after is None else self.skus.bisect_right(after)
        return list(self.skus[first : first + limit])


def set_product(states: States, sku: object, product: ProductSet, chars_max: int) -> list[Draft]:
    """Make a product, or change it."""
    stream = product_stream(sku)
    price, stock = product.price, product.stock
    if not isinstance(price, Money) or not 0 <= price.amount <= PRICE_MAX:
        raise Invalid(
            f"A price is Money from 0 to {PRICE_MAX:,} of the smallest unit, not {price!r}."
        )
    if stock is not None and (type(stock) is not int or not 0 <= stock <= STOCK_MAX):
        raise Invalid(f"A stock is a whole number from 0 to {STOCK_MAX:,}, not {stock!r}.")
    category = product.category
    named = msgspec.structs.replace(
        product,
        name=check_name(product.name, chars_max),
        category=None if category is None else check_name(category, chars_max, "category"),
    )
    drafts = [Draft(stream, named)]
    if states.of(ProductState, stream).offer is None:
        drafts.append(Draft(CATALOGUE, Listed(stream.removeprefix("product/"))))
    return drafts


def product_stream(sku: object) -> str:
    """
    Return a product's stream.

    Raises:
        Invalid: it can be no product's SKU.
    """
    good = isinstance(sku, str) and 0 < len(sku) <= SKU_CHARS_MAX and sku.isascii()
    if not good or not str(sku).isprintable() or "/" in str(sku) or " " in str(sku):
        raise Invalid(
            f"A SKU has 1 to {SKU_CHARS_MAX} ASCII letters, digits and signs, "
            f"without a space or a slash, not {sku!r}."
        )
    return f"product/{sku}"


def product_of(stream: str, state: ProductState) -> Product:
    """
    Show a product.

    Raises:
        NotFound: there is none.
    """
    sku, offer = stream.removeprefix("product/"), state.offer
    if offer is None:
        raise NotFound(f"There is no product {sku!r}.")
    return Product(sku, stream, offer.name, offer.price, offer.stock, offer.category)
