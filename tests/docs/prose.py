"""
Find the prose of a file: its sentences, without its code.

A sentence has the line that it begins on. Code in backticks becomes a lone `` ` ``, and a
value that an f-string or a template inserts becomes ``{}``.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

__all__ = ["Sentence", "sentences_of"]


class Sentence(NamedTuple):
    """
    One sentence, heading, label or table cell.

    Args:
        line: the line that it begins on, from 1.
        text: what it says, with single spaces.
    """

    line: int
    text: str


_CODE = re.compile(r"(`+).+?\1", re.DOTALL)
# A sentence ends where something other than a small letter follows.
_END = re.compile(r"(?<=[.?!])[\"')*]*\s+(?![a-z])")
_BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:[*-] |\d+\. |#|\||\w+: |>))|\|")
_LINK = re.compile(r"\]\([^)]*\)")
_LISTING = re.compile(r"^( *)(```|~~~).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
_HTML_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
# Strings and comments of JavaScript; a regular expression of the page holds no quotes.
_SCRIPT = re.compile(
    r"""
    (?P<comment>(?://[^\n]*\n\s*)+|/\*.*?\*/)
    | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    | (?P<template>`(?:\\.|[^`\\])*`)
    """,
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTES = {"alt", "aria-description", "aria-label", "content", "placeholder", "title"}


def sentences_of(path: Path, *, code: bool = True) -> Iterator[Sentence]:
    """
    Read a file and yield its sentences.

    Args:
        path: a file of Markdown, Python, JavaScript, HTML or CSS.
        code: whether the comments and strings of a Python file count, or its docstrings alone.
    """
    text = path.read_text()
    match path.suffix:
        case ".py":
            blocks = _python(text, code=code)
        case ".html":
            blocks = _html(text)
        case ".js" | ".css":
            blocks = _script(text)
        case _:
            blocks = _markdown(text)
    for line, block in blocks:
        yield from _split(line, block)


def _split(line: int, block: str) -> Iterator[Sentence]:
    text = _CODE.sub(lambda code: "`" + "\n" * code[0].count("\n"), block)
    start = 0
    ends = sorted(
        (m.start(), m.end()) for pattern in (_BLOCK, _END) for m in pattern.finditer(text)
    )
    for end, following in [*ends, (len(text), len(text))]:
        part = text[start:end]
        if words := " ".join(part.split()).lstrip("*-#>| "):
            blank = len(part) - len(part.lstrip())
            yield Sentence(line + text.count("\n", 0, start + blank), words)
        start = max(start, following)


def _markdown(text: str) -> Iterator[tuple[int, str]]:
    for pattern in (_LISTING, _HTML_COMMENT):
        text = pattern.sub(lambda found: "\n" * found[0].count("\n"), text)
    yield 1, _LINK.sub("]", text)


def _python(text: str, *, code: bool) -> Iterator[tuple[int, str]]:
    if code:
        yield from _comments(text)
    tree = ast.parse(text)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node) is not None
        if isinstance(node.body[0], ast.Expr)
    }
    inside = {
        part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(value)) if node in docstrings:
                yield node.lineno, value
            case ast.Constant(value=str(value)) if code and node not in inside:
                yield node.lineno, value if " " in value else ""
            case ast.JoinedStr(values=parts) if code:
                message = "".join(
                    str(p.value) if isinstance(p, ast.Constant) else "{}" for p in parts
                )
                yield node.lineno, message


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """Join the lines of a comment."""
    first, last, lines = 0, 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            line = token.start[0]
            if line != last + 1:
                yield first, "\n".join(lines)
                first, lines = line, []
            lines.append(token.string.lstrip("#: "))
            last = line
    yield first, "\n".join(lines)


def _script(text: str) -> Iterator[tuple[int, str]]:
    for found in _SCRIPT.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if found["comment"]:
            yield line, re.sub(r"^\s*(//|/?\*+/?)", "", found[0], flags=re.MULTILINE)
        elif found["template"]:
            yield line, re.sub(r"\$\{[^{}]*\}", "{}", found[0][1:-1])
        elif " " in found[0] or found[0][1:2].isupper():
            yield line, found[0][1:-1]


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []

    def handle_data(self, data: str) -> None:
        self.found.append((self.getpos()[0], data))

    def handle_comment(self, data: str) -> None:
        self.found.append((self.getpos()[0], data))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            (self.getpos()[0], value) for name, value in attrs if name in _ATTRIBUTES and value
        ]


def _html(text: str) -> Iterator[tuple[int, str]]:
    parser = _Texts()
    parser.feed(text)
    yield from parser.found
