from __future__ import annotations

import logging

import pytest

from hubbub.errors import StorageError
from hubbub.journal.health import QUIET_SECONDS, Health
from tests.journal.tally import SetClock

FIRE, FLOOD = StorageError("The disk is on fire."), StorageError("The disk is under water.")


def test_a_store_that_works_has_not_failed() -> None:
    assert Health(SetClock().monotonic).failed == ""


def test_a_failure_is_told_until_the_same_work_succeeds() -> None:
    health, told = Health(SetClock().monotonic), []
    health.failure("writing", FIRE)
    told.append(health.failed)
    health.success("reading")
    told.append(health.failed)
    health.success("writing")
    told.append(health.failed)

    assert told == ["The disk is on fire.", "The disk is on fire.", ""]


def test_each_kind_of_work_fails_by_itself() -> None:
    health = Health(SetClock().monotonic)
    health.failure("writing", FIRE)
    health.failure("reading", FLOOD)
    health.success("writing")

    assert health.failed == "The disk is under water."
    assert health.is_failing("reading")
    assert not health.is_failing("writing")


def test_a_failure_is_logged_once_however_many_calls_meet_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = SetClock()
    health = Health(clock.monotonic)
    for _ in range(1_000):
        health.failure("writing", FIRE)
        health.success("writing")
        health.failure("writing", FIRE)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]

    assert len(errors) == 1
    assert len(caplog.records) <= 2


def test_a_failure_that_lasts_is_logged_again_after_a_while(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = SetClock()
    health = Health(clock.monotonic)
    health.failure("writing", FIRE)
    clock.seconds = QUIET_SECONDS
    health.failure("writing", FIRE)

    assert len(caplog.records) == 2


def test_one_cause_that_fails_several_kinds_of_work_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    health = Health(SetClock().monotonic)
    health.failure("loading", FIRE)
    health.failure("writing", FIRE)
    health.failure("reading", FLOOD)

    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [FIRE, FLOOD]
