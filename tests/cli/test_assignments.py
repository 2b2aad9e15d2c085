"""Settings from the command line."""

from __future__ import annotations

import msgspec
import pytest

from hubbub import Invalid, Settings
from hubbub.cli.assignments import NAMES, settings_of


def test_without_any_they_are_the_defaults() -> None:
    settings = settings_of([])

    assert all(getattr(settings, name) == getattr(Settings(), name) for name in NAMES)


def test_all_that_can_be_written_can_be_set() -> None:
    fields = set(Settings.__struct_fields__)

    assert set(NAMES) == fields - {"clock", "random"}


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("message_limit=20", 20),
        ("message_period=0.5", 0.5),
        ("message_period=5", 5.0),
        ("message_limiter=token_bucket", "token_bucket"),
        ("secret=a=b", "a=b"),
        ("match_win_points=0", 0),
        ("guests=false", False),
        ("guests=1", True),
        ("presence_grace_seconds=0", 0.0),
        ("trusted_proxies=10.0.0.0/8, ::1", ["10.0.0.0/8", "::1"]),
        ("trusted_proxies=", []),
        (
            "required_roles=games.submit:admin,chat.create_room:moderator",
            {"games.submit": "admin", "chat.create_room": "moderator"},
        ),
    ],
)
def test_a_value_has_the_type_of_its_setting(assignment: str, value: object) -> None:
    name = assignment.partition("=")[0]
    found = getattr(settings_of([assignment]), name)

    assert (found, type(found)) == (value, type(value))


def test_the_last_of_a_name_counts() -> None:
    assert settings_of(["message_limit=1", "page_max=9", "message_limit=2"]).message_limit == 2


@pytest.mark.parametrize("assignment", ["message_limit", "colour=red", "clock=noon", "=1", ""])
def test_an_unknown_name_is_refused_with_those_there_are(assignment: str) -> None:
    with pytest.raises(Invalid) as caught:
        settings_of([assignment])

    assert all(name in caught.value.message for name in NAMES)


@pytest.mark.parametrize(
    "assignment",
    [
        *["message_limit=many", "message_limit=1.5", "message_limit=", "message_limiter=bucket"],
        *["message_limit=0", "message_period=-1", "message_period=nan", "match_win_points=-1"],
    ],
)
def test_a_bad_value_is_refused_by_name(assignment: str) -> None:
    name = assignment.partition("=")[0]
    with pytest.raises(Invalid, match=f"^{name} "):
        settings_of([assignment])


def test_every_setting_but_two_is_text_or_a_number() -> None:
    kinds = {field.name: field.type for field in msgspec.structs.fields(Settings)}

    assert all("object" not in str(kinds[name]) for name in NAMES)


def test_the_environment_counts_where_nothing_else_is_said() -> None:
    environment = {
        "HUBBUB_SECRET": "s" * 64,
        "HUBBUB_PAGE_MAX": "7",
        "HUBBUB_TOKEN": "no setting",
        "PAGE_MAX": "9",
    }
    settings = settings_of(["page_max=8"], environment)

    assert (settings.secret, settings.page_max) == ("s" * 64, 8)
    assert settings_of([], environment).page_max == 7
    with pytest.raises(Invalid, match=r"^page_max "):
        settings_of([], {"HUBBUB_PAGE_MAX": "many"})
