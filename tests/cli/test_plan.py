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


def test_nodes_are_enough_for_the_processor_time_when_one_fails() -> None:
    for rate, follows in ((10, 1), (500, 1), (500, 40), (2_000, 5)):
        found = plan_of(1_000, 100, rate, follows, 4e9)
        working = found.nodes - 1
        left = plan._busy_cores(rate, found.deliveries, working)
        assert left <= working * plan.BUSY_SHARE
        assert found.node_cores == plan._busy_cores(rate, found.deliveries, found.nodes)
        if working > 1:
            fewer = plan._busy_cores(rate, found.deliveries, working - 1)
            assert fewer > (working - 1) * plan.BUSY_SHARE


def test_processor_time_is_that_of_messages_and_of_deliveries() -> None:
    quiet, busy = plan_of(1, 1, 100, 0, 4e9), plan_of(10_000, 1, 100, 1, 4e9)
    sent = 100 * 10_000 * plan.SENDING.value / 1e6

    assert quiet.node_cores == pytest.approx(
        100 * (plan.ACCEPTING.value + plan.HEARING.value) / 1e6
    )
    assert busy.node_cores > sent
    assert busy.postgres_cores == quiet.postgres_cores
    assert quiet.postgres_cores == pytest.approx(100 * plan.WRITING.value / 1e6 / plan.BUSY_SHARE)


def test_more_than_a_node_can_receive_is_refused() -> None:
    most = plan.BUSY_SHARE / plan.HEARING.value * 1e6
    load = ["--users", "10", "--rooms", "5", "--rate"]

    assert plan_of(10, 5, most * 0.9, 1, 4e9).nodes > 2
    refused = CliRunner().invoke(app, ["plan", *load, str(most)])
    assert refused.exit_code == 1
    assert "No number of nodes is enough" in refused.stderr


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
    assert "cores of PostgreSQL" in done.stdout
    for one in FIGURES:
        assert one.command in done.stdout
        assert one.date in done.stdout


def test_a_load_is_complete() -> None:
    done = CliRunner().invoke(app, ["plan", "--users", "10"])

    assert done.exit_code == 2
