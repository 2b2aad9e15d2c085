"""``hubbub play``, ``watch`` and ``top``: people at several ends of one match."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from tests.cli.program import Program, program, run_program

QUESTION = re.compile(r"(\d+) ([+×-]) (\d+) = \?")


def answer_to(line: str) -> int:
    found = QUESTION.search(line)
    assert found is not None
    one, sign, other = int(found[1]), found[2], int(found[3])
    return {"+": one + other, "-": one - other, "×": one * other}[sign]


def answer(player: Program, count: int) -> None:
    """Answer so many questions, each right."""
    for _ in range(count):
        player.type(str(answer_to(player.line_with("= ?"))))
        player.line_with("knew")


def test_two_play_to_the_end_while_one_drops_and_comes_back_and_a_third_watches(
    tmp_path: Path, backend: str
) -> None:
    options = ["--db", tmp_path / "hubbub.db", "--backend", backend]
    with program(tmp_path, "serve", "--port", 0, *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        with (
            program(tmp_path, "play", address, "--nickname", "Ann") as ann,
            program(tmp_path, "play", address, "--nickname", "Bob") as bob,
        ):
            answer(ann, 3)
            with program(tmp_path, "watch", address, "--nickname", "Eve") as eve:
                eve.line_with("Ann 30")
                bob.stop(signal.SIGKILL)
                ann.line_with("Bob is gone")
                with program(tmp_path, "play", address, "--nickname", "Bob") as again:
                    again.line_with("You are in a match already")
                    again.line_with("Ann 30")
                    ann.line_with("Bob is here")
                    # The question that was open when Bob went is open still.
                    again.type(str(answer_to(again.line_with("= ?"))))
                    again.line_with("Bob knew")
                    answer(again, 9)

                    again.line_with("You have won!")
                    again.line_with("you are number 1 with 10")
                    assert again.end() == 0
                ann.line_with("Bob has won.")
                eve.line_with("Bob has won.")
                assert eve.end() == ann.end() == 0
        server.stop(signal.SIGKILL)
    with program(tmp_path, "serve", "--port", 0, *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        board = run_program(tmp_path, "top", address)

    assert [line.split() for line in board.out.splitlines()[1:]] == [["1", "Bob", "10"]]


def test_nobody_to_play_with_is_one_line(tmp_path: Path, address: str) -> None:
    done = run_program(tmp_path, "play", address, "--timeout", "0.1")

    assert done.code == 1
    assert done.out == "* Looking for somebody to play with …\n"
    assert done.err == "Nobody to play with was found in 0.1 s; try again later.\n"


def test_who_quits_leaves_and_who_resigns_has_lost(tmp_path: Path, address: str) -> None:
    with (
        program(tmp_path, "play", address, "--nickname", "Cid") as cid,
        program(tmp_path, "play", address, "--nickname", "Dan") as dan,
    ):
        cid.line_with("= ?")
        cid.type("/quit")
        assert cid.process.wait(15) == 0
        dan.line_with("Cid is gone")
        dan.type("/resign")
        dan.line_with("Cid has won.")
        assert dan.end() == 0


def test_there_may_be_nothing_to_watch(tmp_path: Path, backend: str) -> None:
    with program(tmp_path, "serve", "--port", 0, "--db", "memory://", "--backend", backend) as it:
        address = it.line_with("Hubbub serves").split()[2]
        watched = run_program(tmp_path, "watch", address)
        wrong = run_program(tmp_path, "watch", address, "nowhere")
        board = run_program(tmp_path, "top", address, "main", "--limit", "3")

    assert (watched.code, watched.out) == (0, "* Nobody plays just now.\n")
    assert (wrong.code, wrong.err) == (1, "There is no such match.\n")
    assert (board.code, board.out) == (0, "* Nobody is on this board yet.\n")
