"""
The errors that docstrings name in their ``Raises:``, and the lists of them in the reference.

``python -m tests.docs.raises`` writes the lists of docs/reference/sessions.md again.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping

from hubbub.chat.service import Chat
from hubbub.games.service import Games
from hubbub.method import Method
from hubbub.operations.service import Operations
from hubbub.service import methods_of
from hubbub.shop.service import Shop
from hubbub.users.service import Users
from tests.docs.examples import ROOT

__all__ = ["METHODS", "PAGE", "page", "raised_by"]

PAGE = ROOT / "docs" / "reference" / "sessions.md"
METHODS: Mapping[str, Method] = {
    name: method
    for service in (Chat, Games, Operations, Shop, Users)
    for name, method in methods_of(service).items()
}
_SECTION = re.compile(r"^### `(?P<name>\w+\.\w+)`\n.*?(?=^##)", re.MULTILINE | re.DOTALL)
_LIST = re.compile(r"^Raises:\n\n(?:\* [^\n]*\n)+", re.MULTILINE)


def raised_by(doc: str | None) -> list[tuple[str, str]]:
    """
    Return the errors of a docstring, with what each means.

    Args:
        doc: a docstring, with or without a section ``Raises:``.
    """
    section = inspect.cleandoc(doc or "").partition("\nRaises:\n")[2]
    found = list[tuple[str, str]]()
    for line in section.splitlines():
        if not line.strip():
            continue
        if not line.startswith("    "):
            break
        if line.startswith("        "):
            names, meaning = found.pop()
            found.append((names, f"{meaning} {line.strip()}"))
        else:
            names, _, meaning = line.strip().partition(": ")
            found.append((names, meaning))
    return found


def page() -> str:
    """Return the page with the lists of errors that the docstrings have."""
    return _SECTION.sub(_with_list, PAGE.read_text())


def _with_list(section: re.Match[str]) -> str:
    """Replace the list in the section of a method, or add it at the end."""
    text = section[0]
    method = METHODS.get(section["name"])
    listed = "".join(_lines(method)) if method else ""
    if method is None or _LIST.search(text) is None:
        return f"{text.rstrip()}\n\nRaises:\n\n{listed}\n" if listed else text
    return _LIST.sub(lambda _: f"Raises:\n\n{listed}", text) if listed else text


def _lines(method: Method) -> Iterator[str]:
    for names, meaning in raised_by(method.doc):
        codes = ", ".join(f"`{name}`" for name in names.split(", "))
        yield f"* {codes}: {meaning.replace('``', '`')}\n"


if __name__ == "__main__":
    PAGE.write_text(page())
