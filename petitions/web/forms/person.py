"""Forms about a person: name and e-mail address."""

from flask import request
from flask_wtf import FlaskForm
from wtforms import Field, StringField
from wtforms.validators import ValidationError

from petitions.domain import identity
from petitions.services.keys.keyring import settings
from petitions.web.forms.words import REFUSALS, cleaned


class PublicForm(FlaskForm):  # type: ignore[misc]
    """A form on a page that is the same for everybody."""

    class Meta:
        """No CSRF token: web/security.py checks the origin instead, which needs no cookie."""

        csrf = False

    def __init__(self) -> None:
        super().__init__(formdata=request.form)


class NameForm(PublicForm):
    """The name for the signatures."""

    first_name = StringField()
    last_name = StringField()

    def validate_first_name(self, field: Field) -> None:
        """One of the two names may be missing."""
        field.data = cleaned(identity.clean_name, field.data)
        if not field.data and not (self.last_name.data or "").strip():
            raise ValidationError(REFUSALS["name_missing"])

    def validate_last_name(self, field: Field) -> None:
        """Any name in any script, or none."""
        field.data = cleaned(identity.clean_name, field.data)


class AddressForm(PublicForm):
    """An e-mail address."""

    email = StringField()

    def validate_email(self, field: Field) -> None:
        """Required, and valid."""
        if not (field.data or "").strip():
            raise ValidationError(REFUSALS["email_missing"])
        field.data = cleaned(lambda typed: identity.clean_email(typed, is_demo=settings().demo), field.data)
