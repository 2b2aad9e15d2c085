from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sortedcontainers import SortedSet

from hubbub.errors import Conflict, Invalid, NotFound
from hubbub.journal.event import Data, Event, encode_event
from hubbub.journal.schedule import HUB
from hubbub.money import Money
from hubbub.shop.catalog import product
from hubbub.shop.catalog.product import (
    CATALOGUE,
    PRICE_MAX,
    PRODUCTS_MAX,
    SKU_CHARS_MAX,
    STOCK_MAX,
    Catalogue,
    Given,
    Product,
    ProductState,
    product_of,
    product_stream,
    set_product,
    without_buyer,
)
from hubbub.shop.events import Listed, ProductSet, StockAdjusted, StockReleased, StockReserved
from tests.games.board_kit import REGISTRY
from tests.shop.shelf_kit import NOON, Shelf, full_shelf, usd


def test_a_product_is_listed_once() -> None:
    shelf = Shelf()

    assert shelf.product("pen", usd(5)) == [ProductSet("Pen", usd(5)), Listed("pen")]
    assert shelf.product("pen", usd(6), 3) == [ProductSet("Pen", usd(6), 3)]


def test_names_are_kept_in_normal_form() -> None:
    [made, _] = Shelf().product("pen", usd(5), category="Cafe\u0301")

    assert isinstance(made, ProductSet)
    assert made.category == "Café"


@pytest.mark.parametrize("price", [Money(PRICE_MAX + 1, "USD"), usd(-1), 5, "5", 5.0, None])
def test_a_price_outside_its_limits_is_refused(price: Any) -> None:
    with pytest.raises(Invalid):
        Shelf().product("pen", price)


@pytest.mark.parametrize("stock", [-1, STOCK_MAX + 1, 1.0, True, "5"])
def test_a_stock_outside_its_limits_is_refused(stock: Any) -> None:
    with pytest.raises(Invalid):
        Shelf().product("pen", usd(5), stock)


@pytest.mark.parametrize(("price", "stock"), [(PRICE_MAX, STOCK_MAX), (0, 0)])
def test_the_largest_and_least_price_and_stock_are_taken(price: int, stock: int) -> None:
    shelf = Shelf()

    [made, _] = shelf.product("pen", usd(price), stock)

    assert made == ProductSet("Pen", usd(price), stock)
    assert shelf.stock("pen") == stock


@pytest.mark.parametrize("changed", [{"name": "x" * 8}, {"category": "x" * 8}])
def test_names_have_their_length(changed: dict[str, Any]) -> None:
    states, whole = Shelf().ask, msgspec.structs.replace(Given("Pen", usd(5)), **changed)
    made = msgspec.structs.replace(ProductSet("Pen", usd(5)), **changed)

    assert states(lambda states: set_product(states, "pen", whole, 8))[0].data == made
    with pytest.raises(Invalid):
        states(lambda states: set_product(states, "pen", whole, 7))


@pytest.mark.parametrize("name", ["", " ", "a\nb", None, 5])
def test_a_product_and_its_category_have_proper_names(name: Any) -> None:
    shelf = Shelf()
    with pytest.raises(Invalid):
        shelf.do(lambda states: set_product(states, "pen", Given(name, usd(5)), 100))
    if name is not None:
        with pytest.raises(Invalid):
            shelf.product("pen", usd(5), category=name)

    assert shelf.events == []


@pytest.mark.parametrize("sku", ["", "x" * (SKU_CHARS_MAX + 1), "a/b", "a b", "ü", "\n", None, 5])
def test_what_is_no_sku_is_refused(sku: Any) -> None:
    with pytest.raises(Invalid):
        product_stream(sku)


@pytest.mark.parametrize("sku", ["a", "A-1.b_2", "~!@#$%^&*()", "..", '"'])
def test_a_sku_has_letters_digits_and_signs(sku: str) -> None:
    assert product_stream(sku) == f"product/{sku}"


