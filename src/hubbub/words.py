"""
How texts are searched: the words of a text, and of what somebody looks for.

Scripts with spaces have words: a wanted word is found at the beginning of a word. Scripts
without them (Chinese, Japanese, Thai …) have runs: what is wanted is found anywhere in a
run, so the index has every two neighbours of it. An emoji is a word by itself.
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
# Different words of one search.
SEARCH_WORDS_MAX = 16
# Terms that the index is asked for. What it finds is compared with all of the words afterwards.
SEARCH_TERMS_MAX = 32
# Characters of a word that the index keeps.
WORD_CHARS_MAX = 64

# More combining marks than the 30 that Unicode's "stream-safe" texts have in a row
# (Standard Annex 15, section 13) say nothing, and take quadratic time to normalise.
_MARKS_MAX = 30
_marks = regex.compile(rf"(\p{{M}}{{{_MARKS_MAX}}})\p{{M}}+").sub

# What people write grows little when it is folded. Of what grows more (there is a character
# that becomes 18) the rest is not searched.
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
# What joins emoji says nothing elsewhere.
_STRAY = rf"(?<!{_SYMBOL}|{_MODIFIER})\u200D|\u200D(?!{_SYMBOL})|(?<!\U0001F3F4|{_TAG}){_TAG}"
_stray = regex.compile(_STRAY, regex.V1).sub
_joins = regex.compile(rf"\u200D|{_TAG}").search
_is_ignored = regex.compile(r"\p{Default_Ignorable_Code_Point}").match
_is_joining = regex.compile(rf"\u200D|{_TAG}|{_MODIFIER}|{_FLAG}").match
# Vowels and tones of most scripts tell one word from another. The accents of Latin, Greek and
# Cyrillic and the points of Hebrew, Arabic and Syriac are left out as often as they are written.
_ACCENT = r"\p{sc=Inherited}\p{sc=Common}\p{sc=Hebrew}\p{sc=Arabic}\p{sc=Syriac}\p{sc=Cyrillic}"
_is_vowel = regex.compile(
    rf"[[\p{{M}}--[{_ACCENT}\p{{sc=Greek}}\p{{sc=Coptic}}]]\u3099\u309A\u20E3]", regex.V1
).match
# NFKC makes plain punctuation of these emoji.
_EXCLAIMED = {0x203C: "\u2757", 0x2049: "\u2757\u2753"}
_ascii_words = regex.compile("[a-z0-9]+").findall


class Search(msgspec.Struct, frozen=True):
    """
    What somebody looks for.

    Args:
        wanted: its different words and runs.
        terms: what the index of a text that has all of them has, too.
    """

    wanted: tuple[str, ...]
    terms: tuple[str, ...]


def search_of(text: object) -> Search:
    """
    Read what somebody looks for.

    Args:
        text: up to ``SEARCH_CHARS_MAX`` characters with up to ``SEARCH_WORDS_MAX`` different
            words.

    Raises:
        Invalid: it is longer, or has no word at all.
    """
    if not isinstance(text, str):
        raise Invalid(f"A search is for a string, not for {type(text).__name__}.")
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
    Split a text into the terms of the index, each in the form in which it is searched.

    Compatibility forms and case are folded (NFKC), and accents are dropped where they are
    written or not as one likes. A precomposed letter loses its accents if it is Latin ("é"
    is "e") and keeps them otherwise, where it is a letter of its own ("й" is not "и").
    Of a run of letters without spaces there are all pairs of neighbours, and its last letter.
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
    Tell whether a text has everything that is wanted.

    Args:
        text: what is searched.
        wanted: words, each of which must begin some word of the text, and runs, each of
            which must be in it; every text matches none.
    """
    folded = " " + " ".join([run or word for run, word in _split(text)])
    return all((part if _is_run(part) else f" {part}") in folded for part in wanted)


def _terms_of(part: str) -> Iterator[str]:
    if len(part) > 1 and _is_run(part):
        return map("".join, pairwise(part))
    return iter([part[:WORD_CHARS_MAX]])


def _split(text: str) -> list[tuple[str, str]]:
    """Return runs and words, each as a pair of which the other half is empty."""
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
    """What each character becomes in a word; a space if it is between words."""

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
