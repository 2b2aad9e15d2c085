from __future__ import annotations

import time
from unicodedata import normalize

import apsw
import apsw.fts5
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from hubbub import words as words_module
from hubbub.errors import Invalid
from hubbub.words import (
    SEARCH_CHARS_MAX,
    SEARCH_TERMS_MAX,
    SEARCH_WORDS_MAX,
    WORD_CHARS_MAX,
    matches,
    search_of,
    words,
)

any_text = st.text(alphabet=st.characters(), max_size=40)
# Letters of scripts with and without spaces, marks, compatibility forms and emoji.
mixed = "aA1 é\u0301ßИ\u0306हिन्दी한ﬁ½İ上海东家タワーにｱﾞที่กา😀❤\ufe0f👍🏽\u200d🇳🇱Ｗ،\u200b。"
mixed_text = st.text(mixed, max_size=12)

TOKENIZER = apsw.Connection(":memory:").fts5_tokenizer("unicode61", ["remove_diacritics", "2"])


def sqlite_words(text: str) -> list[str]:
    return TOKENIZER(  # type: ignore[return-value]
        text.encode(),
        apsw.FTS5_TOKENIZE_DOCUMENT,
        None,
        include_offsets=False,
        include_colocated=False,
    )


def found(text: str, wanted: str) -> bool:
    return matches(text, search_of(wanted).wanted)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Hello everyone! 👋", ["hello", "everyone", "👋"]),
        ("don't e-mail x_y", ["don", "t", "e", "mail", "x", "y"]),
        ("café CAFE\u0301 Ấn İstanbul", ["cafe", "cafe", "an", "istanbul"]),
        ("STRASSE Straße ŒUVRE", ["strasse", "strasse", "œuvre"]),
        ("Йти и\u0306ти ити", ["йти", "йти", "ити"]),
        ("ΌΣΟΣ", ["όσοσ"]),
        ("हिन्दी שָׁלוֹם", ["हिन्दी", "שלום"]),
        ("v2.0 ٣ ½", ["v2", "0", "٣", "1", "2"]),
        ("\ue000 a\ud83db", ["\ue000", "a", "b"]),
        ("한국어 \u1112\u1161\u11ab", ["한국어", "한"]),
        ("1️⃣ ❤️ \u0301", ["1\u20e3", "❤"]),
        ("ｆｕｌｌ　ｗｉｄｔｈ", ["full", "width"]),
        ("上海 b上", ["上海", "海", "b", "上"]),
        ("タワー ﾀﾜｰ", ["タワ", "ワー", "ー"] * 2),
        ("😀😀 👍🏽 👩‍💻 🇳🇱🇩🇪", ["😀", "😀", "👍🏽", "👩‍💻", "🇳🇱", "🇩🇪"]),
        ("می\u200cخواهم so\u00adft", ["میخواهم", "soft"]),
        ("‼️⁉", ["❗", "❗", "❓"]),
        ("", []),
    ],
)
def test_the_terms_of_a_text(text: str, terms: list[str]) -> None:
    assert words(text) == terms


# SQLite folds a letter to one letter, knows no letter that is newer than Unicode 6.1,
# takes most combining marks as the end of a word, and folds no compatibility forms;
# about all others they agree.
letters_known_to_sqlite = st.characters(
    min_codepoint=32,
    max_codepoint=0x527,
    exclude_categories=["M", "C", "So"],
    exclude_characters="ßŉǠǡ\u0374\u037f"
    + "".join(c for c in map(chr, range(0x528)) if normalize("NFKC", c) != normalize("NFC", c)),
)


@given(st.text(letters_known_to_sqlite, max_size=60))
def test_words_are_those_of_sqlite(text: str) -> None:
    assert words(text) == sqlite_words(text)


@given(st.text(max_size=20))
def test_terms_are_the_same_for_texts_that_look_the_same(text: str) -> None:
    assert words(normalize("NFD", text)) == words(normalize("NFC", text))


