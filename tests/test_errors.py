"""Errors: facts and ids, nothing personal, and words for each."""

import pytest

from petitions import errors
from petitions.errors import DomainError, SettingsFaulty
from petitions.web.errors import MESSAGES, STATUS, status_of


def kinds(of: type[DomainError] = DomainError) -> list[type[DomainError]]:
    """Every domain error there is."""
    return [of, *(kind for below in of.__subclasses__() for kind in kinds(below))]


def test_every_error_has_a_code_of_its_own_and_words_for_people() -> None:
    codes = [kind.code for kind in kinds()]
    assert len(codes) > 12
    assert len(set(codes)) == len(codes)
    assert set(codes) == MESSAGES.keys()


def test_an_error_shows_its_code_and_facts() -> None:
    assert str(errors.NotFound(campaign="x", case=7)) == "not_found campaign=x case=7"
    assert str(errors.Busy()) == "busy"
    assert errors.TooManyTries(seconds=60).details == {"seconds": 60}
    assert str(SettingsFaulty(["a", "b"])) == "The settings have faults:\n  - a\n  - b"


@pytest.mark.parametrize(
    ("exc", "status"), [*[(kind(), status) for kind, status in STATUS.items()], (errors.CodeWrong(), 422)]
)
def test_every_error_has_a_status(exc: DomainError, status: int) -> None:
    assert status_of(exc) == status
    assert 400 <= status < 600


def test_an_error_below_another_has_its_status() -> None:
    class Gone(errors.LinkExpired):  # no code of its own: it lives for this test only
        """For this test only."""

    assert status_of(Gone()) == 410
