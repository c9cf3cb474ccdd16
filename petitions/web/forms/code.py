"""The form that takes the six digits of the mail."""

from flask import request
from flask_wtf import FlaskForm
from wtforms import Field, StringField
from wtforms.validators import ValidationError

from petitions import people
from petitions.services.keyring import settings
from petitions.web.forms.words import REFUSALS


class CodeForm(FlaskForm):  # type: ignore[misc]
    """Address and code, as typed from the mail."""

    class Meta:
        """No token: see SignForm."""

        csrf = False

    email = StringField()
    code = StringField()

    def __init__(self) -> None:
        super().__init__(formdata=request.form)

    def validate_email(self, field: Field) -> None:
        """An address that mail can go to."""
        if not (field.data or "").strip():
            raise ValidationError(REFUSALS["email_missing"])
        try:
            field.data = people.clean_email(field.data, is_demo=settings().demo)
        except people.Refused as why:
            raise ValidationError(REFUSALS[why.code]) from why

    def validate_code(self, field: Field) -> None:
        """Six digits, however they are spaced."""
        if sum(char.isdecimal() for char in field.data or "") != 6:
            raise ValidationError(REFUSALS["code_missing"])
