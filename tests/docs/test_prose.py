"""The prose of each kind of file is found, with its line, and its code is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.prose import sentences_of

FILES = {
    "page.md": (
        (
            "# A room\n\nIt has `one` member. Others\njoin [it](one.md).\n\n"
            "```python\none = 1\n```\n\n| it | has |\n| --- | --- |\n| two | cells |\n"
            "<!-- needs a server -->\n* a list\n* of two\n"
        ),
        [
            (1, "A room"),
            (3, "It has ` member."),
            (3, "Others join [it]."),
            (10, "it"),
            (10, "has"),
            (12, "two"),
            (12, "cells"),
            (14, "a list"),
            (15, "of two"),
        ],
    ),
    "module.py": (
        (
            '"""A module."""\n\n# Why it\n# is so.\nLIMIT = "no prose".split()\n\n\n'
            'def join(who: str) -> None:\n    """\n    Join.\n\n    Args:\n        who: the user.\n'
            '        other: not there.\n    """\n    raise Invalid(f"You, {who}, cannot join.")\n'
        ),
        [
            (1, "A module."),
            (3, "Why it is so."),
            (5, "no prose"),
            (10, "Join."),
            (12, "Args:"),
            (13, "who: the user."),
            (14, "other: not there."),
            (16, "You, {}, cannot join."),
        ],
    ),
    "page.js": (
        (
            "// Why it\n// is so.\nconst one = one.one ? `Room ${id} is full.` : 'Sign in';\n"
            'h("p", { class: "small" }, "Cancel");\n'
        ),
        [(1, "Why it is so."), (3, "Room {} is full."), (3, "Sign in"), (4, "Cancel")],
    ),
    "page.html": (
        '<p class="one">Text\n<input placeholder="Your name" id="who"></p>\n<!-- Why. -->\n',
        [(1, "Text"), (2, "Your name"), (3, "Why.")],
    ),
}


@pytest.mark.parametrize(("name", "file"), FILES.items(), ids=FILES.keys())
def test_prose_is_found_and_code_is_not(
    tmp_path: Path, name: str, file: tuple[str, list[tuple[int, str]]]
) -> None:
    text, expected = file
    path = tmp_path / name
    path.write_text(text)

    assert sorted(sentences_of(path), key=lambda sentence: sentence.line) == expected


def test_only_docstrings_of_a_test_are_prose(tmp_path: Path) -> None:
    path = tmp_path / "test_rooms.py"
    path.write_text('"""Rooms."""\n\n# A comment.\nTEXT = "not prose here"\n')

    assert [sentence.text for sentence in sentences_of(path, code=False)] == ["Rooms."]
