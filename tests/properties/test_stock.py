"""Stock, reservations and sales, under any interleaving of buyers."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import HubbubError, OutOfStock
from tests.shop.shelf_kit import Shelf, usd

STOCK = 5

users = st.sampled_from(["ann", "bob", "eve"])
orders = st.integers(0, 6).map(str)
steps = st.one_of(
    st.tuples(st.just("add"), users, st.integers(1, 4)),
    st.tuples(st.just("place"), users, orders),
    st.tuples(st.just("pay"), orders, st.none()),
    st.tuples(st.just("decline"), orders, st.none()),
    st.tuples(st.just("restock"), st.integers(0, 3), st.none()),
)


def shelf_with(stock: int) -> Shelf:
    shelf = Shelf()
    shelf.product("pen", usd(100), stock)
    return shelf


@given(st.lists(steps, max_size=40))
def test_what_is_in_stock_and_what_is_sold_is_all_there_was(
    done: list[tuple[str, str | int, int | str | None]],
) -> None:
    shelf, bought, brought = shelf_with(STOCK), dict[str, int](), STOCK

    def placed(status: str) -> int:
        return sum(
            shelf.order(order).lines[0].quantity
            for order in bought
            if shelf.order(order).status == status
        )

    for what, who, number in done:
        with suppress(HubbubError):
            match what:
                case "add":
                    shelf.add("pen", number, user=str(who))
                case "place" if number not in bought:
                    shelf.place(str(number), user=str(who))
                    bought[str(number)] = 1
                case "pay":
                    shelf.pay(str(who))
                case "decline":
                    shelf.decline(str(who))
                case "restock":
                    stock = shelf.stock("pen")
                    assert stock is not None
                    shelf.product("pen", usd(100), stock + int(who))
                    brought += int(who)

        left = shelf.stock("pen")
        assert left is not None
        assert left >= 0
        assert left + placed("pending") + placed("paid") == brought


def test_a_thousand_buyers_of_a_hundred_things_buy_exactly_a_hundred() -> None:
    shelf, sold, refused = shelf_with(100), 0, 0
    for number in range(1_000):
        shelf.add("pen", user=f"user{number}")
        try:
            shelf.place(str(number), user=f"user{number}")
        except OutOfStock:
            refused += 1
        else:
            sold += 1

    assert (sold, refused, shelf.stock("pen")) == (100, 900, 0)
