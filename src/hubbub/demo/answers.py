"""The words of the demo's bot: answers to messages, and the welcome of a user. Pure."""

from __future__ import annotations

import re
from random import Random

__all__ = ["answer_to", "is_addressed", "welcome_to"]

# A message that is one of these words, with or without a slash, needs no name before it.
COMMANDS = {"coin", "dice", "help", "play"}
HELLO = {"hello", "hey", "hi", "moin", "morning"}
THANKS = {"cheers", "thank", "thanks", "thx"}
# The beginning of a message, in which the demo's bot looks for words.
READ_CHARS_MAX = 200
# The part of a nickname that the demo's bot repeats.
NICKNAME_CHARS_MAX = 40

_words = re.compile(r"\w+").findall

UNKNOWN = (
    "I am only a small bot, {name}: I know “help”, “dice” and “coin”.",
    "That is too hard for a small bot, {name}. Try “dice”!",
    "I wish I knew, {name}. Say “help” to see what I do know.",
)


def is_addressed(text: str, bot: str) -> bool:
    """
    Tell whether a message is for the bot: it names the bot, or is one of its commands.

    Args:
        text: the message.
        bot: the bot's name.
    """
    words = _words_of(text)
    return bot.casefold() in words or (len(words) == 1 and words[0] in COMMANDS)


def answer_to(text: str, nickname: str, random: Random, *, games: bool) -> str:
    """
    Return what the bot answers.

    Args:
        text: a message to the bot.
        nickname: what the user who sent it is called.
        random: where chance comes from.
        games: True if the bot can play.
    """
    words, name = set(_words_of(text)), _short(nickname)
    if words & {"help", "commands"}:
        return _help(games=games)
    if words & {"dice", "die", "roll"}:
        return f"🎲 {name} rolls a {random.randint(1, 6)}."
    if words & {"coin", "flip"}:
        return f"🪙 The coin of {name} shows {'heads' if random.random() < 0.5 else 'tails'}."
    if games and words & {"play", "game", "match"}:
        return (
            "Open Games and press “Play quick arithmetic”, or run “hubbub play”: if nobody else "
            "is there after a few seconds, you play against me."
        )
    if words & THANKS:
        return f"You are welcome, {name}!"
    if words & HELLO:
        return f"Hello, {name}! Say “help” to see what I can do."
    # The module's own generator would make another choice after a restart.
    return UNKNOWN[random.randrange(len(UNKNOWN))].format(name=name)


def welcome_to(nickname: str) -> str:
    """Return what the bot says when a user joins the lobby."""
    return f"Hello, {_short(nickname)}! Say “help” to see what I can do."


def _help(*, games: bool) -> str:
    play = ", “play” tells you how to play against me" if games else ""
    return (
        f"“dice” rolls a die, “coin” flips a coin{play}. "
        "I return each emoji that you put on my messages."
    )


def _words_of(text: str) -> list[str]:
    return [word.casefold() for word in _words(text[:READ_CHARS_MAX])]


def _short(nickname: str) -> str:
    short = nickname[:NICKNAME_CHARS_MAX]
    return short if short == nickname else f"{short}…"
