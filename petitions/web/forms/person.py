"""What forms ask about a person: the name, and the address."""

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
        """No token: web/security.py tells our own pages from foreign ones without a cookie."""

        csrf = False

    def __init__(self) -> None:
        super().__init__(formdata=request.form)


class NameForm(PublicForm):
    """The name as it should stand on the signatures."""

    first_name = StringField()
    last_name = StringField()

    def validate_first_name(self, field: Field) -> None:
        """Either name may be missing, not both."""
        field.data = cleaned(identity.clean_name, field.data)
        if not field.data and not (self.last_name.data or "").strip():
            raise ValidationError(REFUSALS["name_missing"])

    def validate_last_name(self, field: Field) -> None:
        """Any name in any script, or none."""
        field.data = cleaned(identity.clean_name, field.data)


class AddressForm(PublicForm):
    """An address that mail can go to."""

    email = StringField()

    def validate_email(self, field: Field) -> None:
        """Not empty, and an address."""
        if not (field.data or "").strip():
            raise ValidationError(REFUSALS["email_missing"])
        field.data = cleaned(lambda typed: identity.clean_email(typed, is_demo=settings().demo), field.data)
