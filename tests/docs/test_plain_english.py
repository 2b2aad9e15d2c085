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


@pytest.mark.parametrize(
    "sentence",
    [
        "Null for who came with a `token` of 15 minutes.",
        "Who loses his connection stays what he was for three seconds.",
        "Of Mouse there are 100 left; take no more.",
        "You look for a match already; wait for it, or give it up first.",
        "Rooms that one may find, and private ones one is in.",
        "Who can read the database can be anybody.",
        "What one is to everything.",
        "Password until now",
        "Who was a guest before gives the token.",
        "What is wrong with it is listed.",
    ],
)
def test_a_sentence_that_a_reader_stumbled_over_is_found(sentence: str) -> None:
    assert findings_in(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Null if you signed in with an access token.",
        "A user who disconnects keeps their status for three seconds.",
        "Only 100 of Mouse are left.",
        "You are already searching for a match.",
        "Public rooms, and private rooms you have joined.",
        "Anyone who can read the database can impersonate any user.",
        "The user's global role.",
        "Current password",
        "Which of the two is the newer one? One is a copy.",
        "What does the server do with it, and who can see it?",
    ],
)
def test_what_replaced_it_is_passed(sentence: str) -> None:
    assert not findings_in(sentence)


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
