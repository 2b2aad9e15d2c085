"""Features that are named on the command line."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx2
import pytest
import typer
from typer.testing import CliRunner, Result

import hubbub
from hubbub import FEATURES
from hubbub.cli.app import app
from hubbub.cli.feature_names import features_known, features_named, features_served
from tests import helpdesk
from tests.cli.program import program
from tests.helpdesk import TICKETS, Tickets

OWN = [feature.name for feature in FEATURES]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Put modules into the current directory; ``desk`` has a feature, others have mistakes."""
    shutil.copy(helpdesk.__file__, tmp_path / "desk.py")
    (tmp_path / "needs.py").write_text("import not_there_at_all\n")
    (tmp_path / "fails.py").write_text("\n\n1 / 0\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "chat.py").write_text(
        "from hubbub import CHAT\nimport msgspec\nTALK = msgspec.structs.replace(CHAT)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("desk", "needs", "fails", "parts"):
            del sys.modules[name]


def run(*args: object) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args], env={"COLUMNS": "200"})


def wrong(named: str) -> str:
    with pytest.raises(typer.BadParameter) as raised:
        features_named([named])
    return raised.value.message


@pytest.mark.usefixtures("desk")
def test_a_module_is_looked_for_in_the_current_directory() -> None:
    [feature] = features_named(["desk:TICKETS"])

    assert feature.name == "tickets"


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("desk", "'desk' is not MODULE:NAME, like helpdesk.tickets:TICKETS."),
        (":TICKETS", "':TICKETS' is not MODULE:NAME, like helpdesk.tickets:TICKETS."),
        ("de-sk:TICKETS", "'de-sk:TICKETS' is not MODULE:NAME, like helpdesk.tickets:TICKETS."),
        ("nothing:TICKETS", "There is no module nothing in this directory, and none is installed."),
        (
            "parts.no:TICKETS",
            "There is no module parts.no in this directory, and none is installed.",
        ),
        ("desk:TICKET", "The module desk has no TICKET. Did you mean TICKETS?"),
        ("desk:XYZ", "The module desk has no XYZ."),
        (
            "desk:Tickets",
            "desk:Tickets is not a hubbub.domain.Feature, but an object of type type.",
        ),
    ],
)
def test_what_is_not_there_is_named(named: str, message: str) -> None:
    assert wrong(named) == message


def test_a_module_with_a_mistake_is_no_module_that_is_missing(desk: Path) -> None:
    assert wrong("needs:X") == (
        "The module needs cannot be imported: ModuleNotFoundError: No module named "
        f"'not_there_at_all' ({desk / 'needs.py'}, line 1)."
    )
    assert wrong("fails:X") == (
        "The module fails cannot be imported: ZeroDivisionError: division by zero "
        f"({desk / 'fails.py'}, line 3)."
    )


@pytest.mark.parametrize("left_out", [["shop,games"], ["shop", "games"], [" shop ,, games"]])
def test_features_are_left_out(left_out: list[str]) -> None:
    served = [feature.name for feature in features_served([], left_out)]

    assert served == [name for name in OWN if name not in ("shop", "games")]


@pytest.mark.usefixtures("desk")
def test_one_may_be_served_in_the_place_of_ours() -> None:
    served = features_served(["parts.chat:TALK"], ["chat"])
    known = features_known(["parts.chat:TALK"])

    assert sorted(feature.name for feature in served) == sorted(OWN)
    assert sorted(feature.name for feature in known) == sorted(OWN)


def test_what_cannot_be_left_out_is_refused() -> None:
    users, unknown = run("serve", "--without", "users"), run("serve", "--without", "shop,shpo")

    assert users.exit_code == unknown.exit_code == 2
    assert "Users cannot be left out, because every session belongs to a user." in users.stderr
    assert "There is no feature 'shpo' to leave out. Did you mean shop?" in unknown.stderr


def test_there_is_no_demo_of_nothing() -> None:
    refused = run("serve", "--without", "chat,games,shop", "--demo")

    assert refused.exit_code == 2
    assert "It shows chat, games, shop, but --without leaves all of them out." in refused.stderr


@pytest.mark.usefixtures("desk")
def test_a_feature_that_is_named_twice_is_refused() -> None:
    twice = ["--feature", "desk:TICKETS", "--feature", "desk:TICKETS"]
    refused = run("serve", "--port", 0, "--db", "memory://", *twice)

    assert refused.exit_code == 1
    assert refused.stderr == "Two features have the name 'tickets'; rename one of them.\n"


def test_a_feature_is_served_and_another_is_not(desk: Path) -> None:
    options = ["--port", 0, "--feature", "desk:TICKETS", "--without", "shop"]
    with program(desk, "serve", *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        paths = httpx2.get(f"{address}/openapi.json").json()["paths"]

    assert "/api/tickets/open" in paths
    assert "/api/shop/cart" not in paths


# Verifying


@pytest.fixture
def db(desk: Path) -> Path:
    """A database with tickets in it."""

    async def fill() -> None:
        features = [*FEATURES, TICKETS]
        async with (
            hubbub.open(str(desk / "hub.db"), features=features) as hub,
            hub.session("ann") as ann,
        ):
            for number in range(3):
                await ann.service(Tickets).open(f"{number}")

    anyio.run(fill)
    return desk / "hub.db"


def test_verify_says_what_it_has_skipped(db: Path) -> None:
    result = run("verify", db)

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "3 streams of the kind ticket were skipped; name the feature with --feature",
        f"{db}: 1 stream, 4 events, 0 snapshots, 0 keys: no fault.",
    ]


def test_verify_knows_a_feature_that_is_named(db: Path) -> None:
    result = run("verify", db, "--feature", "desk:TICKETS")

    assert result.exit_code == 0
    assert result.stdout == f"{db}: 4 streams, 7 events, 0 snapshots, 0 keys: no fault.\n"


def test_verify_refuses_a_feature_that_is_not_there(db: Path) -> None:
    result = run("verify", db, "--feature", "desk:XYZ")

    assert result.exit_code == 2
    assert "The module desk has no XYZ." in result.stderr
