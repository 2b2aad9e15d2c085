"""Every promise has tests that show it, and the page says which."""

from __future__ import annotations

from tests.docs import reliability
from tests.docs.examples import ROOT


def test_every_promise_has_evidence() -> None:
    assert {promise for _, promise in reliability.promises()} == reliability.EVIDENCE.keys()


def test_every_test_that_shows_a_promise_is_there() -> None:
    named = {test for tests in reliability.EVIDENCE.values() for test in tests} - {"simulated"}

    assert not [test for test in named if not (ROOT / "tests" / test).is_file()]


def test_the_page_is_that_of_the_code() -> None:
    # `python -m tests.docs.reliability` writes the page anew.
    assert reliability.PAGE.read_text() == reliability.page()


def test_the_figures_were_measured() -> None:
    assert "simulated hours" in reliability.part(reliability.PAGE.read_text(), "figures")
