"""Names and mailboxes: real names are accepted, and other spellings are the same signer."""

import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from petitions.domain import identity
from petitions.domain.identity import (
    Refused,
    clean_birth_date,
    clean_email,
    clean_name,
    mailbox,
    mailbox_loosely,
    same_name_key,
)
from petitions.web.forms.words import REFUSALS
from tests.support.data import lines_of

GOOD = lines_of("good_names.txt")
BAD = [line.split("\t") for line in lines_of("bad_names.txt")]
TODAY = date(2026, 12, 10)


def unescaped(text: str) -> str:
    """What Python's escapes stand for; everything else as it is."""
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape")


def cleaned(clean: Callable[..., Any], *typed: Any) -> Any:
    """The clean value, or None if it is refused for a reason that has words."""
    try:
        return clean(*typed)
    except Refused as exc:
        return None if exc.code in REFUSALS else exc.code


def test_the_lists_are_long_enough_to_mean_something() -> None:
    assert len(set(GOOD)) == len(GOOD) >= 150
    assert len({name for _, name in BAD}) == len(BAD) >= 150
    scripts = {unicodedata.name(char).split()[0] for name in GOOD for char in name if char.isalpha()}
    assert {"LATIN", "CYRILLIC", "ARABIC", "HANGUL", "CJK", "GREEK", "HEBREW", "DEVANAGARI", "ETHIOPIC"} <= scripts
    assert {"GEORGIAN", "ARMENIAN", "THAI", "KHMER", "MYANMAR", "TAMIL", "SINHALA", "BENGALI", "TIBETAN"} <= scripts
    assert {code for code, _ in BAD} == {code for code in REFUSALS if code.startswith("name_")} - {"name_missing"}


@pytest.mark.parametrize("name", GOOD)
def test_a_real_name_is_taken_as_it_is(name: str) -> None:
    assert clean_name(name) == name
    assert clean_name(f"  {name}\u3000") == name


@pytest.mark.parametrize("name", GOOD)
def test_a_name_typed_in_parts_is_kept_composed(name: str) -> None:
    assert clean_name(unicodedata.normalize("NFD", name)) == unicodedata.normalize("NFC", name) == name


@pytest.mark.parametrize(("code", "name"), BAD)
def test_what_is_no_name_is_refused_for_a_reason(code: str, name: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(unescaped(name))
    assert refused.value.code == code


@pytest.mark.parametrize("blank", ["", " ", "\u3000 \u00a0", "\t\n"])
def test_an_empty_name_stays_empty(blank: str) -> None:
    assert clean_name(blank) == ""


def test_a_name_may_have_a_hundred_characters_and_no_more() -> None:
    assert clean_name("é" * 100) == "é" * 100
    assert clean_name("e\u0301" * 100) == "é" * 100, "counted as people count"
    for long in ("a" * 101, "a" * 10_000):
        with pytest.raises(Refused) as refused:
            clean_name(long)
        assert refused.value.code == "name_too_long"


@given(st.text())
def test_whatever_is_typed_is_refused_or_kept_for_good(typed: str) -> None:
    kept = cleaned(clean_name, typed)
    if kept is None:
        return
    assert clean_name(kept) == kept
    assert len(kept) <= identity.LONGEST_NAME
    assert not {unicodedata.category(char) for char in kept} & {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not set(kept) & set('\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff<>"')


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Ann", "O’Connor"), ("ANN", "o’connor")),
        (("Ann", "O’Connor"), ("Ann O’Connor", "")),
        (("Ann", "O’Connor"), (" Ann ", "  O’Connor ")),
        (("Ann", "van der Berg"), ("Ann van", "der  Berg")),
        (("Jürgen", "Groß"), ("Ju\u0308rgen", "GROSS")),
        (("می\u200cخواهم", ""), ("میخواهم", "")),
        (("ｽｽﾞｷ", ""), ("スズキ", "")),
    ],
)
def test_spellings_of_one_name_have_one_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert same_name_key(*one) == same_name_key(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Ann", "Lee"), ("Anna", "Lee")),
        (("Ann", "Lee"), ("Lee", "Ann")),
        (("Müller", ""), ("Muller", "")),
        (("李", ""), ("王", "")),
    ],
)
def test_different_names_have_different_keys(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert same_name_key(*one) != same_name_key(*other)


@pytest.mark.parametrize(
    "typed",
    [
        "ann@example.org",
        "Ann.O'Connor+petition@Example.ORG",
        "a@b.lu",
        "x_y-z@sub.sub.example.co.uk",
        "jürgen@bücher.example.org",
        "用户@例子.中国",
        "δοκιμή@παράδειγμα.ευ",
        "a" * 64 + "@example.org",
        "ann@xn--bcher-kva.example.org",
    ],
)
def test_a_good_address_is_kept_as_it_was_typed(typed: str) -> None:
    assert clean_email(typed) == typed
    assert clean_email(f"  {typed}\n") == typed


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ann",
        "ann@",
        "@example.org",
        "ann@example",
        "ann@@example.org",
        "ann@exa mple.org",
        "ann @example.org",
        "ann@example..org",
        "ann@.example.org",
        "ann@-example.org",
        ".ann@example.org",
        "ann.@example.org",
        "a..nn@example.org",
        "ann@example.org, eve@example.org",
        "ann@example.org;eve@example.org",
        "Ann <ann@example.org>",
        '"ann eve"@example.org',
        "ann@[127.0.0.1]",
        "ann@[IPv6:::1]",
        "ann@127.0.0.1",
        "ann@localhost",
        "ann@example.test",
        "ann@example.invalid",
        "ann@example.org\r\nBcc: eve@example.org",
        "ann\n@example.org",
        "ann\u0000@example.org",
        "ann\ud800@example.org",
        "ann@\ud800.org",
        "ann\u202e@example.org",
        "ann\u200b@example.org",
        "ann@" + "a" * 64 + ".org",
        "ann@" + "a." * 125 + "org",
        "a" * 10_000,
        "ann@" + "xn--" * 10 + ".org",
        "javascript:alert(1)@example.org",
    ],
)
def test_a_wrong_address_is_refused(typed: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_email(typed)
    assert refused.value.code == "email_wrong"


def test_demo_addresses_are_for_the_demo_only() -> None:
    assert clean_email("ann@demo.test", is_demo=True) == "ann@demo.test"
    with pytest.raises(Refused):
        clean_email("ann@demo.test")


@given(st.one_of(st.text(), st.text().map(lambda text: f"{text}@example.org"), st.text().map(lambda text: f"a@{text}")))
def test_no_text_makes_the_address_check_fail(typed: str) -> None:
    email = cleaned(clean_email, typed)
    assert email is None or mailbox(email) == mailbox(mailbox(email))


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("ann@example.org", "ann@example.org"),
        (" ANN@Example.ORG ", "ann@example.org"),
        ("ann+petition@example.org", "ann@example.org"),
        ("ann+a+b@example.org", "ann@example.org"),
        ("+ann@example.org", "+ann@example.org"),
        ("a.nn@example.org", "a.nn@example.org"),
        ("a.n.n+x@gmail.com", "ann@gmail.com"),
        ("Ann@GoogleMail.com", "ann@gmail.com"),
        ("ann@bücher.example.org", "ann@xn--bcher-kva.example.org"),
        ("ann@xn--bcher-kva.example.org", "ann@xn--bcher-kva.example.org"),
        ("JÜRGEN@example.org", "jürgen@example.org"),
        ("ju\u0308rgen@example.org", "jürgen@example.org"),
    ],
)
def test_all_spellings_of_a_mailbox_have_one_key(typed: str, key: str) -> None:
    assert mailbox(typed) == key


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("a.n.n+x@example.org", "a.n.n@example.org"),
        ("ann@example.org", "ann@example.org"),
        ("a.n.n+x@gmail.com", "ann@gmail.com"),
        ("a.nn@proton.me", "ann@proton.me"),
    ],
)
def test_for_limits_dots_do_not_matter_where_they_are_known_to_change_nothing(typed: str, key: str) -> None:
    assert mailbox_loosely(typed) == key


