"""``hubbub chat``: two people at two ends, a script, and a server that comes and goes."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubbub.cli.chat import talk
from tests.cli.paper import Paper, opened
from tests.cli.program import env_in, program, run_program


def test_two_chat_through_a_server(tmp_path: Path, address: str) -> None:
    with (
        program(tmp_path, "chat", address, "Two", "--nickname", "Ann") as ann,
        program(tmp_path, "chat", address, "Two", "--nickname", "Bob") as bob,
    ):
        ann.line_with("You are in Two")
        bob.line_with("You are in Two")
        ann.type("hello")
        seq = bob.line_with("Ann: hello").split("[")[1].split("]")[0]
        bob.type(f"/reply {seq} hello Ann")
        bob.type(f"/react {seq} ❤️")
        ann.line_with(f"Bob (to [{seq}]): hello Ann")
        ann.line_with(f"* Bob reacted to [{seq}] with ❤️")
        bob.type("/dm Ann psst")
        ann.line_with("(direct) Bob: psst")

        assert ann.end() == 0
        assert bob.end() == 0


def test_a_script_sends_its_lines_and_ends(tmp_path: Path, address: str) -> None:
    done = run_program(tmp_path, "chat", address, "Script", typed="one\ntwo\n")
    again = run_program(tmp_path, "chat", address, "Script", typed="three")

    assert (done.code, done.err) == (0, "")
    assert [line.rpartition(": ")[2] for line in done.out.splitlines()[1:]] == ["one", "two"]
    assert [line.rpartition(": ")[2] for line in again.out.splitlines()[1:]] == [
        *["one", "two", "three"],
    ]


def test_a_script_that_is_refused_says_so_and_goes_on(tmp_path: Path, address: str) -> None:
    done = run_program(tmp_path, "chat", address, "Refused", typed="/edit 999 x\n/nope\nhello\n")

    assert done.code == 1
    assert done.err.splitlines() == [
        "There is no event 999 in this stream.",
        "There is no command /nope. /help lists the commands.",
    ]
    assert done.out.endswith(": hello\n")


def test_the_same_nickname_is_the_same_user(tmp_path: Path, address: str) -> None:
    first, second, fresh = (
        run_program(tmp_path, "chat", address, "Same", "--nickname", "Ann", *options, typed="/who")
        for options in ([], [], ["--fresh"])
    )
    members = [done.out.count("* Ann  o") for done in (first, second, fresh)]

    assert [done.code for done in (first, second, fresh)] == [0, 0, 0]
    assert members == [1, 1, 2]


def test_who_is_not_known_any_more_is_new(tmp_path: Path, address: str) -> None:
    run_program(tmp_path, "chat", address, "Known", "--nickname", "Ann")
    [kept] = (tmp_path / "config" / "hubbub" / "tokens").iterdir()
    kept.write_text("not.a.token")
    done = run_program(tmp_path, "chat", address, "Known", "--nickname", "Ann", typed="hello")

    assert done.code == 0
    assert done.out.startswith("* The stored token of Ann is not valid any more: a new user.\n")


def test_who_cannot_be_kept_can_chat(tmp_path: Path, address: str) -> None:
    (tmp_path / "config").touch()
    done = run_program(tmp_path, "chat", address, "Kept", "--nickname", "Ann", typed="hello")

    assert done.code == 0
    assert done.out.startswith("* Your token cannot be stored, so you will be a new user: ")
    assert done.out.endswith("Ann: hello\n")


def test_a_bad_token_is_refused(tmp_path: Path, address: str) -> None:
    done = run_program(tmp_path, "chat", address, "Token", HUBBUB_TOKEN="not.a.token")

    assert (done.code, done.err) == (1, "The token is not valid; sign in again.\n")


def test_a_token_on_the_command_line_is_refused_and_not_repeated(
    tmp_path: Path, address: str
) -> None:
    done = run_program(tmp_path, "chat", address, "Token", "--token", "swordfish")

    assert done.code == 2
    assert "HUBBUB_TOKEN" in done.err
    assert "--token-file FILE" in done.err
    assert "swordfish" not in done.err


def test_the_address_can_come_from_the_environment(tmp_path: Path, address: str) -> None:
    done = run_program(tmp_path, "chat", "Lobby", typed="hello\n", HUBBUB_URL=address)

    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(": hello\n")


def test_an_address_needs_no_scheme(tmp_path: Path, address: str) -> None:
    short = address.removeprefix("http://")
    done = run_program(tmp_path, "chat", short, "Lobby", typed="hello\n")

    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("ftp://127.0.0.1", "'ftp://127.0.0.1' is not the address of a server. Write it like"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1 cannot be reached"),
    ],
)
def test_a_server_that_is_not_there_is_one_line(tmp_path: Path, url: str, complaint: str) -> None:
    done = run_program(tmp_path, "chat", url, "Lobby")

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(complaint)
    assert len(done.err.splitlines()) == 1


def test_a_chat_outlives_its_server(tmp_path: Path, backend: str) -> None:
    options = ["--db", tmp_path / "hubbub.db", "--backend", backend]
    with program(tmp_path, "serve", "--port", 0, *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        with program(tmp_path, "chat", address, "Lobby", "--nickname", "Ann") as ann:
            ann.type("hello")
            ann.line_with("Ann: hello")
            server.stop(signal.SIGKILL)
            ann.type("are you there?")
            port = address.rpartition(":")[2]
            with program(tmp_path, "serve", "--port", port, *options):
                ann.line_with("Ann: are you there?")

                assert ann.end() == 0


class Terminal:
    """A chat in a terminal."""

    def __init__(self, home: Path, *args: object) -> None:
        self._ours, theirs = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hubbub.cli", *map(str, args)],
            cwd=home,
            # Without it the program asks the terminal where its cursor is.
            env=env_in(home) | {"PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def see(self, text: str) -> None:
        """Wait until a text has come since the last one."""
        while text not in self.seen:
            try:
                self.seen += os.read(self._ours, 65_536).decode(errors="replace")
            except OSError:
                pytest.fail(f"{text!r} did not come: {self.seen!r}")
        self.seen = self.seen.partition(text)[2]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminal(tmp_path: Path, address: str) -> Iterator[Terminal]:
    one = Terminal(tmp_path, "chat", address, "Terminal", "--nickname", "Ann")
    yield one
    one.close()


def test_lines_come_while_one_types_in_a_terminal(
    tmp_path: Path, address: str, terminal: Terminal
) -> None:
    terminal.see("You are in Terminal")
    terminal.see("Terminal>")
    terminal.type("hello B")
    terminal.see("hello B")
    with program(tmp_path, "chat", address, "Terminal", "--nickname", "Bob") as bob:
        bob.line_with("You are in Terminal")
        bob.type("hello Ann")
        terminal.see("hello Ann")
        # What was begun is drawn anew under it.
        terminal.see("hello B")
        terminal.type("ob\r")
        bob.line_with("Ann: hello Bob")
        bob.end()
    terminal.type("/quit\r")

    assert terminal.process.wait(10) == 0


async def test_a_refusal_is_shown_and_the_rest_is_said() -> None:
    paper = Paper(["/nope", "hello"])
    async with opened() as (_, ann, _bob):
        good = await talk(ann, paper, "Lobby")

    assert good
    assert paper.complaints == ["There is no command /nope. /help lists the commands."]
    assert paper.shown[-1].endswith("Ann: hello")
    assert paper.prompts == ["Lobby> ", "Lobby> "]


async def test_after_quitting_nothing_is_said() -> None:
    paper = Paper(["/quit", "hello"])
    async with opened() as (_, ann, _bob):
        assert await talk(ann, paper, "Lobby")

    assert paper.prompts == ["Lobby> "]


async def test_a_room_that_one_may_not_enter_ends_it() -> None:
    paper = Paper(["hello"])
    async with opened() as (_, ann, bob):
        secret = await bob.chat.create_room("Secret", private=True)
        assert not await talk(ann, paper, secret.id)

    assert paper.complaints == ["This room is private; ask a member to invite you."]
    assert paper.prompts == []
