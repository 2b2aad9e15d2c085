"""Settings from the command line."""

from __future__ import annotations

import msgspec
import pytest

from hubbub import Invalid, Settings
from hubbub.cli.assignments import NAMES, SECRET_NAMES, SERVE_DEFAULTS, settings_of


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
        ("currency=A=B", "A=B"),
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


@pytest.mark.parametrize("assignment", ["colour=red", "=1"])
def test_an_unknown_name_is_refused_with_those_there_are(assignment: str) -> None:
    with pytest.raises(Invalid) as caught:
        settings_of([assignment])

    assert all(name in caught.value.message for name in NAMES)


@pytest.mark.parametrize("assignment", ["message_limit", ""])
def test_a_text_without_a_value_is_refused(assignment: str) -> None:
    with pytest.raises(Invalid, match="is not NAME=VALUE"):
        settings_of([assignment])


def test_a_misspelt_name_is_corrected() -> None:
    with pytest.raises(Invalid) as caught:
        settings_of(["mesage_limit=5"])

    assert caught.value.message == (
        "There is no setting 'mesage_limit'. Did you mean message_limit?"
    )


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


def test_a_value_comes_from_the_command_line_else_the_environment_else_the_file() -> None:
    environment = {"HUBBUB_PAGE_MAX": "2", "HUBBUB_CART_LINES_MAX": "2", "PAGE_MAX": "9"}
    file = {"page_max": 3, "cart_lines_max": 3, "follows_max": 3}
    defaults = {"page_max": 4, "cart_lines_max": 4, "follows_max": 4, "text_chars_max": 4}
    made = settings_of(["page_max=1"], environment, file, defaults)

    assert (made.page_max, made.cart_lines_max) == (1, 2)
    assert (made.follows_max, made.text_chars_max) == (3, 4)
    assert made.states_max == Settings().states_max


def test_an_empty_variable_counts_as_none() -> None:
    assert settings_of([], {"HUBBUB_SECRET": "", "HUBBUB_PAGE_MAX": ""}) is not None
    assert settings_of([], {"HUBBUB_SECRET": ""}).secret is None


def test_a_bad_variable_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match=r"^page_max "):
        settings_of([], {"HUBBUB_PAGE_MAX": "many"})


@pytest.mark.parametrize(
    ("name", "value", "setting"),
    [
        ("message_period", 5, 5.0),
        ("guests", False, False),
        ("trusted_proxies", ["10.0.0.0/8"], ["10.0.0.0/8"]),
        ("required_roles", {"games.submit": "admin"}, {"games.submit": "admin"}),
        ("secret", "s" * 64, "s" * 64),
    ],
)
def test_a_file_gives_values_of_their_own_types(name: str, value: object, setting: object) -> None:
    assert getattr(settings_of([], {}, {name: value}), name) == setting


@pytest.mark.parametrize("value", ["20", 1.5, True, [1]])
def test_a_value_of_another_type_in_a_file_is_refused(value: object) -> None:
    with pytest.raises(Invalid, match=r"^message_limit cannot be "):
        settings_of([], {}, {"message_limit": value})


def test_a_misspelt_name_in_a_file_is_corrected() -> None:
    with pytest.raises(Invalid, match=r"Did you mean page_max\?"):
        settings_of([], {}, {"pagemax": 5})


@pytest.mark.parametrize("name", ["secret", "metrics_token"])
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        settings_of([f"{name}=swordfish"])

    assert f"HUBBUB_{name.upper()}" in caught.value.message
    assert "swordfish" not in caught.value.message


def test_every_text_that_sounds_secret_is_one() -> None:
    assert {"secret", "metrics_token"} <= SECRET_NAMES
    assert "token_seconds" not in SECRET_NAMES


def test_a_bad_secret_is_not_repeated() -> None:
    with pytest.raises(Invalid) as caught:
        settings_of([], {}, {"secret": ["swordfish"]})

    assert "swordfish" not in caught.value.message


def test_serve_allows_ten_messages_in_ten_seconds() -> None:
    served = settings_of([], {}, {}, SERVE_DEFAULTS)

    assert (served.message_limit, served.message_period) == (10, 10.0)
    assert (Settings().message_limit, Settings().message_period) == (10, 60.0)
