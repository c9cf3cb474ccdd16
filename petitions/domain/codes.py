"""Codes of collectors: four letters and a check letter, which can be said aloud and form no word."""

import secrets

LETTERS = "BCDFGHJKLMNPRSTVWXZ"  # no vowels and no look-alikes; 19 is prime, so each single mistake is detected
LENGTH = 5


class CodeMistyped(ValueError):
    """The code has a typing mistake: another length, or its check letter does not fit."""


def new() -> str:
    """A random code; 130,321 are possible."""
    letters = [secrets.randbelow(len(LETTERS)) for _ in range(LENGTH - 1)]
    return "".join(LETTERS[each] for each in [*letters, _check(letters)])


def clean(typed: str) -> str:
    """The code as it is stored, however it was spaced and capitalised; empty if nothing was typed.

    Raises CodeMistyped for any wrong letter and for any two neighbours that were exchanged.
    """
    code = "".join(char for char in typed.upper() if char.isalnum())
    letters = [LETTERS.find(char) for char in code]
    if code and (len(code) != LENGTH or min(letters) < 0 or letters[-1] != _check(letters[:-1])):
        raise CodeMistyped(code)
    return code


def _check(letters: list[int]) -> int:
    return sum(place * letter for place, letter in enumerate(letters, 1)) % len(LETTERS)