def keep(shelf: Shelf, **given: Any) -> list[Data]:
    """Set the price of the mouse, and what is given."""
    whole = Given("Mouse", usd("24.99"), **given)
    return shelf.do(lambda states: set_product(states, "mouse", whole, 100))


@pytest.mark.parametrize("stock", [None, 0, 7])
def test_an_edit_without_stock_keeps_it(stock: int | None) -> None:
    shelf = full_shelf(stock)

    assert keep(shelf) == [ProductSet("Mouse", usd("24.99"), stock)]
    assert shelf.stock("mouse") == stock


def test_an_edit_brings_nothing_back_that_was_sold() -> None:
    shelf = full_shelf(10)
    shelf.add("mouse", 4)
    shelf.place()
    keep(shelf)
    shelf.pay()
    keep(shelf)

    assert shelf.stock("mouse") == 6


def test_an_edit_keeps_what_was_released_above_the_limit() -> None:
    shelf = full_shelf(10)
    shelf.add("mouse", 4)
    shelf.place()
    shelf.product("mouse", usd("29.99"), STOCK_MAX)
    shelf.decline()
    keep(shelf)

    assert shelf.stock("mouse") == STOCK_MAX + 4


def test_an_edit_to_none_is_unlimited() -> None:
    shelf = full_shelf(10)
    keep(shelf, stock=None)

    assert shelf.stock("mouse") is None


def test_an_edit_without_a_category_keeps_it() -> None:
    shelf = full_shelf()
    keep(shelf, category="office")

    assert keep(shelf) == [ProductSet("Mouse", usd("24.99"), 10, "office")]
    assert keep(shelf, category=None) == [ProductSet("Mouse", usd("24.99"), 10)]


def test_a_new_product_without_stock_is_unlimited() -> None:
    assert keep(Shelf())[0] == ProductSet("Mouse", usd("24.99"))


def test_a_catalogue_has_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    assert PRODUCTS_MAX > 4
    monkeypatch.setattr(product, "PRODUCTS_MAX", 4)
    shelf = full_shelf()
    keep(shelf)

    with pytest.raises(Conflict):
        shelf.product("pen", usd(5))


def test_a_stock_is_adjusted() -> None:
    shelf = full_shelf(10)

    assert shelf.adjust("mouse", 5) == [StockAdjusted(5)]
    assert shelf.adjust("mouse", -15) == [StockAdjusted(-15)]
    assert shelf.stock("mouse") == 0


def test_no_stock_is_adjusted_below_zero() -> None:
    shelf = full_shelf(10)

    with pytest.raises(Conflict, match="Only 10 of Mouse are left"):
        shelf.adjust("mouse", -11)
    with pytest.raises(Conflict):
        shelf.adjust("mouse", STOCK_MAX - 9)
    assert shelf.stock("mouse") == 10


def test_what_is_not_counted_is_not_adjusted() -> None:
    with pytest.raises(Conflict, match="set_product"):
        full_shelf(None).adjust("mouse", 1)


def test_what_is_not_there_is_not_adjusted() -> None:
    with pytest.raises(NotFound):
        full_shelf().adjust("boat", 1)


@pytest.mark.parametrize("quantity", [0, None, 1.0, True, "1", STOCK_MAX + 1, -STOCK_MAX - 1])
def test_a_stock_is_adjusted_by_a_whole_number(quantity: Any) -> None:
    with pytest.raises(Invalid):
        full_shelf().adjust("mouse", quantity)


def test_readers_of_old_events_do_not_learn_who_has_bought() -> None:
    for data in (StockReserved("order-1", 3), StockReleased("order-1", 3)):
        old = encode_event(Event("product/pen", 2, NOON, "ann", None, data))
        shown = REGISTRY.decode(without_buyer(old))

        assert shown.by == HUB
        assert shown.data == type(data)("", 3)


