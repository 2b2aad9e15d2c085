"""The badges of the README claim what pyproject.toml says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.badges import DIRECTORY, badges, main
from tests.docs.blocks import ROOT


@pytest.mark.parametrize("name", badges())
def test_a_badge_is_as_it_would_be_drawn_now(name: str) -> None:
    assert (DIRECTORY / name).read_text() == badges()[name]


@pytest.mark.parametrize("name", badges())
def test_the_readme_shows_it(name: str) -> None:
    assert f"(docs/images/badges/{name})" in (ROOT / "README.md").read_text()


def test_all_are_written(tmp_path: Path) -> None:
    main(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == badges().keys()
