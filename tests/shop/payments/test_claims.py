from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import msgspec
import pytest

from hubbub.shop.orders.order import Order
from hubbub.shop.payments.claims import ClaimedOrder, Claims
from tests.shop.shelf_kit import placed

PLACED = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS_MAX = 10.0


class Nodes:
    """Some nodes, as one of them sees them."""

    def __init__(self, me: str, *live: str, owner: str = "", fresh: bool = True) -> None:
        self.me = me
        self.live = {me, *live}
        self.owner = owner or me
        self.fresh = fresh

    def is_live(self, node: str) -> bool:
        return node in self.live

    def owns(self, name: str) -> bool:
        return self.owner == self.me


def order() -> Order:
    return msgspec.structs.replace(placed().order(), at=PLACED)


def claimed_by(claimant: str | None, seconds: float = 0.0) -> ClaimedOrder:
    return ClaimedOrder(order(), claimant, PLACED + timedelta(seconds=seconds))


def is_mine(nodes: Nodes | None, found: ClaimedOrder, *, called: bool = False) -> bool:
    return Claims(nodes, SECONDS_MAX).is_mine(found, called=called)


@pytest.mark.parametrize("claimant", [None, "an earlier life"])
def test_a_node_that_is_alone_settles_all_orders_at_once(claimant: str | None) -> None:
    assert is_mine(None, claimed_by(claimant))


def test_a_node_settles_what_it_has_placed_even_if_it_knows_no_other() -> None:
    nodes = Nodes("a", fresh=False, owner="b")

    assert is_mine(nodes, claimed_by("a"))


@pytest.mark.parametrize("called", [False, True])
def test_no_other_node_settles_it_while_that_one_lives(called: bool) -> None:
    nodes = Nodes("b", "a")

    assert not is_mine(nodes, claimed_by("a", 1e6), called=called)


def test_the_owner_takes_over_when_no_request_can_be_on_its_way() -> None:
    nodes, other = Nodes("b", "c"), Nodes("c", "b", owner="b")

    assert not is_mine(nodes, claimed_by("a", SECONDS_MAX - 0.1))
    assert is_mine(nodes, claimed_by("a", SECONDS_MAX))
    assert not is_mine(other, claimed_by("a", SECONDS_MAX))


def test_a_node_with_a_caller_takes_over_at_once() -> None:
    nodes = Nodes("c", "b", owner="b")

    assert is_mine(nodes, claimed_by("a"), called=True)


@pytest.mark.parametrize("called", [False, True])
def test_nobody_takes_over_while_it_is_not_known_which_nodes_live(called: bool) -> None:
    assert not is_mine(Nodes("b", fresh=False), claimed_by("a", 1e6), called=called)


def test_at_most_one_node_settles_an_order_without_a_caller() -> None:
    for claimant, dead, seconds in product((None, "a", "b", "gone"), ("", "a", "b"), (0.0, 20.0)):
        live = [node for node in "abc" if node != dead]
        found = claimed_by(claimant, seconds)

        mine = [is_mine(Nodes(node, *live, owner=live[0]), found) for node in live]

        assert sum(mine) <= 1
        assert sum(mine) == 1 or seconds == 0.0


def test_orders_of_other_nodes_are_not_looked_at_until_they_die() -> None:
    nodes = Nodes("b", "a")
    claims, found = Claims(nodes, SECONDS_MAX), claimed_by("a")
    scheduled = ["order/1", "order/2"]
    claims.is_mine(found)

    assert claims.unclaimed(scheduled) == ["order/2"]
    nodes.live.discard("a")
    assert claims.unclaimed(scheduled) == scheduled


def test_orders_that_have_left_the_schedule_are_forgotten() -> None:
    claims = Claims(Nodes("b", "a"), SECONDS_MAX)
    claims.is_mine(claimed_by("a"))

    assert claims.unclaimed([]) == []
    assert claims.unclaimed(["order/1"]) == ["order/1"]
