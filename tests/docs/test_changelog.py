"""Fragments of the changelog end in the section of their version, under their kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs import changelog
from tests.docs.examples import ROOT

BEFORE = """# Changelog

## 0.2.0 (2026-11-29)

Read this.

### Added

- Rooms.

### Security

- A lock.

## 0.1.0 (2026-11-23)

### Added

- A hub.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docs" / "changelog.d").mkdir(parents=True)
    (tmp_path / "docs" / "changelog.d" / "README.md").write_text("How to write them.\n")
    (tmp_path / "CHANGELOG.md").write_text(BEFORE)
    return tmp_path


def add(root: Path, name: str, text: str) -> Path:
    path = root / "docs" / "changelog.d" / name
    path.write_text(text)
    return path


def changelog_of(root: Path) -> str:
    return (root / "CHANGELOG.md").read_text()


def test_a_fragment_becomes_the_last_bullet_of_its_kind(root: Path) -> None:
    add(root, "games.added.md", "Games,\nand more.\n")
    add(root, "key.security.md", "A key.\n")

    assert changelog.fold(root, "0.2.0") == 2
    assert changelog_of(root) == BEFORE.replace(
        "- Rooms.\n", "- Rooms.\n- Games, and more.\n"
    ).replace("- A lock.\n", "- A lock.\n- A key.\n")


def test_a_kind_that_is_new_gets_its_heading_in_order(root: Path) -> None:
    add(root, "hang.fixed.md", "A hang.\n")
    add(root, "old.removed.md", "An option.\n")

    changelog.fold(root, "0.2.0")

    new = "### Removed\n\n- An option.\n\n### Fixed\n\n- A hang.\n\n### Security\n"
    assert changelog_of(root) == BEFORE.replace("### Security\n", new)


def test_a_version_without_a_section_gets_one_on_top(root: Path) -> None:
    add(root, "hang.fixed.md", "A hang.\n")

    changelog.fold(root, "0.3.0", "2027-01-31")

    new = "## 0.3.0 (2027-01-31)\n\n### Fixed\n\n- A hang.\n\n## 0.2.0"
    assert changelog_of(root) == BEFORE.replace("## 0.2.0", new)


def test_the_oldest_version_can_grow_too(root: Path) -> None:
    add(root, "hang.fixed.md", "A hang.\n")

    changelog.fold(root, "0.1.0")

    assert changelog_of(root) == BEFORE + "\n### Fixed\n\n- A hang.\n"


def test_long_texts_are_wrapped_and_links_are_not_broken(root: Path) -> None:
    add(root, "long.added.md", "word " * 40 + "`docs/how-to/" + "x" * 130 + "`")

    changelog.fold(root, "0.2.0")

    lines = changelog_of(root).splitlines()
    assert [len(line) for line in lines if line.startswith("- word")] == [116]
    assert f"  `docs/how-to/{'x' * 130}`" in lines


def test_fragments_are_deleted_and_their_readme_stays(root: Path) -> None:
    add(root, "games.added.md", "Games.\n")

    changelog.fold(root, "0.2.0")

    left = sorted(path.name for path in (root / "docs" / "changelog.d").iterdir())
    assert left == ["README.md"]


def test_without_fragments_nothing_changes(root: Path) -> None:
    assert changelog.fold(root, "0.3.0") == 0
    assert changelog_of(root) == BEFORE


@pytest.mark.parametrize("name", ["games.new.md", "games.md", "games.added.txt", "a b.added.md"])
def test_an_unknown_kind_is_refused_and_nothing_changes(root: Path, name: str) -> None:
    known, unknown = add(root, "all.added.md", "All.\n"), add(root, name, "Games.\n")

    with pytest.raises(ValueError, match=r"call it NAME\.KIND\.md; KIND is one of added, changed"):
        changelog.fold(root, "0.2.0")
    assert changelog_of(root) == BEFORE
    assert known.exists()
    assert unknown.exists()


def test_an_empty_fragment_is_refused(root: Path) -> None:
    add(root, "games.added.md", " \n")

    with pytest.raises(ValueError, match="is empty"):
        changelog.fold(root, "0.2.0")


def test_a_new_section_needs_a_date(root: Path) -> None:
    add(root, "games.added.md", "Games.\n")

    with pytest.raises(ValueError, match=r"has no section for 0\.3\.0"):
        changelog.fold(root, "0.3.0")


def test_the_fragments_of_this_repository_can_be_folded() -> None:
    fragments = changelog.fragments_in(ROOT / "docs" / "changelog.d")
    text = changelog.folded((ROOT / "CHANGELOG.md").read_text(), changelog.version(), fragments)

    assert all(fragment.text[:40] in text for fragment in fragments)
    assert f"## {changelog.version()} (" in text
