"""``hubbub play``: people at several ends of one match."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from hubbub import Invalid, NoOpponent, NotAllowed, Settings
from hubbub.cli.match_client import MatchClient
from hubbub.cli.play import MATCHES, TIMEOUT_SECONDS, find, play_match
from tests.cli.arithmetic import answer_to
from tests.cli.paper import Paper, opened
from tests.cli.program import Program, program, run_program


def answer(player: Program, count: int) -> None:
    """Answer so many questions, each right."""
    for _ in range(count):
        player.type(str(answer_to(player.line_with("= ?"))))
        player.line_with("knew")


def test_two_play_to_the_end_while_one_drops_and_comes_back_and_a_third_watches(
    tmp_path: Path,
) -> None:
    options = ["--db", tmp_path / "hubbub.db"]
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
                ann.line_with("Bob has disconnected")
                with program(tmp_path, "play", address, "--nickname", "Bob") as again:
                    again.line_with("You continue your match")
                    again.line_with("Ann 30")
                    ann.line_with("Bob is connected")
                    # The question that was open when Bob went is open still.
                    again.type(str(answer_to(again.line_with("= ?"))))
                    again.line_with("Bob knew")
                    answer(again, 9)

                    again.line_with("You have won!")
                    again.line_with("Your rating is now 16")
                    again.line_with("You are number 1 on the board 'main', with 10 points.")
                    assert again.end() == 0
                ann.line_with("Bob has won.")
                eve.line_with("Bob has won.")
                assert eve.end() == ann.end() == 0
        server.stop(signal.SIGKILL)
    with program(tmp_path, "serve", "--port", 0, *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        board = run_program(tmp_path, "top", address)

    assert [line.split() for line in board.out.splitlines()[1:]] == [["1", "Bob", "10"]]


def test_a_match_outlives_its_server(tmp_path: Path, backend: str) -> None:
    options = ["--db", tmp_path / "hubbub.db", "--backend", backend]
    with program(tmp_path, "serve", "--port", 0, *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        with (
            program(tmp_path, "play", address, "--nickname", "Ann") as ann,
            program(tmp_path, "play", address, "--nickname", "Bob") as bob,
        ):
            answer(ann, 1)
            bob.line_with("Ann 10")
            bob.line_with("= ?")
            server.stop(signal.SIGKILL)
            port = address.rpartition(":")[2]
            with program(tmp_path, "serve", "--port", port, *options):
                # The new server asks something new.
                answer(bob, 1)
                ann.line_with("Bob 10")
                ann.type("/resign")
                bob.line_with("You have won!")

                assert ann.end() == bob.end() == 0


def test_a_script_answers_each_question_once_and_sees_the_end(tmp_path: Path, address: str) -> None:
    with program(tmp_path, "play", address, "--nickname", "Jim") as jim:
        jim.line_with("Searching for an opponent")
        done = run_program(tmp_path, "play", address, "--nickname", "Kay", typed="-1\n/resign\n")
        jim.line_with("You have won!")

        assert jim.end() == 0
    assert (done.code, done.err) == (0, "")
    assert sum(line.endswith("= -1") for line in done.out.splitlines()) == 1


def test_nobody_to_play_with_is_one_line(tmp_path: Path, address: str) -> None:
    done = run_program(tmp_path, "play", address, "--timeout", "0.1")

    assert done.code == 1
    assert done.out == "* Searching for an opponent …\n"
    assert done.err == "No opponent was found in 0.1 s; try again later.\n"


def test_who_gives_up_looking_may_look_again(tmp_path: Path, address: str) -> None:
    with program(tmp_path, "play", address, "--nickname", "Lea") as lea:
        lea.line_with("Searching for an opponent")
        code = lea.stop(signal.SIGINT)
    again = run_program(tmp_path, "play", address, "--nickname", "Lea", "--timeout", "0.1")

    assert code == 130
    assert again.err.startswith("No opponent was found")


def test_who_quits_leaves_and_who_resigns_has_lost(tmp_path: Path, address: str) -> None:
    with (
        program(tmp_path, "play", address, "--nickname", "Cid") as cid,
        program(tmp_path, "play", address, "--nickname", "Dan") as dan,
    ):
        cid.line_with("= ?")
        cid.type("/quit")
        cid.line_with("Run the command again")
        assert cid.process.wait(15) == 0
        dan.line_with("Cid has disconnected")
        dan.type("/resign")
        dan.line_with("Cid has won.")
        assert dan.end() == 0


async def test_who_is_in_a_match_goes_back_into_it() -> None:
    paper = Paper()
    async with opened() as (_, ann, bob):
        await ann.games.start_match(["ann", "bob"])
        own = await ann.games.start_match(["ann", "bob"], game="arithmetic")
        found = await find(bob, paper, "arithmetic", 0.1)

    assert found.id == own.id
    assert paper.shown == ["* You continue your match."]


async def test_who_has_given_a_match_up_looks_for_another() -> None:
    paper = Paper()
    async with opened() as (hub, ann, bob), hub.session("eve"):
        match = await ann.games.start_match(["ann", "bob", "eve"], game="arithmetic")
        await bob.games.resign(match.id)
        with pytest.raises(NoOpponent):
            await find(bob, paper, "arithmetic", 0.01)

    assert paper.shown == ["* Searching for an opponent …"]


async def test_a_queue_that_is_not_there_is_refused() -> None:
    async with opened() as (_, ann, _bob):
        with pytest.raises(Invalid, match="There is no queue"):
            await find(ann, Paper(), "chess", TIMEOUT_SECONDS)


def test_a_server_lists_as_many_matches_as_are_asked_for() -> None:
    assert Settings().page_max >= MATCHES


async def test_a_person_is_told_how_to_answer_and_a_script_is_not() -> None:
    async with opened() as (_, ann, bob):
        match = await ann.games.start_match(["ann", "bob"])
        await bob.games.resign(match.id)
        person, script = Paper(["/quit"]), Paper(patient=True)
        for paper in (person, script):
            await play_match(MatchClient(ann, match, paper.show), paper)

    assert "one try for each question" in person.shown[0]
    assert not any("one try" in line for line in script.shown)


@pytest.mark.parametrize("typed", [["/quit"], []], ids=["quit", "no more lines"])
async def test_a_person_who_goes_away_is_told_how_to_come_back(typed: list[str]) -> None:
    async with opened() as (_, ann, _bob):
        paper = Paper(typed)
        match = await ann.games.start_match(["ann", "bob"])
        await play_match(MatchClient(ann, match, paper.show), paper)

    assert paper.shown[-1] == "* Run the command again soon to continue the match."


async def test_a_match_that_may_not_be_followed_is_refused() -> None:
    async with opened() as (hub, ann, _bob):
        match = await ann.games.start_match(["ann", "bob"], private=True)
        async with hub.session("eve") as eve:
            paper = Paper(patient=True)
            with pytest.raises(NotAllowed):
                await play_match(MatchClient(eve, match, paper.show), paper)
