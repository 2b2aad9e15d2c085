"""Asks SQLite what is wrong with the file of a database, and names the tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import apsw

__all__ = ["FILE_FAULTS_MAX", "integrity_faults"]

# Faults of a file that SQLite lists; it does not look for more.
FILE_FAULTS_MAX = 100
BUSY_MS = 10_000
FILE = "the file"

TREE = re.compile(r"Tree (\d+) (page \d+)(?: \w+ \d+| right child)?:? ?(.*)")
PAGE = re.compile(r"(Page \d+):? (.*)")


def integrity_faults(db: str | Path) -> list[tuple[str, str]]:
    """
    Check the structure of a database's file, its indexes and its text index.

    Args:
        db: the database's path; it is only read.

    Returns:
        Where each fault is, and what is wrong; an empty list if SQLite finds none.
    """
    try:
        connection = apsw.Connection(str(db), flags=apsw.SQLITE_OPEN_READONLY)
        with closing(connection) as database:
            database.set_busy_timeout(BUSY_MS)
            return _found(database)
    except apsw.Error as error:
        return [(FILE, f"SQLite cannot read it: {error}")]


def _found(database: apsw.Connection) -> list[tuple[str, str]]:
    trees, faults = dict[str, str](), list[tuple[str, str]]()
    try:
        query = "SELECT rootpage, type || ' ' || name FROM sqlite_schema WHERE rootpage"
        trees = {str(root): str(name) for root, name in database.execute(query)}
        for (text,) in database.execute(f"PRAGMA integrity_check({FILE_FAULTS_MAX})"):
            faults += [
                _fault(line, trees)
                for line in str(text).splitlines()
                if line != "ok" and not line.startswith("***")
            ]
    except apsw.Error as error:
        faults.append((FILE, f"SQLite cannot read it: {error}"))
    return faults


def _fault(line: str, trees: Mapping[str, str]) -> tuple[str, str]:
    if (found := TREE.match(line)) is not None:
        name = trees.get(found[1], "a table")
        return f"{name}, {found[2]}", found[3] or "it is damaged"
    if (found := PAGE.match(line)) is not None:
        return found[1].lower(), found[2]
    return FILE, line
