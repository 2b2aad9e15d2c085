"""Who may do what."""

from __future__ import annotations

import pytest

from hubbub.errors import NotAllowed, NotAuthor, NotMember
from hubbub.permissions import COMMANDS, ROLES, check, check_reading, refused


def test_being_one_of_those_who_may_is_enough() -> None:
    check("chat.delete", "member", "moderator")
    check("chat.delete", "author")
    check("chat.create_room")
    check_reading("room", "member")


@pytest.mark.parametrize(
    ("command", "error"),
    [("chat.send", NotMember), ("chat.edit", NotAuthor), ("chat.set_role", NotAllowed)],
)
def test_others_get_the_error_of_the_grant(command: str, error: type[NotAllowed]) -> None:
    with pytest.raises(error):
        check(command, "player")


def test_nobody_reads_what_is_the_hub_s() -> None:
    with pytest.raises(NotAllowed):
        check_reading("agenda", "owner", "member", "admin")


def test_a_role_rules_out_what_is_for_a_higher_one() -> None:
    assert "set_product" in refused("user", {})["shop"]
    assert refused("moderator", {})["shop"] == refused("user", {})["shop"]
    assert refused("admin", {}) == {}


def test_an_application_asks_for_more() -> None:
    required = {"games.submit": "moderator"}

    assert refused("user", required)["games"] == {"submit": "Only a moderator may do this."}
    assert "games" not in refused("moderator", required)


def test_every_refusal_says_what_is_wrong() -> None:
    assert all(grant.refusal.endswith(".") for grant in COMMANDS.values())
    assert ROLES == ("user", "moderator", "admin")
