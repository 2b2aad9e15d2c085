"""Databases on the command line: the path of a file, or the URL of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from ..errors import Invalid
from ..journal.stores.contract import Store
from ..journal.stores.url import open_store
from ..journal.upgrade import check_upgraded, open_as_it_is

__all__ = [
    "AnyDatabase",
    "check_ready",
    "is_url",
    "only_file",
    "opened_database",
    "shown_database",
]

AnyDatabase = Annotated[
    str,
    typer.Argument(metavar="DB", help="The database: the path of a file, or postgresql://…"),
]


# The beginning of a URL that was read as a path.
URLS = frozenset({"postgresql:", "postgres:", "memory:"})


def is_url(db: str) -> bool:
    """Return whether a database is on a server; the path of a file has no ``://``."""
    return "://" in db


def only_file(path: Path) -> Path:
    """
    Return the path of a database for a command that works on nothing else.

    Raises:
        typer.BadParameter: it was a URL.
    """
    # A path has no empty parts, so the second slash of the URL is gone.
    if path.parts and path.parts[0] in URLS:
        raise typer.BadParameter("This command is only for files; PostgreSQL has its own tools.")
    return path


def shown_database(db: str) -> str:
    """Return what to call a database in a message: without the password."""
    if not is_url(db):
        return db
    parts = urlsplit(db)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def check_ready(db: str) -> None:
    """
    Refuse a database that an upgrade would change; a server's is upgraded when it is opened.

    Raises:
        NotFound: there is no such file.
        Conflict: an older Hubbub made it.
        StorageError: it is not a hubbub database.
    """
    if not is_url(db):
        check_upgraded(db)


@contextmanager
def opened_database(db: str) -> Iterator[Store]:
    """
    Open a database to read it; a file of an older version stays of that version.

    Raises:
        NotFound: there is no such file.
        Conflict: a server has the file open.
        Invalid: the URL is wrong.
        StorageError: it is not a hubbub database, or it cannot be read.
    """
    if not is_url(db):
        with open_as_it_is(Path(db)) as file:
            yield file
        return
    store = open_store(db)
    if not store.shared:
        raise Invalid(f"{db} keeps nothing to read; name a file or postgresql://….")
    with closing(store):
        yield store
