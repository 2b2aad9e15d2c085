"""Texts are plain English: what the lint finds, what it passes, and every file of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.examples import PAGES, ROOT
from tests.docs.plain_english import EXCEPTIONS, PATTERNS, Pattern, findings_in, lint, main
from tests.docs.prose import sentences_of

SOURCE = ROOT / "src" / "hubbub"
FILES = [
    *PAGES,
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / ".github").glob("*.md")),
    *(p for kind in ("py", "js", "html", "css") for p in sorted(SOURCE.rglob(f"*.{kind}"))),
    *sorted((ROOT / "tests").rglob("*.py")),
]
EVERY_PATTERN = pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)


@EVERY_PATTERN
def test_a_pattern_finds_its_phrase(pattern: Pattern) -> None:
    assert pattern in findings_in(pattern.bad)


@EVERY_PATTERN
def test_a_pattern_passes_a_good_sentence(pattern: Pattern) -> None:
    assert not findings_in(pattern.good)


@pytest.mark.parametrize("pronoun", ["he", "Him", "his", "himself", "She", "her", "hers"])
def test_every_gendered_pronoun_is_found(pronoun: str) -> None:
    found = [pattern.name for pattern in findings_in(f"It depends on {pronoun}.")]

    assert found == ["gendered pronoun"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_plain_english(path: Path) -> None:
    if found := "\n".join(f"{f}\n    write: {f.pattern.instead}" for f in lint(path)):
        pytest.fail(found, pytrace=False)


def test_no_exception_outlives_its_reason() -> None:
    texts = {path.relative_to(ROOT).as_posix(): path for path in FILES}

    assert not [
        (where, phrase)
        for where, phrase in EXCEPTIONS
        if not any(
            phrase in sentence.text
            for place, path in texts.items()
            if place.startswith(where)
            for sentence in sentences_of(path)
        )
    ]


def test_the_command_prints_the_place_and_the_phrase(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Rooms\n\nWhoever joins\nsees it.\n")

    failed = main([str(page)])

    assert failed
    assert f"{page}:3: whoever: Whoever joins sees it." in capsys.readouterr().out
