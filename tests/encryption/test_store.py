"""The key store: one file, in which every value is sealed, and every step is one transaction."""

from __future__ import annotations

from pathlib import Path
from random import Random

import apsw
import pytest

from hubbub.encryption.sealing import Passphrase
from hubbub.encryption.store import KeyStore, MessageRow, RowChange
from hubbub.errors import Conflict, Invalid, StorageError
from hubbub.testing.simulation.disk import Disk

QUICK = Passphrase(b"0" * 16, memory=8, iterations=1, lanes=1)
MESSAGE = MessageRow("room/1", 5, 5, "", b"the words of a message")


def opened(path: Path, passphrase: str = "words") -> KeyStore:
    return KeyStore(path, passphrase, QUICK)


def test_what_is_written_is_read_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path / "keys") as store:
        store.write([RowChange("olm", "bob/phone", b"ratchet")], [MESSAGE], [("session", 3, 5)])
    with opened(tmp_path / "keys") as store:
        assert store.get("olm", "bob/phone") == b"ratchet"
        assert store.all("olm") == {"bob/phone": b"ratchet"}
        assert store.messages("room/1", [5]) == [MESSAGE]
        assert store.seen("session", 3) == 5


def test_a_row_is_removed(tmp_path: Path) -> None:
    with opened(tmp_path / "keys") as store:
        store.write([RowChange("meta", "pending", b"keys")])
        store.write([RowChange("meta", "pending", None)])

        assert store.get("meta", "pending") is None


def test_no_value_is_readable_in_the_files(tmp_path: Path) -> None:
    with opened(tmp_path / "keys") as store:
        store.write([RowChange("meta", "user_key", b"the seed of a key")], [MESSAGE])
        files = [path.read_bytes() for path in tmp_path.iterdir()]

    assert not [found for found in files if b"the seed" in found or b"the words" in found]


def test_a_row_that_was_put_in_another_place_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "keys") as store:
        store.write([RowChange("inbound", "one", b"key")])
    other = apsw.Connection(str(tmp_path / "keys"))
    other.execute("UPDATE row SET name = 'two'")
    other.close()

    with opened(tmp_path / "keys") as store, pytest.raises(Invalid, match="altered"):
        store.get("inbound", "two")


def test_a_wrong_passphrase_is_refused(tmp_path: Path) -> None:
    opened(tmp_path / "keys").close()

    with pytest.raises(Invalid, match="passphrase"):
        opened(tmp_path / "keys", "other words")


def test_a_wrong_passphrase_leaves_the_store_free(tmp_path: Path) -> None:
    opened(tmp_path / "keys").close()
    with pytest.raises(Invalid):
        opened(tmp_path / "keys", "other words")

    opened(tmp_path / "keys").close()


def test_two_programs_do_not_have_it_open(tmp_path: Path) -> None:
    with opened(tmp_path / "keys"), pytest.raises(Conflict, match="another program"):
        opened(tmp_path / "keys")


def test_another_file_is_no_key_store(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"a letter to my mother" * 100)

    with pytest.raises(Invalid, match="no key store"):
        opened(tmp_path / "keys")


def test_a_later_version_is_refused(tmp_path: Path) -> None:
    opened(tmp_path / "keys").close()
    other = apsw.Connection(str(tmp_path / "keys"))
    other.execute("UPDATE opening SET value = 2 WHERE name = 'version'")
    other.close()

    with pytest.raises(Conflict, match="later version"):
        opened(tmp_path / "keys")


def test_a_folder_that_is_not_there_is_named_as_the_cause(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        opened(tmp_path / "nowhere" / "keys")


def test_a_step_that_fails_writes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "keys") as store:
        broken = MESSAGE._replace(seq="no number")  # type: ignore[arg-type]
        store._db.execute("CREATE TABLE other (x)")
        store._db.execute(
            "CREATE TRIGGER full BEFORE INSERT ON message BEGIN SELECT RAISE(FAIL, 'full'); END"
        )
        with pytest.raises(StorageError, match="nothing was written"):
            store.write([RowChange("meta", "cursor", b"9")], [broken])

        assert store.get("meta", "cursor") is None


def test_pages_are_in_order(tmp_path: Path) -> None:
    with opened(tmp_path / "keys") as store:
        rows = [MESSAGE._replace(seq=seq, about=seq) for seq in range(1, 8)]
        store.write(messages=[*rows, MESSAGE._replace(seq=9, about=3)])

        assert store.page("room/1", 0, 100, 3, newest=True) == [5, 6, 7]
        assert store.page("room/1", 2, 100, 2, newest=False) == [3, 4]
        assert [row.seq for row in store.messages("room/1", [3])] == [3, 9]


def test_what_waits_for_a_session_is_found(tmp_path: Path) -> None:
    with opened(tmp_path / "keys") as store:
        waiting = MESSAGE._replace(session="abc")
        store.write(messages=[waiting, MESSAGE._replace(seq=6, about=6)])

        assert store.waiting("abc") == [waiting]


def test_a_file_that_cannot_be_closed_is_unlocked_and_loses_nothing(tmp_path: Path) -> None:
    with Disk(Random(0), tmp_path) as disk:
        store = opened(tmp_path / "keys")
        store.write([RowChange("olm", "bob/phone", b"ratchet")])
        disk.fail(1.0)
        with pytest.raises(StorageError, match="Nothing is lost"):
            store.close()
        disk.fail(0.0)

        with opened(tmp_path / "keys") as again:
            assert again.get("olm", "bob/phone") == b"ratchet"


@pytest.mark.parametrize("after", range(0, 40, 5))
def test_a_file_that_cannot_be_opened_to_the_end_is_unlocked(tmp_path: Path, after: int) -> None:
    with Disk(Random(0), tmp_path) as disk:
        disk.lose_power(after=after)
        with pytest.raises(StorageError):
            opened(tmp_path / "keys")
        disk.restore()

        opened(tmp_path / "keys").close()
