"""The operator's errors: one sentence that says what to do, and no password."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg
import pytest

from hubbub.errors import HubbubError, Invalid, StorageError
from hubbub.journal.stores.contract import Batch
from hubbub.journal.stores.postgres.reasons import (
    database_name,
    means_again,
    postgres_failing,
    refusal_of,
)
from hubbub.journal.stores.postgres.store import PostgresStore
from hubbub.local_servers.server_process import free_port
from tests.journal.tally import record

SECRET = "s3cret"
URL = f"postgresql://ann:{SECRET}@db.example:6543/chat"


def refused(url: str) -> str:
    with pytest.raises(HubbubError) as caught:
        PostgresStore(url)
    everything = f"{caught.value} {getattr(caught.value, '__notes__', [])}"
    assert (urlsplit(url).password or SECRET) not in everything
    return str(caught.value)


def test_a_server_that_is_not_there(url: str) -> None:
    said = refused(url.replace(f":{urlsplit(url).port}/", f":{free_port()}/"))

    assert "cannot be reached; check the address" in said


def test_a_wrong_password(url: str) -> None:
    assert "refuses the password of hubbub" in refused(url.replace("hubbub:", "hubbub:x"))


def test_a_database_that_is_not_there(url: str) -> None:
    said = refused(url.replace("/postgres", "/missing"))

    assert "has no database missing" in said
    assert "createdb missing" in said


def test_a_url_that_cannot_be_read() -> None:
    assert "cannot be read" in refused(f"postgresql://ann:{SECRET}@here:port:1/%zz")


def test_a_user_without_rights(url: str, database: psycopg.Connection) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("DROP ROLE IF EXISTS guest")
        owner.execute(f"CREATE ROLE guest LOGIN PASSWORD '{SECRET}'")
        try:
            netloc = f"guest:{SECRET}@127.0.0.1:{urlsplit(url).port}"
            said = refused(urlsplit(url)._replace(netloc=netloc).geturl())
        finally:
            owner.execute("DROP ROLE guest")

    assert "GRANT" in said


@pytest.mark.parametrize(
    ("message", "kind", "sentence"),
    [
        ('FATAL:  role "ann" does not exist', Invalid, "createuser ann"),
        ("fe_sendauth: no password supplied", Invalid, "wants a password for ann"),
        ("FATAL:  no pg_hba.conf entry for host", Invalid, "pg_hba.conf"),
        ('FATAL:  permission denied for database "chat"', Invalid, "CONNECT"),
        ("session is read-only", StorageError, "primary"),
        ("FATAL:  sorry, too many clients already", StorageError, "max_connections"),
        ("FATAL:  the database system is starting up", StorageError, "starting"),
        ("server does not support SSL, but SSL was required", Invalid, "has no TLS"),
        ('root certificate file "root.crt" does not exist', Invalid, "sslrootcert"),
        ("SSL error: certificate verify failed", Invalid, "sslrootcert"),
        ('could not translate host name "db.example"', StorageError, "check the address"),
    ],
)
def test_what_the_driver_says_becomes_a_sentence(
    message: str, kind: type[HubbubError], sentence: str
) -> None:
    error = refusal_of(psycopg.OperationalError(message), URL)

    assert type(error) is kind
    assert sentence in str(error)
    assert SECRET not in str(error)


def test_a_database_is_named_without_its_user() -> None:
    assert database_name(URL) == "the PostgreSQL database chat at db.example:6543"


def test_a_database_without_a_name_is_named_by_its_address() -> None:
    assert database_name("postgresql://") == "the PostgreSQL database at this machine:5432"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (psycopg.errors.DiskFull(), "its disk is full"),
        (psycopg.errors.InsufficientPrivilege(), "lacks a right"),
        (psycopg.errors.AdminShutdown(), "shutting down"),
        (psycopg.OperationalError(), "cannot be reached"),
        (ValueError("secret"), "see the server's log"),
    ],
)
def test_a_failure_has_a_reason_for_clients_and_a_note_for_operators(
    error: Exception, reason: str
) -> None:
    with pytest.raises(StorageError, match=reason) as caught, postgres_failing("db at here"):
        raise error

    assert "db at here" in caught.value.__notes__[0]
    assert "here" not in str(caught.value).replace("there", "")


def test_a_conflict_is_no_failure() -> None:
    assert means_again(psycopg.errors.UniqueViolation())
    assert means_again(psycopg.errors.SerializationFailure())
    assert means_again(psycopg.errors.DeadlockDetected())
    assert not means_again(psycopg.errors.DiskFull())
    assert not means_again(ValueError())


def test_a_name_that_the_database_cannot_have_writes_nothing(store: PostgresStore) -> None:
    with pytest.raises(StorageError):
        store.commit(Batch([record("room/1", 1), record("room/\x00", 1)]))

    assert store.heads(["room/1"]) == {}
