"""The form for the six-digit code of the e-mail."""

from wtforms import Field, StringField
from wtforms.validators import ValidationError

from petitions.web.forms.person import AddressForm
from petitions.web.forms.words import REFUSALS


class CodeForm(AddressForm):
    """Address and code, as typed."""

    code = StringField()

    def validate_code(self, field: Field) -> None:
        """Six digits, however they are spaced."""
        if sum(char.isdecimal() for char in field.data or "") != 6:
            raise ValidationError(REFUSALS["code_missing"])
