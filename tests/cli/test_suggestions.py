"""Suggestions for a misspelt name."""

from __future__ import annotations

import pytest

from hubbub.cli.suggestions import did_you_mean


@pytest.mark.parametrize("word", ["mesage_limit", "message_limt", "MESSAGE_LIMIT", "message-limit"])
def test_the_nearest_word_is_suggested(word: str) -> None:
    assert did_you_mean(word, ["page_max", "message_limit"]) == " Did you mean message_limit?"


def test_of_several_near_words_the_nearest_is_suggested() -> None:
    assert did_you_mean("/quitt", ["/quote", "/quit"]) == " Did you mean /quit?"


@pytest.mark.parametrize("word", ["colour", "", "x"])
def test_a_word_like_no_other_has_no_suggestion(word: str) -> None:
    assert did_you_mean(word, ["page_max", "message_limit"]) == ""
