"""The limits of answers: each list has pages, or a named limit."""

from __future__ import annotations

from hubbub.features import FEATURES
from hubbub.method import Method
from hubbub.service import methods_of

# What limits the lists that have no pages; a long list that one call makes stalls everybody.
BOUNDS = {
    "chat.unread": "the user's own rooms, read in the user's turn",
    "games.seasons": "SEASONS_MAX",
    "keys.claim": "CLAIM_DEVICES_MAX",
    "keys.devices": "USERS_MAX",
    "shop.open_orders": "OPEN_ORDERS_MAX",
    "shop.orders": "page_max",
    "users.get_many": "page_max",
}


def is_list(method: Method) -> bool:
    return str(method.result).startswith(("list[", "dict["))


def test_an_answer_with_a_list_has_pages_or_a_limit() -> None:
    methods = [one for feature in FEATURES for one in methods_of(feature.service).values()]
    lists = {one.name: one.arguments.__struct_fields__ for one in methods if is_list(one)}

    assert {name for name, arguments in lists.items() if "limit" not in arguments} == BOUNDS.keys()
