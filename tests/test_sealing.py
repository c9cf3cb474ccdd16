"""Sealing: only the right key opens, lengths and links tell nothing."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrage import decrypt, x25519

from petitions import sealing
from petitions.sealing import (
    PAD_TO,
    CannotOpen,
    blind_index,
    is_link_token,
    is_public_key,
    link_token,
    new_identity,
    new_key,
    public_of,
    seal,
    short_code,
    token_number,
    unseal,
    unwrap,
    wrap,
)

OFFICER, OFFICER_PUBLIC = new_identity()
DEPUTY, DEPUTY_PUBLIC = new_identity()
STRANGER, _ = new_identity()
FIELDS = {"first_name": "Şebnem", "last_name": "O’Connor", "email": "a@example.org"}
SALT = b"s" * 16


@given(st.dictionaries(st.text(), st.text(st.characters(exclude_categories=("Cs",)))))
@settings(max_examples=50)
def test_what_is_sealed_comes_back_byte_exact(fields: dict[str, str]) -> None:
    fields = {key: value for key, value in fields.items() if key.isprintable()}
    assert unseal(seal(fields, [OFFICER_PUBLIC]), [OFFICER]) == fields


def test_every_one_of_several_keys_opens_alone_and_no_other() -> None:
    sealed = seal(FIELDS, [OFFICER_PUBLIC, DEPUTY_PUBLIC])
    for identities in ([OFFICER], [DEPUTY], [STRANGER, DEPUTY]):
        assert unseal(sealed, identities) == FIELDS
    with pytest.raises(CannotOpen):
        unseal(sealed, [STRANGER])


@pytest.mark.parametrize("identities", [[], ["not a key"], [OFFICER_PUBLIC], [OFFICER.lower() + "x"]])
def test_what_is_no_private_key_opens_nothing(identities: list[str]) -> None:
    with pytest.raises(CannotOpen):
        unseal(seal(FIELDS, [OFFICER_PUBLIC]), identities)


@pytest.mark.parametrize("place", [0, 40, 150, -1])
def test_one_changed_byte_opens_nothing(place: int) -> None:
    sealed = bytearray(seal(FIELDS, [OFFICER_PUBLIC]))
    sealed[place] ^= 1
    with pytest.raises(CannotOpen):
        unseal(bytes(sealed), [OFFICER])


@pytest.mark.parametrize("sealed", [b"", b"age-encryption.org/v1", seal(FIELDS, [OFFICER_PUBLIC])[:-20]])
def test_what_is_cut_off_opens_nothing(sealed: bytes) -> None:
    with pytest.raises(CannotOpen):
        unseal(sealed, [OFFICER])


def test_without_a_key_nothing_is_sealed() -> None:
    with pytest.raises(ValueError, match="at least one"):
        seal(FIELDS, [])


def test_the_length_of_what_is_sealed_tells_nothing() -> None:
    short, long = ({"name": "U"}, {"name": "Ö" * 100})
    # before this mark stand the keys, to which age adds a random number of bytes
    bodies = [seal(fields, [OFFICER_PUBLIC]).partition(b"\n--- ")[2] for fields in (short, long)]
    assert len(bodies[0]) == len(bodies[1]) > PAD_TO
    plain = decrypt(seal(short, [OFFICER_PUBLIC]), [x25519.Identity.from_str(OFFICER)])
    assert len(plain) == PAD_TO
    assert json.loads(plain) == short


@pytest.mark.parametrize(("length", "padded"), [(PAD_TO - 8, PAD_TO), (PAD_TO - 7, 2 * PAD_TO)])
def test_padding_fills_up_to_the_next_step(length: int, padded: int) -> None:
    plain = decrypt(seal({"a": "x" * length}, [OFFICER_PUBLIC]), [x25519.Identity.from_str(OFFICER)])
    assert len(plain) == padded


def test_the_same_fields_sealed_twice_look_different() -> None:
    assert seal(FIELDS, [OFFICER_PUBLIC]) != seal(FIELDS, [OFFICER_PUBLIC])


def test_the_public_half_follows_from_the_private_one() -> None:
    assert public_of(OFFICER) == OFFICER_PUBLIC
    for wrong in ("", OFFICER_PUBLIC, "AGE-SECRET-KEY-1"):
        with pytest.raises(ValueError, match="age identity"):
            public_of(wrong)


def test_a_public_key_is_told_from_anything_else() -> None:
    assert is_public_key(OFFICER_PUBLIC)
    for wrong in ("", "age1", OFFICER, OFFICER_PUBLIC[:-1], OFFICER_PUBLIC + "q", f" {OFFICER_PUBLIC}"):
        assert not is_public_key(wrong)


def test_a_wrapped_key_comes_back_with_its_master_only() -> None:
    secret = new_key()
    assert len(secret) == 32
    assert unwrap(wrap(secret, OFFICER), OFFICER) == secret
    for wrong in (STRANGER, "no key"):
        with pytest.raises(CannotOpen):
            unwrap(wrap(secret, OFFICER), wrong)


def test_a_blind_index_is_equal_for_equal_values_under_one_key_and_purpose_only() -> None:
    key = new_key()
    index = blind_index(key, "email", "ann@example.org")
    assert len(index) == 32
    assert blind_index(key, "email", "ann@example.org") == index
    others = [
        (new_key(), "email", "ann@example.org"),
        (key, "name", "ann@example.org"),
        (key, "email", "eve@example.org"),
    ]
    assert index not in {blind_index(*other) for other in others}


@given(st.text(), st.text(), st.text(), st.text())
def test_purpose_and_value_cannot_be_shifted_into_each_other(purpose: str, value: str, other: str, rest: str) -> None:
    if "\0" in purpose + other or not (purpose + value + other + rest).isprintable():
        return
    same = blind_index(b"key", purpose, value) == blind_index(b"key", other, rest)
    assert same == ((purpose, value) == (other, rest))


@given(st.integers(0, 2**63 - 1))
def test_a_link_names_its_row_and_is_believed_for_no_other(number: int) -> None:
    token = link_token("secret", "confirm", number, SALT)
    assert token_number(token) == number
    assert is_link_token(token, "secret", "confirm", number, SALT)
    assert not is_link_token(token, "secret", "confirm", number ^ 1, SALT)


def test_a_link_is_for_one_purpose_one_secret_and_one_salt() -> None:
    token = link_token("secret", "confirm", 7, SALT)
    assert len(token) == 32
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    for secret, purpose, salt in (
        ("other", "confirm", SALT),
        ("secret", "manage", SALT),
        ("secret", "confirm", b"t" * 16),
    ):
        assert not is_link_token(token, secret, purpose, 7, salt)


@given(st.text())
def test_junk_is_no_link(junk: str) -> None:
    assert token_number(junk) is None
    assert not is_link_token(junk, "secret", "confirm", 7, SALT)


@pytest.mark.parametrize("change", [lambda t: t + "=", lambda t: t + "\n", lambda t: t.swapcase(), lambda t: t[:-1]])
def test_only_the_one_spelling_of_a_link_is_believed(change: object) -> None:
    token = link_token("secret", "confirm", 7, SALT)
    assert not is_link_token(change(token), "secret", "confirm", 7, SALT)  # type: ignore[operator]


def test_a_code_is_six_digits_and_differs_by_row_salt_and_secret() -> None:
    codes = [short_code("secret", number, SALT) for number in range(300)]
    assert all(len(code) == 6 and code.isdecimal() for code in codes)
    assert len(set(codes)) > 295
    assert short_code("secret", 7, SALT) == codes[7]
    assert short_code("secret", 7, b"t" * 16) != codes[7]
    assert short_code("other", 7, SALT) != codes[7]


def test_a_code_cannot_be_read_from_the_link() -> None:
    """Both come from the server's secret, under purposes of their own."""
    assert sealing._tag("secret", "code", b"x") != sealing._tag("secret", "confirm", b"x")
