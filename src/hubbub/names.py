"""
Names of people: which characters a name can have, and which names look alike. Pure.

Two names look alike if their skeletons are equal: Unicode Technical Standard 39, section 4.
"""

from __future__ import annotations

from functools import cache
from unicodedata import name as unicode_name
from unicodedata import normalize

import msgspec
import regex

from .errors import Invalid
from .text import check_name

__all__ = ["MARKS_MAX", "check_person_name", "name_key", "read_names_ahead", "skeletons"]

# Accents on one letter: Hebrew and Tibetan use up to four, and more only hide other text.
MARKS_MAX = 4

_INVISIBLE = r"[\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]"
_JOINED = r"\p{Arab}\p{Syrc}\p{Mong}\p{Deva}\p{Beng}\p{Guru}\p{Gujr}\p{Orya}\p{Taml}"
_JOINED += r"\p{Telu}\p{Knda}\p{Mlym}\p{Sinh}\p{Khmr}\p{Tibt}"
# Invisible characters that have a meaning: in an emoji, and between letters that they join.
_MEANT = rf"""(?:
    (?<=\p{{Extended_Pictographic}}) [\uFE0E\uFE0F]
    | (?<=[0-9\#*]) \uFE0F (?=\u20E3)
    | (?<=[\p{{Extended_Pictographic}}\p{{Emoji_Modifier}}\uFE0F]) \u200D
      (?=\p{{Extended_Pictographic}})
    | (?<=[{_JOINED}]) [\u200C\u200D] (?=[{_JOINED}])
    | (?<=\U0001F3F4) [\U000E0061-\U000E007A\U000E0030-\U000E0039]{{3,6}} \U000E007F
)"""


class _Char(msgspec.Struct):
    c: str


_table = msgspec.json.Decoder(dict[str, list[_Char]]).decode

_FLAGS = regex.V1 | regex.VERBOSE
_without_meant = regex.compile(_MEANT, _FLAGS).sub
_invisible = regex.compile(_INVISIBLE, regex.V1).search
# A second dot above a letter is invisible too.
_SECOND_DOT = r"(?<=[\p{Soft_Dotted}\u0131\u0237]\p{M}*)\u0307"
_strip_invisible = regex.compile(rf"{_INVISIBLE}|\s|{_SECOND_DOT}", regex.V1).sub
_too_many_marks = regex.compile(rf"\p{{M}}{{{MARKS_MAX + 1}}}").search


def check_person_name(name: object, chars_max: int, what: str) -> str:
    """
    Return the name of a user or an account in normal form: NFC, with plain single spaces.

    Args:
        name: the name to check.
        chars_max: its greatest length in Unicode code points.
        what: what the name is of, for the error message, like "nickname".

    Raises:
        Invalid: it is not a name (see :func:`hubbub.text.check_name`), has invisible
            characters, or has more than ``MARKS_MAX`` accents on one letter.
    """
    checked = " ".join(check_name(name, chars_max, what).split())
    if found := _invisible(_without_meant("", checked)):
        raise Invalid(f"The {what} has the invisible character U+{ord(found[0]):04X}; remove it.")
    if _too_many_marks(normalize("NFD", checked)):
        raise Invalid(f"The {what} has more than {MARKS_MAX} accents on one letter; remove some.")
    return checked


def name_key(name: str) -> str:
    """Return a key that is equal for names that differ only in case, width or form."""
    return normalize("NFKC", normalize("NFKC", name).casefold())


def skeletons(name: str) -> tuple[str, ...]:
    """
    Return the two to four skeletons of a name; names that share a skeleton look alike.

    They are the skeletons of the name in small letters ("ALICE" looks like "alice"), as it is
    written ("PaypaI", with a capital I, looks like "PayPal"), in capitals ("AL1CE"), and of its
    original characters: some look like another letter than the one they stand for, like a long s.
    """
    plain = normalize("NFKC", name)
    found = [
        _skeleton(plain.casefold()).casefold(),
        _skeleton(plain).casefold(),
        _skeleton(plain.upper()),
    ]
    if not name.isascii():
        found.append(_alike(_shown(name)).casefold())
    return tuple(dict.fromkeys(normalize("NFC", one) for one in found))


def read_names_ahead() -> None:
    """Load the table of look-alike characters; call it in a worker thread."""
    _prototypes()


def _skeleton(text: str) -> str:
    return _alike("".join(map(_plain, _shown(text))))


def _shown(text: str) -> str:
    return _strip_invisible("", normalize("NFD", text))


def _alike(shown: str) -> str:
    return normalize("NFKC", "".join([_prototypes().get(char, char) for char in shown]))


def _plain(char: str) -> str:
    if char.isascii():
        return char
    # It looks like a small "R" or "T", but the table does not have it.
    letter = unicode_name(char, "").removeprefix("LATIN LETTER SMALL CAPITAL ")
    return letter if len(letter) == 1 else char


@cache
def _prototypes() -> dict[str, str]:
    """Return the character that stands for each look-alike character."""
    from importlib.resources import files  # noqa: PLC0415  # keeps `import hubbub` fast

    try:
        table = files("confusable_homoglyphs").joinpath("confusables.json").read_bytes()
    except ModuleNotFoundError:
        # The table comes with the server extra, which strangers need to sign in.
        return {}
    groups: dict[str, set[str]] = {}
    for char, others in _table(table).items():
        members = {_bare(char), *(_bare(other.c) for other in others)}
        for member in tuple(members):
            members |= groups.get(member, set())
        groups.update(dict.fromkeys(members, members))
    return {
        char: prototype
        for group in {id(group): group for group in groups.values()}.values()
        for prototype in [min(group, key=_order)]
        for char in group
        if len(char) == 1
    }


def _bare(char: str) -> str:
    # The table has direction marks around right-to-left text.
    return char.strip("\u200e") or char


def _order(char: str) -> tuple[bool, bool, bool, bool, str]:
    # Prefer single characters as prototypes over sequences, and then plain letters.
    return len(char) == 1, not char.isascii(), not char.isalpha(), not char.islower(), char
