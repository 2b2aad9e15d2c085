from __future__ import annotations

from random import Random

import pytest

from hubbub.demo.answers import NICKNAME_CHARS_MAX, READ_CHARS_MAX, answer_to, is_addressed


@pytest.mark.parametrize(
    "text", ["Robin, dice", "hello robin!", "@Robin?", "help", "/dice", " Coin. ", "PLAY!"]
)
def test_a_message_that_names_the_bot_or_is_a_command_is_for_the_bot(text: str) -> None:
    assert is_addressed(text, "Robin")


@pytest.mark.parametrize("text", ["robins nest", "I need help with this", "", "🎲", "hello"])
def test_other_messages_are_for_people(text: str) -> None:
    assert not is_addressed(text, "Robin")


def test_only_the_beginning_of_a_message_is_read() -> None:
    late = "x" * READ_CHARS_MAX + " Robin"

    assert not is_addressed(late, "Robin")


def test_dice_and_coins_are_fair_enough_to_show_every_side() -> None:
    random = Random(1)

    dice = {answer_to("dice", "Ann", random, games=True) for _ in range(200)}
    coins = {answer_to("flip a coin", "Ann", random, games=True) for _ in range(200)}

    assert dice == {f"🎲 Ann rolls a {side}." for side in range(1, 7)}
    assert coins == {f"🪙 The coin of Ann shows {side}." for side in ("heads", "tails")}


def test_the_same_seed_gives_the_same_answer() -> None:
    asked = "Robin, what is the meaning of life?"
    one, other = (answer_to(asked, "Ann", Random(7), games=True) for _ in range(2))

    assert one == other
    assert "Ann" in one


@pytest.mark.parametrize(("text", "answer"), [("hi Robin", "Hello, Ann"), ("thanks Robin", "Ann!")])
def test_the_bot_is_polite(text: str, answer: str) -> None:
    assert answer in answer_to(text, "Ann", Random(1), games=True)


def test_help_offers_only_what_there_is() -> None:
    assert "play against me" in answer_to("help", "Ann", Random(1), games=True)
    assert "play" not in answer_to("help", "Ann", Random(1), games=False)
    assert "Open Games" in answer_to("play", "Ann", Random(1), games=True)
    assert "Open Games" not in answer_to("play", "Ann", Random(1), games=False)


def test_a_long_nickname_is_cut() -> None:
    answer = answer_to("hi Robin", "A" * 100, Random(1), games=True)

    assert f"{'A' * NICKNAME_CHARS_MAX}…" in answer
    assert "A" * (NICKNAME_CHARS_MAX + 1) not in answer
