"""Replaced words do not return: a thing has one word, and a word one meaning."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.examples import PAGES, ROOT

SOURCE = ROOT / "src" / "hubbub"
MODULES = sorted(SOURCE.rglob("*.py"))
PAGE = [path for kind in ("js", "html", "css") for path in sorted(SOURCE.rglob(f"*.{kind}"))]

# What classes were called -> what they are called now.
REPLACED_NAMES = {
    "Alarms": "TimerQueue",
    "Answered": "Response",
    "Arena": "MatchSupervisor",
    "Asked": "Request",
    "Caller": "Actor",
    "Cell": "CacheEntry",
    "Form": "Encoder",
    "Happening": "IncomingMessage",
    "Known": "SignedIn",
    "Lane": "SessionQueue",
    "Lobby": "Matchmaker",
    "Lost": "ConnectionLost",
    "Origin": "SignInReference",
    "Planned": "Scheduled",
    "Resume": "Resumption",
    "Settled": "Unscheduled",
    "Shopfront": "Storefront",
    "ThreadCell": "MessageEntry",
    "Till": "PaymentProcessor",
    "UsedCell": "IdempotencyRecord",
}

# What names and prose said, as patterns of whole words -> what they say now.
REPLACED = {
    # On the disk and in permissions a schedule's stream is an agenda/…, for ever.
    r"(?<!\")agendas?(?!/)": "schedule",
    r"arenas?": "match supervisor",
    r"cells?": "entry",
    r"chunks?": "batch",
    r"happenings?": "message",
    r"lanes?": "queue",
    r"lobby": "matchmaker",
    r"puts? (\w+ )?out": "kick",
    r"seats?": "match client",
    r"shopfronts?": "storefront",
    r"the till": "payment processor",
    r"told just now": "ephemeral signal",
    r"(give|gives|gave) up(?! (the|its)\b)": "cancel, or resign",
}

# Where such a word means what everybody means by it, and what that is.
EXCEPTIONS = {
    ("README.md", "lobby"): "the name of a room",
    ("docs", "lobby"): "the name of a room",
    ("docs/reference/limits.md", "chunk"): "a chunk of HTTP",
    ("docs/explanation/testing.md", "cell"): "a cell of a table",
    ("src/hubbub/cli/cart_lines.py", "cell"): "a cell of a table",
    ("src/hubbub/cli/top.py", "cell"): "a cell of a table",
    ("src/hubbub/cli/serve_options.py", "lobby"): "the name of a room",
    ("src/hubbub/demo", "lobby"): "the name of a room",
    ("src/hubbub/ratelimit.py", "cell"): "the name of an algorithm",
    ("src/hubbub/server/allocator.py", "arena"): "an arena of malloc",
    ("src/hubbub/server/http", "chunk"): "a chunk of HTTP",
    ("src/hubbub/shop/orders/invoice.py", "cell"): "a cell of a table",
    ("src/hubbub/encryption/sealing.py", "lane"): "a lane of Argon2",
    ("src/hubbub/users/hashing.py", "lane"): "a lane of Argon2",
    ("src/hubbub/web", "cell"): "a cell of a table",
    ("src/hubbub/web/games", "lobby"): "where players wait on the page",
}


def test_no_exception_outlives_its_reason() -> None:
    texts = {place_of(path): path.read_text().lower() for path in [*PAGES, *MODULES, *PAGE]}

    assert not [
        (where, word)
        for where, word in EXCEPTIONS
        if not any(place.startswith(where) and word in text for place, text in texts.items())
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_class_has_a_name_that_was_replaced(path: Path) -> None:
    nodes = ast.walk(ast.parse(path.read_text()))
    classes = {node.name for node in nodes if isinstance(node, ast.ClassDef)}

    assert not classes & REPLACED_NAMES.keys()


@pytest.mark.parametrize(
    "path", [*PAGES, *MODULES, *PAGE], ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_text_has_a_word_that_was_replaced(path: Path) -> None:
    assert not list(replaced_in(path))


def replaced_in(path: Path) -> Iterator[str]:
    place = place_of(path)
    for pattern, now in REPLACED.items():
        words = re.compile(rf"\b({pattern})\b", re.IGNORECASE)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for found in words.finditer(line):
                if not is_exception(place, found[0].lower()):
                    yield f"{place}:{number}: not {found[0]!r} but {now!r}"


def place_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_exception(place: str, word: str) -> bool:
    return any(place.startswith(where) and word.startswith(what) for where, what in EXCEPTIONS)
