"""
How search works on texts: the words of a text, and of a search.

Scripts with spaces have words: a search finds a word by its beginning. Scripts without spaces
(Chinese, Japanese, Thai …) have runs: a search finds text anywhere in a run, so the index has
every pair of neighbouring characters. An emoji is a word of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from unicodedata import category, normalize

import msgspec
import regex

from .errors import Invalid

__all__ = [
    "SEARCH_CHARS_MAX",
    "SEARCH_TERMS_MAX",
    "SEARCH_WORDS_MAX",
    "WORD_CHARS_MAX",
    "Search",
    "matches",
    "search_of",
    "words",
]

# The longest search, in characters.
SEARCH_CHARS_MAX = 200
# The number of different words in one search.
SEARCH_WORDS_MAX = 16
# The number of terms that one query of the index has; the results are then checked for all
# words.
SEARCH_TERMS_MAX = 32
# The number of characters of a word that the index stores.
WORD_CHARS_MAX = 64

# More combining marks than the 30 in a row of Unicode's "stream-safe" texts
# (Standard Annex 15, section 13) have no meaning, and take quadratic time to normalise.
_MARKS_MAX = 30
_marks = regex.compile(rf"(\p{{M}}{{{_MARKS_MAX}}})\p{{M}}+").sub

# Ordinary text grows little when it is folded. If a text grows more (one character becomes
# 18), search ignores the rest.
_EXPANSION_MAX = 3
_EXPANSION_CHARS_MIN = 1_000

_FOLDED_MAX = 10_000

_UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Balinese}"
    r"\p{Javanese}\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}\p{Ahom}\p{Nushu}\p{Tangut}"
    r"\p{Khitan_Small_Script}\p{Egyptian_Hieroglyphs}\u3099\u309A\u30FC"
)
_SYMBOL = r"[[\p{So}\p{Extended_Pictographic}]--[\p{Regional_Indicator}\u2800\U0001D159]]"
_MODIFIER = r"\p{Emoji_Modifier}"
_TAG = r"[\U000E0020-\U000E007F]"
_FLAG = r"\p{Regional_Indicator}"
_EMOJI = rf"{_SYMBOL}{_MODIFIER}?{_TAG}*(?:\u200D{_SYMBOL}{_MODIFIER}?)*|{_FLAG}{{1,2}}|{_MODIFIER}"
# A run; or an emoji, or a word.
_TOKEN = rf"([{_UNSPACED}]+)|({_EMOJI}|[[^ ]--{_SYMBOL}--[{_UNSPACED}{_MODIFIER}{_FLAG}]]+)"
_tokens = regex.compile(_TOKEN, regex.V1).findall
_is_run = regex.compile(rf"[{_UNSPACED}]", regex.V1).match
_is_symbol = regex.compile(_SYMBOL, regex.V1).match
# Joiners and tags have no meaning outside emoji.
_STRAY = rf"(?<!{_SYMBOL}|{_MODIFIER})\u200D|\u200D(?!{_SYMBOL})|(?<!\U0001F3F4|{_TAG}){_TAG}"
_stray = regex.compile(_STRAY, regex.V1).sub
_joins = regex.compile(rf"\u200D|{_TAG}").search
_is_ignored = regex.compile(r"\p{Default_Ignorable_Code_Point}").match
_is_joining = regex.compile(rf"\u200D|{_TAG}|{_MODIFIER}|{_FLAG}").match
# In most scripts, vowel signs and tones distinguish words. The accents of Latin, Greek and
# Cyrillic and the points of Hebrew, Arabic and Syriac are often left out.
_ACCENT = r"\p{sc=Inherited}\p{sc=Common}\p{sc=Hebrew}\p{sc=Arabic}\p{sc=Syriac}\p{sc=Cyrillic}"
_is_vowel = regex.compile(
    rf"[[\p{{M}}--[{_ACCENT}\p{{sc=Greek}}\p{{sc=Coptic}}]]\u3099\u309A\u20E3]", regex.V1
).match
# NFKC turns these emoji into plain punctuation.
_EXCLAIMED = {0x203C: "\u2757", 0x2049: "\u2757\u2753"}
_ascii_words = regex.compile("[a-z0-9]+").findall


class Search(msgspec.Struct, frozen=True):
    """
    The words that a user searches for.

    Args:
        wanted: the different words and runs.
        terms: the terms that the index has for every text with all of them.
    """

    wanted: tuple[str, ...]
    terms: tuple[str, ...]


def search_of(text: object) -> Search:
    """
    Parse a search.

    Args:
        text: up to ``SEARCH_CHARS_MAX`` characters with up to ``SEARCH_WORDS_MAX`` different
            words.

    Raises:
        Invalid: it is too long, has too many words, or has no word at all.
    """
    if not isinstance(text, str):
        raise Invalid(f"A search must be a string, not {type(text).__name__}.")
    if len(text) > SEARCH_CHARS_MAX:
        raise Invalid(
            f"The search has {len(text)} characters; shorten it to {SEARCH_CHARS_MAX} or fewer."
        )
    wanted = tuple(dict.fromkeys(run or word for run, word in _split(text)))
    if not wanted:
        raise Invalid("Give at least one word to search for.")
    if len(wanted) > SEARCH_WORDS_MAX:
        raise Invalid(
            f"The search has {len(wanted)} different words; "
            f"search for {SEARCH_WORDS_MAX} or fewer at a time."
        )
    terms = dict.fromkeys(term for part in wanted for term in _terms_of(part))
    return Search(wanted, tuple(terms)[:SEARCH_TERMS_MAX])


def words(text: str) -> list[str]:
    """
    Split a text into the terms of the index, in the form in which they are searched.

    Compatibility forms and case are folded (NFKC), and optional accents are dropped.
    A precomposed letter loses its accents if it is Latin ("é" is "e"); elsewhere it is a
    letter of its own and keeps them ("й" is not "и").
    A run of letters without spaces gives all pairs of neighbours, and its last letter.
    """
    found = list[str]()
    for run, word in _split(text):
        if run:
            found += map("".join, pairwise(run))
            found.append(run[-1])
        else:
            found.append(word[:WORD_CHARS_MAX])
    return found


def matches(text: str, wanted: Sequence[str]) -> bool:
    """
    Return whether a text matches everything in a search.

    Args:
        text: the text to search.
        wanted: words, each of which must begin a word of the text, and runs, each of
            which must be in it; an empty search matches every text.
    """
    folded = " " + " ".join([run or word for run, word in _split(text)])
    return all((part if _is_run(part) else f" {part}") in folded for part in wanted)


def _terms_of(part: str) -> Iterator[str]:
    if len(part) > 1 and _is_run(part):
        return map("".join, pairwise(part))
    return iter([part[:WORD_CHARS_MAX]])


def _split(text: str) -> list[tuple[str, str]]:
    """Return runs and words, each as a pair whose other half is empty."""
    if text.isascii():
        return [("", word) for word in _ascii_words(text.lower())]
    folded = normalize("NFKC", _marks(r"\1", text).translate(_EXCLAIMED))
    folded = folded[: _EXPANSION_MAX * len(text) + _EXPANSION_CHARS_MIN]
    folded = normalize("NFKC", folded.casefold()).translate(_folded)
    if _joins(folded):
        folded = _stray("", folded)
    found: list[tuple[str, str]] = _tokens(folded)
    return found


class _Folded(dict[int, str]):
    """The form of each character in a word; a space if the character separates words."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _FOLDED_MAX:
            self.clear()
        return self.setdefault(code, _fold(chr(code)))


_folded = _Folded()


def _fold(char: str) -> str:
    kind = category(char)
    if kind[0] == "M":
        return char if _is_vowel(char) else ""
    if _is_joining(char) or _is_symbol(char):
        return char
    if _is_ignored(char):
        return ""
    if kind[0] not in "LN" and kind != "Co":
        return " "
    letters = normalize("NFD", char)
    return letters[0] if letters[0].isascii() else char
