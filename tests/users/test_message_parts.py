from __future__ import annotations

from hubbub.users.message_parts import message_parts


def test_a_part_has_as_many_items_as_it_can_hold() -> None:
    assert list(message_parts(["aa", "b", "cc", "d"], len, 3)) == [["aa", "b"], ["cc", "d"]]


def test_an_item_that_is_too_long_has_a_part_to_itself() -> None:
    assert list(message_parts(["a", "long", "b"], len, 2)) == [["a"], ["long"], ["b"]]


def test_nothing_has_no_part() -> None:
    assert list(message_parts([], len, 2)) == []
