"""Features together."""

from __future__ import annotations

from typing import Any

import pytest

import hubbub
from hubbub.domain import Command, Data, Event, Feature, Service, State, command, nothing
from hubbub.errors import Invalid
from hubbub.feature_set import JOURNAL_STREAMS, FeatureSet
from hubbub.features import FEATURES
from hubbub.permissions import Grant


class Written(Data, frozen=True, tag="written"):
    """It was written."""


class Page(State):
    """A page of a book."""

    data_type = Written

    written: int = 0

    def apply(self, event: Event) -> None:
        match event.data:
            case Written():
                self.written += 1


class Books(Service):
    """Books."""

    name = "books"

    @command
    def write(self) -> Command[None]:
        """Write one."""
        return Command(self.actor.user, nothing, lambda states, events: None)


def books(**more: Any) -> Feature:
    given: dict[str, Any] = {"name": "books", "service": Books, "streams": {"page": Page}}
    return Feature(**{**given, **more})


def films(**more: Any) -> Feature:
    service = type("Films", (Service,), {"name": "films"})
    return Feature(name="films", service=service, **more)


def test_two_of_one_name_do_not_go_together() -> None:
    with pytest.raises(Invalid, match="Two features have the name 'books'"):
        FeatureSet([books(), books()])


@pytest.mark.parametrize("kind", ["page", "index", "agenda", "room"])
def test_a_kind_of_stream_has_one_owner(kind: str) -> None:
    with pytest.raises(Invalid, match=f"streams of the kind '{kind}', which belong to another"):
        FeatureSet([*FEATURES, books(), films(streams={kind: Page})])


@pytest.mark.parametrize("what", ["roles", "check", "before", "quotas"])
def test_what_is_put_before_a_method_names_one_that_there_is(what: str) -> None:
    feature = films(**{what: {"books.burn": "admin" if what == "roles" else None}})

    with pytest.raises(
        Invalid, match=rf"has {what} for 'books.burn', but this method does not exist"
    ):
        FeatureSet([books(), feature])


def test_what_is_put_before_a_feature_that_was_left_out_is_left_out() -> None:
    assert "books.write" not in FeatureSet([films(roles={"books.write": "admin"})]).methods


def test_all_that_features_declare_is_found_by_its_name() -> None:
    found = FeatureSet([*FEATURES, books(roles={"books.write": "moderator"})])

    assert {*JOURNAL_STREAMS, "page", "room", "user"} <= found.streams.keys()
    assert {"books.write", "chat.send"} <= found.methods.keys()
    assert found.grants["books.write"].who == ("moderator",)
    assert found.grants.keys() == found.methods.keys()


def test_a_method_that_says_nothing_is_for_anyone() -> None:
    assert FeatureSet([books()]).grants["books.write"].who == ("anyone",)


def test_a_grant_says_more_than_a_role() -> None:
    grant = Grant(("author",), "Only its author may write.")

    assert FeatureSet([books(grants={"books.write": grant})]).grants["books.write"] is grant


@pytest.mark.parametrize(
    ("roles", "required", "refused"),
    [
        ({}, {}, {"user": False, "moderator": False, "admin": False}),
        ({"books.write": "moderator"}, {}, {"user": True, "moderator": False, "admin": False}),
        ({}, {"books.write": "admin"}, {"user": True, "moderator": True, "admin": False}),
        # The application has the last word.
        (
            {"books.write": "admin"},
            {"books.write": "moderator"},
            {"user": True, "moderator": False, "admin": False},
        ),
    ],
)
def test_a_role_rules_methods_out(
    roles: dict[str, str], required: dict[str, str], refused: dict[str, bool]
) -> None:
    permissions = FeatureSet([books(roles=roles)]).permissions(required)

    assert {role: "books" in permissions.refused(role) for role in refused} == refused


@pytest.mark.parametrize("required", [{"books.burn": "admin"}, {"books.write": "boss"}])
def test_a_role_is_asked_for_of_methods_and_roles_that_there_are(required: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="required_roles"):
        FeatureSet([books()]).permissions(required)


def test_users_come_first_wherever_they_stand() -> None:
    assert next(iter(FeatureSet([books(), *FEATURES]))) is hubbub.USERS


def test_an_option_is_of_one_of_the_features() -> None:
    FeatureSet([*FEATURES]).check_options({"games": {}, "tax": None})

    with pytest.raises(Invalid, match="takes the option games="):
        FeatureSet([hubbub.USERS]).check_options({"games": {}})


def test_a_hub_has_users() -> None:
    with pytest.raises(Invalid, match=r"needs hubbub\.USERS"):
        hubbub.open("memory://", features=[hubbub.CHAT])