@pytest.mark.parametrize("data", [StockReserved("", 3), ProductSet('"type":"stock_re', usd(5))])
def test_what_tells_no_buyer_is_shown_as_it_is(data: Any) -> None:
    body = encode_event(Event("product/pen", 2, NOON, "root", None, data))

    assert without_buyer(body) is body


def test_the_longest_sku_is_taken() -> None:
    assert product_stream("x" * SKU_CHARS_MAX) == "product/" + "x" * SKU_CHARS_MAX


def state_of(*data: Any) -> ProductState:
    state = ProductState()
    for seq, one in enumerate(data, 1):
        state.apply(Event("product/pen", seq, NOON, "ann", None, one))
    return state


def test_what_is_reserved_cannot_be_sold() -> None:
    state = state_of(ProductSet("Pen", usd(5), 7), StockReserved("1", 3))

    assert product_of("product/pen", state).stock == 4


def test_what_is_released_can_be_sold_again() -> None:
    made, taken = ProductSet("Pen", usd(5), 7), StockReserved("1", 3)
    state = state_of(made, taken, StockReleased("1", 3))

    assert product_of("product/pen", state).stock == 7


def test_where_there_is_always_enough_nothing_is_counted() -> None:
    made, taken = ProductSet("Pen", usd(5), 7), StockReserved("1", 3)
    state = state_of(made, taken, ProductSet("Pen", usd(5)), StockReleased("1", 3))

    assert product_of("product/pen", state).stock is None


def test_what_was_put_aside_before_counting_began_is_not_counted() -> None:
    state = state_of(StockReserved("1", 3))

    assert state == ProductState()


def test_a_product_is_shown_as_it_is_sold() -> None:
    state = state_of(ProductSet("Pen", usd(5), 7, "office"))

    assert product_of("product/pen", state) == Product(
        "pen", "product/pen", "Pen", usd(5), 7, "office"
    )


def test_a_snapshot_holds_the_offer() -> None:
    state = state_of(ProductSet("Pen", usd(5), 7, "office"), StockReserved("1", 3))

    assert REGISTRY.decode_state("product/pen", REGISTRY.encode_state(state)) == state


def test_what_was_never_made_is_not_found() -> None:
    with pytest.raises(NotFound, match="'pen'"):
        ProductState().check_reader("product/pen", "ann")
    with pytest.raises(NotFound, match="'pen'"):
        product_of("product/pen", ProductState())


def test_a_product_is_everybodys() -> None:
    state_of(ProductSet("Pen", usd(5))).check_reader("product/pen", "anybody")
    Catalogue().check_reader(CATALOGUE, "anybody")


@given(st.lists(st.text("abc", min_size=1)), st.none() | st.text("abcd"), st.integers(1, 5))
def test_a_page_is_a_part_of_all_in_order(skus: list[str], after: str | None, limit: int) -> None:
    catalogue = Catalogue()
    for seq, sku in enumerate(skus, 1):
        catalogue.apply(Event(CATALOGUE, seq, NOON, "ann", None, Listed(sku)))
    again = REGISTRY.decode_state(CATALOGUE, REGISTRY.encode_state(catalogue))

    expected = [sku for sku in sorted(set(skus)) if after is None or sku > after][:limit]
    assert catalogue.page(after, limit) == expected
    assert again == catalogue
    assert isinstance(again, Catalogue)
    assert again.page(after, limit) == expected


@given(st.lists(st.text("abc", min_size=1)), st.integers(1, 5))
def test_the_pages_one_after_another_are_all(skus: list[str], limit: int) -> None:
    catalogue = Catalogue(SortedSet(skus))
    found, after = list[str](), None
    while page := catalogue.page(after, limit):
        found, after = found + page, page[-1]

    assert found == sorted(set(skus))


def test_all_products_are_in_the_catalogue() -> None:
    shelf = full_shelf()
    catalogue = shelf.ask(lambda states: states.of(Catalogue, CATALOGUE))

    assert catalogue.page(None, 10) == ["keyboard", "laptop", "monitor", "mouse"]
