"""Errors: facts and ids, nothing personal, and words for each."""

from petitions import errors
from petitions.errors import DomainError, SettingsFaulty
from petitions.web.errors import ANSWERS, status_of, words_of


def kinds(of: type[DomainError] = DomainError) -> list[type[DomainError]]:
    """Every domain error there is."""
    return [of, *(kind for below in of.__subclasses__() for kind in kinds(below))]


def test_every_error_has_a_code_of_its_own_and_words_for_people() -> None:
    codes = [kind.code for kind in kinds()]
    assert len(codes) > 12
    assert len(set(codes)) == len(codes)
    assert set(kinds()) == ANSWERS.keys()


def test_an_error_shows_its_code_and_facts() -> None:
    assert str(errors.NotFound(campaign="x", case=7)) == "not_found campaign=x case=7"
    assert str(errors.Busy()) == "busy"
    assert errors.TooManyTries(seconds=60).details == {"seconds": 60}
    assert str(SettingsFaulty(["a", "b"])) == "The settings have faults:\n  - a\n  - b"


def test_every_error_has_a_status() -> None:
    assert all(400 <= status < 600 for status, _ in ANSWERS.values())
    found = [
        status_of(exc) for exc in (errors.NotFound(), errors.LinkExpired(), errors.CodeWrong(), errors.LoginBusy())
    ]
    assert found == [404, 410, 422, 503]


def test_every_error_of_the_domain_is_in_one_module() -> None:
    assert {kind.__module__ for kind in kinds()} == {errors.__name__}


def test_an_error_below_another_has_its_answer() -> None:
    class Gone(errors.LinkExpired):
        """For this test only."""

    assert (status_of(Gone()), words_of(Gone())) == ANSWERS[errors.LinkExpired]
