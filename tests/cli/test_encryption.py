"""``hubbub chat --encrypted``: two ends read, the server's files do not say a word of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.program import Program, program, run_program

WORDS = {"HUBBUB_PASSPHRASE": "a long sentence"}
SECRET = "nobody else reads this"


@contextmanager
def chatting(
    home: Path, address: str, room: str, nickname: str, *options: str, **more: str
) -> Iterator[Program]:
    """Run an encrypted chat, up to the moment when its room is open."""
    args = ("chat", address, room, "--encrypted", "--nickname", nickname, *options)
    with program(home, *args, **{**WORDS, **more}) as chat:
        chat.line_with(f"You are in {room}")
        yield chat


def test_two_terminals_talk_and_the_database_shows_no_word(tmp_path: Path) -> None:
    options = ["--port", 0, "--db", "hub.db"]
    with program(tmp_path, "serve", *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        with (
            chatting(tmp_path, address, "Talk", "Ann") as ann,
            chatting(tmp_path, address, "Talk", "Bob") as bob,
        ):
            ann.line_with("Bob joined")
            ann.type(SECRET)
            bob.line_with(f"Ann: {SECRET}")
            bob.type(f"{SECRET} either")
            ann.line_with(f"Bob: {SECRET} either")

            assert (ann.end(), bob.end()) == (0, 0)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


def test_a_terminal_that_was_killed_is_restored_by_its_recovery_key(
    tmp_path: Path, address: str
) -> None:
    with chatting(tmp_path, address, "Lost", "Ann") as ann:
        ann.type(SECRET)
        ann.line_with(SECRET)
        ann.type("/recovery")
        key = ann.line_with("Your recovery key").partition("key: ")[2]
        ann.line_with("Write it down")
        ann.stop(signal.SIGKILL)
    for path in (tmp_path / "config" / "hubbub" / "keys").iterdir():
        path.unlink()
    command = ("chat", address, "Lost", "--encrypted", "--nickname", "Ann")
    refused = run_program(tmp_path, *command, **WORDS)

    assert refused.code == 1
    assert "You have other devices. Use --recover" in refused.err
    restored = run_program(tmp_path, *command, "--recover", **WORDS, HUBBUB_RECOVERY_KEY=key)
    assert restored.code == 0
    assert SECRET in restored.out


def test_a_plain_chat_shows_that_messages_are_encrypted(tmp_path: Path, address: str) -> None:
    with chatting(tmp_path, address, "Clear", "Ann") as ann:
        ann.type(SECRET)
        ann.line_with(SECRET)
        assert ann.end() == 0
    plain = run_program(
        tmp_path, "chat", address, "Clear", "--nickname", "Bob", typed="in the clear\n"
    )

    assert "Ann: (encrypted)" in plain.out
    assert SECRET not in plain.out
    assert plain.code == 1
    assert "This room is encrypted" in plain.err


def test_a_wrong_passphrase_is_one_line(tmp_path: Path, address: str) -> None:
    command = ("chat", address, "Wrong", "--encrypted", "--nickname", "Ann")
    first = run_program(tmp_path, *command, **WORDS)
    wrong = run_program(tmp_path, *command, HUBBUB_PASSPHRASE="another sentence")

    assert first.code == 0
    assert (wrong.code, wrong.err) == (1, "The passphrase of the key store is wrong.\n")


def test_the_passphrase_and_the_recovery_key_are_no_options(tmp_path: Path) -> None:
    done = run_program(tmp_path, "chat", "--help")

    assert "HUBBUB_PASSPHRASE" in done.out
    assert "--passphrase" not in done.out
    assert "--recovery-key" not in done.out


def test_the_key_store_is_where_you_want_it(tmp_path: Path, address: str) -> None:
    store = tmp_path / "mine.keys"
    done = run_program(tmp_path, "chat", address, "Mine", "--encrypted", "--keys", store, **WORDS)

    assert done.code == 0
    assert store.exists()
    assert not (tmp_path / "config" / "hubbub" / "keys").exists()