@given(st.text(mixed, max_size=20))
def test_terms_are_the_same_for_compatibility_forms(text: str) -> None:
    assert words(normalize("NFKC", text)) == words(text)


@given(any_text)
def test_terms_are_told_apart_by_spaces(text: str) -> None:
    terms = words(text)

    assert all(terms)
    assert not any(char in term for term in terms for char in ' "·\n')
    assert set(words(" ".join(terms))) >= set(terms)


def test_words_of_endless_marks_take_no_endless_time() -> None:
    assert words("a" + "\u0316\u0301" * 200_000 + "b") == ["ab"]


@pytest.mark.parametrize(
    "text",
    ["上" * 4_000, "b " * 2_000, "\ufdfa" * 4_000, "😀" * 4_000, "é漢" * 2_000, "ที่" * 1_300],
    ids=["run", "words", "ligatures", "emoji", "mixed", "marks"],
)
def test_the_longest_message_is_split_in_milliseconds(text: str) -> None:
    words(text)
    began = time.process_time()
    words(text)

    assert time.process_time() - began < 0.2


def test_what_a_text_grows_to_is_limited() -> None:
    # One of these becomes four words of 18 letters and spaces.
    assert len(words("\ufdfa" * 100_000)) < 100_000
    assert found("\ufdfa" * 100_000, "الله")


def test_the_memory_of_folded_letters_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words_module, "_FOLDED_MAX", 100)
    # Other tests may have filled it.
    words_module._folded.clear()
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 1_000)))

    assert len(words(letters)) == len(letters)
    assert len(words_module._folded) <= 100


# What is found


@pytest.mark.parametrize(
    ("wanted", "is_found"),
    [
        (["hello"], True),
        (["hel"], True),
        (["every", "he"], True),
        (["ello"], False),
        (["hello", "bye"], False),
        (["hellos"], False),
        ([], True),
    ],
)
def test_a_text_matches_if_each_wanted_word_begins_one_of_its_words(
    wanted: list[str], is_found: bool
) -> None:
    assert matches("Héllo everyone", wanted) == is_found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("我家在上海东边。", "上海"),
        ("我家在上海东边。", "海"),
        ("我家在上海东边。", "边"),
        ("我家在上海东边。", "上海东边"),
        ("東京タワーに行く", "タワー"),
        ("東京タワーに行く", "ﾀﾜｰ"),
        ("ฉันอยู่ที่บ้าน", "บ้าน"),
        ("ខ្ញុំស្រលាញ់អ្នក", "ស្រលាញ់"),
        ("iPhone15手机壳", "手机"),
        ("iPhone15手机壳", "iphone"),
        ("हिन्दी भाषा", "हिन्दी"),
        ("ｈｅｌｌｏ", "hello"),
        ("hello", "ＨＥＬ"),
        ("so 😀!", "😀"),
        ("so😀😀", "😀"),
        ("ok 👍🏽", "👍"),
        ("I ❤️ it", "❤"),
        ("I ❤ it", "❤️"),
        ("👩‍💻", "👩‍💻"),
        ("한국어를 배워요", "한국어"),
        ("שָׁלוֹם", "שלום"),
        ("ﷺ", "الله"),
        ("№ ⅷ ㎏", "kg"),
    ],
)
def test_it_is_found(text: str, wanted: str) -> None:
    assert found(text, wanted)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("我家在上海东边。", "海上"),
        ("上山 出海", "上海"),
        ("上海 海东", "上海东"),
        ("हिन्दी", "हनद"),
        ("कल", "काल"),
        ("ที่", "ทา"),
        ("มา", "ม้า"),
        ("かき", "がき"),
        ("shanghai", "hai"),
        ("👍🏽", "👍🏿"),
        ("😀", "😃"),
        ("йти", "ити"),
    ],
)
def test_other_words_are_not_found(text: str, wanted: str) -> None:
    assert not found(text, wanted)


