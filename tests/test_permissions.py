"""Permissions."""

from __future__ import annotations

import pytest

from hubbub.errors import NotAllowed, NotAuthor, NotMember
from hubbub.permissions import ROLES, Permissions, Refusals, check
from tests.features import GRANTS, READERS


def refused(role: str, required: dict[str, str]) -> Refusals:
    return Permissions(GRANTS, required).refused(role)


def test_being_one_of_those_who_may_is_enough() -> None:
    check(GRANTS["chat.delete"], "member", "moderator")
    check(GRANTS["chat.delete"], "author")
    check(GRANTS["chat.create_room"])
    check(READERS["room"], "member")


@pytest.mark.parametrize(
    ("command", "error"),
    [("chat.send", NotMember), ("chat.edit", NotAuthor), ("chat.set_role", NotAllowed)],
)
def test_others_get_the_error_of_the_grant(command: str, error: type[NotAllowed]) -> None:
    with pytest.raises(error):
        check(GRANTS[command], "player")


def test_nobody_reads_what_is_the_hub_s() -> None:
    with pytest.raises(NotAllowed):
        check(READERS["agenda"], "owner", "member", "admin")


def test_a_role_rules_out_what_is_for_a_higher_one() -> None:
    assert "set_product" in refused("user", {})["shop"]
    assert refused("moderator", {})["shop"] == refused("user", {})["shop"]
    assert refused("admin", {}) == {}


def test_an_application_asks_for_more() -> None:
    required = {"games.submit": "moderator"}

    assert refused("user", required)["games"] == {"submit": "Only a moderator can do this."}
    assert "games" not in refused("moderator", required)


def test_every_refusal_says_what_is_wrong() -> None:
    assert all(grant.refusal.endswith(".") for grant in GRANTS.values())
    assert ROLES == ("user", "moderator", "admin")
