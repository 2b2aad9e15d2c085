"""``hubbub top``: a leaderboard as a table."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import msgspec
from rich.console import Console

from hubbub import Entry
from hubbub.cli.top import ENTRIES, board_table, page_hint
from tests.cli.program import run_program

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def entry(rank: int, nickname: str, score: float) -> Entry:
    return Entry("main", nickname.lower(), nickname, score, rank, NOON)


def printed(entries: list[Entry], own: str = "nobody", *, colours: bool = False) -> str:
    out = StringIO()
    Console(file=out, width=60, highlight=False, force_terminal=colours, no_color=False).print(
        board_table(entries, own)
    )
    return out.getvalue()


def test_entries_are_rows_of_rank_nickname_and_score() -> None:
    rows = printed([entry(1, "Ann", 12_340), entry(2, "Bob", 0.5)]).splitlines()

    assert [row.split() for row in rows] == [
        ["rank", "nickname", "score"],
        ["1", "Ann", "12,340"],
        ["2", "Bob", "0.5"],
    ]


def test_scores_stand_under_each_other() -> None:
    rows = printed([entry(1, "Ann", 12_340), entry(2, "Bobby", 7)]).splitlines()

    assert len({len(row.rstrip()) for row in rows}) == 1


def test_a_nickname_is_shown_as_it_is() -> None:
    assert "[bold]:smile:[/red]" in printed([entry(1, "[bold]:smile:[/red]", 1)])


def test_a_nickname_cannot_move_the_cursor() -> None:
    assert "\x1b" not in printed([entry(1, "\x1b[2J", 1)])


def test_ones_own_entry_has_a_colour() -> None:
    _, ann, bob = printed([entry(1, "Ann", 2), entry(2, "Bob", 1)], "bob", colours=True).split(
        "\n"
    )[:3]

    assert "\x1b[1;32m" in bob
    assert "\x1b[1;32m" not in ann


def test_a_board_that_is_not_there_is_one_line(tmp_path: Path, address: str) -> None:
    done = run_program(tmp_path, "top", address, "nowhere")

    assert (done.code, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1


def test_a_limit_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    done = run_program(tmp_path, "top", address, "--limit", 0)

    assert (done.code, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1


def test_ten_entries_are_shown() -> None:
    assert ENTRIES == 10


def test_a_full_page_says_how_to_see_the_next() -> None:
    page = [entry(1, "Ann", 2), entry(2, "Bob", 1)]
    page[-1] = msgspec.structs.replace(page[-1], cursor="/abc")

    assert page_hint(page, 2) == "Next page: --after /abc"
    assert page_hint(page, 3) == ""


def test_pages_are_shown(tmp_path: Path, address: str) -> None:
    for after in ("/x", "nobody"):
        done = run_program(tmp_path, "top", address, "--after", after)
        assert (done.code, done.out) == (1, "")
        assert len(done.err.splitlines()) == 1
    done = run_program(tmp_path, "top", address, "--before", 1)

    assert (done.code, done.out.strip()) == (
        0,
        "* There are no entries in that part of the board 'main'.",
    )
