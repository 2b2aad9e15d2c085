"""What people write: what is let in, and how it is searched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import category, normalize

import regex

from .errors import Invalid

__all__ = [
    "EMOJI_CHARS_MAX",
    "check_emoji",
    "check_name",
    "check_text",
    "is_blank",
    "matches",
    "words",
]

# The longest that Unicode recommends, two people of two skin tones kissing, has 10.
EMOJI_CHARS_MAX = 16

# How many characters one character of NFC can have been.
_DECOMPOSED_CHARS_MAX = 4

# For plain classes `re` is three times as fast as `regex`, which knows properties.
_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_SURROGATE = r"\ud800-\udfff"
_LINE_BREAK = r"\t\n\u2028\u2029"
_BIDI_OVERRIDE = r"\u202a-\u202e\u2066-\u2069"
_not_in_text = re.compile(f"[{_CONTROL}{_SURROGATE}]").search
_not_in_name = re.compile(f"[{_CONTROL}{_SURROGATE}{_LINE_BREAK}{_BIDI_OVERRIDE}]").search

# Letters and symbols by their category, and blanks by their shape: Braille's, the null
# notehead, and two hieroglyphs. Emoji of a newer Unicode than ours are shown as something.
_BLANK = r"\p{Default_Ignorable_Code_Point}\u2800\U0001D159\U00013441\U00013442"
_VISIBLE = rf"[[\p{{L}}\p{{N}}\p{{P}}\p{{S}}\p{{Co}}\p{{Extended_Pictographic}}]--[{_BLANK}]]"
_visible = regex.compile(_VISIBLE, regex.V1).search
_visible_ascii = re.compile("[!-~]").match

# After the pattern for possible emoji of Unicode Technical Standard 51, section
# 1.4.9, without what it lets in that is none: digits, and parts on their own.
_PART = r"""(?:
    \p{Emoji_Modifier_Base} \p{Emoji_Modifier}
    | [\p{Emoji}&&\p{Extended_Pictographic}] \uFE0F?
)"""
_EMOJI = rf"""
    {_PART} (?: \u200D {_PART} )*
    | \p{{Regional_Indicator}}{{2}}
    | [0-9\#*] \uFE0F? \u20E3
    | \U0001F3F4 [\U000E0030-\U000E0039\U000E0061-\U000E007A]{{3,6}} \U000E007F
"""
_emoji = regex.compile(_EMOJI, regex.V1 | regex.VERBOSE).fullmatch

# More combining marks than the 30 that Unicode's "stream-safe" texts have in a row
# (Standard Annex 15, section 13) say nothing, and take quadratic time to normalise.
_MARKS_MAX = 30
_marks = regex.compile(rf"(\p{{M}}{{{_MARKS_MAX}}})\p{{M}}+").sub

_FOLDED_MAX = 10_000


def check_text(text: object, chars_max: int) -> str:
    """
    Return a text unchanged if it may be sent.

    Args:
        text: what was given as a text.
        chars_max: its greatest length in Unicode code points.

    Raises:
        Invalid: it is not a string, is longer, has nothing to be seen, or has
            control characters other than line feed and tab, or lone surrogates.
    """
    if not isinstance(text, str):
        raise Invalid(f"The text must be a string, not {type(text).__name__}.")
    if len(text) > chars_max:
        raise _too_long("text", len(text), chars_max)
    if found := _not_in_text(text):
        raise _forbidden("text", found)
    if is_blank(text):
        raise Invalid("The text is empty; write something.")
    return text


def is_blank(text: str) -> bool:
    """
    Tell whether a text shows nothing, however many characters it has.

    White space, characters that are ignored when a text is drawn (zero-width and
    bidirectional controls, fillers, tags, variation selectors), combining marks with
    nothing to combine with, and blanks that count as symbols show nothing.
    """
    return not (_visible_ascii(text) or _visible(text))


def check_name(name: object, chars_max: int, what: str = "name") -> str:
    """
    Return a name in normal form: stripped, in NFC.

    Args:
        name: what was given as a name.
        chars_max: its greatest length in Unicode code points.
        what: whose name it is, in a refusal's message: "The room name is …".

    Raises:
        Invalid: it is not a string, is longer, has nothing to be seen, or has
            line breaks, control characters, lone surrogates, or characters that
            override the direction of the text around the name.
    """
    if not isinstance(name, str):
        raise Invalid(f"The {what} must be a string, not {type(name).__name__}.")
    name = name.strip()
    # Normalising a run of combining marks takes quadratic time, so it has a limit.
    if len(name) <= chars_max * _DECOMPOSED_CHARS_MAX:
        name = normalize("NFC", name)
    if len(name) > chars_max:
        raise _too_long(what, len(name), chars_max)
    if found := _not_in_name(name):
        raise _forbidden(what, found)
    if is_blank(name):
        raise Invalid(f"The {what} is empty; use at least one letter, digit or symbol.")
    return name


def check_emoji(emoji: object) -> str:
    """
    Return an emoji unchanged if it is exactly one.

    Skin tones, sequences with joiners, flags and keycaps are one; the variation
    selector that asks for a colourful form may be there or not.

    Raises:
        Invalid: it is something else.
    """
    if not isinstance(emoji, str) or len(emoji) > EMOJI_CHARS_MAX or not _emoji(emoji):
        raise Invalid("A reaction must be exactly one emoji, such as 👍.")
    return emoji


def words(text: str) -> list[str]:
    """
    Split a text into words in the form in which they are searched.

    Words are runs of letters and digits, case-folded and without combining
    marks. As in SQLite's ``unicode61`` tokenizer with ``remove_diacritics 2`` a
    precomposed letter loses its diacritics if it is Latin ("é" is "e") and keeps
    them otherwise, where it is a letter of its own ("й" is not "и").
    """
    return normalize("NFC", _marks(r"\1", text)).translate(_folded).split()


def matches(text: str, wanted: Sequence[str]) -> bool:
    """
    Tell whether each wanted word begins some word of the text.

    Args:
        text: what is searched.
        wanted: words as :func:`words` gives them; every text matches none.
    """
    found = words(text)
    return all(any(word.startswith(start) for word in found) for start in wanted)


def _too_long(what: str, chars: int, chars_max: int) -> Invalid:
    return Invalid(f"The {what} has {chars} characters; shorten it to {chars_max} or fewer.")


def _forbidden(what: str, found: re.Match[str]) -> Invalid:
    code = f"U+{ord(found[0]):04X}"
    return Invalid(
        f"The {what} has {code} at character {found.start() + 1}, which is not allowed; remove it."
    )


class _Folded(dict[int, str]):
    """What each character becomes in a word; a space if it is between words."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _FOLDED_MAX:
            self.clear()
        return self.setdefault(code, _fold(chr(code)))


_folded = _Folded()


def _fold(char: str) -> str:
    kind = category(char)
    if kind[0] not in "LMN" and kind != "Co":
        return " "
    letters = normalize("NFD", char.casefold())
    if not letters[0].isascii():
        letters = normalize("NFC", letters)
    return "".join([letter for letter in letters if category(letter)[0] != "M"])
