"""What people write: what is let in."""

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

# Emoji whose plain forms are remembered: more than there are.
EMOJI_MAX = 4_096
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
# What is drawn as text unless a variation selector asks for a picture, and its selector.
_text_default = regex.compile(
    r"([[\p{Emoji}]--[\p{Emoji_Presentation}\p{Emoji_Modifier}\p{Regional_Indicator}\U0001F3F4]])"
    r"(?!\p{Emoji_Modifier}|[\U000E0020-\U000E007F])",
    regex.V1,
).sub


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


@lru_cache(EMOJI_MAX)
def plain_emoji(emoji: str) -> str:
    """
    Return the form that stands for all forms of an emoji: Unicode's "fully qualified" one.

    They differ in variation selectors, which change how it is drawn and not what it says.
    Skin tones stay.
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
