"""Codes of collectors: short, sayable, and a mistake is always noticed."""

import pytest

from petitions.domain import codes


def test_a_new_code_is_five_letters_without_vowels_and_look_alikes() -> None:
    for _ in range(200):
        code = codes.new()
        assert len(code) == codes.LENGTH
        assert not set(code) - set(codes.LETTERS)
        assert codes.clean(" ".join(code.lower())) == code


def test_every_wrong_letter_and_every_exchange_of_neighbours_is_noticed() -> None:
    for code in [codes.new() for _ in range(50)]:
        wrong = {code[:place] + letter + code[place + 1 :] for place in range(5) for letter in codes.LETTERS}
        wrong |= {code[:place] + code[place + 1] + code[place] + code[place + 2 :] for place in range(4)}
        for each in wrong - {code}:
            with pytest.raises(codes.CodeMistyped):
                codes.clean(each)


@pytest.mark.parametrize("typed", ["BCDF", "BCDFGG", "ABCDE", "12345", "K7QM-2XBD", "ＢＣＤＦＧ"])
def test_what_is_no_code_is_noticed(typed: str) -> None:
    with pytest.raises(codes.CodeMistyped):
        codes.clean(typed)


@pytest.mark.parametrize("typed", ["", "  ", "-", "☃"])
def test_nothing_typed_is_no_code(typed: str) -> None:
    assert codes.clean(typed) == ""
