"""The reference knows everything that is public."""

from __future__ import annotations

import inspect
import pkgutil
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from typer.testing import CliRunner

import hubbub.server
import hubbub.testing
from hubbub import (
    Basis,
    Board,
    Cart,
    CartLine,
    Change,
    Coupon,
    Entry,
    Event,
    Game,
    Line,
    Match,
    Message,
    Offer,
    Order,
    Outcome,
    Payment,
    Product,
    Refund,
    Room,
    Season,
    Signal,
    Standing,
    Tax,
    Taxed,
    User,
    UserRecord,
)
from hubbub.chat.service import Chat
from hubbub.cli.app import app
from hubbub.cli.commands import CHAT_COMMANDS
from hubbub.cli.match_client import MATCH_COMMANDS
from hubbub.cli.shop_client import SHOP_COMMANDS
from hubbub.errors import HubbubError
from hubbub.games.service import Games
from hubbub.journal.stats import Lag, Stats, Traffic
from hubbub.keys.service import Keys
from hubbub.method import Method
from hubbub.operations.service import Operations
from hubbub.service import methods_of
from hubbub.shop.service import Shop
from hubbub.users.service import Users
from tests.docs import permissions_table
from tests.docs.examples import PAGES, ROOT
from tests.features import STREAMS

REFERENCE = ROOT / "docs" / "reference"
ALL = "\n".join(page.read_text() for page in REFERENCE.glob("*.md"))
SERVICES = (Chat, Games, Keys, Operations, Shop, Users)
ALL_METHODS = {name: one for kind in SERVICES for name, one in methods_of(kind).items()}


def page_of(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text()


@pytest.mark.parametrize("name", hubbub.__all__)
def test_every_public_name(name: str) -> None:
    assert name in ALL


@pytest.mark.parametrize("method", ALL_METHODS.values(), ids=lambda method: method.name)
def test_every_method_with_its_signature(method: Method) -> None:
    function = inspect.signature(method.function)
    result = str(function.return_annotation).removeprefix("Command[")
    if method.plain:
        result = result.removesuffix("]")
    parameters = list(function.parameters.values())[1:]
    signature = function.replace(parameters=parameters, return_annotation=result)
    name = method.name.partition(".")[2]
    # Annotations are shown as what they are: strings.
    shown = f"{name}{signature}".replace("'", "")

    assert f"### `{method.name}`\n\n`{shown}`\n" in page_of("sessions")


@pytest.mark.parametrize("method", ["sign_in", "follow", "unfollow", "read", "cancel"])
def test_every_method_of_the_session_on_the_wire(method: str) -> None:
    assert f"`session.{method}`" in page_of("wire") or f'"session.{method}"' in page_of("wire")


RESULTS = [Room, Message, Match, Entry, Board, Season, Signal, User, UserRecord, Event]
SOLD = [Product, Cart, CartLine, Order, Line, Change, Refund, Coupon]


MEASURED = [Stats, Lag, Traffic]


@pytest.mark.parametrize("result", [*RESULTS, *SOLD, *MEASURED])
def test_every_result_with_its_fields(result: type[msgspec.Struct]) -> None:
    section = page_of("sessions").partition(f"### `{result.__name__}`")[2].partition("###")[0]

    assert all(f"| `{field}` |" in section for field in result.__struct_fields__)


def test_the_permissions_are_those_of_the_code() -> None:
    assert page_of("permissions") == permissions_table.page()


@pytest.mark.parametrize("name", [*hubbub.server.__all__, *hubbub.testing.__all__])
def test_every_name_of_the_packages(name: str) -> None:
    assert name in page_of("packages")


@pytest.mark.parametrize(
    "kind", [Basis, Game, Offer, Outcome, Payment, Standing, Tax, Taxed], ids=lambda k: k.__name__
)
def test_everything_that_you_pass_or_get_with_its_fields(kind: type[msgspec.Struct]) -> None:
    [row] = [
        line
        for line in page_of("packages").splitlines()
        if line.startswith("|") and re.search(rf"`{kind.__name__}[`(]", line)
    ]

    assert [field for field in kind.__struct_fields__ if field not in row] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_dotted_name_is_there(page: Path) -> None:
    names = set(re.findall(r"\bhubbub(?:\.[a-z_]+)+\.[A-Za-z_]+\b", page.read_text()))

    assert [name for name in names if not is_there(name)] == []


def is_there(name: str) -> bool:
    """Tell whether there is such a module, or such a name in one."""
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


@pytest.mark.parametrize(
    "command",
    ["serve", "chat", "play", "watch", "top", "shop", "verify", "backup", "restore", "renew"],
)
def test_every_command_with_its_options(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"]).output
    options = set(re.findall(r"--[a-z-]+", shown)) - {"--help"}
    section = page_of("cli").partition(f"## `hubbub {command}")[2].partition("\n## ")[0]

    assert all(f"| `{option}" in section for option in options)


@pytest.mark.parametrize("name", CHAT_COMMANDS)
def test_every_command_of_a_chat(name: str) -> None:
    command = f"/{name} {CHAT_COMMANDS[name].arguments}".strip()

    assert f"| `{command}` |" in page_of("cli")


@pytest.mark.parametrize("name", MATCH_COMMANDS)
def test_every_command_of_a_player(name: str) -> None:
    assert f"| `/{name}` |" in page_of("cli").partition("## `hubbub play")[2]


@pytest.mark.parametrize("name", SHOP_COMMANDS)
def test_every_command_of_a_shop(name: str) -> None:
    command = f"{name} {SHOP_COMMANDS[name].arguments}".strip()

    assert f"| `{command}` |" in page_of("cli").partition("## `hubbub shop")[2]


@pytest.mark.parametrize("field", msgspec.structs.fields(hubbub.Settings), ids=lambda f: f.name)
def test_every_setting_with_its_default(field: msgspec.structs.FieldInfo) -> None:
    page = page_of("settings")
    known = field.default is not msgspec.NODEFAULT

    assert f"| `{field.name}` | `{field.default!r}` |" in page or not known
    assert f"| `{field.name}` |" in page


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in vars(hubbub).values()
        if isinstance(kind, type) and issubclass(kind, HubbubError) and kind is not HubbubError
    ],
)
def test_every_error_with_its_codes(kind: type[HubbubError]) -> None:
    page = page_of("errors")
    reason = f"`{kind.reason}`" if kind.reason else ""

    row = f"| `{kind.__name__}` | `{kind.code}` | {reason} | {kind.http_status} | {kind.rpc_code} |"
    assert row in page


@pytest.mark.parametrize("kind", STREAMS)
def test_every_event_type_with_its_fields(kind: str) -> None:
    page = page_of("events")

    for data in get_args(STREAMS[kind].data_type) or (STREAMS[kind].data_type,):
        fields = ", ".join(f"`{field}`" for field in data.__struct_fields__)
        assert f"| `{data.__struct_config__.tag}` | {fields} |" in page
