"""The words of form errors: what is wrong, and what to do."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask_babel import lazy_gettext as _l
from wtforms import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import ValidationError

from petitions.domain import identity

Value = TypeVar("Value")

REFUSALS = {
    "name_missing": _l("Enter your name. One name is enough, in either field."),
    "name_too_long": _l("This name is too long for us. Enter at most 100 characters."),
    "name_has_link": _l("A name cannot contain a web address. Enter only your name."),
    "name_has_marks": _l("This name has too many accents on one letter. Enter it without them."),
    "name_has_sign": _l(
        "This name contains a character that we cannot accept. Use letters, spaces, hyphens and apostrophes."
    ),
    "name_has_no_letter": _l("Enter a name with at least one letter."),
    "email_missing": _l("Enter your e-mail address."),
    "email_wrong": _l("Enter an e-mail address like name@example.org."),
    "date_missing": _l("Enter your date of birth: day, month and year."),
    "date_wrong": _l("This is not a date. Enter day, month and year, for example 27/3/1985."),
    "date_in_future": _l("This date is in the future. Enter the day on which you were born."),
    "date_too_old": _l("This date is more than 120 years ago. Check the year."),
    "age_missing": _l("Tick this box if you are old enough. Younger people cannot sign here."),
    "cases_missing": _l("Choose at least one petition to sign."),
    "case_unknown": _l("One of the chosen cases does not belong to this campaign. Check your choice."),
    "case_closed": _l("One of the chosen cases no longer accepts signatures. Choose among the others."),
    "pass_unknown": _l("This code does not work here any more. Ask for a new one, or leave the field empty."),
    "pass_mistyped": _l("This code has a typing mistake. Check it letter by letter, or leave the field empty."),
    "title_missing": _l(
        "Enter a name of at most 120 characters, without a web address, for example that of the school."
    ),
    "recipient_missing": _l("Enter the name for the envelope, at most 120 characters."),
    "address_missing": _l("Enter the postal address, on at most 6 lines."),
    "kits_wrong": _l("Enter a whole number from 1 to 50."),
    "language_unknown": _l("Choose one of the languages."),
    "pupils_wrong": _l("Enter a whole number from 1 to 2000, or leave the field empty."),
    "kind_missing": _l("Choose who collects."),
    "time_wrong": _l("This is not a time. Enter day and time, for example 2026-03-27T14:30."),
    "code_missing": _l("Enter the six digits from our e-mail."),
}


def choices_of(words: Mapping[Any, str]) -> list[SelectChoice]:
    """The choices of a list to choose from."""
    return [SelectChoice(str(key), said) for key, said in words.items()]


def cleaned(clean: Callable[[str], Value], typed: str | None) -> Value:
    """The clean value; a refusal is raised as the field's error in words."""
    try:
        return clean(typed or "")
    except identity.Refused as exc:
        raise ValidationError(REFUSALS[exc.code]) from exc
