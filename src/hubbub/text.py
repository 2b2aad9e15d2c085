"""Texts, names and emoji that people write: what Hubbub accepts."""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import normalize

import regex

from .errors import Invalid

__all__ = [
    "EMOJI_CHARS_MAX",
    "check_emoji",
    "check_name",
    "check_text",
    "is_blank",
    "plain_emoji",
]

# The longest emoji, in characters; the longest that Unicode recommends has 10.
EMOJI_CHARS_MAX = 16

# The number of emoji whose plain form is cached: more than exist.
EMOJI_MAX = 4_096
# The number of characters that one character of NFC can decompose into.
_DECOMPOSED_CHARS_MAX = 4

# For plain classes `re` is three times as fast as `regex`, which knows properties.
_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_SURROGATE = r"\ud800-\udfff"
_LINE_BREAK = r"\t\n\u2028\u2029"
_BIDI_OVERRIDE = r"\u202a-\u202e\u2066-\u2069"
_not_in_text = re.compile(f"[{_CONTROL}{_SURROGATE}]").search
_not_in_name = re.compile(f"[{_CONTROL}{_SURROGATE}{_LINE_BREAK}{_BIDI_OVERRIDE}]").search

# Letters and symbols by their category, and blanks by their shape: Braille's, the null
# notehead, and two hieroglyphs. Emoji of a newer Unicode version than ours count as visible.
_BLANK = r"\p{Default_Ignorable_Code_Point}\u2800\U0001D159\U00013441\U00013442"
_VISIBLE = rf"[[\p{{L}}\p{{N}}\p{{P}}\p{{S}}\p{{Co}}\p{{Extended_Pictographic}}]--[{_BLANK}]]"
_visible = regex.compile(_VISIBLE, regex.V1).search
_visible_ascii = re.compile("[!-~]").match

# Based on the pattern for possible emoji of Unicode Technical Standard 51, section
# 1.4.9, without its matches that are not emoji: digits, and parts on their own.
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
# Emoji that are drawn as text without a variation selector, and the selector.
_text_default = regex.compile(
    r"([[\p{Emoji}]--[\p{Emoji_Presentation}\p{Emoji_Modifier}\p{Regional_Indicator}\U0001F3F4]])"
    r"(?!\p{Emoji_Modifier}|[\U000E0020-\U000E007F])",
    regex.V1,
).sub


def check_text(text: object, chars_max: int) -> str:
    """
    Return a text unchanged if it is valid.

    Args:
        text: the text to check.
        chars_max: its greatest length in Unicode code points.

    Raises:
        Invalid: it is not a string, is too long, has no visible character, or has
            control characters other than line feed and tab, or lone surrogates.
    """
    if not isinstance(text, str):
        raise Invalid(f"The text must be a string, not {type(text).__name__}.")
    if len(text) > chars_max:
        raise _too_long("text", len(text), chars_max)
    if found := _not_in_text(text):
        raise _forbidden("text", found)
    if not _visible_ascii(text) and is_blank(text):
        raise Invalid("The text is empty; write something.")
    return text


def is_blank(text: str) -> bool:
    """
    Return whether a text shows nothing, however many characters it has.

    White space, characters that fonts do not draw (zero-width and bidirectional controls,
    fillers, tags, variation selectors), combining marks with nothing to combine with, and
    blanks that count as symbols show nothing.
    """
    return not (_visible_ascii(text) or _visible(text))


def check_name(name: object, chars_max: int, what: str = "name") -> str:
    """
    Return a name in normal form: stripped, in NFC.

    Args:
        name: the name to check.
        chars_max: its greatest length in Unicode code points.
        what: what the name is of, for the error message: "The room name is …".

    Raises:
        Invalid: it is not a string, is too long, has no visible character, or has
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
    Return an emoji unchanged if the text is exactly one.

    Skin tones, sequences with joiners, flags and keycaps count as one emoji; the variation
    selector that asks for a colourful form is optional.

    Raises:
        Invalid: the text is not exactly one emoji.
    """
    if not isinstance(emoji, str) or len(emoji) > EMOJI_CHARS_MAX or not _emoji(emoji):
        raise Invalid("A reaction must be exactly one emoji, such as 👍.")
    return emoji


@lru_cache(EMOJI_MAX)
def plain_emoji(emoji: str) -> str:
    """
    Return the canonical form of an emoji: Unicode's "fully qualified" one.

    The forms differ in variation selectors, which change how an emoji is drawn and not its
    meaning. Skin tones stay.
    """
    bare = emoji.replace("\ufe0f", "").replace("\ufe0e", "")
    return bare if bare.isascii() else _text_default("\\1\ufe0f", bare)


def _too_long(what: str, chars: int, chars_max: int) -> Invalid:
    return Invalid(f"The {what} has {chars} characters; shorten it to {chars_max} or fewer.")


def _forbidden(what: str, found: re.Match[str]) -> Invalid:
    code = f"U+{ord(found[0]):04X}"
    return Invalid(
        f"The {what} has {code} at character {found.start() + 1}, which is not allowed; remove it."
    )
