from __future__ import annotations

from unicodedata import category, normalize

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Invalid
from hubbub.text import (
    EMOJI_CHARS_MAX,
    EMOJI_MAX,
    check_emoji,
    check_name,
    check_text,
    is_blank,
    plain_emoji,
)

any_text = st.text(alphabet=st.characters(), max_size=40)

EMOJI = [
    *["👍", "😊", "🤣", "👤", "🫩", "⌚", "©️", "™️"],
    *["❤️", "❤", "☎", "♾️"],  # with and without the variation selector
    *["👍🏽", "✌🏿", "☝🏻"],
    *["👨‍👩‍👧‍👦", "👩‍💻", "🧑🏽‍🚀", "🕵️‍♂️", "🏃🏽‍♀️‍➡️", "🏳️‍🌈", "🏴‍☠️", "❤️‍🔥", "👁️‍🗨️", "🧑🏻‍❤️‍💋‍🧑🏼"],
    *["🇳🇱", "🇺🇳", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"],
    *["1️⃣", "#️⃣", "*⃣"],
]

NOT_EMOJI = [
    *["", " ", "a", "1", "#", "1\ufe0f", "é", "♔", "hello", ":)"],
    *["👍👍", "👍 ", " 👍", "👍\n", "👍a", "❤️❤️", "🇳🇱🇩🇪"],
    *["🇳", "🇳🇱🇩", "\u200d", "👍\u200d", "\u200d👍", "\ufe0f", "🏽", "🚗🏽", "\u20e3"],
    *[
        "❤\ufe0e",
        "👍\ufe0f\ufe0f",
        "👨‍‍👩",
        "🏴\U000e0067",
        "🏴\U000e007f",
        "👍\U000e0067\U000e007f",
    ],
    "👨" + "\u200d👨" * EMOJI_CHARS_MAX,
    *[None, 1, b"\xf0\x9f\x91\x8d", ["👍"]],
]


def reason(error: pytest.ExceptionInfo[Invalid]) -> str:
    return error.value.message


@pytest.mark.parametrize(
    "text", ["hi", " a ", "1\n2\tx", "👋🏽", "\U000f0000", "é" * 100, "\u202eabc"]
)
def test_a_text_is_returned_unchanged(text: str) -> None:
    assert check_text(text, 100) is text


def test_a_text_is_too_long_by_one_character() -> None:
    with pytest.raises(Invalid) as error:
        check_text("👍" * 101, 100)
    assert reason(error) == "The text has 101 characters; shorten it to 100 or fewer."


BLANK = {
    "nothing": "",
    "spaces": " \n\t\u3000\u00a0\u1680",
    "zero width": "\u200b\u200c\u200d\u2060\ufeff",
    "bidi controls": "\u200e\u200f\u061c\u202a\u202e\u202c\u2066\u2069",
    "Hangul fillers": "\u115f\u1160\u3164\uffa0",
    "blank Braille": "\u2800",
    "tags": "\U000e0001\U000e0041\U000e007f",
    "variation selectors": "\ufe0e\ufe0f\U000e0100",
    "marks alone": "\u0301 \u20e3 \u0e31",
    "soft hyphens and joiners": "\u00ad\u034f\u180e\u2064",
    "musical and Egyptian blanks": "\U0001d159\U00013441\U00013442",
    "annotations": "\ufff9\ufffa\ufffb",
}


@pytest.mark.parametrize("text", BLANK.values(), ids=BLANK)
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as error:
        check_text(text, 100)
    assert reason(error) == "The text is empty; write something."


@pytest.mark.parametrize(
    ("char", "code"),
    [
        *[("\0", "U+0000"), ("\r", "U+000D"), ("\x1b", "U+001B"), ("\x7f", "U+007F")],
        *[("\x85", "U+0085"), ("\ud83d", "U+D83D"), ("\udfff", "U+DFFF")],
    ],
)
def test_a_refusal_names_the_character_and_its_place(char: str, code: str) -> None:
    with pytest.raises(Invalid) as error:
        check_text(f"one\n{char}", 100)
    assert reason(error) == f"The text has {code} at character 5, which is not allowed; remove it."


@pytest.mark.parametrize(("given_", "type_"), [(None, "NoneType"), (1, "int"), (b"hi", "bytes")])
def test_a_text_must_be_a_string(given_: object, type_: str) -> None:
    with pytest.raises(Invalid) as error:
        check_text(given_, 100)
    assert reason(error) == f"The text must be a string, not {type_}."


@pytest.mark.parametrize(
    "text", ["a", "\u200b.", "e\u0301", "\u202e5", "👍", "한", "\U000f0000", "\u3164ª"]
)
def test_what_shows_something_is_not_blank(text: str) -> None:
    assert not is_blank(text)


def test_an_emoji_that_is_newer_than_our_unicode_is_not_blank() -> None:
    reserved = "\U0001faff"

    assert category(reserved) == "Cn"
    assert not is_blank(reserved)


# A letter, digit, punctuation mark or symbol is seen: all categories but these. It is written
# down here a second time, without the properties that the implementation asks for.
shows_nothing = st.characters(categories=["Zs", "Zl", "Zp", "Cf", "Mn", "Me", "Mc"])
shows_something = st.characters(
    categories=["Lu", "Ll", "Lt", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sc"]
)


@given(st.text(shows_nothing, max_size=8))
def test_spaces_formats_and_marks_are_blank_however_many_there_are(text: str) -> None:
    assert is_blank(text)


@given(st.text(shows_nothing, max_size=5), shows_something, st.text(shows_nothing, max_size=5))
def test_a_text_with_something_to_be_seen_is_never_blank(
    before: str, seen: str, after: str
) -> None:
    assert not is_blank(before + seen + after)


@given(st.one_of(any_text, st.text(st.characters(categories=["Cc", "Cs", "Zs"]), max_size=3)))
def test_a_text_passes_exactly_if_all_of_it_may_be_sent(text: str) -> None:
    allowed = all(char in "\n\t" or category(char) not in ("Cc", "Cs") for char in text)
    try:
        passed = check_text(text, 30) == text
    except Invalid:
        passed = False

    assert passed == (allowed and len(text) <= 30 and not is_blank(text))


def test_a_name_is_stripped_and_composed() -> None:
    assert check_name("  Zoe\u0301 \n", 100) == "Zo\u00e9"


def test_the_length_of_a_name_is_that_of_its_normal_form() -> None:
    decomposed = "\u1112\u1161\u11ab" * 4

    assert check_name(f" {decomposed} ", 4) == "한" * 4
    with pytest.raises(Invalid) as error:
        check_name(decomposed, 3)
    assert reason(error) == "The name has 4 characters; shorten it to 3 or fewer."


def test_a_very_long_name_is_refused_at_once() -> None:
    with pytest.raises(Invalid, match="100 or fewer"):
        check_name("a" + "\u0316\u0301" * 1_000_000, 100)


@pytest.mark.parametrize(
    "name", ["", "  ", "\n", "\u200b", "\u200d\ufe0f", "\u2800", "\u3164", "\u0301"]
)
def test_a_name_has_something_to_be_seen(name: str) -> None:
    with pytest.raises(Invalid) as error:
        check_name(name, 100, "room name")
    assert reason(error) == ("The room name is empty; use at least one letter, digit or symbol.")


@pytest.mark.parametrize("char", "\0\t\n\r\x0b\x1c\x85\u2028\u2029\u202a\u202e\u2066\u2069\ud83d")
def test_a_name_is_one_line_in_one_direction(char: str) -> None:
    with pytest.raises(Invalid) as error:
        check_name(f"a{char}b", 100, "nickname")
    assert f"The nickname has U+{ord(char):04X} at character 2" in reason(error)


@pytest.mark.parametrize(
    "name", ["Python Chat", "12", "?", "👩‍💻 room", "נועה", "می‌خواهم", "हिन्दी"]
)
def test_names_of_many_languages_are_let_in(name: str) -> None:
    assert check_name(name, 100) == normalize("NFC", name)


def test_a_name_must_be_a_string() -> None:
    with pytest.raises(Invalid) as error:
        check_name(None, 100, "nickname")
    assert reason(error) == "The nickname must be a string, not NoneType."


@given(any_text)
def test_a_checked_name_passes_again_unchanged(name: str) -> None:
    try:
        checked = check_name(name, 30)
    except Invalid:
        return

    assert check_name(checked, 30) == checked


@pytest.mark.parametrize("emoji", EMOJI)
def test_an_emoji_is_returned_unchanged(emoji: str) -> None:
    assert check_emoji(emoji) is emoji


@pytest.mark.parametrize("emoji", NOT_EMOJI)
def test_what_is_not_exactly_one_emoji_is_refused(emoji: object) -> None:
    with pytest.raises(Invalid, match="exactly one emoji"):
        check_emoji(emoji)


@given(st.lists(st.sampled_from([*"".join(EMOJI), "1", "a", "🚗"]), max_size=8).map("".join))
def test_an_emoji_is_one_grapheme(emoji: str) -> None:
    try:
        check_emoji(emoji)
    except Invalid:
        return

    assert regex.fullmatch(r"\X", emoji)
    assert not emoji.isascii()


def test_every_character_that_is_shown_as_an_emoji_is_one() -> None:
    shown = regex.compile(r"[\p{Emoji_Presentation}--[\p{RI}\p{Emoji_Modifier}]]", regex.V1)
    emoji = [char for char in map(chr, range(0x110000)) if shown.match(char)]

    assert len(emoji) > 1_000
    assert [check_emoji(char) for char in emoji] == emoji


FORMS = [
    ("👍", "👍\ufe0f"),
    ("❤\ufe0f", "❤"),
    ("🏳\ufe0f\u200d🌈", "🏳\u200d🌈"),
    ("👁\ufe0f\u200d🗨\ufe0f", "👁\u200d🗨"),
    ("🕵🏽\u200d♂\ufe0f", "🕵🏽\u200d♂"),
    ("1\ufe0f\u20e3", "1\u20e3"),
]


@pytest.mark.parametrize(("plain", "other"), FORMS)
def test_an_emoji_is_the_same_with_and_without_variation_selectors(plain: str, other: str) -> None:
    assert plain_emoji(plain) == plain_emoji(other) == plain
    assert plain_emoji(plain.replace("\ufe0f", "\ufe0e")) == plain


@pytest.mark.parametrize("emoji", EMOJI)
def test_the_plain_form_of_an_emoji_is_an_emoji_and_stays(emoji: str) -> None:
    plain = plain_emoji(emoji)

    assert check_emoji(plain) == plain_emoji(plain) == plain
    assert plain.replace("\ufe0f", "") == emoji.replace("\ufe0f", "")


def test_skin_tones_tell_emoji_apart() -> None:
    assert len({plain_emoji(f"👍{tone}") for tone in ("", "🏻", "🏼", "🏽", "🏾", "🏿")}) == 6


def test_every_emoji_has_one_plain_form_whatever_its_selectors() -> None:
    single = regex.compile(r"[\p{Emoji}&&\p{Extended_Pictographic}]", regex.V1)
    emoji = [char for char in map(chr, range(0x110000)) if single.match(char)]

    assert len(emoji) > 1_000
    for char in emoji:
        assert plain_emoji(char) == plain_emoji(char + "\ufe0f")
        check_emoji(plain_emoji(char))


def test_the_memory_of_plain_forms_is_bounded() -> None:
    assert plain_emoji.cache_info().maxsize == EMOJI_MAX