def test_every_emoji_can_be_searched_for() -> None:
    shown = regex.compile(r"[\p{Emoji_Presentation}--[\p{RI}]]", regex.V1)
    emoji = [char for char in map(chr, range(0x110000)) if shown.match(char)]

    assert len(emoji) > 1_000
    assert all(found(f"so {char}\ufe0f!", char) for char in emoji)


@given(mixed_text)
def test_a_text_matches_its_own_terms(text: str) -> None:
    assert matches(text, words(text))


@given(mixed_text, mixed_text)
def test_a_text_that_matches_has_the_terms_that_the_index_is_asked_for(
    text: str, wanted: str
) -> None:
    try:
        search = search_of(wanted)
    except Invalid:
        return

    if matches(text, search.wanted):
        terms = words(text)
        assert all(any(term.startswith(start) for term in terms) for start in search.terms)


# By hand: what a word is, and what is found, for letters that fold to themselves.
@given(st.text("ab 上海ก", max_size=10), st.text("ab 上海ก", min_size=1, max_size=5))
def test_words_begin_and_runs_are_anywhere(text: str, wanted: str) -> None:
    def parts(text: str) -> list[str]:
        spaced = "".join(f" {c} " if c in "上海ก" else c for c in text)
        joined, last = list[str](), ""
        for at, part in enumerate(spaced.split()):
            # Two neighbours of a run have nothing between them in the text.
            if part in "上海ก" and at and last in "上海ก" and adjoining(text, at):
                joined[-1] += part
            else:
                joined.append(part)
            last = part
        return joined

    def adjoining(text: str, at: int) -> bool:
        seen = regex.findall("[ab]+|[上海ก]| +", text)
        pieces = [n for n, piece in enumerate(seen) if not piece.isspace()]
        return bool(pieces[at] == pieces[at - 1] + 1)

    if not parts(wanted):
        return
    expected = all(
        any(part in one if part[0] in "上海ก" else one.startswith(part) for one in parts(text))
        for part in parts(wanted)
    )
    assert found(text, wanted) == expected


# What may be searched for


@pytest.mark.parametrize("wanted", ["", " … ", "\u200b", "\u0301", '"*:-'])
def test_a_search_has_a_word(wanted: str) -> None:
    with pytest.raises(Invalid, match="at least one word"):
        search_of(wanted)


@pytest.mark.parametrize("wanted", [None, 1, b"a", ["a"]])
def test_a_search_is_for_a_string(wanted: object) -> None:
    with pytest.raises(Invalid, match="must be a string"):
        search_of(wanted)


@pytest.mark.parametrize("wanted", ["a" * 64_000, "a\u0301" * 101, "\ufdfa" * 5_000])
def test_a_search_has_a_length(wanted: str) -> None:
    with pytest.raises(Invalid, match=f"shorten it to {SEARCH_CHARS_MAX}"):
        search_of(wanted)


def test_a_search_has_so_many_different_words() -> None:
    most = " ".join(f"w{n}" for n in range(SEARCH_WORDS_MAX))

    assert search_of(f"{most} w1 w2").wanted == tuple(most.split())
    with pytest.raises(Invalid, match=f"{SEARCH_WORDS_MAX + 1} different words"):
        search_of(f"{most} more")


@given(st.text(max_size=SEARCH_CHARS_MAX))
def test_the_index_is_asked_for_so_many_terms(wanted: str) -> None:
    try:
        search = search_of(wanted)
    except Invalid:
        return

    assert 0 < len(search.terms) <= SEARCH_TERMS_MAX
    assert all(len(term) <= WORD_CHARS_MAX for term in search.terms)


def test_a_long_run_is_found_whole_though_the_index_is_asked_for_a_part() -> None:
    run = "".join(map(chr, range(0x4E00, 0x4E00 + 100)))

    assert found(f"a{run}b", run)
    assert not found(run[:-1], run)
