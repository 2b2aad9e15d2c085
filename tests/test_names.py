"""Names of people."""

from __future__ import annotations

import json
import string
from importlib.resources import files
from unicodedata import category, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Invalid
from hubbub.names import MARKS_MAX, check_person_name, name_key, read_names_ahead, skeletons

INVISIBLE = [
    "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2060", "\u00ad", "\u034f", "\u061c",
    "\u115f", "\u180e", "\u2800", "\u3164", "\ufe0f", "\ufeff", "\uffa0", "\U000e0072",
]  # fmt: skip


def alike(one: str, other: str) -> bool:
    return not set(skeletons(one)).isdisjoint(skeletons(other))


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("root", "r\u043e\u043et"),  # Cyrillic
        ("root", "\uff32\uff4f\uff4f\uff54"),  # full width
        ("root", "r00t"),
        ("root", "ro\u200bot"),
        ("root", "ro\u2009ot"),
        ("root", "\u0280\u1d0f\u1d0f\u1d1b"),  # small capitals
        ("root", "\U0001d4fb\U0001d4f8\U0001d4f8\U0001d4fd"),  # mathematical
        ("existing", "exist\u0131ng"),  # no dot
        ("existing", "exi\u0455ting"),
        ("PayPal", "paypa1"),
        ("PayPal", "PaypaI"),
        ("mary", "rnary"),
        ("ALICE", "alice"),
        ("Alice", "AL1CE"),
        ("alice", "ali\u03f2e"),  # a Greek sigma that looks like a "c"
        ("alfred", "al\u017fred"),  # a long "s"
        ("existing", "exi\u0307sting"),  # a second dot
        ("existing", "exist\u0131\u0307ng"),
    ],
)
def test_names_that_look_alike_share_a_skeleton(name: str, other: str) -> None:
    assert alike(name, other)


@pytest.mark.parametrize(
    ("name", "other"),
    [("Neil", "Nell"), ("ann", "anna"), ("José", "Jose"), ("李", "王"), ("Иван", "Ivan")],
)
def test_names_that_differ_do_not(name: str, other: str) -> None:
    assert not alike(name, other)


def test_a_letter_looks_like_all_those_that_the_table_says() -> None:
    table = json.loads(files("confusable_homoglyphs").joinpath("confusables.json").read_bytes())
    pairs = [
        (letter, other["c"].strip("\u200e"))
        for letter in string.ascii_letters + string.digits
        for other in table.get(letter, ())
    ]
    unlike = [pair for pair in pairs if not alike(f"q{pair[0]}z", f"q{pair[1]}z")]

    assert len(pairs) > 1_000
    assert unlike == []


@given(st.text(max_size=20))
def test_a_name_looks_like_itself_in_every_form(name: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert alike(name, normalize(form, name))


@given(st.text(min_size=1, max_size=10), st.sampled_from(INVISIBLE), st.integers(0, 10))
def test_what_nobody_can_see_makes_no_difference(name: str, char: str, place: int) -> None:
    if category(name[min(place, len(name) - 1)])[0] != "M":
        assert alike(name, name[:place] + char + name[place:])


@pytest.mark.parametrize("char", INVISIBLE)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_what_nobody_can_see_is_refused_in_a_name(char: str, place: int) -> None:
    with pytest.raises(Invalid, match=r"invisible|not allowed|empty"):
        check_person_name("root"[:place] + char + "root"[place:], 100, "nickname")


@pytest.mark.parametrize("char", ["\u202e", "\u2066", "\u2029", "\n", "\x00", "\ud800"])
def test_what_turns_or_breaks_a_line_is_refused(char: str) -> None:
    with pytest.raises(Invalid):
        check_person_name(f"ro{char}ot", 100, "nickname")


@pytest.mark.parametrize(
    "name",
    [
        "Zoë",
        "李小龙",
        "محمد",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "क्\u200dष",
        "❤️",
        "👩\u200d💻 Ann",
        "1\ufe0f\u20e3",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "שָׁלוֹם",
    ],
)
def test_names_of_all_scripts_and_emoji_are_kept(name: str) -> None:
    assert check_person_name(name, 100, "nickname") == normalize("NFC", name)


def test_a_name_that_shows_nothing_is_empty() -> None:
    for name in ("", " ", "\u200b", "\u3164\u2800"):
        with pytest.raises(Invalid, match="empty"):
            check_person_name(name, 100, "nickname")


def test_a_few_accents_are_fine_and_many_are_not() -> None:
    check_person_name("x" + "\u0301" * MARKS_MAX, 100, "nickname")

    with pytest.raises(Invalid, match="accents"):
        check_person_name("x" + "\u0301" * (MARKS_MAX + 1), 100, "nickname")


def test_spaces_are_plain_and_single() -> None:
    assert check_person_name(" Ann\u00a0\u2003 Lee ", 100, "nickname") == "Ann Lee"


def test_the_key_of_a_name_is_that_of_its_other_forms() -> None:
    names = ("Fin", "fin", "\ufb01n", "\uff26\uff29\uff2e")

    assert len({name_key(name) for name in names}) == 1


def test_the_table_is_read_once() -> None:
    read_names_ahead()

    assert skeletons("m") == ("rn", "M")
