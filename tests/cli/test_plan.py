"""``hubbub plan``."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

import hubbub
from hubbub.cli import plan
from hubbub.cli.app import app
from hubbub.cli.plan import FIGURES, plan_of


def test_nodes_are_enough_for_the_connections_when_one_fails() -> None:
    # A node of 0.2 GB has half of that for connections.
    each = int(0.1e9 / plan.CONNECTION.value)

    for users, nodes in ((1, 2), (each, 2), (each + 1, 3), (10 * each, 11)):
        found = plan_of(users, 10, 1, 1, 0.2e9)
        assert found.nodes == nodes
        assert found.connections * found.nodes >= users
        assert users / (found.nodes - 1) <= each + 1


def test_a_node_takes_no_more_connections_than_the_setting_allows() -> None:
    most = hubbub.Settings().connections_max

    assert plan_of(2 * most, 10, 1, 1, 1e12).nodes == 3


def test_deliveries_go_to_the_followers_of_each_room() -> None:
    found = plan_of(users=1_000, rooms=100, rate=50, follows=2, memory=4e9)

    # 20 users follow each room.
    assert found.deliveries == 50 * 20
    assert found.network == 50 * 20 * plan.DELIVERED.value
    assert found.stored == 50 * 86_400 * plan.STORED.value


def test_it_shows_the_plan_and_the_figures_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    load = ["--users", "100000", "--rooms", "5000", "--rate", "500"]
    done = CliRunner().invoke(app, ["plan", *load])

    assert done.exit_code == 0
    assert "10,000 a second" in done.stdout
    for one in FIGURES:
        assert one.command in done.stdout
        assert one.date in done.stdout


def test_a_load_is_complete() -> None:
    done = CliRunner().invoke(app, ["plan", "--users", "10"])

    assert done.exit_code == 2