def test_for_limits_both_names_of_google_are_one() -> None:
    assert mailbox_loosely("a.nn@googlemail.com") == mailbox_loosely("ann@gmail.com")


@pytest.mark.parametrize(
    "typed",
    [
        *("27/3/1985", "27.3.1985", "27-03-1985", " 27 / 03 / 1985 ", "27 3 1985", "27．3．1985"),
        *("1985-03-27", "1985/3/27", "٢٧/٣/١٩٨٥"),
    ],
)
def test_a_birth_date_may_be_written_in_many_ways(typed: str) -> None:
    assert clean_birth_date(typed, TODAY) == date(1985, 3, 27)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "date_wrong"),
        ("yesterday", "date_wrong"),
        ("1985", "date_wrong"),
        ("3/1985", "date_wrong"),
        ("27/3/1985/1", "date_wrong"),
        ("31/2/1985", "date_wrong"),
        ("29/2/1985", "date_wrong"),
        ("27/13/1985", "date_wrong"),
        ("0/0/0", "date_wrong"),
        ("27/3/19850", "date_wrong"),
        ("1/1/99999999999999999999", "date_wrong"),
        ("-27/3/1985", "date_wrong"),
        ("27 March 1985", "date_wrong"),
        ("11/12/2026", "date_in_future"),
        ("1/1/9999", "date_in_future"),
        ("27/3/85", "date_too_old"),
        ("1/1/1905", "date_too_old"),
    ],
)
def test_an_impossible_birth_date_is_refused_for_a_reason(typed: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_birth_date(typed, TODAY)
    assert refused.value.code == code


def test_birth_dates_from_today_to_a_hundred_and_twenty_years_ago_are_accepted() -> None:
    assert clean_birth_date("10/12/2026", TODAY) == TODAY
    assert clean_birth_date("29/2/2024", TODAY) == date(2024, 2, 29)
    assert clean_birth_date("1/1/1906", TODAY) == date(1906, 1, 1)


@given(st.one_of(st.text(), st.from_regex(r"\d{1,5}\D\d{1,3}\D\d{1,5}", fullmatch=True)))
def test_no_text_makes_the_date_check_fail(typed: str) -> None:
    born = cleaned(clean_birth_date, typed, TODAY)
    assert born is None or date(1906, 1, 1) <= born <= TODAY


def test_every_refusal_has_words() -> None:
    codes = {code for code, _ in BAD} | {"name_too_long", "email_wrong", "date_wrong", "date_in_future", "date_too_old"}
    assert codes <= REFUSALS.keys()
