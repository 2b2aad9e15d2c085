"""Each planted bug is found; ``nox -s simulate`` looks for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.event_loop import Backend
from tests.simulator.planted import BUGS, HIDES_SECONDS_MAX, PlantedBug, hunt

ALL = bool(os.environ.get("HUBBUB_PLANTED"))
# Those that are found in a moment.
QUICK = ("a missing shield", "a swallowed gap")


@pytest.mark.timeout(HIDES_SECONDS_MAX + 60)
@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_a_planted_bug_is_found(
    bug: PlantedBug,
    backend: Backend,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    if not ALL and bug.name not in QUICK:
        pytest.skip("nox -s simulate looks for it")
    bug.plant(monkeypatch)

    found = hunt(bug, backend)

    record_property("found", f"{found.where}; {found.check}")
