"""The form that reports posted letters."""

from flask_babel import gettext as _
from wtforms import Field, StringField
from wtforms.validators import ValidationError

from petitions.services.campaigns.actions import MOST_LETTERS
from petitions.web.forms.guards import GuardedForm


class PostedForm(GuardedForm):
    """How many letters somebody has posted."""

    letters = StringField()

    def validate_letters(self, field: Field) -> None:
        """A whole number in any script's digits, up to MOST_LETTERS."""
        typed = (field.data or "").strip()
        if not (typed.isdecimal() and len(typed) < 4 and 1 <= int(typed) <= MOST_LETTERS):
            raise ValidationError(_("Enter a number from 1 to %(most)s.", most=MOST_LETTERS))

    @property
    def number(self) -> int:
        """The number; only after validation."""
        return int((self.letters.data or "").strip())
