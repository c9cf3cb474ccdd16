"""Encryption: only the right key decrypts; lengths and links show nothing."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrage import decrypt, x25519

from petitions.domain import sealing
from petitions.domain.sealing import (
    PAD_TO,
    CannotOpen,
    blind_index,
    blind_name,
    check_value,
    is_link_token,
    is_public_key,
    link_token,
    new_identity,
    new_key,
    public_of,
    seal,
    short_code,
    token_name,
    unseal,
    unwrap,
    wrap,
)

OFFICER, OFFICER_PUBLIC = new_identity()
DEPUTY, DEPUTY_PUBLIC = new_identity()
OTHER_KEY, _ = new_identity()
FIELDS = {"first_name": "Şebnem", "last_name": "O’Connor", "email": "a@example.org"}
LINK_ID = b"s" * 16


@given(st.dictionaries(st.text(), st.text(st.characters(exclude_categories=("Cs",)))))
@settings(max_examples=50)
def test_what_is_sealed_comes_back_byte_exact(fields: dict[str, str]) -> None:
    fields = {key: value for key, value in fields.items() if key.isprintable()}
    assert unseal(seal(fields, [OFFICER_PUBLIC]), [OFFICER]) == fields


def test_every_one_of_several_keys_opens_alone_and_no_other() -> None:
    sealed = seal(FIELDS, [OFFICER_PUBLIC, DEPUTY_PUBLIC])
    for identities in ([OFFICER], [DEPUTY], [OTHER_KEY, DEPUTY]):
        assert unseal(sealed, identities) == FIELDS
    with pytest.raises(CannotOpen):
        unseal(sealed, [OTHER_KEY])


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


def test_the_length_of_what_is_sealed_shows_nothing() -> None:
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


def test_a_public_key_is_distinguished_from_anything_else() -> None:
    assert is_public_key(OFFICER_PUBLIC)
    for wrong in ("", "age1", OFFICER, OFFICER_PUBLIC[:-1], OFFICER_PUBLIC + "q", f" {OFFICER_PUBLIC}"):
        assert not is_public_key(wrong)


def test_a_wrapped_key_comes_back_with_its_master_only() -> None:
    secret = new_key()
    assert len(secret) == 32
    assert unwrap(wrap(secret, OFFICER), OFFICER) == secret
    for wrong in (OTHER_KEY, "no key"):
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


@given(st.binary(min_size=16, max_size=16))
def test_a_link_names_its_signer_and_is_accepted_for_no_other(link_id: bytes) -> None:
    token = link_token("secret", "confirm", link_id)
    assert token_name(token) == link_id
    assert is_link_token(token, "secret", "confirm", link_id)
    assert not is_link_token(token, "secret", "confirm", bytes([link_id[0] ^ 1]) + link_id[1:])


def test_a_link_is_for_one_purpose_and_one_secret() -> None:
    token = link_token("secret", "confirm", LINK_ID)
    assert len(token) == 43
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    for secret, purpose in (("other", "confirm"), ("secret", "manage")):
        assert not is_link_token(token, secret, purpose, LINK_ID)


def test_a_link_from_before_signers_had_names_still_works_for_its_row() -> None:
    """As the version before made them: the row's number, and an HMAC over it and the salt that is now the name."""
    number = (7).to_bytes(8, "big")
    token = base64.urlsafe_b64encode(number + sealing._tag("secret", "confirm", number + LINK_ID)).decode().rstrip("=")  # noqa: SLF001 - the tag is what is tested
    assert token_name(token) == number
    assert is_link_token(token, "secret", "confirm", LINK_ID)
    assert not is_link_token(token, "secret", "confirm", b"t" * 16)


@given(st.text())
def test_junk_is_no_link(junk: str) -> None:
    assert token_name(junk) is None
    assert not is_link_token(junk, "secret", "confirm", LINK_ID)


@pytest.mark.parametrize("change", [lambda t: t + "=", lambda t: t + "\n", lambda t: t.swapcase(), lambda t: t[:-1]])
def test_only_the_one_spelling_of_a_link_is_accepted(change: object) -> None:
    token = link_token("secret", "confirm", LINK_ID)
    assert not is_link_token(change(token), "secret", "confirm", LINK_ID)  # type: ignore[operator]


def test_a_code_is_six_digits_and_differs_by_signer_and_secret() -> None:
    codes = [short_code("secret", number.to_bytes(16, "big")) for number in range(300)]
    assert all(len(code) == 6 and code.isdecimal() for code in codes)
    assert len(set(codes)) > 295
    assert short_code("secret", (7).to_bytes(16, "big")) == codes[7]
    assert short_code("other", (7).to_bytes(16, "big")) != codes[7]


def test_equal_names_of_two_mailboxes_are_not_equal() -> None:
    key = b"k" * 32
    one, other = (blind_name(key, mailbox, "ann lee") for mailbox in (b"a" * 32, b"b" * 32))
    assert one != other
    assert one == blind_name(key, b"a" * 32, "ann lee") != blind_name(b"l" * 32, b"a" * 32, "ann lee")


def test_a_check_value_is_equal_for_equal_secrets_and_shows_nothing() -> None:
    assert check_value("secret") == check_value("secret") != check_value("other")
    assert "secret" not in check_value("secret")


def test_a_code_cannot_be_read_from_the_link() -> None:
    """Both come from the server's secret, under purposes of their own."""
    assert sealing._tag("secret", "code", b"x") != sealing._tag("secret", "confirm", b"x")  # noqa: SLF001 - the tag is what is tested
