from __future__ import annotations

import anyio

from hubbub.shop.payments.settlement import Settlement
from tests.shop.shelf_kit import Shelf, placed


def settlement(shelf: Shelf) -> Settlement:
    return Settlement(shelf.order(), "card", claimed=True)


async def test_callers_wait_until_an_order_is_paid() -> None:
    shelf = placed()
    one = settlement(shelf)
    one.tell()
    before = one.done.is_set()
    shelf.pay()
    one.order = shelf.order()
    one.tell()

    assert (before, one.done.is_set(), one.over) == (False, True, True)


async def test_callers_do_not_wait_for_a_provider_that_is_asked_about_a_cancelled_order() -> None:
    shelf = placed()
    shelf.cancel()
    one = settlement(shelf)
    one.tell()

    assert (one.done.is_set(), one.over) == (True, False)


async def test_callers_wait_for_a_refund() -> None:
    shelf = placed()
    shelf.pay()
    shelf.begin_refund("r")
    one = settlement(shelf)
    one.tell()

    assert (one.done.is_set(), one.over) == (False, False)


async def test_an_order_is_not_over_while_something_new_is_not_seen_yet() -> None:
    shelf = placed()
    shelf.pay()
    one = settlement(shelf)
    one.again = True

    assert not one.over


async def test_news_ends_a_pause_even_if_it_came_before() -> None:
    one = settlement(placed())
    one.wake()

    with anyio.fail_after(5):
        assert await one.pause(60)
    assert not await one.pause(0.001)
