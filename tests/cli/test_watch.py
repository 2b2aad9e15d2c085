"""``hubbub watch``: somebody who does not play."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.cli.program import program, run_program


def test_there_may_be_nothing_to_watch(tmp_path: Path) -> None:
    with program(tmp_path, "serve", "--port", 0, "--db", "memory://") as it:
        address = it.line_with("Hubbub serves").split()[2]
        watched = run_program(tmp_path, "watch", address)
        wrong = run_program(tmp_path, "watch", address, "nowhere")
        board = run_program(tmp_path, "top", address, "main", "--limit", "3")

    assert (watched.code, watched.out) == (0, "* There is no active match.\n")
    assert (wrong.code, wrong.err) == (1, "This match does not exist; check its id.\n")
    assert (board.code, board.out) == (0, "* There are no entries on the board 'main'.\n")


def test_a_match_is_watched_to_its_end(tmp_path: Path, address: str) -> None:
    with (
        program(tmp_path, "play", address, "--nickname", "Fay") as fay,
        program(tmp_path, "play", address, "--nickname", "Gus") as gus,
    ):
        fay.line_with("= ?")
        gus.line_with("= ?")
        with program(tmp_path, "watch", address, "--nickname", "Eve") as eve:
            eve.line_with("The match begins")
            eve.line_with("= ?")
            fay.type("/resign")
            eve.line_with("Fay resigns.")
            eve.line_with("Gus has won.")

            assert eve.end() == fay.end() == gus.end() == 0
        assert not any("rating" in line for line in eve.lines)


def test_who_watches_may_stop(tmp_path: Path, address: str) -> None:
    with (
        program(tmp_path, "play", address, "--nickname", "Hal") as hal,
        program(tmp_path, "play", address, "--nickname", "Ida") as ida,
    ):
        hal.line_with("= ?")
        with program(tmp_path, "watch", address, "--nickname", "Eve") as eve:
            eve.line_with("= ?")
            code = eve.stop(signal.SIGINT)
        ida.type("/resign")
        hal.line_with("You have won!")

        assert code == 130
        assert not any("Traceback" in line for line in eve.lines)
