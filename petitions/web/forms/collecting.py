"""The form of those who want to collect signatures and letters."""

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from wtforms import BooleanField, Field, SelectField, StringField
from wtforms.validators import ValidationError

from petitions.domain import identity
from petitions.domain.states import CollectorKind
from petitions.services.paper import collectors
from petitions.web.forms.person import AddressForm
from petitions.web.forms.words import REFUSALS, choices_of

KINDS = {
    CollectorKind.PERSON: lazy_pgettext("collector", "A person"),
    CollectorKind.CLASS: lazy_pgettext("collector", "A school class"),
    CollectorKind.SCHOOL: lazy_pgettext("collector", "A school"),
    CollectorKind.GROUP: lazy_pgettext("collector", "A library, a parish, an association"),
    CollectorKind.STALL: lazy_pgettext("collector", "A stall"),
}


def printable(typed: str | None) -> str | None:
    """The typed text without characters that no database or page accepts."""
    return "".join(char for char in typed if char.isprintable()) if typed else typed


def whole_number(typed: str) -> int:
    """The number that was typed; 0 if it is none, or has more than five digits."""
    typed = typed.strip()
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 6 else 0


class CollectForm(AddressForm):
    """Who collects, how they want to be called, and where the link goes."""

    kind = SelectField(_l("Who collects?"), choices=choices_of(KINDS), validate_choice=False)
    title = StringField(filters=[printable])
    pupils = StringField()
    unlisted = BooleanField()

    def validate_kind(self, field: Field) -> None:
        """One of the kinds."""
        if field.data not in KINDS:
            raise ValidationError(REFUSALS["kind_missing"])

    def validate_title(self, field: Field) -> None:
        """A name in public: of a school, or one that is not the person's own."""
        title = (field.data or "").strip()
        if not 0 < len(title) <= collectors.LONGEST_TITLE or identity.has_link(title):
            raise ValidationError(REFUSALS["title_missing"])

    def validate_pupils(self, field: Field) -> None:
        """A number or nothing."""
        self.number = whole_number(field.data or "") or None
        if (field.data or "").strip() and not 0 < (self.number or 0) <= collectors.LARGEST:
            raise ValidationError(REFUSALS["pupils_wrong"])
